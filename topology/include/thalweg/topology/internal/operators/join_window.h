#pragma once

#include <string>
#include <utility>

#include <thalweg/state/window_store.h>
#include <thalweg/topology/internal/operator_plan.h>
#include <thalweg/topology/internal/payload.h>

namespace thalweg::internal {

/// The window store `name` as one of K and V.
template <typename K, typename V>
WindowStore<K, V>& window_store_of(TaskContext& context, const std::string& name) {
  auto* store = dynamic_cast<WindowStore<K, V>*>(&context.store(name));
  if (!store) throw TopologyError("store " + name + " has other key or value types");
  return *store;
}

/// Keeps the records of one side of a join of streams for the other to find; each after it has been
/// joined itself.
template <typename K, typename V>
class JoinWindowNode final : public Sender<K, V>, public Receiver<K, V> {
 public:
  JoinWindowNode(std::string name, std::string store)
      : Sender<K, V>(std::move(name)), store_name_(std::move(store)) {}

  void start(TaskContext& context) override {
    store_ = &window_store_of<payload_t<K>, payload_t<V>>(context, store_name_);
  }

  void process(const K& key_or_null, const V& value_or_null,
               const RecordContext& context) override {
    this->forward(key_or_null, value_or_null, context);
    const auto* key = payload_of(key_or_null);
    if (!key) return;
    if (const auto* value = payload_of(value_or_null)) {
      store_->put(*key, *value, context.timestamp, context.timestamp, *context.headers);
    } else {
      store_->remove(*key, context.timestamp, context.timestamp, *context.headers);
    }
  }

 private:
  std::string store_name_;
  WindowStore<payload_t<K>, payload_t<V>>* store_ = nullptr;
};

template <typename K, typename V>
ProcessorPlan plan_join_window(std::string store) {
  return plan_node<JoinWindowNode<K, V>>(FlowType::of<K, V>(), FlowType::of<K, V>(),
                                         std::move(store));
}

}  // namespace thalweg::internal
