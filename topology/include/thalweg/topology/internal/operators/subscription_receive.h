#pragma once

#include <optional>
#include <string>
#include <utility>

#include <thalweg/topology/internal/operator_plan.h>
#include <thalweg/topology/internal/subscription.h>
#include <thalweg/topology/internal/table_supplier.h>

namespace thalweg::internal {

/// The store of a foreign key join's subscriptions, by combined key.
template <typename K>
using SubscriptionStore = KeyValueStore<std::string, SubscriptionWrapper<K>>;

/// The right side of a foreign key join: keeps subscriptions as they come.
template <typename K, typename KO>
class SubscriptionReceiveNode final : public Sender<std::optional<KO>, SubscriptionWrapper<K>>,
                                      public Receiver<std::optional<KO>, SubscriptionWrapper<K>> {
 public:
  SubscriptionReceiveNode(std::string name, std::string store, CombinedKeySchema<KO, K> keys)
      : Sender<std::optional<KO>, SubscriptionWrapper<K>>(std::move(name)),
        store_name_(std::move(store)),
        keys_(std::move(keys)) {}

  void start(TaskContext& context) override {
    store_ = &key_value_store_of<std::string, SubscriptionWrapper<K>>(context, store_name_);
  }

  void process(const std::optional<KO>& foreign_key, const SubscriptionWrapper<K>& subscription,
               const RecordContext& context) override {
    using enum SubscriptionInstruction;
    if (foreign_key) {
      keys_.write(*foreign_key, subscription.primary_key, key_);
      if (subscription.instruction == kDeleteKeyAndPropagate ||
          subscription.instruction == kDeleteKeyNoPropagate) {
        store_->remove(key_, context.timestamp, *context.headers);
      } else {
        store_->put(key_, subscription, context.timestamp, *context.headers);
      }
    } else if (subscription.instruction != kPropagateNullIfNoFkValAvailable) {
      return this->task()->dropped(this->name(), "null foreign key");
    }
    this->forward(foreign_key, subscription, context);
  }

 private:
  std::string store_name_;
  CombinedKeySchema<KO, K> keys_;
  SubscriptionStore<K>* store_ = nullptr;
  std::string key_;
};

template <typename K, typename KO>
ProcessorPlan plan_subscription_receive(std::string store, CombinedKeySchema<KO, K> keys) {
  const auto flow = FlowType::of<std::optional<KO>, SubscriptionWrapper<K>>();
  return plan_node<SubscriptionReceiveNode<K, KO>>(flow, flow, std::move(store), std::move(keys));
}

}  // namespace thalweg::internal
