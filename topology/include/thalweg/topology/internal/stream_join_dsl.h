#pragma once

// The joins of KStream with KStream.

#include <memory>
#include <string>
#include <utility>

#include <thalweg/topology/internal/dsl.h>
#include <thalweg/topology/internal/operators/join_window.h>
#include <thalweg/topology/internal/operators/pass_through.h>
#include <thalweg/topology/internal/operators/stream_self_join.h>
#include <thalweg/topology/internal/operators/stream_stream_join.h>

namespace thalweg {

namespace internal {

/// The names of everything a join of streams is made of; taken in Kafka Streams' order, for the
/// numbers in them.
struct StreamJoinNames {
  StreamJoinNames(StreamGraph& graph, const std::string& given, const StreamJoinStores& stores,
                  bool left_outer, bool right_outer);

  std::string this_windowed;
  std::string other_windowed;
  std::string this_join;
  std::string other_join;
  std::string merge;
  std::string this_store;
  std::string other_store;
  std::string shared_store;  ///< Empty in an inner join.
};

/// Checks that stores of the user's own fit the windows. Throws StreamsError.
void check_join_stores(const StreamJoinStores& stores, const JoinWindows& windows);
/// The options of the stores; those of the user's own are logged in any case.
StoreOptions join_store_options(const StreamGraph& graph, const StreamJoinStores& stores,
                                const std::optional<WindowStoreSupplier>& supplier);

/// The store of one side.
template <typename K, typename V>
std::shared_ptr<StoreBuilder> plan_join_store(const StreamGraph& graph, const std::string& name,
                                              const JoinWindows& windows,
                                              const StreamJoinStores& stores,
                                              const std::optional<WindowStoreSupplier>& supplier,
                                              AnySerde<K> keys, AnySerde<V> values) {
  return window_store_builder<K, V>(name,
                                    {.retention = windows.size() + windows.grace(),
                                     .window_size = windows.size(),
                                     .retain_duplicates = true},
                                    join_store_options(graph, stores, supplier), std::move(keys),
                                    std::move(values));
}

/// A stream on its way to a join: through a repartition topic if its key has changed.
template <typename K, typename V>
StreamHandle repartition_for_join(const StreamHandle& stream, const std::string& name,
                                  const std::string& suffix, const OptionalSerde<K>& keys,
                                  const OptionalSerde<V>& values) {
  if (!stream.repartition_required) return stream;
  const std::string prefix = name.empty() ? stream.name : name + suffix;
  return stream.graph->repartitioned(stream, plan_repartition<K, V>(prefix, keys, values),
                                     prefix == stream.name, false);
}

template <typename K, typename L, typename R, bool LeftOuter, bool RightOuter, typename Joiner>
auto join_streams(const StreamHandle& left_stream, const StreamHandle& right_stream, Joiner joiner,
                  const JoinWindows& windows, const StreamJoined<K, L, R>& joined)
    -> KStream<K, stream_joined_t<Joiner, K, payload_t<L>, payload_t<R>>> {
  using Key = payload_t<K>;
  using LeftValue = payload_t<L>;
  using RightValue = payload_t<R>;
  using VOut = stream_joined_t<Joiner, K, LeftValue, RightValue>;
  StreamGraph& graph = *left_stream.graph;
  check_join_stores(joined.stores, windows);
  StreamHandle left = repartition_for_join<K, L>(left_stream, joined.name, "-left",
                                                 joined.key_serde, joined.value_serde);
  StreamHandle right = repartition_for_join<K, R>(right_stream, joined.name, "-right",
                                                  joined.key_serde, joined.other_value_serde);
  auto sources = graph.copartition(left, right);
  const StreamJoinNames names(graph, joined.name, joined.stores, LeftOuter, RightOuter);
  const std::string where = "join " + names.merge;
  const auto keys = resolve_serde<K>(joined.key_serde, {}, "key", where);
  const auto lefts = resolve_serde<L>(joined.value_serde, {}, "value", where);
  const auto rights = resolve_serde<R>(joined.other_value_serde, {}, "other value", where);
  const auto left_store = plan_join_store<Key, LeftValue>(
      graph, names.this_store, windows, joined.stores, joined.stores.this_store, keys, lefts);
  const auto right_store = plan_join_store<Key, RightValue>(
      graph, names.other_store, windows, joined.stores, joined.stores.other_store, keys, rights);
  std::shared_ptr<StoreBuilder> shared_store;
  if constexpr (LeftOuter || RightOuter) {
    using SharedKey = TimestampedKeyAndJoinSide<Key>;
    using SharedValues = std::vector<LeftOrRightValue<LeftValue, RightValue>>;
    StoreOptions options = join_store_options(graph, joined.stores, {});
    if (joined.stores.this_store) options.persistent = joined.stores.this_store->persistent;
    shared_store = key_value_store_builder<SharedKey, SharedValues>(
        names.shared_store, std::move(options),
        AnySerde<SharedKey>(TimestampedKeyAndJoinSideSerde<Key>(keys)),
        AnySerde<SharedValues>(LeftOrRightListSerde<LeftValue, RightValue>(lefts, rights)));
  }
  graph.add_processor({left.node}, names.this_windowed, plan_join_window<K, L>(names.this_store),
                      {}, {}, left_store);
  graph.add_processor({right.node}, names.other_windowed, plan_join_window<K, R>(names.other_store),
                      {}, {}, right_store);
  const auto trackers = std::make_shared<JoinTimeTrackers>();
  const StreamJoinSide this_side{.before = windows.before().count(),
                                 .after = windows.after().count(),
                                 .windows = windows,
                                 .outer = LeftOuter,
                                 .other_store = names.other_store,
                                 .shared_store = names.shared_store,
                                 .trackers = trackers};
  const StreamJoinSide other_side{.before = windows.after().count(),
                                  .after = windows.before().count(),
                                  .windows = windows,
                                  .outer = RightOuter,
                                  .other_store = names.this_store,
                                  .shared_store = names.shared_store,
                                  .trackers = trackers};
  StreamJoinPlan plan{
      .left = {.name = names.this_join,
               .windowed = names.this_windowed,
               .processor = plan_stream_stream_join<K, L, R, true>(this_side, joiner),
               .stores = {right_store}},
      .right = {.name = names.other_join,
                .windowed = names.other_windowed,
                .processor = plan_stream_stream_join<K, L, R, false>(other_side, joiner),
                .stores = {left_store}},
      .merge = plan_pass_through<K, VOut>(),
      .self_join = {}};
  if (shared_store) {
    plan.left.stores.push_back(shared_store);
    plan.right.stores.push_back(shared_store);
  }
  if constexpr (std::same_as<L, R>) {
    plan.self_join = plan_stream_self_join<K, L>(windows, names.this_store, joiner);
    plan.self_join_store = left_store;
  }
  GraphNode* node = graph.add_stream_join({left.node, right.node}, names.merge, std::move(plan),
                                          {.null_key_relaxed = LeftOuter || RightOuter});
  return Dsl::stream<K, VOut>(
      {.graph = &graph, .node = node, .name = names.merge, .sources = std::move(sources)},
      joined.key_serde);
}

}  // namespace internal

template <typename K, typename V>
template <CopartitionedWith<K> KO, typename VO,
          StreamTableJoiner<payload_t<K>, payload_t<V>, payload_t<VO>> J>
auto KStream<K, V>::join(const KStream<KO, VO>& other, J joiner, JoinWindows windows,
                         StreamJoined<K, V, VO> joined) const
    -> KStream<K, joined_t<J, payload_t<K>, payload_t<V>, payload_t<VO>>> {
  return internal::join_streams<K, V, VO, false, false>(
      handle_, internal::Dsl::handle(other),
      internal::StreamInnerJoiner<J, K, payload_t<V>, payload_t<VO>>{std::move(joiner)}, windows,
      with_serdes(std::move(joined), other));
}

template <typename K, typename V>
template <CopartitionedWith<K> KO, typename VO,
          StreamTableLeftJoiner<K, payload_t<V>, payload_t<VO>> J>
auto KStream<K, V>::left_join(const KStream<KO, VO>& other, J joiner, JoinWindows windows,
                              StreamJoined<K, V, VO> joined) const
    -> KStream<K, left_joined_t<J, K, payload_t<V>, payload_t<VO>>> {
  return internal::join_streams<K, V, VO, true, false>(
      handle_, internal::Dsl::handle(other),
      internal::StreamLeftJoiner<J, K, payload_t<V>, payload_t<VO>>{std::move(joiner)}, windows,
      with_serdes(std::move(joined), other));
}

template <typename K, typename V>
template <CopartitionedWith<K> KO, typename VO,
          StreamOuterJoinerOf<K, payload_t<V>, payload_t<VO>> J>
auto KStream<K, V>::outer_join(const KStream<KO, VO>& other, J joiner, JoinWindows windows,
                               StreamJoined<K, V, VO> joined) const
    -> KStream<
        K, internal::stream_joined_t<internal::StreamOuterJoiner<J, K, payload_t<V>, payload_t<VO>>,
                                     K, payload_t<V>, payload_t<VO>>> {
  return internal::join_streams<K, V, VO, true, true>(
      handle_, internal::Dsl::handle(other),
      internal::StreamOuterJoiner<J, K, payload_t<V>, payload_t<VO>>{std::move(joiner)}, windows,
      with_serdes(std::move(joined), other));
}

template <typename K, typename V>
template <typename VO>
StreamJoined<K, V, VO> KStream<K, V>::with_serdes(StreamJoined<K, V, VO> joined,
                                                  const KStream<K, VO>& other) const {
  joined.key_serde = internal::either(joined.key_serde, key_serde_);
  joined.value_serde = internal::either(joined.value_serde, value_serde_);
  joined.other_value_serde =
      internal::either(joined.other_value_serde, internal::Dsl::value_serde(other));
  return joined;
}

}  // namespace thalweg
