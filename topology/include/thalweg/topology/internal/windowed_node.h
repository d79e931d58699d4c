#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include <thalweg/state/stores.h>
#include <thalweg/topology/internal/payload.h>
#include <thalweg/topology/internal/sender.h>
#include <thalweg/topology/internal/table_supplier.h>
#include <thalweg/topology/internal/window_closer.h>
#include <thalweg/topology/windows.h>

namespace thalweg::internal {

/// What is known of a windowed table while the plan is made.
struct WindowedTablePlan : TablePlan {
  Emission emission = {};
  bool lists_closed = true;  ///< Whether the store can show what all keys had closed in a time.
};

/// An aggregator that cannot take null values: windows drop and count them.
template <typename F>
struct NonNullFold {
  static constexpr bool kNeedsValue = true;
  F fold;

  template <typename K, typename V, typename Seed>
  decltype(auto) operator()(const K& key, const V& value, Seed&& so_far) {
    return std::invoke(fold, key, *payload_of(value), std::forward<Seed>(so_far));
  }
};
template <typename Fold, typename V>
bool lacks_value(const V& value) {
  if constexpr (requires { Fold::kNeedsValue; }) return payload_of(value) == nullptr;
  return false;
}

/// A node that keeps an aggregate per key and window: what goes on from it, and when.
///
/// Of several nodes that share a store, a change goes on from the one that writes. Every change is
/// written to the store and goes on from there, at once or when the cache is
/// flushed. At once, the old value is what the aggregation began with, as in Kafka Streams: the
/// initial value of a window that did not exist. With emission on window close, nothing goes on
/// but what emit_closed() finds.
template <typename K, typename A, typename Store>
class WindowedNode : public Sender<Windowed<K>, Change<A>> {
 public:
  WindowedNode(std::string name, std::shared_ptr<const WindowedTablePlan> plan)
      : Sender<Windowed<K>, Change<A>>(std::move(name)), plan_(std::move(plan)) {}

  void start(TaskContext& context) override {
    store_ = dynamic_cast<Store*>(&context.store(plan_->store));
    if (!store_) throw TopologyError("store " + plan_->store + " has other key or value types");
    if (emits_on_close()) {
      closer_.start(context, this->name(), plan_->store);
      if (plan_->emission.close_when_idle) watch(context, *plan_->emission.close_when_idle);
    } else {
      listen();
    }
  }

 protected:
  Store& store() { return *store_; }
  const WindowedTablePlan& plan() const { return *plan_; }
  bool emits_on_close() const { return plan_->emission.strategy == EmitStrategy::kOnWindowClose; }
  WindowCloser& closer() { return closer_; }
  /// Whether old values are to be passed on by the one who writes.
  bool forwards_old_at_once() const { return plan_->send_old_values && !store_->cached(); }

  /// Moves the time that this node has observed on, and returns it.
  Timestamp observe(Timestamp time) {
    observed_ = std::max(observed_, time);
    if (plan_->emission.close_when_idle) heard(this->task()->wall_clock_time());
    return observed_;
  }
  /// Emits the windows that have closed by a time observed.
  virtual void close_windows(Timestamp observed, const RecordContext& context) = 0;
  /// Where the window that starts there ends, if the store does not know.
  virtual std::optional<Timestamp> end_of(Timestamp) const { return std::nullopt; }
  void drop_late() { this->task()->dropped(this->name(), "came after its window had closed"); }

  /// What goes on with the writes made while it lives, if they go on at once.
  class Result {
   public:
    Result(WindowedNode& node, const A* old_value, const RecordContext& context) : node_(node) {
      if (node.store_->cached()) return;
      if (node.plan_->shared_store && !node.emits_on_close()) node.listen();
      node.at_once_ = this;
      old_ = old_value;
      context_ = context;
    }
    ~Result() { node_.at_once_ = nullptr; }
    Result(const Result&) = delete;
    Result& operator=(const Result&) = delete;

   private:
    friend class WindowedNode;
    WindowedNode& node_;
    const A* old_ = nullptr;
    RecordContext context_;
  };

