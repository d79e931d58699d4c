#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include <thalweg/topology/internal/operator_plan.h>
#include <thalweg/topology/internal/payload.h>
#include <thalweg/topology/internal/table_node.h>

namespace thalweg::internal {

/// Combines the values of each key into one of the same type.
template <typename K, typename V, typename F>
class ReduceNode final : public TableNode<payload_t<K>, payload_t<V>>, public Receiver<K, V> {
 public:
  using Table = TableNode<payload_t<K>, payload_t<V>>;

  ReduceNode(std::string name, std::shared_ptr<const TablePlan> plan, F reducer)
      : Table(std::move(name), std::move(plan)), reducer_(std::move(reducer)) {}

  bool expects() const override { return !is_nullable<K>; }
  void expect(std::span<const K> keys) override {
    if constexpr (!is_nullable<K>) this->expect_rows(keys);
  }

  void process(const K& key_or_null, const V& value_or_null,
               const RecordContext& context) override {
    const auto* key = payload_of(key_or_null);
    const auto* value = payload_of(value_or_null);
    if (!key || !value) return this->task()->dropped(this->name(), "null key or value");
    const Row<payload_t<V>> old = this->row(*key);
    if (!old.value) return this->write(*key, value, context, context.timestamp);
    const RecordContext result{std::max(context.timestamp, old.timestamp), context.headers};
    this->write(*key, std::invoke(reducer_, payload_t<V>(*old.value), *value), result,
                context.timestamp);
  }

 private:
  F reducer_;
};

template <typename K, typename V, typename F>
ProcessorPlan plan_reduce(std::shared_ptr<const TablePlan> table, F reducer) {
  return plan_node<ReduceNode<K, V, F>>(FlowType::of<K, V>(),
                                        FlowType::of<payload_t<K>, Change<payload_t<V>>>(),
                                        std::move(table), std::move(reducer));
}

}  // namespace thalweg::internal
