#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <thalweg/topology/internal/joined_table.h>
#include <thalweg/topology/internal/operator_plan.h>

namespace thalweg::internal {

/// One side of a join of two tables: takes the changes of one, looks rows up in the other.
template <typename K, typename V, typename VO, TableJoinSide Side, typename Joiner>
class TableTableJoinNode final : public Sender<K, Change<table_joined_t<Joiner, V, VO>>>,
                                 public Receiver<K, Change<V>> {
 public:
  using VOut = table_joined_t<Joiner, V, VO>;

  TableTableJoinNode(std::string name, const ValueGetterSupplier<K, VO>& other, Joiner joiner,
                     std::shared_ptr<const TablePlan> result,
                     std::shared_ptr<const bool> versioned_input)
      : Sender<K, Change<VOut>>(std::move(name)),
        rows_(other.make()),
        joiner_(std::move(joiner)),
        result_(std::move(result)),
        versioned_input_(std::move(versioned_input)) {}

  void start(TaskContext& context) override { rows_->init(context); }

  void process(const K& key, const Change<V>& change, const RecordContext& context) override {
    if (*versioned_input_ && !change.is_latest) {
      return this->task()->dropped(this->name(), "not the latest version");
    }
    const Row<VO> row = rows_->get(key);
    if (!row.value) {
      if (Side == TableJoinSide::kInner || Side == TableJoinSide::kRight) return;
      if (!change.new_value && !change.old_value) return;
    }
    RecordContext joined = context;
    if (row.value) joined.timestamp = std::max(context.timestamp, row.timestamp);
    const std::optional<VOut> new_value = join(change.new_value, row.value);
    std::optional<VOut> old_value;
    if (result_->send_old_values) old_value = join(change.old_value, row.value);
    this->forward(key, {new_value ? &*new_value : nullptr, old_value ? &*old_value : nullptr,
                        change.is_latest},
                  joined);
  }

 private:
  std::optional<VOut> join(const V* value, const VO* row) {
    if (!value) {
      if constexpr (Side == TableJoinSide::kInner || Side == TableJoinSide::kLeft) {
        return std::nullopt;
      } else if (!row) {
        return std::nullopt;
      }
    }
    return joiner_(value, row);
  }

  std::unique_ptr<ValueGetter<K, VO>> rows_;
  Joiner joiner_;
  std::shared_ptr<const TablePlan> result_;
  std::shared_ptr<const bool> versioned_input_;
};

template <typename K, typename V, typename VO, TableJoinSide Side, typename Joiner>
ProcessorPlan plan_table_table_join(ValueGetterSupplier<K, VO> other, Joiner joiner,
                                    std::shared_ptr<const TablePlan> result,
                                    std::shared_ptr<const bool> versioned_input) {
  using Node = TableTableJoinNode<K, V, VO, Side, Joiner>;
  return plan_node<Node>(FlowType::of<K, Change<V>>(),
                         FlowType::of<K, Change<typename Node::VOut>>(), std::move(other),
                         std::move(joiner), std::move(result), std::move(versioned_input));
}

}  // namespace thalweg::internal
