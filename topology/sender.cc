#include <thalweg/topology/internal/sender.h>

#include <exception>

namespace thalweg::internal {

void handle_failure(const ProcessorNode& node) {
  try {
    throw;
  } catch (const ProcessorError&) {
    throw;
  } catch (const StoreError& error) {
    // The disk's failure, not the record's: nothing is gained by skipping it.
    std::throw_with_nested(ProcessorError(node.name(), error.what()));
  } catch (const std::exception& error) {
    if (node.task() && node.task()->skip_failed(node.name(), error)) return;
    std::throw_with_nested(ProcessorError(node.name(), error.what()));
  } catch (...) {
    std::throw_with_nested(ProcessorError(node.name(), "an exception of unknown type"));
  }
}

void cannot_be_child(const ProcessorNode& parent, const ProcessorNode& child) {
  throw TopologyError("node " + child.name() + " does not take what " + parent.name() +
                      " forwards");
}

}  // namespace thalweg::internal
