#pragma once

// The members of KGroupedStream.

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include <thalweg/topology/internal/dsl.h>
#include <thalweg/topology/internal/operators/aggregate.h>
#include <thalweg/topology/internal/operators/reduce.h>
#include <thalweg/topology/internal/operators/repartition.h>

namespace thalweg {

namespace internal {

/// What the aggregations share: the names, the repartition topic, the store. `make_plan` plans the
/// node itself from the table's plan.
template <typename K, typename V, typename A, typename MakePlan>
KTable<payload_t<K>, A> aggregate_into_table(const StreamHandle& stream,
                                             const Grouped<K, V>& grouped,
                                             const Materialized<payload_t<K>, A>& materialized,
                                             const OptionalSerde<A>& value_serde,
                                             std::string_view prefix, MakePlan make_plan) {
  StreamGraph& graph = *stream.graph;
  auto store = store_name(graph, materialized, prefix);
  auto name = graph.name_or_new(materialized.name, prefix);
  StreamHandle from = stream;
  if (stream.repartition_required) {
    const bool is_named = !grouped.name.empty();
    from = graph.repartitioned(stream,
                               plan_repartition<K, V>(is_named ? grouped.name : store,
                                                      grouped.key_serde, grouped.value_serde),
                               is_named, true);
  }
  OptionalSerde<A> table_value_serde = either(materialized.value_serde, value_serde);
  OptionalSerde<payload_t<K>> table_key_serde = either(materialized.key_serde, grouped.key_serde);
  auto plan = plan_table(graph, materialized, std::move(store), table_key_serde, table_value_serde);
  plan->materialized = true;
  GraphNode* node = graph.add_table_processor(from.node, name, make_plan(plan), plan,
                                              {.versioned_output = plan->versioned});
  return Dsl::table<payload_t<K>, A>(Dsl::behind(from, node, std::move(name)),
                                     std::make_shared<StoredTable<payload_t<K>, A>>(plan),
                                     materialized, std::move(table_key_serde),
                                     std::move(table_value_serde));
}

}  // namespace internal

template <typename K, typename V>
KTable<payload_t<K>, std::int64_t> KGroupedStream<K, V>::count(
    Materialized<Key, std::int64_t> materialized) const {
  constexpr std::string_view kPrefix = "KSTREAM-AGGREGATE-";
  if (internal::is_anonymous(materialized)) handle_.graph->new_store_name(kPrefix);
  return internal::aggregate_into_table<K, V, std::int64_t>(
      handle_, grouped_, materialized, {}, kPrefix, [](const auto& table) {
        return internal::plan_aggregate<K, V, std::int64_t>(
            table, [] { return std::int64_t{0}; },
            [](const Key&, const Value&, std::int64_t so_far) { return so_far + 1; });
      });
}

template <typename K, typename V>
template <Reducer<payload_t<V>> F>
KTable<payload_t<K>, payload_t<V>> KGroupedStream<K, V>::reduce(
    F reducer, Materialized<Key, Value> materialized) const {
  return internal::aggregate_into_table<K, V, Value>(
      handle_, grouped_, materialized, grouped_.value_serde, "KSTREAM-REDUCE-",
      [&reducer](const auto& table) {
        return internal::plan_reduce<K, V>(table, std::move(reducer));
      });
}

template <typename K, typename V>
template <Initializer I, Aggregator<payload_t<K>, payload_t<V>, seed_t<I>> F>
auto KGroupedStream<K, V>::aggregate(I initializer, F aggregator,
                                     Materialized<payload_t<K>, aggregate_t<I>> materialized) const
    -> KTable<payload_t<K>, aggregate_t<I>> {
  return internal::aggregate_into_table<K, V, aggregate_t<I>>(
      handle_, grouped_, materialized, {}, "KSTREAM-AGGREGATE-",
      [&initializer, &aggregator](const auto& table) {
        return internal::plan_aggregate<K, V, aggregate_t<I>>(table, std::move(initializer),
                                                              std::move(aggregator));
      });
}

}  // namespace thalweg
