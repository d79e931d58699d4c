#pragma once

// The templates of Topology.

#include <string>
#include <utility>
#include <vector>

#include <thalweg/topology/internal/operators/process.h>
#include <thalweg/topology/internal/operators/sink.h>
#include <thalweg/topology/internal/operators/source.h>
#include <thalweg/topology/internal/stream_graph.h>
#include <thalweg/topology/topology.h>

namespace thalweg {

template <typename K, typename V>
Topology& Topology::add_source(std::string name, std::vector<std::string> topics,
                               Consumed<K, V> consumed) {
  return add_source_plan(std::move(name), std::move(topics),
                         internal::plan_source<K, V>(
                             std::move(consumed.key_serde), std::move(consumed.value_serde),
                             consumed.auto_offset_reset, std::move(consumed.timestamp_extractor)));
}

template <typename K, typename V, std::same_as<TopicPattern> Pattern>
Topology& Topology::add_source(std::string name, Pattern pattern, Consumed<K, V> consumed) {
  return add_pattern_source_plan(
      std::move(name), pattern.regex,
      internal::plan_source<K, V>(std::move(consumed.key_serde), std::move(consumed.value_serde),
                                  consumed.auto_offset_reset,
                                  std::move(consumed.timestamp_extractor)));
}

template <internal::SupplierOfUniquePointers Supplier>
requires internal::IsProcessor<supplied_t<Supplier>> Topology& Topology::add_processor(
    std::string name, Supplier supplier, std::vector<std::string> parents) {
  std::vector<std::shared_ptr<StoreBuilder>> stores;
  if constexpr (ConnectedStoreProvider<Supplier>) stores = supplier.stores();
  add_processor_plan(name, std::move(parents), internal::plan_process(std::move(supplier)));
  for (auto& store : stores) add_state_store(std::move(store), {name});
  return *this;
}

template <typename K, typename V>
Topology& Topology::add_sink(std::string name, std::string topic, std::vector<std::string> parents,
                             Produced<K, V> produced) {
  const std::string where = "sink " + name;
  return add_sink_plan(std::move(name), std::move(topic), std::move(parents),
                       internal::plan_sink<K, V>(
                           internal::resolve_serde<K>(produced.key_serde, {}, "key", where),
                           internal::resolve_serde<V>(produced.value_serde, {}, "value", where),
                           std::move(produced.partitioner)));
}

template <typename K, typename V>
Topology& Topology::add_sink(std::string name, TopicNameExtractor<K, V> extractor,
                             std::vector<std::string> parents, Produced<K, V> produced) {
  const std::string where = "sink " + name;
  return add_sink_plan(std::move(name), {}, std::move(parents),
                       internal::plan_sink<K, V>(
                           internal::resolve_serde<K>(produced.key_serde, {}, "key", where),
                           internal::resolve_serde<V>(produced.value_serde, {}, "value", where),
                           std::move(produced.partitioner), std::move(extractor)));
}

template <typename K, typename V, internal::SupplierOfUniquePointers Supplier>
requires internal::IsProcessor<supplied_t<Supplier>> Topology& Topology::add_global_store(
    std::shared_ptr<StoreBuilder> builder, std::string source_name, std::string topic,
    std::string processor_name, Supplier supplier, Consumed<K, V> consumed) {
  return add_global_store_plan(
      std::move(source_name), std::move(topic),
      internal::plan_source<K, V>(std::move(consumed.key_serde), std::move(consumed.value_serde),
                                  consumed.auto_offset_reset,
                                  std::move(consumed.timestamp_extractor)),
      std::move(processor_name), internal::plan_process(std::move(supplier)), std::move(builder));
}

template <typename K, typename V, internal::SupplierOfUniquePointers Supplier>
requires internal::IsProcessor<supplied_t<Supplier>> Topology& Topology::add_read_only_state_store(
    std::shared_ptr<StoreBuilder> builder, std::string source_name, std::string topic,
    std::string processor_name, Supplier supplier, Consumed<K, V> consumed) {
  return add_read_only_store_plan(
      std::move(source_name), std::move(topic),
      internal::plan_source<K, V>(std::move(consumed.key_serde), std::move(consumed.value_serde),
                                  AutoOffsetReset::earliest(),
                                  std::move(consumed.timestamp_extractor)),
      std::move(processor_name), internal::plan_process(std::move(supplier)), std::move(builder));
}

}  // namespace thalweg
