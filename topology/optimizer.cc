#include "optimizer.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <string>

namespace thalweg::internal {
namespace {

using Condition = std::function<bool(const GraphNode&)>;

/// The first node that meets the condition on the way up from `start`; of several ways the last one
/// counts, as in Kafka Streams.
GraphNode* find_upstream(GraphNode* start, const Condition& condition) {
  if (condition(*start)) return start;
  GraphNode* found = nullptr;
  for (GraphNode* parent : start->parents()) {
    if (condition(*parent)) return parent;
    found = find_upstream(parent, condition);
  }
  return found;
}

bool is_child_of(const GraphNode& node, const GraphNode* parent) {
  return std::ranges::find(node.parents(), parent) != node.parents().end();
}

/// The operator whose change of key the repartition node follows, if nothing between changes
/// values: the topic could stand right behind it.
GraphNode* key_changer_of(GraphNode* repartition) {
  GraphNode* changer = find_upstream(repartition, [](const GraphNode& node) {
    return node.traits.key_changing || node.traits.value_changing;
  });
  GraphNode* key_changer =
      find_upstream(repartition, [](const GraphNode& node) { return node.traits.key_changing; });
  return changer == key_changer ? key_changer : nullptr;
}

void find_null_key_wanted(GraphNode* node, std::set<GraphNode*>& visited,
                          std::set<GraphNode*>& wanted) {
  if (visited.contains(node)) return;
  for (GraphNode* child : node->children()) {
    find_null_key_wanted(child, visited, wanted);
    if (child->traits.null_key_relaxed || wanted.contains(child)) wanted.insert(node);
  }
  visited.insert(node);
}

struct Rules {
  bool merge_repartition_topics = false;
  bool reuse_source_topics = false;
  bool single_store_self_join = false;
};

Rules parse(std::string_view optimization) {
  Rules rules;
  while (!optimization.empty()) {
    const auto comma = std::min(optimization.find(','), optimization.size());
    std::string_view name = optimization.substr(0, comma);
    optimization.remove_prefix(std::min(comma + 1, optimization.size()));
    while (name.starts_with(' ')) name.remove_prefix(1);
    while (name.ends_with(' ')) name.remove_suffix(1);
    if (name == "all") {
      rules = {true, true, true};
    } else if (name == "merge.repartition.topics") {
      rules.merge_repartition_topics = true;
    } else if (name == "reuse.ktable.source.topics") {
      rules.reuse_source_topics = true;
    } else if (name == "single.store.self.join") {
      rules.single_store_self_join = true;
    } else if (name != "none") {
      throw TopologyError("topology.optimization has no rule \"" + std::string(name) +
                          "\"; it may be none, all, or a list of merge.repartition.topics, "
                          "reuse.ktable.source.topics and single.store.self.join");
    }
  }
  return rules;
}

/// A join of a stream with itself needs one store: the node that would keep the other side's
/// records goes.
void join_with_self(StreamJoinGraphNode& join) {
  if (join.parents().size() != 1) return;
  GraphNode* stream = join.parents().front();
  const auto child = [stream](const std::string& name) -> GraphNode* {
    for (GraphNode* node : stream->children()) {
      if (node->name() == name) return node;
    }
    return nullptr;
  };
  GraphNode* left = child(join.plan().left.windowed);
  GraphNode* right = child(join.plan().right.windowed);
  if (!left || !right || left->build_priority >= right->build_priority) {
    throw TopologyError("cannot join " + stream->name() +
                        " with itself in one store: the optimisation has moved one side of " +
                        join.name());
  }
  stream->remove_child(right);
  join.is_self_join = true;
}

void find_self_joins(GraphNode& node, std::set<GraphNode*>& visited) {
  visited.insert(&node);
  if (auto* join = dynamic_cast<StreamJoinGraphNode*>(&node)) join_with_self(*join);
  const std::vector<GraphNode*> children = node.children();
  for (GraphNode* child : children) {
    if (!visited.contains(child)) find_self_joins(*child, visited);
  }
}

}  // namespace

void merge_duplicate_sources(GraphNode& root) {
  std::map<std::string, StreamSourceGraphNode*> source_of_topic;
  std::map<std::string, StreamSourceGraphNode*> source_of_pattern;
  const std::vector<GraphNode*> children = root.children();
  for (GraphNode* child : children) {
    auto* source = dynamic_cast<StreamSourceGraphNode*>(child);
    if (!source) continue;
    if (!source->pattern().empty()) {
      const auto [first, is_new] = source_of_pattern.emplace(source->pattern(), source);
      if (is_new) continue;
      first->second->merge(*source);
      root.remove_child(source);
    }
    for (const std::string& topic : source->topics()) {
      const auto [first, is_new] = source_of_topic.emplace(topic, source);
      if (is_new || first->second == source) continue;
      if (std::set(first->second->topics().begin(), first->second->topics().end()) !=
          std::set(source->topics().begin(), source->topics().end())) {
        throw TopologyError(
            "Two source nodes are subscribed to overlapping but not equal input topics: " +
            first->second->name() + " and " + source->name() + " both read " + topic);
      }
      first->second->merge(*source);
      root.remove_child(source);
    }
  }
}

void drop_null_keys_where_allowed(GraphNode& root) {
  std::set<GraphNode*> visited;
  std::set<GraphNode*> wanted;
  find_null_key_wanted(&root, visited, wanted);
  for (GraphNode* node : visited) {
    auto* repartition = dynamic_cast<RepartitionGraphNode*>(node);
    if (repartition && !wanted.contains(node)) repartition->keep_null_keys = false;
  }
}

std::vector<RepartitionGraphNode*>* OptimizerRules::find(const GraphNode* key_changing) {
  const auto found = std::ranges::find(key_changing_, key_changing, &Entry::first);
  return found == key_changing_.end() ? nullptr : &found->second;
}

void OptimizerRules::note(GraphNode* node) {
  auto* repartition = dynamic_cast<RepartitionGraphNode*>(node);
  auto* table_source = dynamic_cast<TableSourceGraphNode*>(node);
  if (node->traits.key_changing) {
    if (!find(node)) key_changing_.emplace_back(node, std::vector<RepartitionGraphNode*>{});
  } else if (repartition && repartition->plan().optimizable) {
    GraphNode* changer = key_changer_of(node);
    auto* followers = changer ? find(changer) : nullptr;
    if (followers && std::ranges::find(*followers, repartition) == followers->end()) {
      followers->push_back(repartition);
    }
  } else if (node->traits.merge) {
    if (std::ranges::find(merges_, node) == merges_.end()) merges_.push_back(node);
  } else if (table_source) {
    table_sources_.push_back(table_source);
  }
}

void OptimizerRules::apply(std::string_view optimization, StreamGraph& plan,
                           TopologyGraph& topology, GraphNode& root) {
  const Rules rules = parse(optimization);
  if (rules.reuse_source_topics) {
    for (TableSourceGraphNode* table : table_sources_) table->reuse_source_topic = true;
  }
  if (rules.merge_repartition_topics) merge_repartition_topics(plan, topology);
  if (rules.single_store_self_join) {
    std::set<GraphNode*> visited;
    find_self_joins(root, visited);
  }
}

void OptimizerRules::move_to_merges() {
  // Key changers that all flow into one merge, behind which they are repartitioned: the topic has
  // to stand behind the merge.
  std::vector<Entry> at_merges;
  std::set<GraphNode*> moved;
  for (GraphNode* merge : merges_) {
    Entry entry{merge, {}};
    for (const auto& [changer, repartitions] : key_changing_) {
      const bool all_behind_merge = std::ranges::all_of(repartitions, [&](auto* repartition) {
        return find_upstream(repartition, [&](const GraphNode& node) {
                 return is_child_of(node, merge);
               }) != nullptr;
      });
      const GraphNode* key_changer = changer;
      if (!all_behind_merge || !find_upstream(merge, [&](const GraphNode& node) {
            return is_child_of(node, key_changer);
          })) {
        continue;
      }
      moved.insert(changer);
      for (RepartitionGraphNode* repartition : repartitions) {
        if (std::ranges::find(entry.second, repartition) == entry.second.end()) {
          entry.second.push_back(repartition);
        }
      }
    }
    at_merges.push_back(std::move(entry));
  }
  std::erase_if(key_changing_, [&](const Entry& entry) { return moved.contains(entry.first); });
  for (Entry& entry : at_merges) key_changing_.push_back(std::move(entry));
}

void OptimizerRules::merge_repartition_topics(StreamGraph& plan, TopologyGraph& topology) {
  move_to_merges();
  for (auto& [changer_node, repartitions] : key_changing_) {
    if (repartitions.empty()) continue;
    GraphNode* changer = changer_node;
    RepartitionPlan merged_plan = repartitions.front()->plan();
    merged_plan.topic_prefix = repartitions.front()->topic();
    GraphNode* merged = plan.make_repartition(std::move(merged_plan));
    merged->build_priority = changer->build_priority;
    for (RepartitionGraphNode* replaced : repartitions) {
      // What follows the change of key; a topic merged before may have moved it already.
      GraphNode* child = find_upstream(replaced, [changer, merged](const GraphNode& node) {
        return is_child_of(node, changer) || is_child_of(node, merged);
      });
      if (!child) {
        throw TopologyError("cannot merge the repartition topic " + replaced->topic() +
                            ": it does not follow " + changer->name());
      }
      merged->add_child(child);
      changer->remove_child(child);
      const std::vector<GraphNode*> parents = replaced->parents();
      const std::vector<GraphNode*> children = replaced->children();
      for (GraphNode* below : children) {
        for (GraphNode* parent : parents) parent->add_child(below);
      }
      for (GraphNode* parent : parents) parent->remove_child(replaced);
      for (GraphNode* below : children) replaced->remove_child(below);
      topology.rename_copartitioned(replaced->name(), merged->name());
    }
    changer->add_child(merged);
  }
}

}  // namespace thalweg::internal
