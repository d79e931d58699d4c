#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include <thalweg/topology/internal/join_time_tracker.h>
#include <thalweg/topology/internal/operator_plan.h>
#include <thalweg/topology/internal/operators/join_window.h>
#include <thalweg/topology/internal/payload.h>
#include <thalweg/topology/internal/stream_joiners.h>
#include <thalweg/topology/internal/table_supplier.h>
#include <thalweg/topology/internal/waiting_records.h>
#include <thalweg/topology/join_windows.h>

namespace thalweg::internal {

/// One side of a join of two streams.
struct StreamJoinSide {
  std::int64_t before = 0;  ///< Of the other side's records, as seen from this one's.
  std::int64_t after = 0;
  JoinWindows windows;  ///< As seen from the left side.
  bool outer = false;   ///< This side's records go on alone if nobody comes.
  std::string other_store;
  std::string shared_store;  ///< Of records that wait; empty in an inner join.
  std::shared_ptr<JoinTimeTrackers> trackers;
};

/// Joins each record of one stream with those of the other whose times are near enough, and lets go
/// those for which nobody came.
template <typename K, typename L, typename R, bool IsLeft, typename Joiner>
class StreamStreamJoinNode final
    : public Sender<K, stream_joined_t<Joiner, K, payload_t<L>, payload_t<R>>>,
      public Receiver<K, std::conditional_t<IsLeft, L, R>> {
 public:
  using V = std::conditional_t<IsLeft, L, R>;
  using Key = payload_t<K>;
  using LeftValue = payload_t<L>;
  using RightValue = payload_t<R>;
  using Value = payload_t<V>;
  using OtherValue = std::conditional_t<IsLeft, RightValue, LeftValue>;
  using VOut = stream_joined_t<Joiner, K, LeftValue, RightValue>;
  using Waiting = WaitingRecords<Key, LeftValue, RightValue>;

  StreamStreamJoinNode(std::string name, StreamJoinSide side, Joiner joiner)
      : Sender<K, VOut>(std::move(name)), side_(std::move(side)), joiner_(std::move(joiner)) {}

  void start(TaskContext& context) override {
    others_ = &window_store_of<Key, OtherValue>(context, side_.other_store);
    if (!side_.shared_store.empty()) waiting_.open(context, side_.shared_store);
    tracker_ = side_.trackers->of(context);
  }

  void process(const K& key_or_null, const V& value_or_null,
               const RecordContext& context) override {
    const std::int64_t time = to_millis(context.timestamp);
    tracker_->stream_time = std::max(tracker_->stream_time, time);
    const Key* key = payload_of(key_or_null);
    const Value* value = payload_of(value_or_null);
    if (side_.outer && !key && value) return go_alone(key_or_null, *value, context);
    if (!key || !value) return this->task()->dropped(this->name(), "null key or value");
    if (waiting_.exist() && time == tracker_->stream_time) emit_non_joined(context);
    const std::int64_t to = std::max<std::int64_t>(0, time + side_.after);
    if (join_others(key_or_null, *key, *value, to, context) || !side_.outer) return;
    if (to < tracker_->stream_time) return go_alone(key_or_null, *value, context);
    tracker_->min_time = std::min(tracker_->min_time, time);
    waiting_.add({time, IsLeft, *key}, waiting(*value), context);
  }

 private:
  bool join_others(const K& key_or_null, const Key& key, const Value& value, std::int64_t to,
                   const RecordContext& context) {
    const std::int64_t time = to_millis(context.timestamp);
    const auto from = from_millis(std::max<std::int64_t>(0, time - side_.before));
    bool any = false;
    for (auto other = others_->fetch(key, from, from_millis(to)); other->valid(); other->next()) {
      any = true;
      const std::int64_t other_time = to_millis(other->key().window.start);
      if (waiting_.exist()) waiting_.remove({other_time, !IsLeft, key}, context);
      send(key_or_null, join(key_or_null, &value, &other->value().value),
           {from_millis(std::max(time, other_time)), context.headers});
    }
    return any;
  }

  void go_alone(const K& key, const Value& value, const RecordContext& context) {
    send(key, join(key, &value, nullptr), context);
  }

  /// Lets go what waits and whose window has closed.
  void emit_non_joined(const RecordContext& context) {
    // The sum may pass the end of time, and then is small again: nothing is known, so look.
    if (plus(plus(tracker_->min_time, side_.after), side_.windows.grace().count()) >=
        tracker_->stream_time) {
      return;
    }
    const std::int64_t now = to_millis(this->task()->wall_clock_time());
    if (now < tracker_->next_time_to_emit) return;
    tracker_->next_time_to_emit = now + this->task()->emit_interval().count();
    for (const auto& [place, values] : waiting_.closed(side_.windows, *tracker_)) {
      const K key(place.key);
      for (const auto& value : values) {
        const LeftValue* left = value.left ? &*value.left : nullptr;
        const RightValue* right = value.right ? &*value.right : nullptr;
        send(key, joiner_(key, left, right), {from_millis(place.time), context.headers});
      }
      waiting_.remove(place, context);
    }
  }

  static std::int64_t plus(std::int64_t a, std::int64_t b) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
  }
  static typename Waiting::Value waiting(const Value& value) {
    if constexpr (IsLeft) {
      return {.left = value, .right = {}};
    } else {
      return {.left = {}, .right = value};
    }
  }
  decltype(auto) join(const K& key, const Value* value, const OtherValue* other) {
    if constexpr (IsLeft) {
      return joiner_(key, value, other);
    } else {
      return joiner_(key, other, value);
    }
  }
  void send(const K& key, const VOut& joined, const RecordContext& context) {
    this->forward(key, joined, context);
  }

  StreamJoinSide side_;
  Joiner joiner_;
  WindowStore<Key, OtherValue>* others_ = nullptr;
  Waiting waiting_;
  std::shared_ptr<JoinTimeTracker> tracker_;
};

template <typename K, typename L, typename R, bool IsLeft, typename Joiner>
ProcessorPlan plan_stream_stream_join(StreamJoinSide side, Joiner joiner) {
  using Node = StreamStreamJoinNode<K, L, R, IsLeft, Joiner>;
  return plan_node<Node>(FlowType::of<K, typename Node::V>(),
                         FlowType::of<K, typename Node::VOut>(), std::move(side),
                         std::move(joiner));
}

}  // namespace thalweg::internal
