#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include <thalweg/runtime/clock.h>
#include <thalweg/runtime/log.h>
#include <thalweg/runtime/streams_application.h>
#include <thalweg/runtime/streams_config.h>
#include <thalweg/topology/topology.h>

#include "application_plan.h"
#include "restore_notices.h"

namespace thalweg::internal {

/// The global stores that the tasks of one worker share: in memory, each the image of one topic,
/// all partitions of it.
///
/// Used by the worker's thread. Knows nothing of consumers: GlobalReader and the test driver feed
/// it. Records are applied at once and belong to no transaction: an abort leaves them.
class GlobalState final : public TaskContext {
 public:
  struct Setup {
    const Topology* topology;
    const std::vector<PlannedGlobalStore>* plan;
    const StreamsConfig* config;
    Environment environment;
  };

  explicit GlobalState(Setup setup);
  ~GlobalState() override;

  /// Makes stores and nodes.
  Status open();
  const std::vector<PlannedGlobalStore>& plan() const { return *setup_.plan; }
  StateStore* find(std::string_view name);
  /// Applies a record of the topic of plan()[index]. Throws StreamsError.
  void apply(std::size_t index, std::int32_t partition, const RecordView& record);
  /// What was applied becomes visible to queries; `commit` made the newest of it visible.
  void commit(CommitSequence commit);
  std::uint64_t dropped_records() const { return dropped_; }

  // --- TaskContext, for the nodes that write the stores --------------------------------------

  std::string_view application_id() const override { return setup_.config->application_id; }
  TaskId task_id() const override { return {-1, -1}; }
  const std::map<std::string, std::string>& app_configs() const override;
  std::string state_dir() const override;
  StateStore& store(std::string_view name) override;
  RecordCollector& collector() override;
  std::string topic_name(std::string_view name, bool internal) const override;
  Timestamp stream_time() const override { return stream_time_; }
  Timestamp wall_clock_time() const override { return setup_.environment.clock->wall_clock(); }
  const RecordMetadata& metadata() const override { return metadata_; }
  Cancellable schedule(std::chrono::milliseconds interval, PunctuationType type,
                       std::string_view node, Punctuator punctuator) override;
  Timestamp exchange_record_time(Timestamp time) override {
    return std::exchange(record_time_, time);
  }
  void request_commit() override {}
  void dropped(std::string_view node, std::string_view reason) override;

 private:
  struct Table {
    std::shared_ptr<StateStore> store;
    ProcessorGraph graph;
    std::unique_ptr<SourceInput> input;
  };

  Setup setup_;
  std::vector<Table> tables_;  // As in the plan.
  boost::unordered_flat_map<std::string, StateStore*> stores_;
  Timestamp stream_time_ = kNoTimestamp;
  Timestamp record_time_ = kNoTimestamp;
  RecordMetadata metadata_;
  std::uint64_t dropped_ = 0;
  mutable std::map<std::string, std::string> app_configs_;  // Made when somebody asks.
};

/// Reads the topics of global stores: to their ends before any task runs, then on beside them.
class GlobalReader {
 public:
  /// The listener, if there is one, outlives it.
  GlobalReader(std::unique_ptr<LogConsumer> consumer, GlobalState& state,
               StateRestoreListener* listener = nullptr);

  /// Asks where the topics end. Called once.
  void begin();
  /// Reads and applies up to about `max_records`; returns whether there was anything.
  bool run_once(std::size_t max_records);
  /// Called at the end: what is not restored is told to be suspended.
  void stop();
  /// Whether everything is applied that was there at the beginning. Stays true.
  bool restored() const { return measured_ && behind_ == 0; }
  /// Why reading cannot go on, if so.
  const std::optional<Error>& failure() const { return failure_; }

 private:
  struct Partition {
    std::size_t index;  // Of the store in the plan.
    TopicPartition name;
    Offset end = 0;     // As first measured.
    bool behind = false;
    std::uint64_t restored = 0;  // Records before the end.
  };
  bool read_events();
  void measured(const ConsumerEvent& event);
  void begin_restore(Partition& partition, const ConsumerEvent::Range& range);
  void note_restored(Partition& partition, const RecordBatch& batch);
  const std::string& store_of(const Partition& partition) const {
    return state_.plan()[partition.index].store;
  }

  std::unique_ptr<LogConsumer> consumer_;
  GlobalState& state_;
  RestoreNotices notices_;
  std::vector<Partition> partitions_;  // By tag.
  std::size_t behind_ = 0;             // How many partitions are not read to their end yet.
  bool measured_ = false;
  CommitSequence newest_ = 0;
  std::vector<RecordBatch> batches_;
  std::optional<Error> failure_;
};

}  // namespace thalweg::internal
