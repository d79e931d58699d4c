#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <mutex>

#include <thalweg/topology/task_context.h>

namespace thalweg::internal {

/// What both sides of a join of two streams know of time, in one task.
struct JoinTimeTracker {
  std::int64_t stream_time = -1;
  /// The earliest time of a record that waits for a partner, as far as is known.
  std::int64_t min_time = std::numeric_limits<std::int64_t>::max();
  std::int64_t next_time_to_emit = 0;  ///< By the wall clock.
};

/// Gives both sides of a join the same tracker in each task. Thread-safe.
class JoinTimeTrackers {
 public:
  std::shared_ptr<JoinTimeTracker> of(const TaskContext& task);

 private:
  std::mutex mutex_;
  std::map<const TaskContext*, std::weak_ptr<JoinTimeTracker>> trackers_;
};

}  // namespace thalweg::internal
