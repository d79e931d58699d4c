#pragma once

// The joins of KTable by foreign key.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <thalweg/topology/internal/dsl.h>
#include <thalweg/topology/internal/operators/foreign_table_join.h>
#include <thalweg/topology/internal/operators/response_join.h>
#include <thalweg/topology/internal/operators/sink.h>
#include <thalweg/topology/internal/operators/source.h>
#include <thalweg/topology/internal/operators/subscription_join.h>
#include <thalweg/topology/internal/operators/subscription_receive.h>
#include <thalweg/topology/internal/operators/subscription_send.h>
#include <thalweg/topology/internal/operators/table_source.h>

namespace thalweg {

namespace internal {

/// The names of everything a foreign key join is made of; taken in Kafka Streams' order, for the
/// numbers in them.
struct ForeignKeyJoinNames {
  ForeignKeyJoinNames(StreamGraph& graph, const std::string& given);

  std::string subscription_topic;
  std::string send;
  std::string subscription_sink;
  std::string subscription_source;
  std::string subscription_store;
  std::string receive;
  std::string join;
  std::string foreign_join;
  std::string response_topic;
  std::string response_sink;
  std::string response_source;
  std::string response_join;
  std::string result;
};

/// The subscription's way to the right table.
template <typename K, typename KO>
SinkPlan plan_subscription_sink(const AnySerde<KO>& foreign_keys,
                                const AnySerde<SubscriptionWrapper<K>>& subscriptions,
                                const TablePartitioner<KO>& partitioner) {
  StreamPartitioner<std::optional<KO>, SubscriptionWrapper<K>> choose;
  if (partitioner) {
    choose = [partitioner](const std::optional<KO>& key, const SubscriptionWrapper<K>&,
                           std::int32_t count) { return key ? partitioner(*key, count) : 0; };
  }
  return plan_sink<std::optional<KO>, SubscriptionWrapper<K>>(foreign_keys, subscriptions,
                                                              std::move(choose));
}

/// The response's way back: to the partition that the subscription came from.
template <typename K, typename VO>
SinkPlan plan_response_sink(const AnySerde<K>& keys,
                            const AnySerde<SubscriptionResponseWrapper<VO>>& responses,
                            const TablePartitioner<K>& partitioner) {
  return plan_sink<K, SubscriptionResponseWrapper<VO>>(
      keys, responses,
      [keys, partitioner](const K& key, const SubscriptionResponseWrapper<VO>& response,
                          std::int32_t count) {
        if (partitioner) return partitioner(key, count);
        if (response.primary_partition) return *response.primary_partition;
        std::string bytes;
        keys.serialize(key, bytes);
        return partition_of(bytes, count);
      });
}

template <bool Left, typename K, typename V, typename KO, typename VO, typename Extractor,
          typename Joiner>
KTable<K, table_joined_t<Joiner, V, VO>> join_by_foreign_key(
    const KTable<K, V>& left, const KTable<KO, VO>& right, Extractor extractor, Joiner joiner,
    const TableJoined<K, KO>& joined,
    const Materialized<K, table_joined_t<Joiner, V, VO>>& materialized) {
  using VOut = table_joined_t<Joiner, V, VO>;
  const StreamHandle& here = Dsl::handle(left);
  const StreamHandle& there = Dsl::handle(right);
  StreamGraph& graph = *here.graph;
  Dsl::supplier(right).send_old_values(true);
  Dsl::supplier(left).send_old_values(true);
  const ForeignKeyJoinNames names(graph, joined.name);
  auto store = store_name(graph, materialized, "KTABLE-FK-JOIN-OUTPUT-");

  const std::string where = "foreign key join " + names.result;
  const auto keys = resolve_serde<K>(Dsl::key_serde(left), {}, "key", where);
  const auto values = resolve_serde<V>(Dsl::value_serde(left), {}, "value", where);
  const auto foreign_keys = resolve_serde<KO>(Dsl::key_serde(right), {}, "foreign key", where);
  const AnySerde<SubscriptionWrapper<K>> subscriptions{SubscriptionWrapperSerde<K>(keys)};
  const AnySerde<SubscriptionResponseWrapper<VO>> responses{SubscriptionResponseWrapperSerde<VO>(
      resolve_serde<VO>(Dsl::value_serde(right), {}, "foreign value", where))};
  const CombinedKeySchema<KO, K> combined_keys(foreign_keys, keys);

  auto here_versioned = std::make_shared<bool>(false);
  GraphNode* send =
      graph.add_processor({here.node}, names.send,
                          plan_subscription_send<K, V, KO, Left>(std::move(extractor), foreign_keys,
                                                                 values, here_versioned),
                          {.versioned_input = here_versioned});
  GraphNode* subscribed = graph.add_internal_topic(
      {send}, names.subscription_topic, names.subscription_sink,
      plan_subscription_sink<K, KO>(foreign_keys, subscriptions, joined.other_partitioner),
      names.subscription_source,
      plan_source<std::optional<KO>, SubscriptionWrapper<K>>(foreign_keys, subscriptions));
  graph.copartition(there, {.graph = &graph,
                            .node = subscribed,
                            .name = names.subscription_source,
                            .sources = {names.subscription_source}});
  const std::shared_ptr<StoreBuilder> subscription_store =
      key_value_store_builder<std::string, SubscriptionWrapper<K>>(
          names.subscription_store, {.persistent = graph.is_persistent({})}, {}, subscriptions);
  GraphNode* receive =
      graph.add_processor({subscribed}, names.receive,
                          plan_subscription_receive<K, KO>(names.subscription_store, combined_keys),
                          {}, {}, subscription_store);
  auto right_rows = Dsl::supplier(right).value_getter();
  auto right_stores = right_rows.stores;
  GraphNode* join = graph.add_processor({receive}, names.join,
                                        plan_subscription_join<K, KO, VO>(std::move(right_rows)),
                                        {}, std::move(right_stores));
  auto there_versioned = std::make_shared<bool>(false);
  GraphNode* foreign_join = graph.add_processor(
      {there.node}, names.foreign_join,
      plan_foreign_table_join<K, KO, VO>(names.subscription_store, combined_keys, there_versioned),
      {.versioned_input = there_versioned}, {}, subscription_store);
  GraphNode* answered = graph.add_internal_topic(
      {join, foreign_join}, names.response_topic, names.response_sink,
      plan_response_sink<K, VO>(keys, responses, joined.partitioner), names.response_source,
      plan_source<K, SubscriptionResponseWrapper<VO>>(keys, responses));
  auto sources = graph.copartition(here, {.graph = &graph,
                                          .node = answered,
                                          .name = names.response_source,
                                          .sources = {names.response_source}});
  auto left_rows = Dsl::supplier(left).value_getter();
  auto left_stores = left_rows.stores;
  GraphNode* response_join = graph.add_processor(
      {answered}, names.response_join,
      plan_response_join<K, V, VO, Left>(std::move(left_rows), values, std::move(joiner)), {},
      std::move(left_stores));

  auto key_serde = either(materialized.key_serde, Dsl::key_serde(left));
  auto plan =
      plan_table(graph, materialized, std::move(store), key_serde, materialized.value_serde);
  GraphNode* result = graph.add_table_processor(response_join, names.result,
                                                plan_table_source<K, std::optional<VOut>>(plan),
                                                plan, {.versioned_output = plan->versioned});
  return Dsl::table<K, VOut>(
      {.graph = &graph, .node = result, .name = names.result, .sources = std::move(sources)},
      std::make_shared<StoredTable<K, VOut>>(plan), materialized, std::move(key_serde),
      materialized.value_serde);
}

}  // namespace internal

template <typename K, typename V>
template <typename KO, typename VO, ForeignKeyExtractor<K, V, KO> F, TableJoiner<V, VO> J>
auto KTable<K, V>::join(
    const KTable<KO, VO>& other, F foreign_key, J joiner, TableJoined<K, KO> joined,
    Materialized<K, internal::table_joined_t<internal::InnerJoiner<J, V, VO>, V, VO>> materialized)
    const -> KTable<K, internal::table_joined_t<internal::InnerJoiner<J, V, VO>, V, VO>> {
  return internal::join_by_foreign_key<false>(*this, other, std::move(foreign_key),
                                              internal::InnerJoiner<J, V, VO>{std::move(joiner)},
                                              joined, materialized);
}

template <typename K, typename V>
template <typename KO, typename VO, ForeignKeyExtractor<K, V, KO> F, TableLeftJoiner<V, VO> J>
auto KTable<K, V>::left_join(
    const KTable<KO, VO>& other, F foreign_key, J joiner, TableJoined<K, KO> joined,
    Materialized<K, internal::table_joined_t<internal::LeftJoiner<J, V, VO>, V, VO>> materialized)
    const -> KTable<K, internal::table_joined_t<internal::LeftJoiner<J, V, VO>, V, VO>> {
  return internal::join_by_foreign_key<true>(*this, other, std::move(foreign_key),
                                             internal::LeftJoiner<J, V, VO>{std::move(joiner)},
                                             joined, materialized);
}

}  // namespace thalweg
