#pragma once

#include <memory>
#include <optional>
#include <string>

#include <thalweg/topology/internal/functions.h>
#include <thalweg/topology/internal/stream_graph.h>
#include <thalweg/topology/options.h>
#include <thalweg/topology/printed.h>
#include <thalweg/topology/suppressed.h>

namespace thalweg {

template <typename K, typename V>
class KStream;

namespace internal {
template <typename K, typename V>
class TableSupplier;
}

/// A changelog stream: each record is the new value of a row, such as "product 7 has 3 left".
///
/// A KTable is a small, copyable handle, as a KStream is. K and V are plain types: a row that is
/// gone has no value. A table is kept in a store only if its options name one or something
/// downstream needs to look rows up; otherwise its changes only pass through.
template <typename K, typename V>
class KTable {
 public:
  using Key = K;
  using Value = V;

  /// Keeps the rows for which `predicate(key, value)` is true. A change to a value that is not kept
  /// passes on as a deletion, even of a row that never was in the result.
  template <KeyValuePredicate<K, V> P>
  KTable filter(P predicate, Materialized<K, V> materialized = {}) const;

  /// Keeps the rows for which `predicate(key, value)` is false.
  template <KeyValuePredicate<K, V> P>
  KTable filter_not(P predicate, Materialized<K, V> materialized = {}) const;

  /// Replaces each value by `mapper(value)` or `mapper(key, value)`; deletions pass through. A
  /// mapper may return std::optional, where null deletes the row.
  template <ValueMapper<K, V> F>
  auto map_values(F mapper,
                  Materialized<K, payload_t<mapped_value_t<F, K, V>>> materialized = {}) const
      -> KTable<K, payload_t<mapped_value_t<F, K, V>>>;

  /// Holds changes back: until their window closes, or for a while. See Suppressed.
  KTable suppress(Suppressed suppressed) const;

  /// The table's changes as a stream; a deleted row is a null value.
  KStream<K, std::optional<V>> to_stream(Named named = {}) const;

  /// Draws the rows that changed last, again and again, for looking at. Keys and values are written
  /// with operator<<.
  void print_table(PrintedTable<K, V> printed = {}) const
    requires internal::Printable<K> && internal::Printable<V>;

  /// The name under which the table can be queried; none if it has no named store.
  const std::optional<std::string>& queryable_store_name() const { return queryable_store_; }

 private:
  friend struct internal::Dsl;
  KTable(internal::StreamHandle handle, std::shared_ptr<internal::TableSupplier<K, V>> supplier,
         std::optional<std::string> queryable_store, OptionalSerde<K> key_serde,
         OptionalSerde<V> value_serde)
      : handle_(std::move(handle)),
        supplier_(std::move(supplier)),
        queryable_store_(std::move(queryable_store)),
        key_serde_(std::move(key_serde)),
        value_serde_(std::move(value_serde)) {}

  internal::StreamHandle handle_;
  std::shared_ptr<internal::TableSupplier<K, V>> supplier_;  // Shared with the node made of it.
  std::optional<std::string> queryable_store_;
  OptionalSerde<K> key_serde_;
  OptionalSerde<V> value_serde_;
};

}  // namespace thalweg

#include <thalweg/topology/internal/dsl.h>
