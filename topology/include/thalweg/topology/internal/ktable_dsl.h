#pragma once

// The members of KTable.

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <thalweg/topology/internal/dsl.h>
#include <thalweg/topology/internal/operators/print_table.h>
#include <thalweg/topology/internal/operators/table_filter.h>
#include <thalweg/topology/internal/operators/table_map_values.h>
#include <thalweg/topology/internal/operators/table_repartition_map.h>
#include <thalweg/topology/internal/operators/table_transform_values.h>
#include <thalweg/topology/internal/operators/to_stream.h>

namespace thalweg {

namespace internal {

/// A table that is kept only if the options name a store; options without a name still take a
/// number.
template <typename K, typename V>
std::shared_ptr<TablePlan> plan_derived_table(StreamGraph& graph,
                                              const Materialized<K, V>& materialized,
                                              const OptionalSerde<K>& key_serde,
                                              const OptionalSerde<V>& value_serde,
                                              std::string_view prefix) {
  check_store(materialized);
  if (is_anonymous(materialized)) graph.new_store_name(prefix);
  return plan_table(graph, materialized, materialized.store, key_serde, value_serde);
}

/// Whether a table computed row by row is versioned: as its options say, else as its input is.
template <typename K, typename V>
OperatorTraits derived_traits(const Materialized<K, V>& materialized, const TablePlan& plan) {
  OperatorTraits traits;
  if (has_store(materialized) || is_anonymous(materialized)) {
    traits.versioned_output = plan.versioned;
  }
  return traits;
}

template <bool Wanted, typename K, typename V, typename P>
KTable<K, V> filter_table(const StreamHandle& from, std::shared_ptr<TableSupplier<K, V>> parent,
                          const OptionalSerde<K>& inherited_key,
                          const OptionalSerde<V>& inherited_value, P predicate,
                          const Materialized<K, V>& materialized) {
  constexpr std::string_view kPrefix = "KTABLE-FILTER-";
  StreamGraph& graph = *from.graph;
  auto key_serde = either(materialized.key_serde, inherited_key);
  auto value_serde = either(materialized.value_serde, inherited_value);
  auto plan = plan_derived_table(graph, materialized, key_serde, value_serde, kPrefix);
  auto name = graph.name_or_new(materialized.name, kPrefix);
  // With old values the filter can tell that a deletion is news to nobody.
  plan->send_old_values = parent->send_old_values(false);
  OperatorTraits traits = derived_traits(materialized, *plan);
  traits.versioned_input = std::make_shared<bool>(false);
  GraphNode* node = graph.add_table_processor(
      from.node, name, plan_table_filter<K, V, Wanted>(plan, predicate, traits.versioned_input),
      plan, traits);
  return Dsl::table<K, V>(Dsl::behind(from, node, std::move(name)),
                          std::make_shared<FilteredTable<K, V, P, Wanted>>(plan, std::move(parent),
                                                                           std::move(predicate)),
                          materialized, std::move(key_serde), std::move(value_serde));
}

}  // namespace internal

template <typename K, typename V>
template <KeyValuePredicate<K, V> P>
KTable<K, V> KTable<K, V>::filter(P predicate, Materialized<K, V> materialized) const {
  return internal::filter_table<true>(handle_, supplier_, key_serde_, value_serde_,
                                      std::move(predicate), materialized);
}

template <typename K, typename V>
template <KeyValuePredicate<K, V> P>
KTable<K, V> KTable<K, V>::filter_not(P predicate, Materialized<K, V> materialized) const {
  return internal::filter_table<false>(handle_, supplier_, key_serde_, value_serde_,
                                       std::move(predicate), materialized);
}

template <typename K, typename V>
template <ValueMapper<K, V> F>
auto KTable<K, V>::map_values(
    F mapper, Materialized<K, payload_t<mapped_value_t<F, K, V>>> materialized) const
    -> KTable<K, payload_t<mapped_value_t<F, K, V>>> {
  using VOut = payload_t<mapped_value_t<F, K, V>>;
  constexpr std::string_view kPrefix = "KTABLE-MAPVALUES-";
  internal::StreamGraph& graph = *handle_.graph;
  auto key_serde = internal::either(materialized.key_serde, key_serde_);
  auto value_serde = materialized.value_serde;
  auto plan = internal::plan_derived_table(graph, materialized, key_serde, value_serde, kPrefix);
  auto name = graph.name_or_new(materialized.name, kPrefix);
  internal::GraphNode* node = graph.add_table_processor(
      handle_.node, name, internal::plan_table_map_values<K, V>(plan, mapper), plan,
      internal::derived_traits(materialized, *plan));
  return internal::Dsl::table<K, VOut>(
      internal::Dsl::behind(handle_, node, std::move(name)),
      std::make_shared<internal::MappedTable<K, V, F>>(plan, supplier_, std::move(mapper)),
      materialized, std::move(key_serde), std::move(value_serde));
}

template <typename K, typename V>
KStream<K, std::optional<V>> KTable<K, V>::to_stream(Named named) const {
  auto name = handle_.graph->name_or_new(named.name, "KTABLE-TOSTREAM-");
  return internal::Dsl::stream<K, std::optional<V>>(
      internal::Dsl::append(handle_, std::move(name), internal::plan_to_stream<K, V>()), key_serde_,
      value_serde_);
}

template <typename K, typename V>
void KTable<K, V>::print_table(
    PrintedTable<K, V> printed) const requires internal::Printable<K> && internal::Printable<V> {
  auto name = handle_.graph->name_or_new(printed.name, "KTABLE-PRINTER-");
  if (printed.title.empty()) printed.title = handle_.name;
  internal::Dsl::append(handle_, std::move(name), internal::plan_print_table(std::move(printed)));
}

template <typename K, typename V>
template <KeySelector<K, std::optional<V>> F>
auto KTable<K, V>::to_stream(F selector, Named named) const
    -> KStream<mapped_t<F, K, std::optional<V>>, std::optional<V>> {
  return to_stream(std::move(named)).select_key(std::move(selector));
}

template <typename K, typename V>
template <ValueTransformerSupplier<K, V> S>
auto KTable<K, V>::transform_values(
    S supplier, std::vector<std::string> stores,
    Materialized<K, typename supplied_t<S>::OutputValue> materialized) const
    -> KTable<K, typename supplied_t<S>::OutputValue> {
  using VOut = typename supplied_t<S>::OutputValue;
  internal::StreamGraph& graph = *handle_.graph;
  internal::check_store(materialized);
  auto key_serde = internal::either(materialized.key_serde, key_serde_);
  auto value_serde = materialized.value_serde;
  auto plan = internal::plan_table(graph, materialized, materialized.store, key_serde, value_serde);
  auto name = graph.name_or_new(materialized.name, "KTABLE-TRANSFORMVALUES-");
  internal::GraphNode* node = graph.add_table_processor(
      handle_.node, name, internal::plan_table_transform_values(plan, supplier), plan,
      internal::derived_traits(materialized, *plan), std::move(stores));
  return internal::Dsl::table<K, VOut>(
      internal::Dsl::behind(handle_, node, name),
      std::make_shared<internal::TransformedTable<S>>(plan, supplier_, name, std::move(supplier)),
      materialized, std::move(key_serde), std::move(value_serde));
}

template <typename K, typename V>
template <KeyValueMapper<K, V> F>
auto KTable<K, V>::group_by(
    F selector,
    Grouped<pair_key_t<mapped_t<F, K, V>>, pair_value_t<mapped_t<F, K, V>>> grouped) const
    -> KGroupedTable<pair_key_t<mapped_t<F, K, V>>, pair_value_t<mapped_t<F, K, V>>> {
  using Pair = mapped_t<F, K, V>;
  auto name = handle_.graph->name_or_new(grouped.name, "KTABLE-SELECT-");
  auto versioned = std::make_shared<bool>(false);
  auto handle = internal::Dsl::append(
      handle_, std::move(name),
      internal::plan_table_repartition_map<K, V>(std::move(selector), versioned),
      {.versioned_input = versioned});
  handle.repartition = std::make_shared<internal::GraphNode*>(nullptr);
  supplier_->send_old_values(true);
  return internal::Dsl::grouped_table<pair_key_t<Pair>, pair_value_t<Pair>>(std::move(handle),
                                                                            std::move(grouped));
}

}  // namespace thalweg
