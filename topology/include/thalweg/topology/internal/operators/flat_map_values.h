#pragma once

#include <string>
#include <utility>

#include <thalweg/topology/internal/functions.h>
#include <thalweg/topology/internal/operator_plan.h>

namespace thalweg::internal {

/// Replaces a value by any number of values.
template <typename K, typename V, typename F>
class FlatMapValuesNode final : public Sender<K, range_value_t<mapped_value_t<F, K, V>>>,
                                public Receiver<K, V> {
 public:
  using VOut = range_value_t<mapped_value_t<F, K, V>>;

  FlatMapValuesNode(std::string name, F mapper)
      : Sender<K, VOut>(std::move(name)), mapper_(std::move(mapper)) {}

  void process(const K& key, const V& value, const RecordContext& context) override {
    auto&& values = map_value(mapper_, key, value);
    for (auto&& mapped : values) {
      const VOut& out = mapped;  // std::vector<bool> gives no references.
      this->forward(key, out, context);
    }
  }

 private:
  F mapper_;
};

template <typename K, typename V, typename F>
ProcessorPlan plan_flat_map_values(F mapper) {
  using Node = FlatMapValuesNode<K, V, F>;
  return plan_node<Node>(FlowType::of<K, V>(), FlowType::of<K, typename Node::VOut>(),
                         std::move(mapper));
}

}  // namespace thalweg::internal
