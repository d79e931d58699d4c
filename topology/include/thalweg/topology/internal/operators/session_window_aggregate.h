#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <thalweg/topology/internal/operator_plan.h>
#include <thalweg/topology/internal/windowed_node.h>

namespace thalweg::internal {

/// Folds the values of each key in sessions. A record that touches sessions takes their place with
/// one that holds them all; those that were there go on as deletions first. A result's time is its
/// session's end.
template <typename K, typename V, typename A, typename Init, typename Fold, typename Merge>
class SessionWindowAggregateNode final
    : public WindowedNode<payload_t<K>, A, TypedSessionStore<payload_t<K>, A>>,
      public Receiver<K, V> {
 public:
  using Key = payload_t<K>;
  using Base = WindowedNode<Key, A, TypedSessionStore<Key, A>>;
  using Seed = std::remove_cvref_t<std::invoke_result_t<Init&>>;

  SessionWindowAggregateNode(std::string name, std::shared_ptr<const WindowedTablePlan> plan,
                             SessionWindows windows, Init initializer, Fold aggregator,
                             Merge merger)
      : Base(std::move(name), std::move(plan)),
        windows_(std::move(windows)),
        initializer_(std::move(initializer)),
        aggregator_(std::move(aggregator)),
        merger_(std::move(merger)) {}

  void process(const K& key_or_null, const V& value, const RecordContext& context) override {
    const auto* key = payload_of(key_or_null);
    if (!key) return this->task()->dropped(this->name(), "null key");
    if (lacks_value<Fold>(value)) return this->task()->dropped(this->name(), "null value");
    const Timestamp time = context.timestamp;
    const auto gap = windows_.inactivity_gap();
    const Timestamp close_time = this->observe(time) - windows_.grace() - gap;
    const Window alone{time, time};
    Window merged = alone;
    Seed seed = initializer_();
    found_.clear();
    for (auto walk = this->store().find_sessions(*key, time - gap, time + gap, false);
         walk->valid(); walk->next()) {
      found_.emplace_back(walk->key(), walk->value().value);
      seed = std::invoke(merger_, *key, std::move(seed), found_.back().second);
      merged.start = std::min(merged.start, walk->key().window.start);
      merged.end = std::max(merged.end, walk->key().window.end);
    }
    if (merged.end < close_time) {
      this->drop_late();
    } else {
      if (merged != alone) remove_found(context);
      put({*key, merged}, std::invoke(aggregator_, *key, value, std::move(seed)), context);
    }
    if (this->emits_on_close()) emit_closed(close_time, context);
  }

 private:
  using Result = typename Base::Result;

  void remove_found(const RecordContext& context) {
    for (const auto& [session, value] : found_) {
      const Result result(*this, &value, {session.window.end, &kNoHeaders});
      this->store().remove(session, context.timestamp, *context.headers);
    }
  }
  void put(const Windowed<Key>& session, std::optional<A>&& value, const RecordContext& context) {
    const Result result(*this, nullptr, {session.window.end, &kNoHeaders});
    if (value) {
      this->store().put(session, std::move(*value), context.timestamp, *context.headers);
    } else {
      this->store().put_null(session, context.timestamp, *context.headers);
    }
  }

  Timestamp flushed_time(const Windowed<Key>& session, Timestamp) const override {
    return session.window.end;
  }

  void close_windows(Timestamp observed, const RecordContext& context) override {
    emit_closed(observed - windows_.grace() - windows_.inactivity_gap(), context);
  }
  void emit_closed(Timestamp close_time, const RecordContext& context) {
    if (!this->closer().is_due(close_time)) return;
    const Timestamp to =
        close_time - std::chrono::milliseconds(1);  // An end belongs to its window.
    const Timestamp from = std::max(from_millis(0), this->closer().last());
    if (to < from) return;
    if (!this->plan().lists_closed) {
      throw UnsupportedOperationError("store " + this->plan().store +
                                      " comes from a supplier of session stores on disk, which "
                                      "cannot tell what sessions have closed");
    }
    this->emit_final(this->store().find_sessions(from, to), context,
                     [](const auto& session, const auto&) { return session.window.end; });
    this->closer().emitted(close_time);
  }

  SessionWindows windows_;
  Init initializer_;
  Fold aggregator_;
  Merge merger_;
  std::vector<std::pair<Windowed<Key>, A>> found_;  // Kept for its memory.
};

template <typename K, typename V, typename A, typename Init, typename Fold, typename Merge>
ProcessorPlan plan_session_aggregate(std::shared_ptr<const WindowedTablePlan> table,
                                     SessionWindows windows, Init initializer, Fold aggregator,
                                     Merge merger) {
  return plan_node<SessionWindowAggregateNode<K, V, A, Init, Fold, Merge>>(
      FlowType::of<K, V>(), FlowType::of<Windowed<payload_t<K>>, Change<A>>(), std::move(table),
      std::move(windows), std::move(initializer), std::move(aggregator), std::move(merger));
}

}  // namespace thalweg::internal
