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

namespace internal {
template <typename K, typename A>
class Cogroup;
}

/// Several grouped streams by key and window W: TimeWindows, UnlimitedWindows or SlidingWindows.
///
/// Every stream has a time of its own that decides what is late. An aggregator that takes a
/// std::optional for a value gets null values, too, but in sliding windows; others do not, and they
/// are dropped and counted. For the rest see TimeWindowedKStream.
template <typename K, typename A, typename W>
class TimeWindowedCogroupedKStream {
 public:
  using Key = K;
  using Value = payload_t<A>;

  /// The table of aggregates, each begun with `initializer()`.
  template <Initializer I>
  requires std::same_as<seed_t<I>, A> KTable<Windowed<K>, payload_t<A>> aggregate(
      I initializer, Materialized<K, payload_t<A>> materialized = {})
  const;

 private:
  friend struct internal::Dsl;
  TimeWindowedCogroupedKStream(std::shared_ptr<internal::Cogroup<K, A>> cogroup, W windows)
      : cogroup_(std::move(cogroup)), windows_(std::move(windows)) {}

  std::shared_ptr<internal::Cogroup<K, A>> cogroup_;
  W windows_;
};

/// Several grouped streams by key and session; see SessionWindowedKStream.
template <typename K, typename A>
class SessionWindowedCogroupedKStream {
 public:
  using Key = K;
  using Value = payload_t<A>;

  /// `merger(key, so_far, next)` combines the results of sessions that become one.
  template <Initializer I, SessionMerger<K, A> M>
  requires std::same_as<seed_t<I>, A> KTable<Windowed<K>, payload_t<A>> aggregate(
      I initializer, M merger, Materialized<K, payload_t<A>> materialized = {})
  const;

 private:
  friend struct internal::Dsl;
  SessionWindowedCogroupedKStream(std::shared_ptr<internal::Cogroup<K, A>> cogroup,
                                  SessionWindows windows)
      : cogroup_(std::move(cogroup)), windows_(std::move(windows)) {}

  std::shared_ptr<internal::Cogroup<K, A>> cogroup_;
  SessionWindows windows_;
};

}  // namespace thalweg

#include <thalweg/topology/internal/dsl.h>
