#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <thalweg/topology/internal/operator_plan.h>
#include <thalweg/topology/internal/subscription.h>
#include <thalweg/topology/internal/table_supplier.h>

namespace thalweg::internal {

/// The right side of a foreign key join: answers a subscription with the row as it is now.
template <typename K, typename KO, typename VO>
class SubscriptionJoinNode final : public Sender<K, SubscriptionResponseWrapper<VO>>,
                                   public Receiver<std::optional<KO>, SubscriptionWrapper<K>> {
 public:
  SubscriptionJoinNode(std::string name, const ValueGetterSupplier<KO, VO>& table)
      : Sender<K, SubscriptionResponseWrapper<VO>>(std::move(name)), rows_(table.make()) {}

  void start(TaskContext& context) override { rows_->init(context); }

  void process(const std::optional<KO>& foreign_key, const SubscriptionWrapper<K>& subscription,
               const RecordContext& context) override {
    using enum SubscriptionInstruction;
    const Row<VO> row = foreign_key ? rows_->get(*foreign_key) : Row<VO>{};
    if (subscription.instruction == kDeleteKeyNoPropagate) return;
    if (subscription.instruction == kPropagateOnlyIfFkValAvailable && !row.value) return;
    response_.hash = subscription.hash;
    response_.primary_partition = subscription.primary_partition;
    response_.foreign_value.reset();
    if (row.value && subscription.instruction != kDeleteKeyAndPropagate) {
      response_.foreign_value = *row.value;
    }
    RecordContext result = context;
    if (row.value) result.timestamp = std::max(context.timestamp, row.timestamp);
    this->forward(subscription.primary_key, response_, result);
  }

 private:
  std::unique_ptr<ValueGetter<KO, VO>> rows_;
  SubscriptionResponseWrapper<VO> response_;
};

template <typename K, typename KO, typename VO>
ProcessorPlan plan_subscription_join(ValueGetterSupplier<KO, VO> table) {
  return plan_node<SubscriptionJoinNode<K, KO, VO>>(
      FlowType::of<std::optional<KO>, SubscriptionWrapper<K>>(),
      FlowType::of<K, SubscriptionResponseWrapper<VO>>(), std::move(table));
}

}  // namespace thalweg::internal
