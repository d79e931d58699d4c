#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include <thalweg/topology/internal/operator_plan.h>
#include <thalweg/topology/internal/windowed_node.h>

namespace thalweg::internal {

/// Folds the values of each key in sliding windows. A window's stored time is that of its latest
/// record, which tells whether what is in it belongs to a window that has to be made.
template <typename K, typename V, typename A, typename Init, typename Fold>
class SlidingWindowAggregateNode final : public TimeWindowNode<payload_t<K>, A>,
                                         public Receiver<K, V> {
 public:
  using Key = payload_t<K>;
  using Seed = std::remove_cvref_t<std::invoke_result_t<Init&>>;

  SlidingWindowAggregateNode(std::string name, std::shared_ptr<const WindowedTablePlan> plan,
                             SlidingWindows windows, Init initializer, Fold aggregator)
      : TimeWindowNode<Key, A>(std::move(name), std::move(plan)),
        windows_(std::move(windows)),
        initializer_(std::move(initializer)),
        aggregator_(std::move(aggregator)) {}

  void process(const K& key_or_null, const V& value, const RecordContext& context) override {
    const auto* key = payload_of(key_or_null);
    if (!key || !payload_of(value)) {
      return this->task()->dropped(this->name(), "null key or value");
    }
    const Timestamp close_time = this->observe(context.timestamp) - windows_.grace();
    if (context.timestamp + size() < close_time) return this->drop_late();
    const Record record{*key, value, context, close_time};
    if (context.timestamp < from_millis(0) + size()) return process_early(record);
    process_in_place(record);
    if (this->emits_on_close()) emit_closed(close_time, context);
  }

 private:
  static constexpr std::chrono::milliseconds kNext{1};

  struct Record {
    const Key& key;
    const V& value;
    const RecordContext& context;
    Timestamp close_time;
    Timestamp time() const { return context.timestamp; }
  };
  /// An aggregate with the time of the latest record in it; a window that does not exist yet begins
  /// with a seed that may be null.
  struct Aggregate {
    std::optional<A> value;
    Timestamp time;
  };

  std::chrono::milliseconds size() const { return windows_.time_difference(); }

  /// From the latest window that may hold the record back to the first that ends before it.
  void process_in_place(const Record& record) {
    std::set<Timestamp> starts;
    std::optional<Aggregate> before;  // The nearest window that ends before the record.
    std::optional<Aggregate> behind;  // The nearest that holds it: what is later is in there.
    std::optional<Timestamp> previous;
    bool has_left = false;
    bool has_right = false;
    const Timestamp from = std::max(from_millis(0), record.time() - 2 * size());
    auto walk = this->store().fetch(record.key, from, record.time() + kNext, true);
    for (; walk->valid(); walk->next()) {
      const Timestamp start = walk->key().window.start;
      const Timestamp end = start + size();
      Aggregate found{walk->value().value, walk->value().timestamp};
      starts.insert(start);
      if (start == record.time() + kNext) {
        has_right = true;
      } else if (end > record.time()) {
        if (!behind) behind = found;
        update(start, found, record);
      } else if (end == record.time()) {
        has_left = true;
        update(start, found, record);
        if (found.time >= record.time()) return;
        previous = found.time;
      } else {
        previous = found.time;
        before = std::move(found);
        break;
      }
    }
    make_windows(record, starts, previous, before, behind, has_left, has_right);
  }

  void make_windows(const Record& record, const std::set<Timestamp>& starts,
                    std::optional<Timestamp> previous, std::optional<Aggregate>& before,
                    std::optional<Aggregate>& behind, bool has_left, bool has_right) {
    if (previous && !starts.contains(*previous + kNext) &&
        *previous + kNext + size() >= record.time()) {
      make_right_of_previous(*previous, record);
    }
    if (!has_left) {
      const bool is_empty = !previous || record.time() - size() > *previous;
      Aggregate left{is_empty || !before ? seed() : std::move(before->value), record.time()};
      update(record.time() - size(), left, record);
    }
    if (!has_right) make_right(behind, record);
  }

  /// A record less than the time difference from the epoch: its left window would begin before it.
  /// The window from the epoch on holds all of them.
  void process_early(const Record& record) {
    std::set<Timestamp> starts;
    std::optional<Aggregate> combined;
    std::optional<Aggregate> behind;
    std::optional<Timestamp> previous;
    bool has_right = false;
    auto walk = this->store().fetch(record.key, from_millis(0), record.time() + kNext, false);
    for (; walk->valid(); walk->next()) {
      const Timestamp start = walk->key().window.start;
      Aggregate found{walk->value().value, walk->value().timestamp};
      starts.insert(start);
      if (start == from_millis(0)) {
        if (found.time < record.time()) previous = found.time;
        combined = std::move(found);
      } else if (start <= record.time()) {
        update(start, found, record);
        behind = std::move(found);
      } else {
        has_right = true;
      }
    }
    if (!behind && combined && combined->time > record.time()) behind = combined;
    if (!has_right) make_right(behind, record);
    if (previous && !starts.contains(*previous + kNext)) make_right_of_previous(*previous, record);
    if (!combined) combined = Aggregate{seed(), record.time()};
    update(from_millis(0), *combined, record);
  }

  /// The window behind the record, if something in `behind` is later.
  void make_right(std::optional<Aggregate>& behind, const Record& record) {
    if (!behind || behind->time <= record.time()) return;
    this->write(record.key, record.time() + kNext, std::optional<A>(std::move(behind->value)),
                nullptr, behind->time, record.context);
  }
  void make_right_of_previous(Timestamp previous, const Record& record) {
    update(previous + kNext, Aggregate{seed(), record.time()}, record);
  }

  /// Folds the record into a window, which may have closed.
  void update(Timestamp start, const Aggregate& old, const Record& record) {
    if (start + size() < record.close_time) return this->drop_late();
    const Timestamp time = old.value ? std::max(record.time(), old.time) : record.time();
    this->write(record.key, start, fold(record, old.value), old.value ? &*old.value : nullptr, time,
                record.context);
  }
  std::optional<A> fold(const Record& record, const std::optional<A>& old) {
    if constexpr (is_nullable<Seed>) {
      return std::invoke(aggregator_, record.key, record.value, Seed(old));
    } else {
      return std::invoke(aggregator_, record.key, record.value, Seed(*old));
    }
  }
  std::optional<A> seed() { return initializer_(); }

  void close_windows(Timestamp observed, const RecordContext& context) override {
    emit_closed(observed - windows_.grace(), context);
  }
  void emit_closed(Timestamp close_time, const RecordContext& context) {
    if (!this->closer().is_due(close_time)) return;
    const Timestamp to = close_time - size() - kNext;
    if (to < from_millis(0)) return;
    const Timestamp last = this->closer().last();
    const Timestamp from =
        last == kNoTimestamp ? from_millis(0) : std::max(from_millis(0), last - size());
    this->emit_starting(from, to, close_time, context);
  }

  SlidingWindows windows_;
  Init initializer_;
  Fold aggregator_;
};

template <typename K, typename V, typename A, typename Init, typename Fold>
ProcessorPlan plan_window_aggregate(std::shared_ptr<const WindowedTablePlan> table,
                                    SlidingWindows windows, Init initializer, Fold aggregator) {
  return plan_node<SlidingWindowAggregateNode<K, V, A, Init, Fold>>(
      FlowType::of<K, V>(), FlowType::of<Windowed<payload_t<K>>, Change<A>>(), std::move(table),
      std::move(windows), std::move(initializer), std::move(aggregator));
}

}  // namespace thalweg::internal
