#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "application_plan.h"
#include "application_state.h"
#include "global_state.h"
#include "local_hops.h"
#include "spiller.h"
#include "standby_tasks.h"
#include "store_restorer.h"
#include "stream_task.h"
#include "transaction_collector.h"

namespace thalweg::internal {

class StreamsMetadataState;
class WarmUp;

/// What all workers of an application share.
struct WorkerSetup {
  std::int32_t index = 0;
  std::string transactional_id;
  std::string member = {};  ///< Its client.id in the group, where other processes look for it.
  const Topology* topology = nullptr;
  const ApplicationPlan* plan = nullptr;
  const StreamsConfig* config = nullptr;
  Environment environment;
  ApplicationState* state = nullptr;
  Spiller* spiller = nullptr;
  StreamsMetadataState* metadata = nullptr;          ///< Null: there are no other processes.
  WarmUp* warm_up = nullptr;                         ///< Null: it joins the group at once.
  StateRestoreListener* restore_listener = nullptr;  ///< Null: nobody listens.
  /// How many changelog records one step may restore, beside the tasks that run.
  std::size_t restore_records = 50'000;
};

/// One consumer, one producer and the tasks they serve: a state machine that a thread (or the
/// simulator) steps. It never sleeps and never blocks; committing is one of its states.
///
///              kReady                    kFlushed          kOffsetsSent        kCommitted
///   kStarting ---------> kRunning --+--> kFlushing --> kSendingOffsets --> kCommitting --+
///       ^                   ^       |        |               |                  |        |
///       |                   +-------|--------|---------------|------------------|--------+
///       | new producer              v        v               v                  v
///       +------------------------- kAborting, all tasks suspended <-------------+
///
/// A fenced producer and an unknown outcome go straight back to kStarting.
///
/// Whatever goes wrong ends in the same place: the tasks are suspended, a new producer settles what
/// became of the old transactions, the committed positions are asked for, the stores read their
/// changelogs' tails, and the tasks start anew. So an unknown outcome needs no guess.
class Worker {
 public:
  explicit Worker(WorkerSetup setup);
  ~Worker();

  /// Makes its clients, and joins the group as soon as it may. Called once, before the first
  /// run_once().
  void join();
  /// One step; returns whether there may be more to do at once.
  bool run_once();
  /// When run_once() has something to do without being woken.
  Clock::Instant next_deadline() const;
  /// Called from any thread when run_once() has something to do. Set before join().
  void set_wakeup(std::function<void()> wakeup);
  /// Makes it look again at what it waits for. From any thread.
  void wake();

  /// Asks for a clean end: commit, spill, leave. From any thread.
  void request_stop();
  /// Of this worker in its application, from 1 on.
  std::int32_t number() const { return setup_.index + 1; }
  /// Whether it has ended. Any thread.
  bool stopped() const { return stopped_.load(std::memory_order_acquire); }
  /// Whether only input waits for this worker: no transaction is open, and no task on its way.
  bool may_rest() const;
  /// Whether the group has assigned tasks (perhaps none), and all of them run. Any thread.
  bool settled() const { return settled_.load(std::memory_order_relaxed); }
  /// Why the worker ended, if not by request_stop(). Once stopped() is true; any thread.
  const std::optional<std::string>& failure() const { return failure_; }

 private:
  enum class Phase : std::uint8_t {
    kStarting,  ///< The producer is not ours yet, or waits out a back-off.
    kRunning,
    kFlushing,
    kSendingOffsets,
    kCommitting,
    kAborting,
    kSpilling,  ///< Stopping: the last spills are under way.
    kStopped,
  };
  static constexpr std::chrono::milliseconds kHousekeepingInterval{200};

  struct Member {
    std::unique_ptr<StreamTask> task;
    TaskInfo::State state = TaskInfo::State::kCreated;
    const PlannedSubTopology* plan = nullptr;
    std::map<TopicPartition, OffsetAndMetadata> committed;
    bool first_start = false;                  ///< The group had committed nothing for it.
    std::vector<std::uint32_t> tags;           ///< Of its inputs at the consumer, while it runs.
    std::vector<bool> paused;                  ///< Which inputs are paused there, while it runs.
    std::vector<LocalHops::Route*> hops = {};  ///< By which other tasks here send to it.
    std::size_t turn = 1;                      ///< Records between two looks at the clock.
  };
  struct Input {
    Member* member = nullptr;  ///< Null: the partition has left.
    std::size_t index = 0;
  };

  // worker.cc: the loop.
  bool take_input();
  bool take_turns(Member& member);
  void note_what_is_open();
  void note_work_since(Clock::Instant began);
  bool process();
  bool process(Member& member, Clock::Instant until, Clock::Instant& now);
  bool process_turn(Member& member, Timestamp wall_clock, Clock::Instant& now, std::size_t& done);
  bool punctuate();
  bool run_async_calls();
  bool runs_tasks() const;
  bool async_calls_in_flight() const;
  bool commit_due(bool drained) const;
  bool knows_of_more_input() const;
  Clock::Instant caught_up_at() const;
  Clock::Instant earliest_commit() const;
  Clock::Instant latest_commit(Clock::Instant began) const;
  bool lingers() const;
  Clock::Instant earliest_push() const;
  void push_what_lingers();
  void stop_when_asked();
  void finish_stop();
  void fail(std::string reason);
  void close();

