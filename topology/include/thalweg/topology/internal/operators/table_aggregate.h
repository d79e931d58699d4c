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

/// Folds the rows of each group into an aggregate: takes a row's old value out, then the new one
/// in.
template <typename K, typename V, typename A, typename Init, typename Add, typename Subtract>
class TableAggregateNode final : public TableNode<K, A>,
                                 public Receiver<K, RepartitionedChange<V>> {
 public:
  TableAggregateNode(std::string name, std::shared_ptr<const TablePlan> plan, Init initializer,
                     Add adder, Subtract subtractor)
      : TableNode<K, A>(std::move(name), std::move(plan)),
        initializer_(std::move(initializer)),
        adder_(std::move(adder)),
        subtractor_(std::move(subtractor)) {}

  void process(const K& key, const RepartitionedChange<V>& change,
               const RecordContext& context) override {
    using Seed = std::remove_cvref_t<std::invoke_result_t<Init&>>;
    const Row<A> old = this->row(key);
    RecordContext result = context;
    std::optional<A> aggregate;
    if (old.value) {
      aggregate = *old.value;
      result.timestamp = std::max(context.timestamp, old.timestamp);
    }
    if (change.old_value && aggregate) {
      aggregate = std::invoke(subtractor_, key, *change.old_value, Seed(std::move(*aggregate)));
    }
    if (change.new_value) {
      aggregate = std::invoke(adder_, key, *change.new_value,
                              aggregate ? Seed(std::move(*aggregate)) : Seed(initializer_()));
    }
    this->write(key, std::move(aggregate), result, context.timestamp);
  }

 private:
  Init initializer_;
  Add adder_;
  Subtract subtractor_;
};

template <typename K, typename V, typename A, typename Init, typename Add, typename Subtract>
ProcessorPlan plan_table_aggregate(std::shared_ptr<const TablePlan> table, Init initializer,
                                   Add adder, Subtract subtractor) {
  return plan_node<TableAggregateNode<K, V, A, Init, Add, Subtract>>(
      FlowType::of<K, RepartitionedChange<V>>(), FlowType::of<K, Change<A>>(), std::move(table),
      std::move(initializer), std::move(adder), std::move(subtractor));
}

}  // namespace thalweg::internal
