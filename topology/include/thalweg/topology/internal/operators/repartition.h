#pragma once

#include <optional>
#include <string>
#include <utility>

#include <thalweg/topology/internal/operators/filter.h>
#include <thalweg/topology/internal/operators/pass_through.h>
#include <thalweg/topology/internal/operators/sink.h>
#include <thalweg/topology/internal/operators/source.h>
#include <thalweg/topology/internal/payload.h>
#include <thalweg/topology/internal/stream_graph.h>

namespace thalweg::internal {

/// Sends a stream through an internal topic. Serdes are chosen here, so a missing one is found
/// while the plan is made.
template <typename K, typename V>
RepartitionPlan plan_repartition(std::string prefix, const OptionalSerde<K>& key_serde,
                                 const OptionalSerde<V>& value_serde,
                                 StreamPartitioner<K, V> partitioner = {}) {
  const std::string where = "repartition topic " + prefix;
  const auto key = resolve_serde<K>(key_serde, {}, "key", where);
  const auto value = resolve_serde<V>(value_serde, {}, "value", where);
  const auto has_key = [](const K& candidate, const V&) {
    return payload_of(candidate) != nullptr;
  };
  return {.topic_prefix = std::move(prefix),
          .filter = plan_filter<K, V, true>(has_key),
          .pass = plan_pass_through<K, V>(),
          .sink = plan_sink<K, V>(key, value, std::move(partitioner)),
          .source = plan_source<K, V>(key, value)};
}

}  // namespace thalweg::internal
