#pragma once

#include <memory>
#include <utility>

#include <thalweg/topology/internal/sender.h>
#include <thalweg/topology/internal/topology_graph.h>

namespace thalweg::internal {

/// How a function is kept in the plan and called in the nodes made of it. Each task has its own
/// copy.
template <typename Node, typename... Arguments>
ProcessorPlan plan_node(FlowType input, FlowType output, Arguments... arguments) {
  return {.make =
              [... arguments = std::move(arguments)](const PlannedNode& node) {
                return std::unique_ptr<ProcessorNode>(
                    std::make_unique<Node>(node.name, arguments...));
              },
          .input = input,
          .output = output};
}

}  // namespace thalweg::internal
