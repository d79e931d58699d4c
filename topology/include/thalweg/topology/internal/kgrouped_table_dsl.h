#pragma once

// The members of KGroupedTable.

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include <thalweg/topology/internal/dsl.h>
#include <thalweg/topology/internal/operators/sink.h>
#include <thalweg/topology/internal/operators/source.h>
#include <thalweg/topology/internal/operators/table_aggregate.h>
#include <thalweg/topology/internal/operators/table_reduce.h>

namespace thalweg {

namespace internal {

/// What the aggregations of tables share: the names, the repartition topic, the store. `make_plan`
/// plans the node itself from the table's plan.
template <typename K, typename V, typename A, typename MakePlan>
KTable<K, A> aggregate_grouped_table(const StreamHandle& grouped_rows, const std::string& group,
                                     const OptionalSerde<K>& key_serde,
                                     const OptionalSerde<V>& value_serde,
                                     const Materialized<K, A>& materialized,
                                     const OptionalSerde<A>& result_serde, std::string_view prefix,
                                     MakePlan make_plan) {
  StreamGraph& graph = *grouped_rows.graph;
  auto store = store_name(graph, materialized, "KTABLE-AGGREGATE-");
  auto sink_name = graph.name_or_new(materialized.name, "-sink", "KSTREAM-SINK-");
  auto source_name = graph.name_or_new(materialized.name, "-source", "KSTREAM-SOURCE-");
  auto name = graph.name_or_new(materialized.name, prefix);
  const std::string topic = (group.empty() ? store : group) + "-repartition";
  const std::string where = "repartition topic " + topic;
  const AnySerde<K> keys = resolve_serde<K>(key_serde, {}, "key", where);
  const AnySerde<RepartitionedChange<V>> changes(
      ChangeSerde<V>(resolve_serde<V>(value_serde, {}, "value", where)));
  GraphNode* repartition =
      graph.add_table_repartition(grouped_rows.node,
                                  {.topic = topic,
                                   .sink_name = std::move(sink_name),
                                   .source_name = source_name,
                                   .sink = plan_sink<K, RepartitionedChange<V>>(keys, changes),
                                   .source = plan_source<K, RepartitionedChange<V>>(keys, changes)},
                                  *grouped_rows.repartition, !group.empty());
  OptionalSerde<K> table_key_serde = either(materialized.key_serde, key_serde);
  OptionalSerde<A> table_value_serde = either(materialized.value_serde, result_serde);
  auto plan = plan_table(graph, materialized, std::move(store), table_key_serde, table_value_serde);
  plan->materialized = true;
  GraphNode* node = graph.add_table_processor(repartition, name, make_plan(plan), plan,
                                              {.versioned_output = plan->versioned});
  return Dsl::table<K, A>(
      {.graph = &graph, .node = node, .name = std::move(name), .sources = {source_name}},
      std::make_shared<StoredTable<K, A>>(plan), materialized, std::move(table_key_serde),
      std::move(table_value_serde));
}

}  // namespace internal

template <typename K, typename V>
KTable<payload_t<K>, std::int64_t> KGroupedTable<K, V>::count(
    Materialized<Key, std::int64_t> materialized) const {
  return internal::aggregate_grouped_table<Key, Value, std::int64_t>(
      handle_, grouped_.name, grouped_.key_serde, grouped_.value_serde, materialized, {},
      "KTABLE-AGGREGATE-", [](const auto& table) {
        return internal::plan_table_aggregate<Key, Value, std::int64_t>(
            table, [] { return std::int64_t{0}; },
            [](const Key&, const Value&, std::int64_t so_far) { return so_far + 1; },
            [](const Key&, const Value&, std::int64_t so_far) { return so_far - 1; });
      });
}

template <typename K, typename V>
template <Reducer<payload_t<V>> Add, Reducer<payload_t<V>> Subtract>
KTable<payload_t<K>, payload_t<V>> KGroupedTable<K, V>::reduce(
    Add adder, Subtract subtractor, Materialized<Key, Value> materialized) const {
  return internal::aggregate_grouped_table<Key, Value, Value>(
      handle_, grouped_.name, grouped_.key_serde, grouped_.value_serde, materialized,
      grouped_.value_serde, "KTABLE-REDUCE-", [&adder, &subtractor](const auto& table) {
        return internal::plan_table_reduce<Key, Value>(table, std::move(adder),
                                                       std::move(subtractor));
      });
}

template <typename K, typename V>
template <Initializer I, Aggregator<payload_t<K>, payload_t<V>, seed_t<I>> Add,
          Aggregator<payload_t<K>, payload_t<V>, seed_t<I>> Subtract>
auto KGroupedTable<K, V>::aggregate(I initializer, Add adder, Subtract subtractor,
                                    Materialized<payload_t<K>, aggregate_t<I>> materialized) const
    -> KTable<payload_t<K>, aggregate_t<I>> {
  return internal::aggregate_grouped_table<Key, Value, aggregate_t<I>>(
      handle_, grouped_.name, grouped_.key_serde, grouped_.value_serde, materialized, {},
      "KTABLE-AGGREGATE-", [&initializer, &adder, &subtractor](const auto& table) {
        return internal::plan_table_aggregate<Key, Value, aggregate_t<I>>(
            table, std::move(initializer), std::move(adder), std::move(subtractor));
      });
}

}  // namespace thalweg
