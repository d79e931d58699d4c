#pragma once

#include <memory>
#include <utility>

#include <thalweg/topology/internal/operator_plan.h>
#include <thalweg/topology/internal/table_node.h>

namespace thalweg::internal {

/// Where both sides of a join of two tables meet, and the result is kept if it is to be.
template <typename K, typename V>
class TableJoinMergeNode final : public TableNode<K, V>, public Receiver<K, Change<V>> {
 public:
  using TableNode<K, V>::TableNode;

  void process(const K& key, const Change<V>& change, const RecordContext& context) override {
    if (this->materialized()) {
      this->write_change(key, change, context);
    } else {
      this->forward(key, {change.new_value, this->sends_old_values() ? change.old_value : nullptr,
                          change.is_latest},
                    context);
    }
  }
};

template <typename K, typename V>
ProcessorPlan plan_table_join_merge(std::shared_ptr<const TablePlan> table) {
  return plan_node<TableJoinMergeNode<K, V>>(
      FlowType::of<K, Change<V>>(), FlowType::of<K, Change<V>>(), std::move(table));
}

}  // namespace thalweg::internal
