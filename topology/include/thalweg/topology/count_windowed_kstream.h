#pragma once

#include <cstdint>
#include <utility>

#include <thalweg/topology/internal/functions.h>
#include <thalweg/topology/internal/stream_graph.h>
#include <thalweg/topology/options.h>

namespace thalweg {

template <typename K, typename V>
class KStream;

/// Windows of a number of records of a key, one after the other, whenever they come.
class CountWindows {
 public:
  /// Throws std::invalid_argument unless it is at least 1.
  static CountWindows of(std::int64_t records);
  std::int64_t records() const { return records_; }

 private:
  explicit CountWindows(std::int64_t records) : records_(records) {}

  std::int64_t records_;
};

/// The records of a stream by key and count window.
template <typename K, typename V>
class CountWindowedKStream {
 public:
  /// Folds the values of each window: `aggregator(key, value, so far)`, beginning with
  /// `initializer()`. The result is a stream: one record for each window that is full, with the
  /// time of the latest record in it. A null result is not sent. What has begun is kept in a store
  /// with a changelog. Records whose key or value is null are dropped and counted.
  template <Initializer I, Aggregator<payload_t<K>, payload_t<V>, seed_t<I>> F>
  auto aggregate(I initializer, F aggregator,
                 Materialized<payload_t<K>, aggregate_t<I>> materialized = {}) const
      -> KStream<payload_t<K>, aggregate_t<I>>;

 private:
  friend struct internal::Dsl;
  CountWindowedKStream(internal::StreamHandle handle, Grouped<K, V> grouped, CountWindows windows)
      : handle_(std::move(handle)), grouped_(std::move(grouped)), windows_(windows) {}

  internal::StreamHandle handle_;
  Grouped<K, V> grouped_;
  CountWindows windows_;
};

}  // namespace thalweg

#include <thalweg/topology/internal/dsl.h>
