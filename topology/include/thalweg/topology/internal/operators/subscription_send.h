#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <thalweg/topology/internal/functions.h>
#include <thalweg/topology/internal/operator_plan.h>
#include <thalweg/topology/internal/payload.h>
#include <thalweg/topology/internal/subscription.h>

namespace thalweg::internal {

/// The left side of a foreign key join: turns changes of rows into subscriptions to foreign keys.
template <typename K, typename V, typename KO, bool Left, typename Extractor>
class SubscriptionSendNode final : public Sender<std::optional<KO>, SubscriptionWrapper<K>>,
                                   public Receiver<K, Change<V>> {
 public:
  using Instruction = SubscriptionInstruction;

  SubscriptionSendNode(std::string name, Extractor extractor, AnySerde<KO> foreign_keys,
                       AnySerde<V> values, std::shared_ptr<const bool> versioned_input)
      : Sender<std::optional<KO>, SubscriptionWrapper<K>>(std::move(name)),
        extractor_(std::move(extractor)),
        foreign_keys_(std::move(foreign_keys)),
        values_(std::move(values)),
        versioned_input_(std::move(versioned_input)) {}

  void process(const K& key, const Change<V>& change, const RecordContext& context) override {
    if (*versioned_input_ && !change.is_latest) {
      return this->task()->dropped(this->name(), "not the latest version");
    }
    if (!change.old_value && !change.new_value) return;
    const std::optional<KO> old_key = foreign_key(key, change.old_value);
    const std::optional<KO> new_key = foreign_key(key, change.new_value);
    wrapper_.primary_key = key;
    wrapper_.primary_partition = this->task()->task_id().partition;
    wrapper_.hash.reset();
    if (change.new_value) {
      bytes_.clear();
      values_.serialize(*change.new_value, bytes_);
      wrapper_.hash = ValueHash::of(bytes_);
    }
    if constexpr (Left) {
      if (old_key && !same(old_key, new_key)) {
        send(old_key, Instruction::kDeleteKeyNoPropagate, context);
      }
      send(new_key, Instruction::kPropagateNullIfNoFkValAvailable, context);
    } else {
      send_inner(old_key, new_key, context);
    }
  }

 private:
  void send_inner(const std::optional<KO>& old_key, const std::optional<KO>& new_key,
                  const RecordContext& context) {
    if (!old_key && !new_key) {
      this->task()->dropped(this->name(), "null foreign key");
    } else if (!old_key || same(old_key, new_key)) {
      send(new_key, Instruction::kPropagateOnlyIfFkValAvailable, context);
    } else if (!new_key) {
      send(old_key, Instruction::kDeleteKeyAndPropagate, context);
    } else {
      send(old_key, Instruction::kDeleteKeyNoPropagate, context);
      send(new_key, Instruction::kPropagateNullIfNoFkValAvailable, context);
    }
  }

  void send(const std::optional<KO>& foreign_key, Instruction instruction,
            const RecordContext& context) {
    wrapper_.instruction = instruction;
    this->forward(foreign_key, wrapper_, context);
  }

  std::optional<KO> foreign_key(const K& key, const V* value) {
    if (!value) return std::nullopt;
    const mapped_value_t<Extractor, K, V>& extracted = map_value(extractor_, key, *value);
    const KO* found = payload_of(extracted);
    return found ? std::optional<KO>(*found) : std::nullopt;
  }
  /// Keys are the same if their bytes are.
  bool same(const std::optional<KO>& left, const std::optional<KO>& right) {
    if (!left || !right) return !left && !right;
    bytes_.clear();
    foreign_keys_.serialize(*left, bytes_);
    other_bytes_.clear();
    foreign_keys_.serialize(*right, other_bytes_);
    return bytes_ == other_bytes_;
  }

  Extractor extractor_;
  AnySerde<KO> foreign_keys_;
  AnySerde<V> values_;
  std::shared_ptr<const bool> versioned_input_;
  SubscriptionWrapper<K> wrapper_;
  std::string bytes_;
  std::string other_bytes_;
};

template <typename K, typename V, typename KO, bool Left, typename Extractor>
ProcessorPlan plan_subscription_send(Extractor extractor, AnySerde<KO> foreign_keys,
                                     AnySerde<V> values,
                                     std::shared_ptr<const bool> versioned_input) {
  return plan_node<SubscriptionSendNode<K, V, KO, Left, Extractor>>(
      FlowType::of<K, Change<V>>(), FlowType::of<std::optional<KO>, SubscriptionWrapper<K>>(),
      std::move(extractor), std::move(foreign_keys), std::move(values),
      std::move(versioned_input));
}

}  // namespace thalweg::internal
