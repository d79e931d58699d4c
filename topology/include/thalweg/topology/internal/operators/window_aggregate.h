#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include <thalweg/topology/internal/operator_plan.h>
#include <thalweg/topology/internal/window_panes.h>
#include <thalweg/topology/internal/windowed_node.h>

namespace thalweg::internal {

/// Folds the values of each key in each window: tumbling, hopping, unlimited and calendar windows
/// (W). Each of a record's windows is taken or late on its own.
template <typename K, typename V, typename A, typename W, typename Init, typename Fold>
class WindowAggregateNode final : public TimeWindowNode<payload_t<K>, A>, public Receiver<K, V> {
 public:
  using Key = payload_t<K>;
  using Seed = std::remove_cvref_t<std::invoke_result_t<Init&>>;

  WindowAggregateNode(std::string name, std::shared_ptr<const WindowedTablePlan> plan, W windows,
                      Init initializer, Fold aggregator)
      : TimeWindowNode<Key, A>(std::move(name), std::move(plan)),
        windows_(std::move(windows)),
        initializer_(std::move(initializer)),
        aggregator_(std::move(aggregator)) {}

  void start(TaskContext& context) override {
    TimeWindowNode<Key, A>::start(context);
    if constexpr (kMayHavePanes) {
      if (this->emits_on_close() || !Panes::suit(windows_, this->store())) return;
      panes_ = std::make_shared<Panes>(this->store(), windows_, initializer_, aggregator_);
    }
  }

  bool expects() const override { return !is_nullable<K> && !panes_; }
  /// Times go on slowly: a record's window is most likely the last one's.
  void expect(std::span<const K> keys) override {
    if constexpr (!is_nullable<K>) {
      if (last_start_) this->store().expect(keys, *last_start_);
    }
  }

  void process(const K& key_or_null, const V& value, const RecordContext& context) override {
    const auto* key = payload_of(key_or_null);
    if (!key) return this->task()->dropped(this->name(), "null key");
    if (lacks_value<Fold>(value)) return this->task()->dropped(this->name(), "null value");
    const Timestamp close_time = this->observe(context.timestamp) - windows_.grace();
    if constexpr (kMayHavePanes) {
      if (panes_ && panes_->fold(*key, value, close_time, context)) return;
    }
    windows_.for_each_window(context.timestamp, [&](const Window& window) {
      if (window.end > close_time) {
        last_start_ = window.start;
        update(*key, value, window.start, context);
      } else {
        this->drop_late();
      }
    });
    if (this->emits_on_close()) emit_closed(close_time, context);
  }

 private:
  static constexpr bool kMayHavePanes =
      std::is_same_v<W, TimeWindows> && CombinesExactly<Init, Fold>;
  using Panes = std::conditional_t<kMayHavePanes, WindowPanes<Key, A, Init, Fold>, DeferredWrites>;

  void update(const Key& key, const V& value, Timestamp start, const RecordContext& context) {
    const auto* old = this->store().fetch_with_timestamp(key, start);
    const Timestamp time = old ? std::max(context.timestamp, old->timestamp) : context.timestamp;
    Seed seed = old ? Seed(old->value) : Seed(initializer_());
    if (this->forwards_old_at_once()) {
      const Seed before = seed;
      const A* old_value = payload_of(before);
      return this->write(key, start, std::invoke(aggregator_, key, value, std::move(seed)),
                         old_value, time, context);
    }
    this->write(key, start, std::invoke(aggregator_, key, value, std::move(seed)), nullptr, time,
                context);
  }

  void close_windows(Timestamp observed, const RecordContext& context) override {
    emit_closed(observed - windows_.grace(), context);
  }
  std::optional<Timestamp> end_of(Timestamp start) const override {
    if constexpr (requires { windows_.end_of(start); }) return windows_.end_of(start);
    return std::nullopt;
  }

  void emit_closed(Timestamp close_time, const RecordContext& context) {
    if constexpr (requires { windows_.closed_since(close_time, close_time); }) {
      if (!this->closer().is_due(close_time)) return;
      const auto starts = windows_.closed_since(this->closer().last(), close_time);
      if (starts) this->emit_starting(starts->first, starts->second, close_time, context);
    }
  }

  W windows_;
  Init initializer_;
  Fold aggregator_;
  std::optional<Timestamp> last_start_;  // Of the window that was updated last.
  std::shared_ptr<Panes> panes_;         // Absent: windows are written one by one.
};

template <typename K, typename V, typename A, typename W, typename Init, typename Fold>
ProcessorPlan plan_window_aggregate(std::shared_ptr<const WindowedTablePlan> table, W windows,
                                    Init initializer, Fold aggregator) {
  return plan_node<WindowAggregateNode<K, V, A, W, Init, Fold>>(
      FlowType::of<K, V>(), FlowType::of<Windowed<payload_t<K>>, Change<A>>(), std::move(table),
      std::move(windows), std::move(initializer), std::move(aggregator));
}

}  // namespace thalweg::internal
