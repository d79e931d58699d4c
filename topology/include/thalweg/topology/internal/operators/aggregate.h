#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include <thalweg/topology/internal/operator_plan.h>
#include <thalweg/topology/internal/payload.h>
#include <thalweg/topology/internal/table_node.h>

namespace thalweg::internal {

/// Folds the values of each key into an aggregate.
template <typename K, typename V, typename A, typename Init, typename Fold>
class AggregateNode final : public TableNode<payload_t<K>, A>, public Receiver<K, V> {
 public:
  AggregateNode(std::string name, std::shared_ptr<const TablePlan> plan, Init initializer,
                Fold aggregator)
      : TableNode<payload_t<K>, A>(std::move(name), std::move(plan)),
        initializer_(std::move(initializer)),
        aggregator_(std::move(aggregator)) {}

  bool expects() const override { return !is_nullable<K>; }
  void expect(std::span<const K> keys) override {
    if constexpr (!is_nullable<K>) this->expect_rows(keys);
  }

  void process(const K& key_or_null, const V& value_or_null,
               const RecordContext& context) override {
    const auto* key = payload_of(key_or_null);
    const auto* value = payload_of(value_or_null);
    if (!key || !value) return this->task()->dropped(this->name(), "null key or value");
    using Seed = std::remove_cvref_t<std::invoke_result_t<Init&>>;
    if (this->shares_store()) this->listen();
    const Row<A> old = this->row(*key);
    if (!old.value && this->sends_old_values()) return begin(*key, *value, context);
    RecordContext result = context;
    if (old.value) result.timestamp = std::max(context.timestamp, old.timestamp);
    this->write(
        *key,
        std::invoke(aggregator_, *key, *value, old.value ? Seed(*old.value) : Seed(initializer_())),
        result, context.timestamp);
  }

 private:
  /// The first value of a key, for those downstream who want old values: the old one is the seed.
  void begin(const payload_t<K>& key, const payload_t<V>& value, const RecordContext& context) {
    const auto seed = initializer_();
    const std::optional<A> first =
        std::invoke(aggregator_, key, value, std::remove_cvref_t<decltype(seed)>(seed));
    this->write_change(key, {first ? &*first : nullptr, payload_of(seed)}, context);
  }

  Init initializer_;
  Fold aggregator_;
};

template <typename K, typename V, typename A, typename Init, typename Fold>
ProcessorPlan plan_aggregate(std::shared_ptr<const TablePlan> table, Init initializer,
                             Fold aggregator) {
  return plan_node<AggregateNode<K, V, A, Init, Fold>>(
      FlowType::of<K, V>(), FlowType::of<payload_t<K>, Change<A>>(), std::move(table),
      std::move(initializer), std::move(aggregator));
}

}  // namespace thalweg::internal
