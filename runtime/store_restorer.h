#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <thalweg/runtime/log.h>
#include <thalweg/runtime/streams_application.h>
#include <thalweg/state/state_store.h>

#include "restore_notices.h"

namespace thalweg::internal {

/// Reads changelogs into stores, a bounded chunk at a time, beside the tasks that run.
///
/// A store is restored when the position is at the end that was measured after its task was
/// assigned: positions, not records, are counted, since control and compacted records take offsets
/// too.
class StoreRestorer {
 public:
  /// The listener, if there is one, outlives it.
  explicit StoreRestorer(std::unique_ptr<LogConsumer> consumer,
                         StateRestoreListener* listener = nullptr)
      : consumer_(std::move(consumer)), notices_(listener) {}

  /// Restores `store` of `task` from what it holds up to `range.end`. A store that holds offsets
  /// the changelog does not have is emptied first.
  Status add(TaskId task, const std::string& name, std::shared_ptr<StateStore> store,
             const TopicPartition& changelog, ConsumerEvent::Range range);
  /// The task is gone, or begins anew: stops restoring its stores.
  void remove(TaskId task);
  /// Reads and applies up to about `max_records`; returns whether there was anything.
  bool run_once(std::size_t max_records);
  /// The tasks that were removed here because a changelog does not hold what was to be read next,
  /// as where retention is faster than the reader: add them again, with the ranges of then. Each
  /// is told once.
  std::set<TaskId> take_overtaken() { return std::exchange(overtaken_, {}); }
  bool restoring(TaskId task) const;
  bool idle() const { return active_.empty(); }
  /// How many records the stores of the task have been given since it was added. Fewer than
  /// offsets: aborted and control records take offsets too.
  std::uint64_t restored_records(TaskId task) const;
  std::vector<TaskInfo::Restore> progress(TaskId task) const;
  /// Why restoring cannot go on, if so.
  const std::optional<Error>& failure() const { return failure_; }

 private:
  struct Active {
    TaskId task;
    std::shared_ptr<StateStore> store;
    TopicPartition changelog;
    TaskInfo::Restore progress;
    std::uint64_t records = 0;
  };
  void read_events();
  void on_out_of_range(const ConsumerEvent& event);

  std::unique_ptr<LogConsumer> consumer_;
  RestoreNotices notices_;
  std::map<std::uint32_t, Active> active_;  // By tag.
  std::map<TaskId, std::uint64_t> records_;
  std::set<TaskId> overtaken_;
  std::uint32_t next_tag_ = 0;
  std::vector<RecordBatch> batches_;
  std::optional<Error> failure_;
};

}  // namespace thalweg::internal
