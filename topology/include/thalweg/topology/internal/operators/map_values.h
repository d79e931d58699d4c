#pragma once

#include <string>
#include <utility>

#include <thalweg/topology/internal/functions.h>
#include <thalweg/topology/internal/operator_plan.h>

namespace thalweg::internal {

/// Replaces the value.
template <typename K, typename V, typename F>
class MapValuesNode final : public KeyKeeper<K, V, mapped_value_t<F, K, V>> {
 public:
  using VOut = mapped_value_t<F, K, V>;

  MapValuesNode(std::string name, F mapper)
      : KeyKeeper<K, V, VOut>(std::move(name)), mapper_(std::move(mapper)) {}

  void process(const K& key, const V& value, const RecordContext& context) override {
    const VOut& mapped = map_value(mapper_, key, value);
    this->forward(key, mapped, context);
  }

 private:
  F mapper_;
};

template <typename K, typename V, typename F>
ProcessorPlan plan_map_values(F mapper) {
  return plan_node<MapValuesNode<K, V, F>>(
      FlowType::of<K, V>(), FlowType::of<K, mapped_value_t<F, K, V>>(), std::move(mapper));
}

}  // namespace thalweg::internal
