#pragma once

#include <concepts>
#include <cstdint>
#include <optional>

#include <thalweg/topology/internal/functions.h>
#include <thalweg/topology/internal/stream_graph.h>
#include <thalweg/topology/options.h>
#include <thalweg/topology/windows.h>

namespace thalweg {

template <typename K, typename V>
class KTable;

/// `A aggregator(const K& key, const V& value, Seed so_far)`, or std::optional<A>. Where V may be
/// null, so may the value: windows of time and sessions take null values in.
template <typename F, typename K, typename V, typename Seed>
concept WindowAggregator =
    std::copy_constructible<F> && std::invocable<F&, const K&, const V&, Seed> &&
    std::convertible_to<std::invoke_result_t<F&, const K&, const V&, Seed>,
                        std::optional<payload_t<Seed>>>;

/// `V reducer(V so_far, const V& value)`, or std::optional<V>
template <typename F, typename V>
concept WindowReducer = std::copy_constructible<F> && std::invocable < F&,
        payload_t<V>,
const V& > &&std::convertible_to<std::invoke_result_t<F&, payload_t<V>, const V&>,
                                 std::optional<payload_t<V>>>;

/// `Seed merger(const K& key, Seed so_far, const A& next)`
template <typename F, typename K, typename Seed>
concept SessionMerger = std::copy_constructible<F> && std::invocable < F&,
        const K&, Seed, const payload_t<Seed>
& > &&std::convertible_to<std::invoke_result_t<F&, const K&, Seed, const payload_t<Seed>&>, Seed>;

/// The records of a stream by key and window W: TimeWindows, UnlimitedWindows or SlidingWindows.
///
/// The result of each aggregation is a table of windowed keys in a store of its own, which keeps
/// them for the windows' size and grace (`Materialized::retention`: longer). Records whose key is
/// null are dropped and counted, with sliding windows those whose value is null too; so is what
/// comes to a window after its end and grace. A result's time is that of the latest record in it.
template <typename K, typename V, typename W>
class TimeWindowedKStream {
 public:
  using Key = payload_t<K>;
  using Value = payload_t<V>;

  /// Throws std::invalid_argument for UnlimitedWindows, which do not close.
  TimeWindowedKStream emit_strategy(EmitStrategy strategy) const;

  KTable<Windowed<Key>, std::int64_t> count(
      Materialized<Key, std::int64_t> materialized = {}) const;

  /// The first value of a window is taken as it is.
  template <WindowReducer<V> F>
  KTable<Windowed<Key>, Value> reduce(F reducer, Materialized<Key, Value> materialized = {}) const;

  /// As KGroupedStream::aggregate(), for each window.
  template <Initializer I, WindowAggregator<payload_t<K>, V, seed_t<I>> F>
  auto aggregate(I initializer, F aggregator,
                 Materialized<payload_t<K>, aggregate_t<I>> materialized = {}) const
      -> KTable<Windowed<payload_t<K>>, aggregate_t<I>>;

 private:
  friend struct internal::Dsl;
  TimeWindowedKStream(internal::StreamHandle handle, Grouped<K, V> grouped, W windows)
      : handle_(std::move(handle)), grouped_(std::move(grouped)), windows_(std::move(windows)) {}

  internal::StreamHandle handle_;
  Grouped<K, V> grouped_;
  W windows_;
  EmitStrategy emit_ = EmitStrategy::kOnWindowUpdate;
};

/// The records of a stream by key and session; see TimeWindowedKStream. A result's time is its
/// session's end. A record that joins sessions makes them one: those it replaces become deletions.
template <typename K, typename V>
class SessionWindowedKStream {
 public:
  using Key = payload_t<K>;
  using Value = payload_t<V>;

  SessionWindowedKStream emit_strategy(EmitStrategy strategy) const;

  KTable<Windowed<Key>, std::int64_t> count(
      Materialized<Key, std::int64_t> materialized = {}) const;

  /// The reducer also combines the results of sessions that become one, the earlier one first.
  template <WindowReducer<V> F>
  KTable<Windowed<Key>, Value> reduce(F reducer, Materialized<Key, Value> materialized = {}) const;

  /// `merger(key, so_far, next)` combines the results of sessions that become one, from
  /// `initializer()` on, before the record is folded in.
  template <Initializer I, WindowAggregator<payload_t<K>, V, seed_t<I>> F,
            SessionMerger<payload_t<K>, seed_t<I>> M>
  auto aggregate(I initializer, F aggregator, M merger,
                 Materialized<payload_t<K>, aggregate_t<I>> materialized = {}) const
      -> KTable<Windowed<payload_t<K>>, aggregate_t<I>>;

 private:
  friend struct internal::Dsl;
  SessionWindowedKStream(internal::StreamHandle handle, Grouped<K, V> grouped,
                         SessionWindows windows)
      : handle_(std::move(handle)), grouped_(std::move(grouped)), windows_(std::move(windows)) {}

  internal::StreamHandle handle_;
  Grouped<K, V> grouped_;
  SessionWindows windows_;
  EmitStrategy emit_ = EmitStrategy::kOnWindowUpdate;
};

}  // namespace thalweg

#include <thalweg/topology/internal/dsl.h>
