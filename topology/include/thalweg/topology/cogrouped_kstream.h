#pragma once

#include <concepts>
#include <memory>
#include <utility>

#include <thalweg/topology/internal/functions.h>
#include <thalweg/topology/internal/stream_graph.h>
#include <thalweg/topology/options.h>
#include <thalweg/topology/windows.h>

namespace thalweg {

template <typename K, typename V>
class KTable;
template <typename K, typename V>
class KGroupedStream;
template <typename K, typename A, typename W>
class TimeWindowedCogroupedKStream;
template <typename K, typename A>
class SessionWindowedCogroupedKStream;

namespace internal {
template <typename K, typename A>
class Cogroup;
}

/// Several grouped streams with keys of one type, to be folded into one aggregate: each by an
/// aggregator of its own, all into one store.
///
///     carts.cogroup<Basket>(add_item)
///         .cogroup(payments, mark_paid)
///         .aggregate([] { return Basket{}; }, {.store = "baskets"});
///
/// A is what the aggregators take and return; std::optional<T> where `so far` may be null. A small
/// handle: copies stand for the same group of streams.
template <typename K, typename A>
class CogroupedKStream {
 public:
  using Key = K;
  using Value = payload_t<A>;

  /// Adds a stream: `aggregator(key, value, so far)` folds its values in. A stream added again gets
  /// the new aggregator.
  template <typename KG, typename V, Aggregator<K, payload_t<V>, A> F>
  requires std::same_as<payload_t<KG>, K> CogroupedKStream
  cogroup(const KGroupedStream<KG, V>& stream, F aggregator)
  const;

  /// The table of aggregates, each begun with `initializer()`. Records whose key or value is null
  /// are dropped and counted. A result's timestamp is the latest of the record and the row it
  /// updates.
  template <Initializer I>
  requires std::same_as<seed_t<I>, A> KTable<K, payload_t<A>> aggregate(
      I initializer, Materialized<K, payload_t<A>> materialized = {})
  const;

  /// Cuts the streams into windows, each with an aggregate of its own.
  TimeWindowedCogroupedKStream<K, A, TimeWindows> windowed_by(TimeWindows windows) const;
  TimeWindowedCogroupedKStream<K, A, UnlimitedWindows> windowed_by(UnlimitedWindows windows) const;
  TimeWindowedCogroupedKStream<K, A, SlidingWindows> windowed_by(SlidingWindows windows) const;
  SessionWindowedCogroupedKStream<K, A> windowed_by(SessionWindows windows) const;

 private:
  friend struct internal::Dsl;
  explicit CogroupedKStream(std::shared_ptr<internal::Cogroup<K, A>> cogroup)
      : cogroup_(std::move(cogroup)) {}

  std::shared_ptr<internal::Cogroup<K, A>> cogroup_;
};

}  // namespace thalweg

#include <thalweg/topology/internal/dsl.h>
