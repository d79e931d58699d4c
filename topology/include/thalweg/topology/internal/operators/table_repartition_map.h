#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <thalweg/topology/internal/change_serde.h>
#include <thalweg/topology/internal/functions.h>
#include <thalweg/topology/internal/operator_plan.h>
#include <thalweg/topology/internal/payload.h>

namespace thalweg::internal {

/// Gives both values of a change the keys and values of a grouping. Where the two go to the same
/// group they travel together, else the old one goes first.
template <typename K, typename V, typename F>
class TableRepartitionMapNode final
    : public Sender<payload_t<pair_key_t<mapped_t<F, K, V>>>,
                    RepartitionedChange<payload_t<pair_value_t<mapped_t<F, K, V>>>>>,
      public Receiver<K, Change<V>> {
 public:
  using Pair = mapped_t<F, K, V>;
  using K1 = payload_t<pair_key_t<Pair>>;
  using V1 = payload_t<pair_value_t<Pair>>;

  TableRepartitionMapNode(std::string name, F selector,
                          std::shared_ptr<const bool> versioned_input)
      : Sender<K1, RepartitionedChange<V1>>(std::move(name)),
        selector_(std::move(selector)),
        versioned_input_(std::move(versioned_input)) {}

  void process(const K& key, const Change<V>& change, const RecordContext& context) override {
    if (*versioned_input_ && !change.is_latest) return;  // Groups are made of the latest rows.
    const auto new_pair = select(key, change.new_value);
    const auto old_pair = select(key, change.old_value);
    if (old_pair && new_pair && key_of(*old_pair) == key_of(*new_pair)) {
      return send(*new_pair, value_of(*new_pair), value_of(*old_pair), context);
    }
    if (old_pair) send(*old_pair, std::nullopt, value_of(*old_pair), context);
    if (new_pair) send(*new_pair, value_of(*new_pair), std::nullopt, context);
  }

 private:
  static const K1& key_of(const Pair& pair) { return *payload_of(pair.first); }
  static const V1& value_of(const Pair& pair) { return *payload_of(pair.second); }

  /// Nothing if there is no value, or it belongs to no group.
  std::optional<Pair> select(const K& key, const V* value) {
    if (!value) return std::nullopt;
    std::optional<Pair> pair = std::invoke(selector_, key, *value);
    if (!payload_of(pair->first) || !payload_of(pair->second)) pair.reset();
    return pair;
  }
  void send(const Pair& pair, std::optional<V1> new_value, std::optional<V1> old_value,
            const RecordContext& context) {
    this->forward(key_of(pair), {std::move(new_value), std::move(old_value)}, context);
  }

  F selector_;
  std::shared_ptr<const bool> versioned_input_;
};

template <typename K, typename V, typename F>
ProcessorPlan plan_table_repartition_map(F selector,
                                         std::shared_ptr<const bool> versioned_input) {
  using Node = TableRepartitionMapNode<K, V, F>;
  return plan_node<Node>(
      FlowType::of<K, Change<V>>(),
      FlowType::of<typename Node::K1, RepartitionedChange<typename Node::V1>>(),
      std::move(selector), std::move(versioned_input));
}

}  // namespace thalweg::internal
