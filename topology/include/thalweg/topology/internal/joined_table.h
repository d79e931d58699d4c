#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

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
