#pragma once

#include <optional>

#include <thalweg/topology/internal/operator_plan.h>

namespace thalweg::internal {

/// A table's changes as records: the new value, null for a deletion.
template <typename K, typename V>
class ToStreamNode final : public Sender<K, std::optional<V>>, public Receiver<K, Change<V>> {
 public:
  using Sender<K, std::optional<V>>::Sender;

  void process(const K& key, const Change<V>& change, const RecordContext& context) override {
    if (change.new_value) {
      value_ = *change.new_value;
    } else {
      value_.reset();
    }
    this->forward(key, value_, context);
  }

 private:
  std::optional<V> value_;  // Kept for its memory.
};

template <typename K, typename V>
ProcessorPlan plan_to_stream() {
  return plan_node<ToStreamNode<K, V>>(FlowType::of<K, Change<V>>(),
                                       FlowType::of<K, std::optional<V>>());
}

}  // namespace thalweg::internal
