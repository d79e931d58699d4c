#pragma once

// The templates of StreamsBuilder.

#include <concepts>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <thalweg/topology/internal/dsl.h>
#include <thalweg/topology/internal/operators/process.h>
#include <thalweg/topology/internal/operators/source.h>
#include <thalweg/topology/internal/operators/table_source.h>
#include <thalweg/topology/streams_builder.h>

namespace thalweg {

template <typename K, typename V>
KStream<K, V> StreamsBuilder::stream(std::string topic, Consumed<K, V> consumed) {
  return stream<K, V>(std::vector<std::string>{std::move(topic)}, std::move(consumed));
}

template <typename K, typename V>
KStream<K, V> StreamsBuilder::stream(std::vector<std::string> topics, Consumed<K, V> consumed) {
  auto name = graph_->name_or_new(consumed.name, "KSTREAM-SOURCE-");
  return internal::Dsl::stream<K, V>(
      graph_->add_source(name, std::move(topics),
                         internal::plan_source<K, V>(consumed.key_serde, consumed.value_serde,
                                                     consumed.auto_offset_reset,
                                                     std::move(consumed.timestamp_extractor))),
      consumed.key_serde, consumed.value_serde);
}

template <typename K, typename V>
KStream<K, V> StreamsBuilder::stream(TopicPattern pattern, Consumed<K, V> consumed) {
  auto name = graph_->name_or_new(consumed.name, "KSTREAM-SOURCE-");
  return internal::Dsl::stream<K, V>(
      graph_->add_source(name, std::move(pattern),
                         internal::plan_source<K, V>(consumed.key_serde, consumed.value_serde,
                                                     consumed.auto_offset_reset,
                                                     std::move(consumed.timestamp_extractor))),
      consumed.key_serde, consumed.value_serde);
}

template <typename K, typename V>
KTable<K, V> StreamsBuilder::table(std::string topic, Consumed<K, std::optional<V>> consumed,
                                   Materialized<K, V> materialized) {
  static_assert(std::same_as<K, payload_t<K>> && std::same_as<V, payload_t<V>>,
                "a table's key and value are plain types: a row that is gone has no value");
  auto store = internal::store_name(*graph_, materialized, topic + "-");
  auto source_name = graph_->name_or_new(consumed.name, "-source", "KSTREAM-SOURCE-");
  auto name = graph_->name_or_new(consumed.name, "KTABLE-SOURCE-");
  auto plan = internal::plan_table<K, V>(*graph_, materialized, std::move(store),
                                         consumed.key_serde, consumed.value_serde);
  auto handle = graph_->add_table_source(
      source_name, std::move(topic),
      internal::plan_source<K, std::optional<V>>(consumed.key_serde, consumed.value_serde,
                                                 consumed.auto_offset_reset,
                                                 std::move(consumed.timestamp_extractor)),
      name, internal::plan_table_source<K, std::optional<V>>(plan), plan);
  return internal::Dsl::table<K, V>(std::move(handle),
                                    std::make_shared<internal::StoredTable<K, V>>(plan),
                                    materialized, consumed.key_serde, consumed.value_serde);
}

template <typename K, typename V>
GlobalKTable<K, V> StreamsBuilder::global_table(std::string topic,
                                                Consumed<K, std::optional<V>> consumed,
                                                Materialized<K, V> materialized) {
  if (materialized.history_retention) throw TopologyError("GlobalTables cannot be versioned.");
  const bool is_anonymous = internal::is_anonymous(materialized);
  auto store = internal::store_name(*graph_, materialized, topic + "-");
  auto source_name = graph_->name_or_new(consumed.name, "-source", "KSTREAM-SOURCE-");
  auto name = graph_->name_or_new(consumed.name, "KTABLE-SOURCE-");
  // In each instance's memory, and without a changelog: the topic is read anew at each start.
  materialized.persistent = materialized.logging = false;
  auto plan = internal::plan_table<K, V>(*graph_, materialized, store, consumed.key_serde,
                                         consumed.value_serde);
  plan->materialized = true;
  // Options without a name: refused when the plan is built, as Kafka Streams does.
  auto builder = is_anonymous ? nullptr : plan->make_store(false);
  graph_->add_global_store(source_name, std::move(topic),
                           internal::plan_source<K, std::optional<V>>(
                               consumed.key_serde, consumed.value_serde, consumed.auto_offset_reset,
                               std::move(consumed.timestamp_extractor)),
                           name, internal::plan_table_source<K, std::optional<V>>(plan),
                           std::move(builder));
  return internal::Dsl::global_table<K, V>(std::make_shared<internal::StoredTable<K, V>>(plan),
                                           std::move(store));
}

template <typename K, typename V, internal::SupplierOfUniquePointers Supplier>
requires internal::IsProcessor<supplied_t<Supplier>> StreamsBuilder&
StreamsBuilder::add_global_store(std::shared_ptr<StoreBuilder> builder, std::string topic,
                                 Supplier supplier, Consumed<K, V> consumed) {
  auto source_name = graph_->name_or_new(consumed.name, "-source", "KSTREAM-SOURCE-");
  auto name = graph_->name_or_new(consumed.name, "KTABLE-SOURCE-");
  graph_->add_global_store(source_name, std::move(topic),
                           internal::plan_source<K, V>(consumed.key_serde, consumed.value_serde,
                                                       consumed.auto_offset_reset,
                                                       std::move(consumed.timestamp_extractor)),
                           name, internal::plan_process(std::move(supplier)), std::move(builder));
  return *this;
}

}  // namespace thalweg
