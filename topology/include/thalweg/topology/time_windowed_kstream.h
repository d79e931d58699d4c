#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include <thalweg/topology/internal/functions.h>
#include <thalweg/topology/internal/stream_graph.h>
#include <thalweg/topology/options.h>
#include <thalweg/topology/windows.h>

namespace thalweg {

template <typename K, typename V>
class KTable;

namespace internal {

/// Where a windowed stream sends what comes too late.
template <typename K, typename V>
struct LateRecords {
  std::string topic = {};  // Empty: nowhere.
  Produced<K, V> produced = {};
};

}  // namespace internal

/// The records of a stream by key and window W: TimeWindows, UnlimitedWindows, SlidingWindows or
/// CalendarWindows.
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

  /// With emission on window close: when no record has come for `idle`, time goes on as the wall
  /// clock does from the last record on, so that windows close although nothing comes any more.
  /// What comes afterwards for a window that has closed is late.
  TimeWindowedKStream close_when_idle(std::chrono::milliseconds idle) const;

  /// Sends records that come too late for all their windows to `topic`, which must exist before the
  /// application starts, instead of dropping them.
  TimeWindowedKStream late_records_to(std::string topic, Produced<K, V> produced = {}) const;

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
  internal::Emission emission_;
  internal::LateRecords<K, V> late_;
};

/// The records of a stream by key and session; see TimeWindowedKStream. A result's time is its
/// session's end. A record that joins sessions makes them one: those it replaces become deletions.
template <typename K, typename V>
class SessionWindowedKStream {
 public:
  using Key = payload_t<K>;
  using Value = payload_t<V>;

  SessionWindowedKStream emit_strategy(EmitStrategy strategy) const;

  /// As TimeWindowedKStream::close_when_idle().
  SessionWindowedKStream close_when_idle(std::chrono::milliseconds idle) const;

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
  internal::Emission emission_;
};

}  // namespace thalweg

#include <thalweg/topology/internal/dsl.h>
