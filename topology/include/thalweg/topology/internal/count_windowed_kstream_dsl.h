#pragma once

// The members of CountWindowedKStream.

#include <string>
#include <utility>

#include <thalweg/topology/internal/dsl.h>
#include <thalweg/topology/internal/operators/count_window_aggregate.h>
#include <thalweg/topology/internal/operators/repartition.h>

namespace thalweg {

template <typename K, typename V>
template <Initializer I, Aggregator<payload_t<K>, payload_t<V>, seed_t<I>> F>
auto CountWindowedKStream<K, V>::aggregate(
    I initializer, F aggregator, Materialized<payload_t<K>, aggregate_t<I>> materialized) const
    -> KStream<payload_t<K>, aggregate_t<I>> {
  constexpr std::string_view kPrefix = "KSTREAM-COUNTWINDOW-";
  using Key = payload_t<K>;
  using A = aggregate_t<I>;
  internal::StreamGraph& graph = *handle_.graph;
  const auto store = internal::store_name(graph, materialized, kPrefix);
  auto name = graph.name_or_new(materialized.name, kPrefix);
  const std::string where = "store " + store;
  const auto key_serde =
      internal::resolve_serde<Key>(materialized.key_serde, grouped_.key_serde, "key", where);
  const auto value_serde =
      internal::resolve_serde<A>(materialized.value_serde, std::nullopt, "value", where);
  const bool is_named = !grouped_.name.empty();
  const auto from = !handle_.repartition_required
                        ? handle_
                        : graph.repartitioned(handle_,
                                              internal::plan_repartition<K, V>(
                                                  is_named ? grouped_.name : store,
                                                  grouped_.key_serde, grouped_.value_serde),
                                              is_named, true);
  graph.add_state_store(key_value_store_builder<Key, internal::CountedAggregate<A>>(
      store,
      StoreOptions{.persistent = graph.is_persistent(materialized.persistent),
                   .logging = materialized.logging,
                   .caching = materialized.caching,
                   .changelog_config = materialized.changelog_config},
      key_serde,
      AnySerde<internal::CountedAggregate<A>>(internal::CountedAggregateSerde<A>(value_serde))));
  return internal::Dsl::stream<Key, A>(
      internal::Dsl::append(
          from, std::move(name),
          internal::plan_count_window_aggregate<K, V, A>(
              store, windows_.records(), std::move(initializer), std::move(aggregator)),
          {.value_changing = true}, {store}),
      key_serde, value_serde);
}

template <typename K, typename V>
CountWindowedKStream<K, V> KGroupedStream<K, V>::windowed_by(CountWindows windows) const {
  return internal::Dsl::windowed(handle_, grouped_, windows);
}

}  // namespace thalweg
