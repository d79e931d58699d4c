#pragma once

#include <functional>
#include <string>
#include <utility>

#include <thalweg/topology/internal/operator_plan.h>

namespace thalweg::internal {

/// Calls a function for each record and, as peek, passes the record on.
template <typename K, typename V, typename F>
class PeekNode final : public KeyKeeper<K, V> {
 public:
  PeekNode(std::string name, F action)
      : KeyKeeper<K, V>(std::move(name)), action_(std::move(action)) {}

  void process(const K& key, const V& value, const RecordContext& context) override {
    std::invoke(action_, key, value);
    this->pass_on(key, value, context);
  }

 private:
  F action_;
};

template <typename K, typename V, typename F>
ProcessorPlan plan_peek(F action) {
  return plan_node<PeekNode<K, V, F>>(FlowType::of<K, V>(), FlowType::of<K, V>(),
                                      std::move(action));
}

}  // namespace thalweg::internal
