#pragma once

#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <thalweg/topology/cogrouped_kstream.h>
#include <thalweg/topology/global_ktable.h>
#include <thalweg/topology/kgrouped_stream.h>
#include <thalweg/topology/kgrouped_table.h>
#include <thalweg/topology/kstream.h>
#include <thalweg/topology/ktable.h>
#include <thalweg/topology/topology.h>

namespace thalweg {

/// Describes a topology: the entry point of the DSL.
///
/// Call stream() and table() to name the inputs, chain operators, then build() once. The same calls
/// in the same order give the same node names, and so the same stores and internal topics: keep the
/// order stable between releases, or name nodes and stores yourself.
///
///     StreamsBuilder builder;
///     builder.stream<std::string, std::string>("sentences")
///         .flat_map_values(words)
///         .group_by([](const std::string&, const std::string& word) { return word; })
///         .count({.store = "counts"})
///         .to_stream()
///         .to("word-counts");
///     Topology topology = builder.build();
class StreamsBuilder {
 public:
  /// `dsl_store`: where operators keep state whose options say nothing of it (`default.dsl.store`).
  explicit StreamsBuilder(DslStore dsl_store = DslStore::kRocksDb);
  ~StreamsBuilder();
  StreamsBuilder(const StreamsBuilder&) = delete;
  StreamsBuilder& operator=(const StreamsBuilder&) = delete;

  /// Reads `topic` as a stream of facts. Records whose key or value is null are dropped and
  /// counted, unless K or V is a std::optional.
  template <typename K, typename V>
  KStream<K, V> stream(std::string topic, Consumed<K, V> consumed = {});

  /// Reads several topics as one stream. Two streams of the same topics share one source; topics
  /// that overlap without being equal make build() throw TopologyError.
  template <typename K, typename V>
  KStream<K, V> stream(std::vector<std::string> topics, Consumed<K, V> consumed = {});

  template <typename K, typename V>
  KStream<K, V> stream(std::initializer_list<std::string> topics, Consumed<K, V> consumed = {}) {
    return stream<K, V>(std::vector<std::string>(topics), std::move(consumed));
  }

  /// Reads all topics that match as one stream.
  template <typename K, typename V>
  KStream<K, V> stream(TopicPattern pattern, Consumed<K, V> consumed = {});

  /// Reads `topic` as a changelog: the latest value per key; a null value deletes the row, and a
  /// timestamp extractor sees it, too. Kept in a store only if `materialized` names one or
  /// something downstream looks rows up.
  template <typename K, typename V>
  KTable<K, V> table(std::string topic, Consumed<K, std::optional<V>> consumed = {},
                     Materialized<K, V> materialized = {});

  /// Reads all of `topic`, every partition of it, into a table that each instance has whole. Always
  /// kept. Options need to name the store, or build() throws std::invalid_argument.
  template <typename K, typename V>
  GlobalKTable<K, V> global_table(std::string topic, Consumed<K, std::optional<V>> consumed = {},
                                  Materialized<K, V> materialized = {});

  /// Keeps all of `topic` in a store of your own: see Topology::add_global_store().
  template <typename K, typename V, internal::SupplierOfUniquePointers Supplier>
  requires internal::IsProcessor<supplied_t<Supplier>> StreamsBuilder& add_global_store(
      std::shared_ptr<StoreBuilder> builder, std::string topic, Supplier supplier,
      Consumed<K, V> consumed = {});

  /// Adds a store that process() and process_values() can connect to by name.
  StreamsBuilder& add_state_store(std::shared_ptr<StoreBuilder> builder);

  /// Checks the plan and returns it; call it once.
  /// Throws TopologyError naming the node or topic at fault.
  Topology build(const TopologyConfig& config = {});

 private:
  std::unique_ptr<internal::StreamGraph> graph_;
};

}  // namespace thalweg

#include <thalweg/topology/internal/streams_builder_dsl.h>
