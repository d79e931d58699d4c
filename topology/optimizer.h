#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "graph_node.h"

namespace thalweg::internal {

/// Sources of the same topics become one; topics that overlap otherwise are an error.
void merge_duplicate_sources(GraphNode& root);

/// Lets each repartition node drop records without a key, unless a left join downstream wants them.
void drop_null_keys_where_allowed(GraphNode& root);

/// What `topology.optimization` may change, collected while the plan is made.
class OptimizerRules {
 public:
  /// Remembers a node that has just been attached to a parent.
  void note(GraphNode* node);
  /// Applies the rules that `optimization` names. Throws TopologyError for one that does not exist.
  void apply(std::string_view optimization, StreamGraph& plan, TopologyGraph& topology,
             GraphNode& root);

 private:
  using Entry = std::pair<GraphNode*, std::vector<RepartitionGraphNode*>>;

  std::vector<RepartitionGraphNode*>* find(const GraphNode* key_changing);
  void move_to_merges();
  void merge_repartition_topics(StreamGraph& plan, TopologyGraph& topology);

  // Operators that change the key, each with the repartition nodes it made necessary.
  std::vector<Entry> key_changing_;
  std::vector<GraphNode*> merges_;
  std::vector<TableSourceGraphNode*> table_sources_;
};

}  // namespace thalweg::internal
