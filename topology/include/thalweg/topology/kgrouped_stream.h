#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <thalweg/topology/internal/functions.h>
#include <thalweg/topology/internal/stream_graph.h>
#include <thalweg/topology/calendar_windows.h>
#include <thalweg/topology/options.h>
#include <thalweg/topology/windows.h>

namespace thalweg {

template <typename K, typename V>
class KTable;
template <typename K, typename V, typename W>
class TimeWindowedKStream;
template <typename K, typename V>
class SessionWindowedKStream;
template <typename K, typename V>
class CountWindowedKStream;
class CountWindows;
template <typename K, typename A>
class CogroupedKStream;

/// The records of a stream, grouped by key: what aggregations start from.
///
/// The result of each is a table in a store of its own. Records whose key or value is null are
/// dropped and counted. A result's timestamp is the latest of the record and the row it updates.
/// Every update is passed on; with caching, only the last one of each key in a commit.
template <typename K, typename V>
class KGroupedStream {
 public:
  using Key = payload_t<K>;
  using Value = payload_t<V>;

  /// Counts the records of each key.
  KTable<Key, std::int64_t> count(Materialized<Key, std::int64_t> materialized = {}) const;

  /// Combines the values of each key: `reducer(so far, value)`. The first value is taken as it is.
  /// A reducer may return std::optional, where null deletes the row.
  template <Reducer<payload_t<V>> F>
  KTable<Key, Value> reduce(F reducer, Materialized<Key, Value> materialized = {}) const;

  /// Folds the values of each key: `aggregator(key, value, so far)`, beginning with
  /// `initializer()`. An aggregator may return std::optional, where null deletes the row; the next
  /// record then begins anew. An initializer that returns std::optional makes `so_far` one.
  template <Initializer I, Aggregator<payload_t<K>, payload_t<V>, seed_t<I>> F>
  auto aggregate(I initializer, F aggregator,
                 Materialized<payload_t<K>, aggregate_t<I>> materialized = {}) const
      -> KTable<payload_t<K>, aggregate_t<I>>;

  /// Cuts the stream into windows, to be aggregated one by one.
  TimeWindowedKStream<K, V, TimeWindows> windowed_by(TimeWindows windows) const;
  TimeWindowedKStream<K, V, UnlimitedWindows> windowed_by(UnlimitedWindows windows) const;
  TimeWindowedKStream<K, V, SlidingWindows> windowed_by(SlidingWindows windows) const;
  SessionWindowedKStream<K, V> windowed_by(SessionWindows windows) const;
  TimeWindowedKStream<K, V, CalendarWindows> windowed_by(CalendarWindows windows) const;
  CountWindowedKStream<K, V> windowed_by(CountWindows windows) const;

  /// Begins an aggregate of several streams: `aggregator(key, value, so far)` folds the values of
  /// this one into an A, which is std::optional<T> if `so far` may be null.
  template <typename A, Aggregator<payload_t<K>, payload_t<V>, A> F>
  CogroupedKStream<payload_t<K>, A> cogroup(F aggregator) const;

 private:
  friend struct internal::Dsl;
  KGroupedStream(internal::StreamHandle handle, Grouped<K, V> grouped)
      : handle_(std::move(handle)), grouped_(std::move(grouped)) {}

  internal::StreamHandle handle_;
  Grouped<K, V> grouped_;  // With the serdes of the stream where it has none.
};

}  // namespace thalweg

#include <thalweg/topology/internal/dsl.h>
