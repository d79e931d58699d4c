#pragma once

// The joins of KTable with KTable.

#include <memory>
#include <string>
#include <utility>

#include <thalweg/topology/internal/dsl.h>
#include <thalweg/topology/internal/operators/table_join_merge.h>
#include <thalweg/topology/internal/operators/table_table_join.h>

namespace thalweg {

namespace internal {

inline constexpr std::string_view kTableMerge = "KTABLE-MERGE-";

/// Joins two tables by key. `Here` is what the side of `left` does, `There` that of `right`.
template <TableJoinSide Here, TableJoinSide There, typename K, typename V, typename VO,
          typename Joiner>
KTable<K, table_joined_t<Joiner, V, VO>> join_tables(
    const KTable<K, V>& left, const KTable<K, VO>& right, const OptionalSerde<K>& inherited_key,
    Joiner joiner, Materialized<K, table_joined_t<Joiner, V, VO>> materialized) {
  using VOut = table_joined_t<Joiner, V, VO>;
  using Reversed = ReverseJoiner<Joiner, V, VO>;
  const StreamHandle& here = Dsl::handle(left);
  const StreamHandle& there = Dsl::handle(right);
  StreamGraph& graph = *here.graph;
  check_store(materialized);
  if (is_anonymous(materialized)) materialized.store = graph.new_store_name(kTableMerge);
  auto name = graph.name_or_new(materialized.name, kTableMerge);
  auto sources = graph.copartition(here, there);
  if (Here != TableJoinSide::kInner) Dsl::supplier(left).send_old_values(true);
  if (Here == TableJoinSide::kOuter) Dsl::supplier(right).send_old_values(true);

  auto key_serde = either(materialized.key_serde, inherited_key);
  auto value_serde = materialized.value_serde;
  auto plan = plan_table(graph, materialized, materialized.store, key_serde, value_serde);
  auto left_rows = Dsl::supplier(left).value_getter();
  auto right_rows = Dsl::supplier(right).value_getter();
  auto left_stores = left_rows.stores;
  auto right_stores = right_rows.stores;
  auto left_name = graph.name_or_new(materialized.name, "-join-this", "KTABLE-JOINTHIS-");
  auto right_name = graph.name_or_new(materialized.name, "-join-other", "KTABLE-JOINOTHER-");
  auto left_versioned = std::make_shared<bool>(false);
  auto right_versioned = std::make_shared<bool>(false);
  GraphNode* node =
      graph.add_table_join({here.node, there.node}, name,
                           {.name = std::move(left_name),
                            .parent = here.name,
                            .processor = plan_table_table_join<K, V, VO, Here>(
                                std::move(right_rows), joiner, plan, left_versioned),
                            .stores = std::move(right_stores),
                            .versioned_input = left_versioned},
                           {.name = std::move(right_name),
                            .parent = there.name,
                            .processor = plan_table_table_join<K, VO, V, There>(
                                std::move(left_rows), Reversed{joiner}, plan, right_versioned),
                            .stores = std::move(left_stores),
                            .versioned_input = right_versioned},
                           plan_table_join_merge<K, VOut>(plan), plan);
  StreamHandle handle = Dsl::behind(here, node, std::move(name));
  handle.sources = std::move(sources);
  return Dsl::table<K, VOut>(
      std::move(handle),
      std::make_shared<JoinedTable<K, V, VO, Here, Joiner>>(
          plan, Dsl::shared_supplier(left), Dsl::shared_supplier(right), std::move(joiner)),
      materialized, std::move(key_serde), std::move(value_serde));
}

}  // namespace internal

template <typename K, typename V>
template <CopartitionedWith<K> KO, typename VO, TableJoiner<V, VO> J>
auto KTable<K, V>::join(
    const KTable<KO, VO>& other, J joiner,
    Materialized<K, internal::table_joined_t<internal::InnerJoiner<J, V, VO>, V, VO>> materialized)
    const -> KTable<K, internal::table_joined_t<internal::InnerJoiner<J, V, VO>, V, VO>> {
  using enum internal::TableJoinSide;
  return internal::join_tables<kInner, kInner>(*this, other, key_serde_,
                                               internal::InnerJoiner<J, V, VO>{std::move(joiner)},
                                               std::move(materialized));
}

template <typename K, typename V>
template <CopartitionedWith<K> KO, typename VO, TableLeftJoiner<V, VO> J>
auto KTable<K, V>::left_join(
    const KTable<KO, VO>& other, J joiner,
    Materialized<K, internal::table_joined_t<internal::LeftJoiner<J, V, VO>, V, VO>> materialized)
    const -> KTable<K, internal::table_joined_t<internal::LeftJoiner<J, V, VO>, V, VO>> {
  using enum internal::TableJoinSide;
  return internal::join_tables<kLeft, kRight>(*this, other, key_serde_,
                                              internal::LeftJoiner<J, V, VO>{std::move(joiner)},
                                              std::move(materialized));
}

template <typename K, typename V>
template <CopartitionedWith<K> KO, typename VO, TableOuterJoiner<V, VO> J>
auto KTable<K, V>::outer_join(
    const KTable<KO, VO>& other, J joiner,
    Materialized<K, internal::table_joined_t<internal::OuterJoiner<J, V, VO>, V, VO>> materialized)
    const -> KTable<K, internal::table_joined_t<internal::OuterJoiner<J, V, VO>, V, VO>> {
  using enum internal::TableJoinSide;
  return internal::join_tables<kOuter, kOuter>(*this, other, key_serde_,
                                               internal::OuterJoiner<J, V, VO>{std::move(joiner)},
                                               std::move(materialized));
}

}  // namespace thalweg
