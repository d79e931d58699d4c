#pragma once

// The definitions behind KStream, KTable, their groupings and StreamsBuilder.

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <thalweg/state/stores.h>
#include <thalweg/topology/cogrouped_kstream.h>
#include <thalweg/topology/count_windowed_kstream.h>
#include <thalweg/topology/global_ktable.h>
#include <thalweg/topology/internal/table_supplier.h>
#include <thalweg/topology/kgrouped_stream.h>
#include <thalweg/topology/kgrouped_table.h>
#include <thalweg/topology/kstream.h>
#include <thalweg/topology/ktable.h>
#include <thalweg/topology/time_windowed_kstream.h>
#include <thalweg/topology/windowed_cogrouped_kstream.h>

namespace thalweg::internal {

/// Whether the options say in which store the table is kept.
template <typename K, typename V>
bool has_store(const Materialized<K, V>& materialized) {
  return !materialized.store.empty() || materialized.store_supplier;
}

/// Reaches into the handles of the DSL, so that each of them can make the others.
struct Dsl {
  template <typename K, typename V>
  static KStream<K, V> stream(StreamHandle handle, OptionalSerde<K> key_serde = {},
                              OptionalSerde<V> value_serde = {}) {
    return KStream<K, V>(std::move(handle), std::move(key_serde), std::move(value_serde));
  }
  template <typename K, typename V>
  static KGroupedStream<K, V> grouped(StreamHandle handle, Grouped<K, V> grouped) {
    return KGroupedStream<K, V>(std::move(handle), std::move(grouped));
  }
  template <typename K, typename V, typename W>
  static TimeWindowedKStream<K, V, W> windowed(const StreamHandle& handle,
                                               const Grouped<K, V>& grouped, W windows) {
    return {handle, grouped, std::move(windows)};
  }
  template <typename K, typename V>
  static SessionWindowedKStream<K, V> windowed(const StreamHandle& handle,
                                               const Grouped<K, V>& grouped,
                                               SessionWindows windows) {
    return {handle, grouped, std::move(windows)};
  }
  template <typename K, typename V>
  static CountWindowedKStream<K, V> windowed(const StreamHandle& handle,
                                             const Grouped<K, V>& grouped, CountWindows windows) {
    return {handle, grouped, windows};
  }
  template <typename K, typename A>
  static CogroupedKStream<K, A> cogrouped(std::shared_ptr<Cogroup<K, A>> cogroup) {
    return CogroupedKStream<K, A>(std::move(cogroup));
  }
  template <typename K, typename A, typename W>
  static TimeWindowedCogroupedKStream<K, A, W> windowed(std::shared_ptr<Cogroup<K, A>> cogroup,
                                                        W windows) {
    return {std::move(cogroup), std::move(windows)};
  }
  template <typename K, typename A>
  static SessionWindowedCogroupedKStream<K, A> windowed(std::shared_ptr<Cogroup<K, A>> cogroup,
                                                        SessionWindows windows) {
    return {std::move(cogroup), std::move(windows)};
  }
  template <typename K, typename V>
  static const StreamHandle& handle(const KStream<K, V>& stream) {
    return stream.handle_;
  }
  template <typename K, typename V>
  static const OptionalSerde<V>& value_serde(const KStream<K, V>& stream) {
    return stream.value_serde_;
  }
  template <typename K, typename V>
  static const StreamHandle& handle(const KGroupedStream<K, V>& stream) {
    return stream.handle_;
  }
  template <typename K, typename V>
  static const Grouped<K, V>& grouped_options(const KGroupedStream<K, V>& stream) {
    return stream.grouped_;
  }
  template <typename K, typename V>
  static GlobalKTable<K, V> global_table(std::shared_ptr<TableSupplier<K, V>> supplier,
                                         std::string store) {
    return GlobalKTable<K, V>(std::move(supplier), std::move(store));
  }
  template <typename K, typename V>
  static TableSupplier<K, V>& supplier(const GlobalKTable<K, V>& table) {
    return *table.supplier_;
  }
  template <typename K, typename V>
  static KGroupedTable<K, V> grouped_table(StreamHandle handle, Grouped<K, V> grouped) {
    return KGroupedTable<K, V>(std::move(handle), std::move(grouped));
  }
  template <typename K, typename V>
  static KTable<K, V> table(StreamHandle handle, std::shared_ptr<TableSupplier<K, V>> supplier,
                            const Materialized<K, V>& materialized, OptionalSerde<K> key_serde,
                            OptionalSerde<V> value_serde) {
    std::optional<std::string> queryable;
    if (has_store(materialized)) queryable = materialized.store;
    return KTable<K, V>(std::move(handle), std::move(supplier), std::move(queryable),
                        std::move(key_serde), std::move(value_serde));
  }
  template <typename K, typename V>
  static BranchedKStream<K, V> split(KStream<K, V> source, GraphNode* node, std::string name,
                                     std::shared_ptr<Branches<K, V>> plan) {
    return BranchedKStream<K, V>(std::move(source), node, std::move(name), std::move(plan));
  }

  template <typename K, typename V>
  static const StreamHandle& handle(const KTable<K, V>& table) {
    return table.handle_;
  }
  template <typename K, typename V>
  static TableSupplier<K, V>& supplier(const KTable<K, V>& table) {
    return *table.supplier_;
  }
  template <typename K, typename V>
  static std::shared_ptr<TableSupplier<K, V>> shared_supplier(const KTable<K, V>& table) {
    return table.supplier_;
  }

