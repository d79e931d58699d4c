#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <thalweg/topology/internal/functions.h>
#include <thalweg/topology/internal/stream_graph.h>
#include <thalweg/topology/options.h>

namespace thalweg {

template <typename K, typename V>
class KTable;

/// The rows of a table, grouped by another key: what aggregations of tables start from.
///
/// The result of each is a table in a store of its own. When a row changes, its old value is taken
/// out of its group by the subtractor, then the new one is put into its group by the adder. Old and
/// new value of one group travel through the repartition topic together, otherwise the old one goes
/// first. A result's timestamp is the latest of the change and the aggregate it updates.
template <typename K, typename V>
class KGroupedTable {
 public:
  using Key = payload_t<K>;
  using Value = payload_t<V>;

  /// Counts the rows of each group. A group that has lost its last row has a count of 0.
  KTable<Key, std::int64_t> count(Materialized<Key, std::int64_t> materialized = {}) const;

  /// Combines the values of each group: `adder(so far, value)` and `subtractor(so far, value)`. The
  /// first value is taken as it is. Either may return std::optional, where null deletes the row.
  template <Reducer<payload_t<V>> Add, Reducer<payload_t<V>> Subtract>
  KTable<Key, Value> reduce(Add adder, Subtract subtractor,
                            Materialized<Key, Value> materialized = {}) const;

  /// Folds the values of each group: `adder(key, value, so far)`, beginning with `initializer()`,
  /// and `subtractor(key, value, so far)`. Either may return std::optional, where null deletes the
  /// row; the next value added then begins anew. An initializer that returns std::optional makes
  /// `so far` one.
  template <Initializer I, Aggregator<payload_t<K>, payload_t<V>, seed_t<I>> Add,
            Aggregator<payload_t<K>, payload_t<V>, seed_t<I>> Subtract>
  auto aggregate(I initializer, Add adder, Subtract subtractor,
                 Materialized<payload_t<K>, aggregate_t<I>> materialized = {}) const
      -> KTable<payload_t<K>, aggregate_t<I>>;

 private:
  friend struct internal::Dsl;
  KGroupedTable(internal::StreamHandle handle, Grouped<K, V> grouped)
      : handle_(std::move(handle)), grouped_(std::move(grouped)) {}

  internal::StreamHandle handle_;  // Of the node that gives rows their groups.
  Grouped<K, V> grouped_;
};

}  // namespace thalweg

#include <thalweg/topology/internal/dsl.h>
