#include <thalweg/topology/internal/window_closer.h>

namespace thalweg::internal {

void WindowCloser::start(TaskContext& task, std::string_view node, std::string_view store) {
  task_ = &task;
  node_ = node;
  store_ = store;
  if (const auto last = task.processor_metadata(store_)) last_ = from_millis(*last);
}

bool WindowCloser::is_due(Timestamp close_time) {
  const Timestamp now = task_->wall_clock_time();
  if (now < next_look_) return false;
  next_look_ = now + task_->emit_interval();
  return last_ == kNoTimestamp || last_ < close_time;
}

void WindowCloser::emitted(Timestamp close_time) {
  last_ = close_time;
  task_->set_processor_metadata(store_, to_millis(close_time));
}

}  // namespace thalweg::internal
