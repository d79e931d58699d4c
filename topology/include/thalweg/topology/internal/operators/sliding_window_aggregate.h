#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include <thalweg/topology/internal/operator_plan.h>
#include <thalweg/topology/internal/sliding_window_node.h>

namespace thalweg::internal {

/// Folds the values of each key in sliding windows. A window's stored time is that of its latest
/// record, which tells whether what is in it belongs to a window that has to be made.
template <typename K, typename V, typename A, typename Init, typename Fold>
class SlidingWindowAggregateNode final : public SlidingWindowNode<payload_t<K>, V, A, Init, Fold>,
                                         public Receiver<K, V> {
 public:
  using Base = SlidingWindowNode<payload_t<K>, V, A, Init, Fold>;
  using Base::Base;

  void process(const K& key_or_null, const V& value, const RecordContext& context) override {
    const auto* key = payload_of(key_or_null);
    if (!key || !payload_of(value)) {
      return this->task()->dropped(this->name(), "null key or value");
    }
    const Timestamp close_time = this->observe(context.timestamp) - this->windows().grace();
    if (context.timestamp + this->size() < close_time) return this->drop_late();
    const Record record{*key, value, context, close_time};
    if (context.timestamp < from_millis(0) + this->size()) return process_early(record);
    process_in_place(record);
    if (this->emits_on_close()) this->emit_closed(close_time, context);
  }

 private:
  using Base::kNext;
  using typename Base::Aggregate;
  using typename Base::Record;

  /// From the latest window that may hold the record back to the first that ends before it.
  void process_in_place(const Record& record) {
    std::set<Timestamp> starts;
    std::optional<Aggregate> before;  // The nearest window that ends before the record.
    std::optional<Aggregate> behind;  // The nearest that holds it: what is later is in there.
    std::optional<Timestamp> previous;
    bool has_left = false;
    bool has_right = false;
    const Timestamp from = std::max(from_millis(0), record.time() - 2 * this->size());
    auto walk = this->store().fetch(record.key, from, record.time() + kNext, true);
    for (; walk->valid(); walk->next()) {
      const Timestamp start = walk->key().window.start;
      const Timestamp end = start + this->size();
      Aggregate found{walk->value().value, walk->value().timestamp};
      starts.insert(start);
      if (start == record.time() + kNext) {
        has_right = true;
      } else if (end > record.time()) {
        if (!behind) behind = found;
        this->update(start, found, record);
      } else if (end == record.time()) {
        has_left = true;
        this->update(start, found, record);
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
        *previous + kNext + this->size() >= record.time()) {
      this->make_right_of_previous(*previous, record);
    }
    if (!has_left) {
      const bool is_empty = !previous || record.time() - this->size() > *previous;
      Aggregate left{is_empty || !before ? this->seed() : std::move(before->value), record.time()};
      this->update(record.time() - this->size(), left, record);
    }
    if (!has_right) this->make_right(behind, record);
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
        this->update(start, found, record);
        behind = std::move(found);
      } else {
        has_right = true;
      }
    }
    if (!behind && combined && combined->time > record.time()) behind = combined;
    if (!has_right) this->make_right(behind, record);
    if (previous && !starts.contains(*previous + kNext))
      this->make_right_of_previous(*previous, record);
    if (!combined) combined = Aggregate{this->seed(), record.time()};
    this->update(from_millis(0), *combined, record);
  }
};

template <typename K, typename V, typename A, typename Init, typename Fold>
ProcessorPlan plan_window_aggregate(std::shared_ptr<const WindowedTablePlan> table,
                                    SlidingWindows windows, Init initializer, Fold aggregator) {
  return plan_node<SlidingWindowAggregateNode<K, V, A, Init, Fold>>(
      FlowType::of<K, V>(), FlowType::of<Windowed<payload_t<K>>, Change<A>>(), std::move(table),
      std::move(windows), std::move(initializer), std::move(aggregator));
}

}  // namespace thalweg::internal
