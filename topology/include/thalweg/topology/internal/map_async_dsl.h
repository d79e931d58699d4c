#pragma once

// The definition of KStream::map_async(); comes with async.h.

#include <string>
#include <utility>

#include <thalweg/topology/async_call.h>
#include <thalweg/topology/internal/dsl.h>
#include <thalweg/topology/internal/operators/map_async.h>
#include <thalweg/topology/kstream.h>

namespace thalweg {

namespace internal {

/// Throws TopologyError for options with which nothing could be called.
void check_async_options(const std::string& node, const AsyncOptions& options);

}  // namespace internal

template <typename K, typename V>
template <typename R, AsyncFunction<K, V, R> F>
auto KStream<K, V>::map_async(F function, AsyncOptions options) const
    -> KStream<K, AsyncOutcome<V, R>> {
  internal::StreamGraph& graph = *handle_.graph;
  if (options.store.empty()) options.store = graph.new_store_name("KSTREAM-MAPASYNC-");
  auto name = graph.name_or_new(options.name, "KSTREAM-MAPASYNC-");
  internal::check_async_options(name, options);
  graph.add_state_store(internal::AsyncOutbox::store_builder(options.store));
  const std::string store = options.store;
  const std::string where = "outbox " + store;
  auto plan = internal::plan_map_async<K, V, R>(
      std::move(function),
      internal::MapAsyncPlan<K, V>{
          .options = std::move(options),
          .key_serde = internal::resolve_serde<K>({}, key_serde_, "key", where),
          .value_serde = internal::resolve_serde<V>({}, value_serde_, "value", where)});
  return internal::Dsl::stream<K, AsyncOutcome<V, R>>(
      internal::Dsl::append(handle_, std::move(name), std::move(plan), {.value_changing = true},
                            {store}),
      key_serde_);
}

}  // namespace thalweg
