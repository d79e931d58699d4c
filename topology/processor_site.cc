#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include <thalweg/topology/internal/processor_site.h>
#include <thalweg/topology/internal/sender.h>

namespace thalweg::internal {

StateStore& connected_store(TaskContext& task, std::string_view node,
                            const std::vector<std::string>& connected, std::string_view name) {
  if (StateStore* global = task.global_store(name)) return *global;
  if (std::ranges::find(connected, name) == connected.end()) {
    throw StreamsError("processor " + std::string(node) + " has no access to store " +
                       std::string(name) +
                       ": name the store where the processor is added, or connect the two");
  }
  return task.store(name);
}

StateStore& ProcessorSite::store(std::string_view name) const {
  return connected_store(*task_, node_.name(), stores_, name);
}

RecordContext ProcessorSite::record() const {
  if (current_) return *current_;
  return {task_->stream_time(), &kNoHeaders};
}

Cancellable ProcessorSite::schedule(std::chrono::milliseconds interval, PunctuationType type,
                                    Punctuator punctuator) {
  return task_->schedule(interval, type, node_.name(),
                         [this, punctuator = std::move(punctuator)](Timestamp time) {
                           const RecordContext context{time, &kNoHeaders};
                           const Scope scope(*this, context);
                           try {
                             punctuator(time);
                           } catch (...) {
                             handle_failure(node_);
                           }
                         });
}

void ProcessorSite::check_time(Timestamp time) {
  if (to_millis(time) >= 0) return;
  throw std::invalid_argument("Timestamp may not be negative. Got: " +
                              std::to_string(to_millis(time)));
}

void ProcessorSite::no_such_child(std::string_view child) const {
  throw StreamsError("Unknown downstream node: " + std::string(child) +
                     " either does not exist or is not connected to " + node_.name());
}

void ProcessorSite::no_record() const {
  throw StreamsError(node_.name() +
                     " forwards a value while no record is being processed, so there is no key: "
                     "use process() instead of process_values()");
}

void ProcessorSite::no_processor(const std::string& node) {
  throw TopologyError("the supplier of processor " + node + " returned null");
}

}  // namespace thalweg::internal
