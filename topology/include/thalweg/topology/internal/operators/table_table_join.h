#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <thalweg/topology/internal/operator_plan.h>
#include <thalweg/topology/internal/table_functions.h>
#include <thalweg/topology/internal/table_supplier.h>

namespace thalweg::internal {

/// What one side of a join of two tables does with its changes.
enum class TableJoinSide : std::uint8_t {
  kInner,  ///< Either side of an inner join: nothing without a row on the other.
  kLeft,   ///< The left side of a left join: goes on without a row on the other.
  kRight,  ///< The right side of a left join: nothing without a row on the left.
  kOuter,  ///< Either side of an outer join.
};

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

/// A table joined from two others: kept only if the options say so, else computed from their rows.
template <typename K, typename V, typename VO, TableJoinSide Side, typename Joiner>
class JoinedTable final : public TableSupplier<K, table_joined_t<Joiner, V, VO>> {
 public:
  using VOut = table_joined_t<Joiner, V, VO>;

  JoinedTable(std::shared_ptr<TablePlan> plan, std::shared_ptr<TableSupplier<K, V>> left,
              std::shared_ptr<TableSupplier<K, VO>> right, Joiner joiner)
      : plan_(std::move(plan)),
        left_(std::move(left)),
        right_(std::move(right)),
        joiner_(std::move(joiner)) {}

  ValueGetterSupplier<K, VOut> value_getter() override {
    if (plan_->materialized) return store_value_getter<K, VOut>(plan_->store);
    auto left = left_->value_getter();
    auto right = right_->value_getter();
    std::vector<std::string> stores = left.stores;
    stores.insert(stores.end(), right.stores.begin(), right.stores.end());
    return {[make_left = std::move(left.make), make_right = std::move(right.make),
             joiner = joiner_] {
              return std::make_unique<Getter>(make_left(), make_right(), joiner);
            },
            std::move(stores)};
  }
  bool send_old_values(bool) override {
    left_->send_old_values(true);
    right_->send_old_values(true);
    plan_->send_old_values = true;
    return true;
  }

 private:
  class Getter final : public UnversionedGetter<K, VOut> {
   public:
    Getter(std::unique_ptr<ValueGetter<K, V>> left, std::unique_ptr<ValueGetter<K, VO>> right,
           Joiner joiner)
        : left_(std::move(left)), right_(std::move(right)), joiner_(std::move(joiner)) {}
    void init(TaskContext& context) override {
      left_->init(context);
      right_->init(context);
    }
    Row<VOut> get(const K& key) override {
      const Row<V> left = left_->get(key);
      if (Side != TableJoinSide::kOuter && !left.value) return {};
      // The two may read the same store, where the next read ends the life of the last.
      const std::optional<V> left_value = copy_of(left.value);
      const Row<VO> right = right_->get(key);
      if (Side == TableJoinSide::kInner ? !right.value : !left_value && !right.value) return {};
      value_ = joiner_(left_value ? &*left_value : nullptr, right.value);
      if (!value_) return {};
      return {&*value_, std::max(left.timestamp, right.timestamp)};
    }

   private:
    std::unique_ptr<ValueGetter<K, V>> left_;
    std::unique_ptr<ValueGetter<K, VO>> right_;
    Joiner joiner_;
    std::optional<VOut> value_;
  };

  std::shared_ptr<TablePlan> plan_;
  std::shared_ptr<TableSupplier<K, V>> left_;
  std::shared_ptr<TableSupplier<K, VO>> right_;
  Joiner joiner_;
};

}  // namespace thalweg::internal
