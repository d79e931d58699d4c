#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include <thalweg/runtime/clock.h>
#include <thalweg/runtime/log.h>
#include <thalweg/runtime/metrics.h>
#include <thalweg/runtime/streams_application.h>
#include <thalweg/runtime/streams_config.h>
#include <thalweg/topology/topology.h>

#include "application_plan.h"
#include "async_calls.h"
#include "global_state.h"
#include "partition_group.h"
#include "partition_time.h"
#include "punctuation_queue.h"

namespace thalweg::internal {

/// One instance of a sub-topology: its stores, and a *processing half* made around them (queues,
/// nodes, punctuations) that an abort throws away whole.
///
///     open_stores() -> [restore through stores()] -> start() -> enqueue/process/punctuate
///         -> flush() -> (transaction commits) -> committed() -> ...
///         -> suspend() -> [restore] -> start() ...
///
/// Used by one thread at a time. Knows nothing of consumers and producers: the worker and the test
/// driver feed it and collect what it sends.
class StreamTask final : public TaskContext {
 public:
  struct Setup {
    TaskId id;
    const Topology* topology;
    std::int32_t subtopology;  ///< -1: all of them in one task (the test driver).
    const PlannedSubTopology* plan;
    const StreamsConfig* config;
    Environment environment;
    RecordCollector* collector;
    /// As TaskContext::emit_interval(); Kafka Streams' own.
    std::chrono::milliseconds emit_interval = std::chrono::seconds(1);
    GlobalState* globals = nullptr;  ///< The worker's; null: the topology has no global store.
    /// Called from any thread when run_async_calls() has something to do.
    std::function<void()> wakeup = {};
  };
  struct Store {
    std::string name;
    std::shared_ptr<StateStore> store;
    TopicPartition changelog;  ///< Empty topic: none.
    bool internal = true;
    std::unique_ptr<ChangelogWriter> writer;
    /// Set by whoever finds the store's files damaged: a spill, a read, a query.
    std::shared_ptr<std::atomic<bool>> damaged = std::make_shared<std::atomic<bool>>(false);
  };

  explicit StreamTask(Setup setup);
  ~StreamTask() override;

  Status open_stores();
  std::vector<Store>& stores() { return stores_; }
  /// The partitions this task reads; enqueue() names them by their place here.
  const std::vector<TopicPartition>& inputs() const { return inputs_; }

  // --- The processing half ------------------------------------------------------------------

  /// Makes the nodes and queues. `committed` holds the position of every input, with metadata.
  void start(const std::map<TopicPartition, OffsetAndMetadata>& committed);
  /// Drops the processing half and everything uncommitted.
  void suspend();
  bool started() const { return started_; }

  /// As RecordQueue::add().
  void enqueue(std::size_t input, RecordBatch batch, std::string_view topic = {}) {
    group_.add_records(input, std::move(batch), topic);
  }
  /// As RecordQueue::add_hops(), take_back(), hops() and position(). Between two calls of
  /// process().
  void enqueue_hops(std::size_t input, RecordBatch batch) {
    group_.add_hops(input, std::move(batch));
  }
  std::vector<RecordBatch> take_back(std::size_t input) { return group_.take_back(input); }
  std::size_t hops(std::size_t input) const { return group_.queue(input).hops(); }
  std::size_t hops() const { return group_.hops(); }
  Offset position(std::size_t input) const { return group_.queue(input).position(); }
  std::size_t buffered() const { return group_.buffered(); }
  std::size_t buffered(std::size_t input) const { return group_.queue(input).buffered(); }
  /// As PartitionGroup::lag().
  Offset lag() const { return group_.lag(); }
  /// Processes up to `max_records`; returns how many. By `max.task.idle.ms`, an empty input may be
  /// waited for, as PartitionGroup::ready() says. Throws StreamsError.
  std::size_t process(std::size_t max_records, Timestamp wall_clock);
  /// Counts time in which every input is empty as waited for them. process() does not: Kafka
  /// Streams' driver asks only while there are records, its threads always.
  void note_waiting(Timestamp wall_clock) {
    if (group_.empty()) group_.ready(wall_clock, setup_.config->max_task_idle);
  }
  /// Fires what is due by stream time; returns whether anything was. process() does so behind each
  /// record; without one, something is due after start(), as stream time goes on where it was
  /// committed, and where the wall clock has scheduled it. Throws StreamsError.
  bool punctuate_stream_time();
  /// Fires what is due on the wall clock. Throws StreamsError.
  bool punctuate_wall_clock(Timestamp wall_clock);
  std::optional<Timestamp> next_wall_clock_punctuation() const { return wall_clock_.next(); }
  /// Starts what has become durable and takes the answers that have come; without `begin_more`, as
  /// before the end, only the latter. Returns whether the transaction has something of it. Throws
  /// StreamsError.
  bool run_async_calls(Timestamp wall_clock, bool begin_more = true);
  std::optional<Timestamp> next_async_deadline(bool begin_more) const {
    return async_calls_.next_deadline(begin_more);
  }
  std::size_t async_calls_in_flight() const { return async_calls_.in_flight(); }

  // --- Commit -------------------------------------------------------------------------------

