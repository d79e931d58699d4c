#pragma once

#include <functional>
#include <string>
#include <utility>

#include <thalweg/topology/internal/functions.h>
#include <thalweg/topology/internal/operator_plan.h>

namespace thalweg::internal {

/// Replaces the key.
template <typename K, typename V, typename F>
class SelectKeyNode final : public Sender<mapped_t<F, K, V>, V>, public Receiver<K, V> {
 public:
  using KOut = mapped_t<F, K, V>;

  SelectKeyNode(std::string name, F selector)
      : Sender<KOut, V>(std::move(name)), selector_(std::move(selector)) {}

  void process(const K& key, const V& value, const RecordContext& context) override {
    const KOut& selected = std::invoke(selector_, key, value);
    this->forward(selected, value, context);
  }

 private:
  F selector_;
};

template <typename K, typename V, typename F>
ProcessorPlan plan_select_key(F selector) {
  return plan_node<SelectKeyNode<K, V, F>>(
      FlowType::of<K, V>(), FlowType::of<mapped_t<F, K, V>, V>(), std::move(selector));
}

}  // namespace thalweg::internal
