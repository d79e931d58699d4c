#pragma once

// KTable::suppress().

#include <memory>
#include <string>
#include <utility>

#include <thalweg/topology/internal/dsl.h>
#include <thalweg/topology/internal/operators/suppress.h>

namespace thalweg {

template <typename K, typename V>
KTable<K, V> KTable<K, V>::suppress(Suppressed suppressed) const {
  using internal::resolve_serde;
  constexpr std::string_view kPrefix = "KTABLE-SUPPRESS-";
  internal::StreamGraph& graph = *handle_.graph;
  if (graph.versioned(handle_.node) == true) {
    throw TopologyError("suppress() is only supported for non-versioned KTables");
  }
  const bool is_named = !suppressed.name().empty();
  std::string name = is_named ? suppressed.name() : graph.new_name(kPrefix);
  supplier_->send_old_values(true);  // What is held back still shows its value before.
  const auto wait = suppressed.wait() ? *suppressed.wait() : graph.window_grace(handle_.node);
  const std::string store = is_named ? name + "-store" : graph.new_store_name(kPrefix);
  const std::string where = "store " + store;
  auto key_serde = resolve_serde<K>(std::nullopt, key_serde_, "key", where);
  auto value_serde = resolve_serde<V>(std::nullopt, value_serde_, "value", where);
  auto plan = std::make_shared<internal::SuppressPlan<K, V>>(
      internal::SuppressPlan<K, V>{.store = store,
                                   .key_serde = key_serde,
                                   .value_serde = value_serde,
                                   .buffer = suppressed.buffer(),
                                   .wait = wait,
                                   .until_window_closes = !suppressed.wait()});
  auto table = std::make_shared<internal::TablePlan>();
  table->store = store;
  table->materialized = true;
  table->make_store = [plan](bool) {
    return change_buffer_builder(plan->store, plan->buffer.logging, plan->buffer.changelog_config,
                                 plan->key_serde.schema(), bytes_schema());
  };
  internal::GraphNode* node = graph.add_table_processor(
      handle_.node, name, internal::plan_suppress<K, V>(plan), std::move(table),
      {.versioned_output = false, .refuses_versions = true});
  return internal::Dsl::table<K, V>(
      internal::Dsl::behind(handle_, node, std::move(name)),
      std::make_shared<internal::SuppressedTable<K, V>>(plan, supplier_), Materialized<K, V>{},
      std::move(key_serde), std::move(value_serde));
}

}  // namespace thalweg
