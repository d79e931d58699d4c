#pragma once

#include <functional>
#include <string>
#include <utility>

#include <thalweg/topology/internal/functions.h>
#include <thalweg/topology/internal/operator_plan.h>

namespace thalweg::internal {

/// Replaces a record by any number of records.
template <typename K, typename V, typename F>
class FlatMapNode final : public Sender<pair_key_t<range_value_t<mapped_t<F, K, V>>>,
                                        pair_value_t<range_value_t<mapped_t<F, K, V>>>>,
                          public Receiver<K, V> {
 public:
  using KOut = pair_key_t<range_value_t<mapped_t<F, K, V>>>;
  using VOut = pair_value_t<range_value_t<mapped_t<F, K, V>>>;

  FlatMapNode(std::string name, F mapper)
      : Sender<KOut, VOut>(std::move(name)), mapper_(std::move(mapper)) {}

  void process(const K& key, const V& value, const RecordContext& context) override {
    auto&& records = std::invoke(mapper_, key, value);
    for (auto&& record : records) {
      this->forward(record.first, record.second, context);
    }
  }

 private:
  F mapper_;
};

template <typename K, typename V, typename F>
ProcessorPlan plan_flat_map(F mapper) {
  using Node = FlatMapNode<K, V, F>;
  return plan_node<Node>(FlowType::of<K, V>(),
                         FlowType::of<typename Node::KOut, typename Node::VOut>(),
                         std::move(mapper));
}

}  // namespace thalweg::internal
