#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <thalweg/topology/internal/operator_plan.h>
#include <thalweg/topology/internal/subscription.h>
#include <thalweg/topology/internal/table_functions.h>
#include <thalweg/topology/internal/table_supplier.h>

namespace thalweg::internal {

/// The left side of a foreign key join: joins answers with its rows. An answer to a value that the
/// row no longer has is dropped: another is on its way.
template <typename K, typename V, typename VO, bool Left, typename Joiner>
class ResponseJoinNode final
    : public Sender<K, std::optional<table_joined_t<Joiner, V, VO>>>,
      public Receiver<K, SubscriptionResponseWrapper<VO>> {
 public:
  using VOut = table_joined_t<Joiner, V, VO>;

  ResponseJoinNode(std::string name, const ValueGetterSupplier<K, V>& table, AnySerde<V> values,
                   Joiner joiner)
      : Sender<K, std::optional<VOut>>(std::move(name)),
        rows_(table.make()),
        values_(std::move(values)),
        joiner_(std::move(joiner)) {}

  void start(TaskContext& context) override { rows_->init(context); }

  void process(const K& key, const SubscriptionResponseWrapper<VO>& response,
               const RecordContext& context) override {
    const Row<V> row = rows_->get(key);
    std::optional<ValueHash> hash;
    if (row.value) {
      bytes_.clear();
      values_.serialize(*row.value, bytes_);
      hash = ValueHash::of(bytes_);
    }
    if (hash != response.hash) return this->task()->dropped(this->name(), "outdated response");
    joined_.reset();
    if (row.value && (Left || response.foreign_value)) {
      joined_ = joiner_(row.value, response.foreign_value ? &*response.foreign_value : nullptr);
    }
    this->forward(key, joined_, context);
  }

 private:
  std::unique_ptr<ValueGetter<K, V>> rows_;
  AnySerde<V> values_;
  Joiner joiner_;
  std::string bytes_;
  std::optional<VOut> joined_;
};

template <typename K, typename V, typename VO, bool Left, typename Joiner>
ProcessorPlan plan_response_join(ValueGetterSupplier<K, V> table, AnySerde<V> values,
                                 Joiner joiner) {
  using Node = ResponseJoinNode<K, V, VO, Left, Joiner>;
  return plan_node<Node>(FlowType::of<K, SubscriptionResponseWrapper<VO>>(),
                         FlowType::of<K, std::optional<typename Node::VOut>>(), std::move(table),
                         std::move(values), std::move(joiner));
}

}  // namespace thalweg::internal
