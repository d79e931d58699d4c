#pragma once

#include <functional>
#include <string>
#include <utility>

#include <thalweg/topology/internal/functions.h>
#include <thalweg/topology/internal/operator_plan.h>

namespace thalweg::internal {

/// Replaces key and value.
template <typename K, typename V, typename F>
class MapNode final
    : public Sender<pair_key_t<mapped_t<F, K, V>>, pair_value_t<mapped_t<F, K, V>>>,
      public Receiver<K, V> {
 public:
  using KOut = pair_key_t<mapped_t<F, K, V>>;
  using VOut = pair_value_t<mapped_t<F, K, V>>;

  MapNode(std::string name, F mapper)
      : Sender<KOut, VOut>(std::move(name)), mapper_(std::move(mapper)) {}

  void process(const K& key, const V& value, const RecordContext& context) override {
    const auto& [mapped_key, mapped_value] = std::invoke(mapper_, key, value);
    this->forward(mapped_key, mapped_value, context);
  }

 private:
  F mapper_;
};

template <typename K, typename V, typename F>
ProcessorPlan plan_map(F mapper) {
  using Node = MapNode<K, V, F>;
  return plan_node<Node>(FlowType::of<K, V>(),
                         FlowType::of<typename Node::KOut, typename Node::VOut>(),
                         std::move(mapper));
}

}  // namespace thalweg::internal