  /// Emits what `walk` shows as final results, with the headers of the record that closed them.
  /// `time_of(entry key, entry)` is a result's time.
  template <typename TimeOf>
  void emit_final(std::unique_ptr<WindowedIterator<K, A>> walk, const RecordContext& context,
                  TimeOf time_of) {
    for (; walk->valid(); walk->next()) {
      const Timestamp time = time_of(walk->key(), walk->value());
      closer_.count();
      send(walk->key(), {&walk->value().value, nullptr}, {time, context.headers});
    }
  }
  /// The time of a result that waited in the cache.
  virtual Timestamp flushed_time(const Windowed<K>&, Timestamp timestamp) const {
    return timestamp;
  }

 private:
  void send(const Windowed<K>& key, const Change<A>& change, const RecordContext& context) {
    if (const auto end = end_of(key.window.start)) {
      return this->forward({key.key, {key.window.start, *end}}, change, context);
    }
    this->forward(key, change, context);
  }

  void heard(Timestamp wall_clock) {
    heard_ = observed_;
    heard_at_ = wall_clock;
  }
  /// When nothing has come for so long, time goes on by the wall clock.
  void watch(TaskContext& context, std::chrono::milliseconds idle) {
    context.schedule(idle, PunctuationType::kWallClockTime, this->name(),
                     [this, idle](Timestamp now) {
                       if (observed_ == kNoTimestamp) {  // After a restart.
                         observed_ = store_->stream_time();
                         return heard(now);
                       }
                       if (now - heard_at_ < idle) return;
                       observed_ = std::max(observed_, heard_ + (now - heard_at_));
                       close_windows(observed_, {});
                     });
  }

  void listen() {
    const bool old_values = plan_->send_old_values;
    store_->set_listener(
        [this, old_values](const Windowed<K>& key, const A* new_value, const A* old_value,
                           Timestamp timestamp, const Headers& headers) {
          if (const Result* result = std::exchange(at_once_, nullptr)) {
            send(key, {new_value, old_values ? result->old_ : nullptr}, result->context_);
          } else {
            send(key, {new_value, old_values ? old_value : nullptr},
                 {flushed_time(key, timestamp), &headers});
          }
        },
        old_values && store_->cached());
  }

  std::shared_ptr<const WindowedTablePlan> plan_;
  Store* store_ = nullptr;
  WindowCloser closer_;
  Timestamp observed_ = kNoTimestamp;
  Timestamp heard_ = kNoTimestamp;     // What was observed when a record came last,
  Timestamp heard_at_ = kNoTimestamp;  // and when that was by the wall clock.
  const Result* at_once_ = nullptr;
};

/// What aggregations over windows of time have in common: tumbling, hopping, unlimited, sliding.
template <typename K, typename A>
class TimeWindowNode : public WindowedNode<K, A, TypedWindowStore<K, A>> {
 public:
  using Base = WindowedNode<K, A, TypedWindowStore<K, A>>;
  using Base::Base;

 protected:
  /// Writes what became of a window's aggregate (null: nothing is left). A deletion leaves no row
  /// that could hold the result's time, so it is logged with the record's.
  void write(const K& key, Timestamp start, std::optional<A>&& value, const A* old_value,
             Timestamp time, const RecordContext& record) {
    const typename Base::Result result(*this, old_value, {time, record.headers});
    if (value) {
      this->store().put(key, std::move(*value), start, time, *record.headers);
    } else {
      this->store().remove(key, start, record.timestamp, *record.headers);
    }
  }

  /// Emits the windows that start within [from, to] as final.
  void emit_starting(Timestamp from, Timestamp to, Timestamp close_time,
                     const RecordContext& context) {
    this->emit_final(this->store().fetch_all(from, to, false), context,
                     [](const auto&, const auto& entry) { return known(entry.timestamp); });
    this->closer().emitted(close_time);
  }

 private:
  /// A store without timestamps cannot tell when its results were.
  static Timestamp known(Timestamp time) {
    if (time == kNoTimestamp) throw std::invalid_argument("Timestamp may not be negative. Got: -1");
    return time;
  }
};

}  // namespace thalweg::internal
