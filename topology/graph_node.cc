#include "graph_node.h"

#include <algorithm>
#include <stdexcept>

namespace thalweg::internal {
namespace {

bool add_once(std::vector<GraphNode*>& nodes, GraphNode* node) {
  if (std::ranges::find(nodes, node) != nodes.end()) return false;
  nodes.push_back(node);
  return true;
}

}  // namespace

void GraphNode::add_child(GraphNode* child) {
  add_once(children_, child);
  add_once(child->parents_, this);
}

bool GraphNode::remove_child(GraphNode* child) {
  if (std::erase(children_, child) == 0) return false;
  std::erase(child->parents_, this);
  return true;
}

bool GraphNode::may_be_written() const {
  return !written && std::ranges::all_of(parents_, [](const auto* node) { return node->written; });
}

bool GraphNode::is_versioned() const {
  if (traits.versioned_output) return *traits.versioned_output;
  return std::ranges::all_of(parents_, [](const auto* node) { return node->is_versioned(); });
}

std::vector<std::string> GraphNode::parent_names() const {
  std::vector<std::string> names;
  for (const GraphNode* parent : parents_) names.push_back(parent->name());
  return names;
}

void StreamSourceGraphNode::merge(GraphNode& other_node) {
  auto& other = dynamic_cast<StreamSourceGraphNode&>(other_node);
  if (plan_.auto_offset_reset != other.plan_.auto_offset_reset) {
    throw TopologyError("Can't configure different offset reset policies on the same input "
                        "topic(s): " +
                        name() + " and " + other.name() + " read " +
                        (topics_.empty() ? pattern_ : topics_.front()));
  }
  const std::vector<GraphNode*> moving = other.children();
  for (GraphNode* child : moving) {
    other.remove_child(child);
    add_child(child);
  }
}

void StreamSourceGraphNode::write(TopologyGraph& topology) {
  if (topics_.empty()) return topology.add_pattern_source(name(), pattern_, plan_);
  topology.add_source(name(), topics_, plan_);
}

void TableSourceGraphNode::write(TopologyGraph& topology) {
  topology.add_source(source_name_, {topic_}, source_);
  topology.add_processor(name(), {source_name_}, processor_);
  if (!table_->materialized) return topology.note_unkept(table_->store);
  topology.add_store(table_->make_store(!reuse_source_topic), {name()});
  if (reuse_source_topic) topology.set_changelog(table_->store, topic_);
}

void GlobalStoreGraphNode::write(TopologyGraph& topology) {
  if (!builder_) {
    throw std::invalid_argument("global table " + topic_ +
                                " has options without a name for its store: give a name, or no "
                                "options");
  }
  topology.add_global_store(source_name_, topic_, source_, name(), processor_, builder_);
}

void ProcessorGraphNode::write(TopologyGraph& topology) {
  topology.add_processor(name(), parent_names(), plan_);
  if (own_store_) topology.add_store(own_store_, {name()});
  topology.connect(name(), stores_);
}

void TableProcessorGraphNode::write(TopologyGraph& topology) {
  topology.add_processor(name(), parent_names(), plan_);
  if (table_->materialized) {
    topology.add_store(table_->make_store(true), {name()});
  } else {
    topology.note_unkept(table_->store);
  }
  topology.connect(name(), stores_);
}

void GraphNode::take_versioned_input(const GraphNode&) {
  if (traits.refuses_versions) {
    throw TopologyError(
        "suppress() is only supported for non-versioned KTables (note that version semantics might "
        "be inherited from upstream)");
  }
  if (traits.versioned_input) *traits.versioned_input = true;
}

void TableJoinGraphNode::take_versioned_input(const GraphNode& parent) {
  for (const TableJoinSidePlan* side : {&left_, &right_}) {
    if (side->parent == parent.name()) *side->versioned_input = true;
  }
}

void TableJoinGraphNode::write(TopologyGraph& topology) {
  topology.add_processor(left_.name, {left_.parent}, left_.processor);
  topology.add_processor(right_.name, {right_.parent}, right_.processor);
  topology.add_processor(name(), {left_.name, right_.name}, merge_);
  if (table_->materialized) topology.add_store(table_->make_store(true), {name()});
  topology.connect(left_.name, left_.stores);
  topology.connect(right_.name, right_.stores);
}

void StreamJoinGraphNode::write(TopologyGraph& topology) {
  if (is_self_join) {
    topology.add_processor(name(), {plan_.left.windowed}, plan_.self_join);
    topology.add_store(plan_.self_join_store, {name()});
    return;
  }
  for (const StreamJoinPlan::Side* side : {&plan_.left, &plan_.right}) {
    topology.add_processor(side->name, {side->windowed}, side->processor);
    for (const auto& store : side->stores) topology.add_store(store, {side->name});
  }
  topology.add_processor(name(), {plan_.left.name, plan_.right.name}, plan_.merge);
}

void TableRepartitionGraphNode::write(TopologyGraph& topology) {
  topology.add_repartition_topic(plan_.topic, std::nullopt);
  topology.add_sink(plan_.sink_name, plan_.topic, parent_names(), plan_.sink);
  topology.add_source(plan_.source_name, {plan_.topic}, plan_.source);
}

void SinkGraphNode::write(TopologyGraph& topology) {
  topology.add_sink(name(), topic_, parent_names(), plan_);
}

void StateStoreGraphNode::write(TopologyGraph& topology) { topology.add_store(builder_, {}); }

void RepartitionGraphNode::write(TopologyGraph& topology) {
  topology.add_repartition_topic(names_.topic, plan_.partitions);
  topology.add_processor(names_.filter, parent_names(), keep_null_keys ? plan_.pass : plan_.filter);
  topology.add_sink(names_.sink, names_.topic, {names_.filter}, plan_.sink);
  topology.add_source(names_.source, {names_.topic}, plan_.source);
}

}  // namespace thalweg::internal