  // worker_housekeeping.cc: what is done now and then.
  void spill_what_is_due();
  void spill(StreamTask& task, bool pressed);
  void write_out(StreamTask& task, const StandbyTasks::SpillsLeft& left);
  bool replace_damaged_stores();

  // worker_assignment.cc: which tasks are here, and how they come to run.
  bool subscribe();
  bool poll_consumer();
  void on_out_of_range(const ConsumerEvent& event);
  void on_assigned(const std::vector<TopicPartition>& partitions);
  void on_revoking(const std::vector<TopicPartition>& partitions);
  void on_lost(const std::vector<TopicPartition>& partitions);
  void release_revoked();
  void add_task(TaskId id);
  bool add_waiting_tasks();
  void make_standbys();
  void keep_standbys();
  std::unique_ptr<StreamTask> make_task(TaskId id);
  void close_task(TaskId id);
  bool settle();
  void on_committed_offsets(const ConsumerEvent& event);
  void on_ends(const ConsumerEvent& event);
  bool restore();
  bool start_restored();
  void start_task(Member& member);
  void open_globals();
  bool read_globals();
  void publish(const Member& member);
  void update_settled();

  // worker_commit.cc: transactions.
  bool poll_producer();
  void begin_commit();
  void flush_tasks();
  bool process_hops(Member& member, Clock::Instant until);
  void send_offsets();
  void finish_commit(CommitSequence commit);
  void begin_abort(const Error& reason);
  void renew_producer();
  void suspend_all();
  void purge_repartition_topics();
  bool committing() const {
    return phase_ == Phase::kFlushing || phase_ == Phase::kSendingOffsets ||
           phase_ == Phase::kCommitting;
  }

  WorkerSetup setup_;
  const StreamsConfig& config_;
  Clock& clock_;
  std::string name_;
  Phase phase_ = Phase::kStarting;
  std::function<void()> wakeup_;
  std::atomic<bool> stop_requested_ = false;
  std::atomic<bool> settled_ = false;
  std::atomic<bool> stopped_ = false;
  std::optional<std::string> failure_;

  std::unique_ptr<LogConsumer> consumer_;
  std::unique_ptr<LogProducer> producer_;
  TransactionCollector collector_;
  LocalHops hops_{collector_};
  std::unique_ptr<StoreRestorer> restorer_;
  std::unique_ptr<GlobalState> globals_;  // Null: the topology has no global store.
  std::unique_ptr<GlobalReader> global_reader_;
  bool globals_restored_ = true;

  std::map<TaskId, Member> members_;
  std::set<TaskId> waiting_;  // Assigned, but another worker here has a copy of them open.
  std::unique_ptr<StandbyTasks> standbys_;                               // Null: none are kept.
  std::map<std::pair<TaskId, std::string>, Clock::Instant> last_spill_;  // Of each store.
  std::vector<Input> inputs_;                                            // By tag.
  std::vector<RecordBatch> batches_;
  bool subscribed_ = false;
  bool assigned_once_ = false;
  bool more_input_ = false;

  TaskId served_last_{-1, -1};  // At which the time to process ran out.

  // Tasks that are on their way from kCreated to kRestoring; one question at a time.
  std::set<TaskId> settling_;
  int questions_ = 0;  // Asked of the consumer and not answered yet.

  std::vector<TopicPartition> revoked_;  // Tasks' partitions to give up after the next commit.

  // The open transaction.
  bool dirty_ = false;  // Something was processed or punctuated since the last commit.
  std::map<TopicPartition, OffsetAndMetadata> attempted_;
  Clock::Instant transaction_began_{};
  Clock::Instant last_commit_{};
  Clock::Instant last_input_{};  // When the log last gave anything.
  Clock::Instant commit_began_{};
  std::chrono::nanoseconds commit_work_{};  // What a commit keeps this thread busy, lately.
  Clock::Instant last_push_{};
  Clock::Instant last_purge_{};
  std::optional<std::string> stop_after_abort_;

  int failures_in_row_ = 0;
  int out_of_range_in_row_ = 0;             // Since something was committed.
  std::optional<Clock::Instant> renew_at_;  // Back-off before the next producer.
  Clock::Instant next_housekeeping_{};
  std::shared_ptr<std::atomic<int>> spills_under_way_ = std::make_shared<std::atomic<int>>(0);
  std::shared_ptr<std::atomic<bool>> disk_full_ = std::make_shared<std::atomic<bool>>(false);

  Counter* commits_ = nullptr;
  Counter* aborts_ = nullptr;
  LatencyHistogram* commit_latency_ = nullptr;
};

}  // namespace thalweg::internal
