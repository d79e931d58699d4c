#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <thalweg/topology/internal/change_serde.h>
#include <thalweg/topology/internal/operator_plan.h>
#include <thalweg/topology/internal/table_node.h>

namespace thalweg::internal {

/// Combines the rows of each group into one of the same type: takes a row's old value out, then the
/// new one in.
template <typename K, typename V, typename Add, typename Subtract>
class TableReduceNode final : public TableNode<K, V>, public Receiver<K, RepartitionedChange<V>> {
 public:
  TableReduceNode(std::string name, std::shared_ptr<const TablePlan> plan, Add adder,
                  Subtract subtractor)
      : TableNode<K, V>(std::move(name), std::move(plan)),
        adder_(std::move(adder)),
        subtractor_(std::move(subtractor)) {}

  void process(const K& key, const RepartitionedChange<V>& change,
               const RecordContext& context) override {
    const Row<V> old = this->row(key);
    RecordContext result = context;
    std::optional<V> reduced;
    if (old.value) reduced = *old.value;
    const auto combine = [&](auto& reducer, const V& value) {
      result.timestamp = std::max(context.timestamp, old.timestamp);
      reduced = std::invoke(reducer, std::move(*reduced), value);
    };
    if (change.old_value && reduced) combine(subtractor_, *change.old_value);
    if (change.new_value) {
      if (reduced) {
        combine(adder_, *change.new_value);
      } else {
        reduced = change.new_value;
      }
    }
    this->write(key, std::move(reduced), result, context.timestamp);
  }

 private:
  Add adder_;
  Subtract subtractor_;
};

template <typename K, typename V, typename Add, typename Subtract>
ProcessorPlan plan_table_reduce(std::shared_ptr<const TablePlan> table, Add adder,
                                Subtract subtractor) {
  return plan_node<TableReduceNode<K, V, Add, Subtract>>(
      FlowType::of<K, RepartitionedChange<V>>(), FlowType::of<K, Change<V>>(), std::move(table),
      std::move(adder), std::move(subtractor));
}

}  // namespace thalweg::internal
