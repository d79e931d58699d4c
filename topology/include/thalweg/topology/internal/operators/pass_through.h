#pragma once

#include <string>

#include <thalweg/topology/internal/operator_plan.h>

namespace thalweg::internal {

/// Passes records on: a merge, or a branch.
template <typename K, typename V>
class PassThroughNode final : public KeyKeeper<K, V> {
 public:
  using KeyKeeper<K, V>::KeyKeeper;

  void process(const K& key, const V& value, const RecordContext& context) override {
    this->pass_on(key, value, context);
  }
};

template <typename K, typename V>
ProcessorPlan plan_pass_through() {
  return plan_node<PassThroughNode<K, V>>(FlowType::of<K, V>(), FlowType::of<K, V>());
}

}  // namespace thalweg::internal
