#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <thalweg/topology/internal/operator_plan.h>
#include <thalweg/topology/internal/operators/subscription_receive.h>
#include <thalweg/topology/internal/subscription.h>

namespace thalweg::internal {

/// The right side of a foreign key join: sends a row that changes to all who subscribed to it, in
/// the order of their keys' bytes.
template <typename K, typename KO, typename VO>
class ForeignTableJoinNode final : public Sender<K, SubscriptionResponseWrapper<VO>>,
                                   public Receiver<KO, Change<VO>> {
 public:
  ForeignTableJoinNode(std::string name, std::string store, CombinedKeySchema<KO, K> keys,
                       std::shared_ptr<const bool> versioned_input)
      : Sender<K, SubscriptionResponseWrapper<VO>>(std::move(name)),
        store_name_(std::move(store)),
        keys_(std::move(keys)),
        versioned_input_(std::move(versioned_input)) {}

  void start(TaskContext& context) override {
    store_ = &key_value_store_of<std::string, SubscriptionWrapper<K>>(context, store_name_);
  }

  void process(const KO& foreign_key, const Change<VO>& change,
               const RecordContext& context) override {
    if (*versioned_input_ && !change.is_latest) {
      return this->task()->dropped(this->name(), "not the latest version");
    }
    response_.foreign_value.reset();
    if (change.new_value) response_.foreign_value = *change.new_value;
    keys_.write_prefix(foreign_key, prefix_);
    for (auto found = store_->prefix_scan(prefix_); found->valid(); found->next()) {
      const SubscriptionWrapper<K>& subscription = found->value().value;
      response_.hash = subscription.hash;
      response_.primary_partition = subscription.primary_partition;
      this->forward(subscription.primary_key, response_, context);
    }
  }

 private:
  std::string store_name_;
  CombinedKeySchema<KO, K> keys_;
  std::shared_ptr<const bool> versioned_input_;
  SubscriptionStore<K>* store_ = nullptr;
  SubscriptionResponseWrapper<VO> response_;
  std::string prefix_;
};

template <typename K, typename KO, typename VO>
ProcessorPlan plan_foreign_table_join(std::string store, CombinedKeySchema<KO, K> keys,
                                      std::shared_ptr<const bool> versioned_input) {
  return plan_node<ForeignTableJoinNode<K, KO, VO>>(
      FlowType::of<KO, Change<VO>>(), FlowType::of<K, SubscriptionResponseWrapper<VO>>(),
      std::move(store), std::move(keys), std::move(versioned_input));
}

}  // namespace thalweg::internal
