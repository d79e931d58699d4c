#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <thalweg/topology/internal/functions.h>
#include <thalweg/topology/internal/stream_graph.h>
#include <thalweg/topology/internal/table_functions.h>
#include <thalweg/topology/options.h>
#include <thalweg/topology/printed.h>
#include <thalweg/topology/suppressed.h>
#include <thalweg/topology/value_transformer.h>

namespace thalweg {

template <typename K, typename V>
class KStream;
template <typename K, typename V>
class KGroupedTable;

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

  /// Holds changes back: until their window closes, or for a while. See Suppressed. Not for
  /// versioned tables: TopologyError here, or when built if the versions come from further up.
  KTable suppress(Suppressed suppressed) const;

  /// Replaces each value by what a transformer makes of it. `supplier()` returns a std::unique_ptr
  /// to a class derived from ValueTransformerWithKey<K, V, VOut>, which may use the `stores` and is
  /// called for deletions too. Where downstream looks up rows of a result that is not kept, they
  /// are transformed again: then the transformer must not use stores.
  template <ValueTransformerSupplier<K, V> S>
  auto transform_values(S supplier, std::vector<std::string> stores = {},
                        Materialized<K, typename supplied_t<S>::OutputValue> materialized = {})
      const -> KTable<K, typename supplied_t<S>::OutputValue>;

  /// The table's changes as a stream; a deleted row is a null value.
  KStream<K, std::optional<V>> to_stream(Named named = {}) const;

  /// Draws the rows that changed last, again and again, for looking at. Keys and values are written
  /// with operator<<.
  void print_table(PrintedTable<K, V> printed = {}) const
    requires internal::Printable<K> && internal::Printable<V>;

  /// The same with the key `selector(key, value)`, where value is a std::optional<V>. Marks the
  /// stream for repartitioning.
  template <KeySelector<K, std::optional<V>> F>
  auto to_stream(F selector, Named named = {}) const
      -> KStream<mapped_t<F, K, std::optional<V>>, std::optional<V>>;

  // --- Grouping and joins --------------------------------------------------------------------

  /// Groups the rows by the std::pair of key and value that `selector(key, value)` returns; a row
  /// whose new key or value is null is in no group. Always through a repartition topic.
  template <KeyValueMapper<K, V> F>
  auto group_by(F selector, Grouped<pair_key_t<mapped_t<F, K, V>>,
                                    pair_value_t<mapped_t<F, K, V>>> grouped = {}) const
      -> KGroupedTable<pair_key_t<mapped_t<F, K, V>>, pair_value_t<mapped_t<F, K, V>>>;

  /// The rows that both tables have, joined by `joiner(value, other)`. A change on either side
  /// makes one in the result, with the latest timestamp of the two rows. Both tables need the same
  /// partition count; start-up fails otherwise. A joiner may return std::optional, where null
  /// deletes the row.
  template <CopartitionedWith<K> KO, typename VO, TableJoiner<V, VO> J>
  auto join(const KTable<KO, VO>& other, J joiner,
            Materialized<K, internal::table_joined_t<internal::InnerJoiner<J, V, VO>, V, VO>>
                materialized = {}) const
      -> KTable<K, internal::table_joined_t<internal::InnerJoiner<J, V, VO>, V, VO>>;

  /// Like join(), for all rows of this table: `other` is a const VO* that is null where the other
  /// table has no row, or a std::optional<VO>, as the joiner wants it.
  template <CopartitionedWith<K> KO, typename VO, TableLeftJoiner<V, VO> J>
  auto left_join(const KTable<KO, VO>& other, J joiner,
                 Materialized<K, internal::table_joined_t<internal::LeftJoiner<J, V, VO>, V, VO>>
                     materialized = {}) const
      -> KTable<K, internal::table_joined_t<internal::LeftJoiner<J, V, VO>, V, VO>>;

  /// Like join(), for the rows of both tables: of `value` and `other` one may be missing.
  template <CopartitionedWith<K> KO, typename VO, TableOuterJoiner<V, VO> J>
  auto outer_join(const KTable<KO, VO>& other, J joiner,
                  Materialized<K, internal::table_joined_t<internal::OuterJoiner<J, V, VO>, V, VO>>
                      materialized = {}) const
      -> KTable<K, internal::table_joined_t<internal::OuterJoiner<J, V, VO>, V, VO>>;

  // --- Joins by foreign key ------------------------------------------------------------------

  /// Joins each row with the row of `other` whose key is `foreign_key(value)`, or
  /// `foreign_key(key, value)`. A change on either side makes one in the result, so one row of
  /// `other` may change many. A row whose foreign key is null, or has no row, is not in the result.
  /// The tables may be partitioned differently: they talk through two internal topics. When a row
  /// of `other` changes, the result takes its timestamp; else the latest of both rows.
  template <typename KO, typename VO, ForeignKeyExtractor<K, V, KO> F, TableJoiner<V, VO> J>
  auto join(const KTable<KO, VO>& other, F foreign_key, J joiner, TableJoined<K, KO> joined = {},
            Materialized<K, internal::table_joined_t<internal::InnerJoiner<J, V, VO>, V, VO>>
                materialized = {}) const
      -> KTable<K, internal::table_joined_t<internal::InnerJoiner<J, V, VO>, V, VO>>;

  /// Like join(), for all rows of this table; without a row of `other` the joiner gets none.
  template <typename KO, typename VO, ForeignKeyExtractor<K, V, KO> F, TableLeftJoiner<V, VO> J>
  auto left_join(const KTable<KO, VO>& other, F foreign_key, J joiner,
                 TableJoined<K, KO> joined = {},
                 Materialized<K, internal::table_joined_t<internal::LeftJoiner<J, V, VO>, V, VO>>
                     materialized = {}) const
      -> KTable<K, internal::table_joined_t<internal::LeftJoiner<J, V, VO>, V, VO>>;

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
