#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include <thalweg/topology/internal/operator_plan.h>
#include <thalweg/topology/internal/operators/join_window.h>
#include <thalweg/topology/internal/payload.h>
#include <thalweg/topology/internal/stream_joiners.h>
#include <thalweg/topology/join_windows.h>

namespace thalweg::internal {

/// Joins a stream with itself out of one store: each record first with those before it as the other
/// side, then as their other side; with itself in between, where its time puts it.
template <typename K, typename V, typename Joiner>
class StreamSelfJoinNode final
    : public Sender<K, stream_joined_t<Joiner, K, payload_t<V>, payload_t<V>>>,
      public Receiver<K, V> {
 public:
  using Key = payload_t<K>;
  using Value = payload_t<V>;
  using VOut = stream_joined_t<Joiner, K, Value, Value>;

  StreamSelfJoinNode(std::string name, JoinWindows windows, std::string store, Joiner joiner)
      : Sender<K, VOut>(std::move(name)),
        windows_(windows),
        store_name_(std::move(store)),
        joiner_(std::move(joiner)) {}

  void start(TaskContext& context) override {
    store_ = &window_store_of<Key, Value>(context, store_name_);
  }

  void process(const K& key_or_null, const V& value_or_null,
               const RecordContext& context) override {
    const Key* key = payload_of(key_or_null);
    const Value* value = payload_of(value_or_null);
    if (!key || !value) return this->task()->dropped(this->name(), "null key or value");
    const Timestamp time = context.timestamp;
    stream_time_ = std::max(stream_time_, time);
    const auto retention = windows_.size() + windows_.grace();
    bool self_is_due = time > stream_time_ - retention + std::chrono::milliseconds(1);
    const auto send = [&](const Value& left, const Value& right, Timestamp at) {
      const VOut& joined = joiner_(key_or_null, &left, &right);
      this->forward(key_or_null, joined, {at, context.headers});
    };
    for (auto at = fetch(*key, time, windows_.before(), windows_.after()); at->valid();
         at->next()) {
      send(*value, at->value().value, std::max(time, at->key().window.start));
    }
    for (auto at = fetch(*key, time, windows_.after(), windows_.before()); at->valid();
         at->next()) {
      if (at->key().window.start > time && std::exchange(self_is_due, false)) {
        send(*value, *value, time);
      }
      send(at->value().value, *value, std::max(time, at->key().window.start));
    }
    if (self_is_due) send(*value, *value, time);
  }

 private:
  auto fetch(const Key& key, Timestamp time, std::chrono::milliseconds before,
             std::chrono::milliseconds after) {
    return store_->fetch(key, std::max(from_millis(0), time - before),
                         std::max(from_millis(0), time + after));
  }

  JoinWindows windows_;
  std::string store_name_;
  Joiner joiner_;
  WindowStore<Key, Value>* store_ = nullptr;
  Timestamp stream_time_ = kNoTimestamp;
};

template <typename K, typename V, typename Joiner>
ProcessorPlan plan_stream_self_join(JoinWindows windows, std::string store, Joiner joiner) {
  using Node = StreamSelfJoinNode<K, V, Joiner>;
  return plan_node<Node>(FlowType::of<K, V>(), FlowType::of<K, typename Node::VOut>(), windows,
                         std::move(store), std::move(joiner));
}

}  // namespace thalweg::internal