  /// Flushes the caches, which may forward and write more.
  void flush();
  /// The position of every input, to be committed with the transaction.
  std::map<TopicPartition, OffsetAndMetadata> positions() const;
  /// The transaction is committed. `ends[i]`: where stores()[i]'s changelog ends now, or kNoOffset.
  void committed(const std::vector<Offset>& ends, CommitSequence commit);
  std::size_t uncommitted_bytes() const;
  bool commit_requested() const { return commit_requested_; }
  /// Whether what was thrown is to be tried again, as the production exception handler says.
  bool wants_retry() const { return wants_retry_; }
  std::uint64_t processed() const { return processed_; }
  std::uint64_t punctuated() const { return punctuated_; }
  std::uint64_t dropped_records() const { return dropped_; }
  /// What nodes count, by metric and node.
  struct ByNames {
    using is_transparent = void;
    bool operator()(const auto& a, const auto& b) const {
      return a.first != b.first ? a.first < b.first : a.second < b.second;
    }
  };
  using NodeMetrics = std::map<std::pair<std::string, std::string>, Counter*, ByNames>;
  const NodeMetrics& node_metrics() const { return node_metrics_; }

  // --- TaskContext --------------------------------------------------------------------------

  std::string_view application_id() const override { return setup_.config->application_id; }
  TaskId task_id() const override { return setup_.id; }
  const std::map<std::string, std::string>& app_configs() const override;
  std::string state_dir() const override;
  StateStore& store(std::string_view name) override;
  StateStore* global_store(std::string_view name) override;
  RecordCollector& collector() override { return *setup_.collector; }
  std::string topic_name(std::string_view name, bool internal) const override;
  std::optional<std::int64_t> processor_metadata(std::string_view key) const override;
  void set_processor_metadata(std::string_view key, std::int64_t value) override {
    processor_metadata_.insert_or_assign(std::string(key), value);
  }
  std::chrono::milliseconds emit_interval() const override { return setup_.emit_interval; }
  Timestamp stream_time() const override { return stream_time_; }
  Timestamp wall_clock_time() const override { return setup_.environment.clock->wall_clock(); }
  const RecordMetadata& metadata() const override { return metadata_; }
  Cancellable schedule(std::chrono::milliseconds interval, PunctuationType type,
                       std::string_view node, Punctuator punctuator) override;
  Timestamp exchange_record_time(Timestamp time) override {
    return std::exchange(record_time_, time);
  }
  RecordMetadata exchange_metadata(RecordMetadata record) override {
    return std::exchange(metadata_, record);
  }
  bool skip_failed(std::string_view node, const std::exception& error) override;
  bool skip_unwritable(std::string_view node, const std::exception& error) override;
  std::function<void()> add_async_work(AsyncWork& work) override { return async_calls_.add(work); }
  void request_commit() override { commit_requested_ = true; }
  void dropped(std::string_view node, std::string_view reason) override;
  void count(std::string_view metric, std::string_view node) override;

 private:
  /// Of its metrics, or those of one of its nodes.
  MetricsRegistry::Labels labels_of(std::string_view node) const;
  void process_head(RecordQueue& queue);
  bool flush(Store& store);
  ErrorContext error_context(std::string_view node) const;
  bool skip(FailureHandling handling, std::string_view node, std::string_view exception,
            const std::exception& error);
  void punctuate(const PunctuationQueue::Schedule& schedule, Timestamp time);
  void bad_record(const RecordView& record, const RecordMetadata& metadata,
                  const SerdeError& error);
  void to_dead_letters(const RecordView& record, const RecordMetadata& metadata,
                       std::string_view exception, std::string_view message);
  /// Where dead letters of that topic go; made as wide as it, if the log does not have it.
  TopicHandle dead_letter_topic(std::string_view topic);
  [[noreturn]] void fail_processing(const std::exception& cause, const RecordMetadata& metadata);

  Setup setup_;
  std::vector<TopicPartition> inputs_;
  std::vector<Store> stores_;
  boost::unordered_flat_map<std::string, StateStore*> stores_by_name_;

  bool started_ = false;
  ProcessorGraph graph_;
  PartitionGroup group_;
  PunctuationQueue stream_clock_;
  PunctuationQueue wall_clock_;
  AsyncCalls async_calls_;
  Timestamp stream_time_ = kNoTimestamp;
  ProcessorMetadata processor_metadata_;
  std::set<std::string> dead_letter_topics_;  // Those that are on the log.
  Timestamp record_time_ = kNoTimestamp;
  RecordMetadata metadata_;
  const RecordQueue* current_ = nullptr;  // Whose head is being processed.
  bool commit_requested_ = false;
  bool wants_retry_ = false;
  mutable std::map<std::string, std::string> app_configs_;  // Made when somebody asks.
  std::uint64_t processed_ = 0;
  std::size_t processed_since_flush_ = 0;
  std::uint64_t punctuated_ = 0;
  std::uint64_t dropped_ = 0;
  NodeMetrics node_metrics_;
  std::deque<Counter> own_counters_;  // Where there is no registry to hold them.
  Counter* dropped_counter_ = nullptr;
  Counter* processed_counter_ = nullptr;
  Counter* enforced_counter_ = nullptr;
};

}  // namespace thalweg::internal
