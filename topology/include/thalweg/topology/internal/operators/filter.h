#pragma once

#include <functional>
#include <string>
#include <utility>

#include <thalweg/topology/internal/operator_plan.h>

namespace thalweg::internal {

/// Passes on the records for which the predicate gives `Wanted`.
template <typename K, typename V, typename P, bool Wanted>
class FilterNode final : public KeyKeeper<K, V> {
 public:
  FilterNode(std::string name, P predicate)
      : KeyKeeper<K, V>(std::move(name)), predicate_(std::move(predicate)) {}

  void process(const K& key, const V& value, const RecordContext& context) override {
    if (static_cast<bool>(std::invoke(predicate_, key, value)) == Wanted) {
      this->pass_on(key, value, context);
    }
  }

 private:
  P predicate_;
};

template <typename K, typename V, bool Wanted, typename P>
ProcessorPlan plan_filter(P predicate) {
  return plan_node<FilterNode<K, V, P, Wanted>>(FlowType::of<K, V>(), FlowType::of<K, V>(),
                                                std::move(predicate));
}

}  // namespace thalweg::internal
