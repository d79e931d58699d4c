#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <thalweg/topology/task_context.h>

namespace thalweg::internal {

/// When an aggregation that emits on window close looks for closed windows, and what it has emitted
/// so far, which outlives the node: it is committed with the task's positions.
class WindowCloser {
 public:
  void start(TaskContext& task, std::string_view node, std::string_view store);

  /// Whether windows that closed by `close_time` are to be emitted now: it has moved on, and the
  /// last look is at least `emit_interval()` of wall-clock time ago.
  bool is_due(Timestamp close_time);
  /// Windows closed by then have been emitted before; kNoTimestamp: none.
  Timestamp last() const { return last_; }
  void emitted(Timestamp close_time);
  void count() const { task_->count("window-aggregate-final-emit", node_); }

 private:
  TaskContext* task_ = nullptr;
  std::string node_;
  std::string store_;
  Timestamp last_ = kNoTimestamp;
  Timestamp next_look_ = from_millis(0);
};

}  // namespace thalweg::internal
