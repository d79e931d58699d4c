#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include <thalweg/topology/internal/functions.h>
#include <thalweg/topology/internal/operator_plan.h>
#include <thalweg/topology/internal/payload.h>
#include <thalweg/topology/internal/stream_joiners.h>
#include <thalweg/topology/internal/table_supplier.h>

namespace thalweg::internal {

/// Looks up a row of a global table for each record, under a key made of the record.
template <typename K, typename V, typename GK, typename GV, bool Left, typename F, typename J>
class StreamGlobalTableJoinNode final
    : public Sender<K, row_joined_t<Left, J, K, payload_t<V>, GV>>,
      public Receiver<K, V> {
 public:
  using VOut = row_joined_t<Left, J, K, payload_t<V>, GV>;

  StreamGlobalTableJoinNode(std::string name, const ValueGetterSupplier<GK, GV>& table, F selector,
                            J joiner)
      : Sender<K, VOut>(std::move(name)),
        rows_(table.make()),
        selector_(std::move(selector)),
        joiner_(std::move(joiner)) {}

  void start(TaskContext& context) override { rows_->init(context); }

  void process(const K& key, const V& value_or_null, const RecordContext& context) override {
    const mapped_t<F, K, V> selected = std::invoke(selector_, key, value_or_null);
    const GK* row_key = payload_of(selected);
    const auto* value = payload_of(value_or_null);
    if (!value || (!row_key && !Left)) {
      return this->task()->dropped(this->name(), "null join key or value");
    }
    const GV* row = row_key ? rows_->get(*row_key).value : nullptr;
    if (!row && !Left) return;
    const VOut& joined = join_row<Left, J, K, payload_t<V>, GV>(joiner_, key, *value, row);
    this->forward(key, joined, context);
  }

 private:
  std::unique_ptr<ValueGetter<GK, GV>> rows_;
  F selector_;
  J joiner_;
};

template <typename K, typename V, typename GK, typename GV, bool Left, typename F, typename J>
ProcessorPlan plan_stream_global_table_join(ValueGetterSupplier<GK, GV> table, F selector,
                                            J joiner) {
  using Node = StreamGlobalTableJoinNode<K, V, GK, GV, Left, F, J>;
  return plan_node<Node>(FlowType::of<K, V>(), FlowType::of<K, typename Node::VOut>(),
                         std::move(table), std::move(selector), std::move(joiner));
}

}  // namespace thalweg::internal
