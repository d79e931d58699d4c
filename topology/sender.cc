#include <thalweg/topology/internal/sender.h>

#include <exception>

namespace thalweg::internal {

void rethrow_from(const ProcessorNode& node) {
  try {
    throw;
  } catch (const ProcessorError&) {
    throw;
  } catch (const std::exception& error) {
    std::throw_with_nested(ProcessorError(node.name(), error.what()));
  } catch (...) {
    std::throw_with_nested(ProcessorError(node.name(), "an exception of unknown type"));
  }
}

void cannot_be_child(const ProcessorNode& parent, const ProcessorNode& child) {
  throw TopologyError("node " + child.name() + " does not take what " + parent.name() + " forwards");
}

}  // namespace thalweg::internal