  template <typename K, typename V>
  static const OptionalSerde<K>& key_serde(const KTable<K, V>& table) {
    return table.key_serde_;
  }
  template <typename K, typename V>
  static const OptionalSerde<V>& value_serde(const KTable<K, V>& table) {
    return table.value_serde_;
  }

  /// A handle on a new node behind `from`, in the same sub-topology.
  static StreamHandle behind(const StreamHandle& from, GraphNode* node, std::string name) {
    return {.graph = from.graph,
            .node = node,
            .name = std::move(name),
            .sources = from.sources,
            .repartition_required = from.repartition_required};
  }
  /// Adds a processor behind `from`.
  static StreamHandle append(const StreamHandle& from, std::string name, ProcessorPlan plan,
                             OperatorTraits traits = {}, std::vector<std::string> stores = {}) {
    GraphNode* node =
        from.graph->add_processor({from.node}, name, std::move(plan), traits, std::move(stores));
    StreamHandle handle = behind(from, node, std::move(name));
    if (traits.key_changing) handle.repartition_required = true;
    return handle;
  }
};

template <typename T>
std::optional<T> either(const std::optional<T>& first, const std::optional<T>& second) {
  return first ? first : second;
}

/// Whether the options say anything about the table itself; where it is kept is a matter of
/// configuration there. Kafka Streams numbers nodes differently
/// when a table is given options without a name.
template <typename K, typename V>
bool is_anonymous(const Materialized<K, V>& materialized) {
  return !has_store(materialized) &&
         (materialized.key_serde || materialized.value_serde || !materialized.logging ||
          !materialized.caching || materialized.retention ||
          !materialized.changelog_config.empty());
}

/// Throws TopologyError if the store's name cannot be one. That of a store supplier is not looked
/// at before there is a topic of that name, as in Kafka Streams.
template <typename K, typename V>
void check_store(const Materialized<K, V>& materialized) {
  const bool is_supplied = materialized.store_supplier || materialized.max_entries ||
                           materialized.history_retention || !materialized.timestamps;
  if (!materialized.store.empty() && !is_supplied) check_name(materialized.store);
}

/// The store's name: the one in the options, checked, or a generated one.
template <typename K, typename V>
std::string store_name(StreamGraph& graph, const Materialized<K, V>& materialized,
                       std::string_view prefix) {
  if (!has_store(materialized)) return graph.new_store_name(prefix);
  check_store(materialized);
  return materialized.store;
}

/// What a table knows of its store, which is made only if somebody needs it.
template <typename K, typename V>
std::shared_ptr<TablePlan> plan_table(const StreamGraph& graph, Materialized<K, V> materialized,
                                      std::string store, OptionalSerde<K> key_serde,
                                      OptionalSerde<V> value_serde) {
  materialized.persistent = graph.is_persistent(materialized.persistent);
  auto plan = std::make_shared<TablePlan>();
  plan->materialized = has_store(materialized);
  plan->store = store;
  plan->versioned = materialized.history_retention.has_value();
  if (plan->versioned && !has_store(materialized)) {
    throw TopologyError("a versioned table needs a name for its store");
  }
  plan->make_store = [materialized = std::move(materialized), store = std::move(store),
                      key_serde = std::move(key_serde),
                      value_serde = std::move(value_serde)](bool logging) {
    const std::string where = "store " + store;
    const StoreOptions options{.persistent = *materialized.persistent,
                               .logging = materialized.logging && logging,
                               .caching = materialized.caching,
                               .changelog_config = materialized.changelog_config,
                               .max_entries = materialized.max_entries,
                               .logs_evictions = false,  // As in Kafka Streams.
                               .timestamps = materialized.timestamps,
                               .time_to_live = materialized.time_to_live};
    auto keys = resolve_serde<K>(materialized.key_serde, key_serde, "key", where);
    auto values = resolve_serde<V>(materialized.value_serde, value_serde, "value", where);
    if (materialized.history_retention) {
      return versioned_key_value_store_builder<K, V>(
          store,
          {.history_retention = *materialized.history_retention,
           .segment_interval = materialized.segment_interval},
          options, std::move(keys), std::move(values));
    }
    return key_value_store_builder<K, V>(store, options, std::move(keys), std::move(values));
  };
  return plan;
}

}  // namespace thalweg::internal

#include <thalweg/topology/internal/cogrouped_kstream_dsl.h>
#include <thalweg/topology/internal/count_windowed_kstream_dsl.h>
#include <thalweg/topology/internal/foreign_key_join_dsl.h>
#include <thalweg/topology/internal/kgrouped_stream_dsl.h>
#include <thalweg/topology/internal/kgrouped_table_dsl.h>
#include <thalweg/topology/internal/kstream_dsl.h>
#include <thalweg/topology/internal/ktable_dsl.h>
#include <thalweg/topology/internal/ktable_join_dsl.h>
#include <thalweg/topology/internal/stream_join_dsl.h>
#include <thalweg/topology/internal/suppress_dsl.h>
#include <thalweg/topology/internal/windowed_cogrouped_kstream_dsl.h>
#include <thalweg/topology/internal/windowed_kstream_dsl.h>
