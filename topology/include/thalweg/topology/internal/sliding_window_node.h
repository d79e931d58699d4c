#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

#include <thalweg/topology/internal/windowed_node.h>

namespace thalweg::internal {

/// What a sliding window aggregation does with one window: folds a record into it, makes it, emits
/// it. Which windows those are is the operator's matter.
template <typename K, typename V, typename A, typename Init, typename Fold>
class SlidingWindowNode : public TimeWindowNode<K, A> {
 public:
  using Seed = std::remove_cvref_t<std::invoke_result_t<Init&>>;

  SlidingWindowNode(std::string name, std::shared_ptr<const WindowedTablePlan> plan,
                    SlidingWindows windows, Init initializer, Fold aggregator)
      : TimeWindowNode<K, A>(std::move(name), std::move(plan)),
        windows_(std::move(windows)),
        initializer_(std::move(initializer)),
        aggregator_(std::move(aggregator)) {}

 protected:
  static constexpr std::chrono::milliseconds kNext{1};

  struct Record {
    const K& key;
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

  const SlidingWindows& windows() const { return windows_; }
  std::chrono::milliseconds size() const { return windows_.time_difference(); }
  std::optional<A> seed() { return initializer_(); }

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
    if (size() <= size().zero()) {  // Kafka Streams takes such windows, and finds out here.
      throw std::invalid_argument("Window endMs must be greater than window startMs.");
    }
    if (start + size() < record.close_time) return this->drop_late();
    const Timestamp time = old.value ? std::max(record.time(), old.time) : record.time();
    this->write(record.key, start, fold(record, old.value), old.value ? &*old.value : nullptr, time,
                record.context);
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

 private:
  void close_windows(Timestamp observed, const RecordContext& context) override {
    emit_closed(observed - windows_.grace(), context);
  }
  std::optional<A> fold(const Record& record, const std::optional<A>& old) {
    if constexpr (is_nullable<Seed>) {
      return std::invoke(aggregator_, record.key, record.value, Seed(old));
    } else {
      return std::invoke(aggregator_, record.key, record.value, Seed(*old));
    }
  }

  SlidingWindows windows_;
  Init initializer_;
  Fold aggregator_;
};

}  // namespace thalweg::internal
