#include <algorithm>
#include <map>

#include <thalweg/schemas/java_hash.h>
#include <thalweg/topology/internal/topology_graph.h>
#include <thalweg/topology/topology.h>

#include "arrow_set.h"

namespace thalweg::internal {
namespace {

/// A node of the description while its lists are filled.
struct Drawn {
  const PlannedNode* planned = nullptr;
  DescribedNode order;
  ArrowSet predecessors;
  ArrowSet successors;
};

class SubTopologyDrawing {
 public:
  SubTopologyDrawing(const TopologyGraph& graph, const std::vector<const PlannedNode*>& group)
      : graph_(graph) {
    std::vector<std::string> names;
    for (const PlannedNode* node : group) {
      names.push_back(node->name);
      Drawn& drawn = drawn_[node->name];
      drawn.planned = node;
      drawn.order.name = node->name;
    }
    for (const std::string& name : java_hash_order(names)) {
      Drawn& node = drawn_.at(name);
      for (const std::string& parent_name : node.planned->parents) {
        Drawn& parent = drawn_.at(parent_name);
        node.predecessors.insert(&parent.order);
        parent.successors.insert(&node.order);
        grow(parent, node.order.size);
      }
    }
  }

  std::vector<TopologyDescription::Node> nodes() const {
    std::vector<const Drawn*> sorted;
    for (const auto& [name, node] : drawn_) sorted.push_back(&node);
    std::ranges::sort(sorted, [](const Drawn* a, const Drawn* b) {
      return stands_before(a->order, b->order);
    });
    std::vector<TopologyDescription::Node> nodes;
    for (const Drawn* node : sorted) nodes.push_back(describe(*node));
    return nodes;
  }

 private:
  void grow(Drawn& node, std::size_t by) {
    node.order.size += by;
    for (const DescribedNode* predecessor : node.predecessors.in_order()) {
      grow(drawn_.at(predecessor->name), by);
    }
  }

  std::vector<std::string> notes(const PlannedNode& node) const {
    std::vector<std::string> notes;
    if (!node.note.empty()) notes.push_back(node.note);
    for (const std::string& store : node.stores) {
      if (const auto time_to_live = graph_.store_builder(store).time_to_live()) {
        notes.push_back("time to live in " + store + ": " + std::to_string(time_to_live->count()) +
                        " ms");
      }
    }
    return notes;
  }

  static std::vector<std::string> names(const ArrowSet& arrows) {
    std::vector<std::string> names;
    for (const DescribedNode* node : arrows.in_order()) names.push_back(node->name);
    return names;
  }

  TopologyDescription::Node describe(const Drawn& node) const {
    const PlannedNode& planned = *node.planned;
    return {.kind = static_cast<TopologyDescription::NodeKind>(planned.kind),
            .name = planned.name,
            .topics = java_hash_order(planned.topics),
            .pattern = planned.pattern,
            .topic_extractor = planned.topic_extractor,
            .stores = java_hash_order(planned.stores),
            .notes = notes(planned),
            .predecessors = names(node.predecessors),
            .successors = names(node.successors)};
  }

  const TopologyGraph& graph_;
  std::map<std::string, Drawn> drawn_;
};

}  // namespace

TopologyDescription TopologyGraph::describe() const {
  TopologyDescription description;
  for (std::size_t id = 0; id < groups_.size(); ++id) {
    description.subtopologies.push_back({.id = static_cast<std::int32_t>(id),
                                         .nodes = SubTopologyDrawing(*this, groups_[id]).nodes(),
                                         .is_global = is_global(groups_[id])});
  }
  return description;
}

}  // namespace thalweg::internal
