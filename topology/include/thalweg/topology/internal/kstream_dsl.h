#pragma once

// The members of KStream. Each chooses a name, plans a node and returns a handle on it. A key's
// serde goes on where the key does, a value's where the value does.

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <thalweg/topology/internal/dsl.h>
#include <thalweg/topology/internal/operators/branch.h>
#include <thalweg/topology/internal/operators/deduplicate.h>
#include <thalweg/topology/internal/operators/filter.h>
#include <thalweg/topology/internal/operators/flat_map.h>
#include <thalweg/topology/internal/operators/flat_map_values.h>
#include <thalweg/topology/internal/operators/map.h>
#include <thalweg/topology/internal/operators/map_values.h>
#include <thalweg/topology/internal/operators/pass_through.h>
#include <thalweg/topology/internal/operators/peek.h>
#include <thalweg/topology/internal/operators/process.h>
#include <thalweg/topology/internal/operators/process_values.h>
#include <thalweg/topology/internal/operators/repartition.h>
#include <thalweg/topology/internal/operators/select_key.h>
#include <thalweg/topology/internal/operators/sink.h>
#include <thalweg/topology/internal/operators/stream_global_table_join.h>
#include <thalweg/topology/internal/operators/stream_table_grace_join.h>
#include <thalweg/topology/internal/operators/stream_table_join.h>
#include <thalweg/topology/internal/operators/table_source.h>

namespace thalweg {

namespace internal {

inline const OperatorTraits kChangesKey{.key_changing = true};
inline const OperatorTraits kChangesValue{.value_changing = true};
/// A processor may change keys and values, but Kafka Streams lets a repartition topic move in front
/// of it, and never merges those behind it; so do we, unless a type changes in it.
template <typename K, typename V, typename KOut, typename VOut>
OperatorTraits processor_traits() {
  return {.value_changing = !std::same_as<K, KOut> || !std::same_as<V, VOut>};
}

/// Adds the stores that the supplier of a processor brings along to the plan and to `names`.
template <typename S>
void add_stores_of(StreamGraph& graph, const S& supplier, std::vector<std::string>& names) {
  if constexpr (ConnectedStoreProvider<S>) {
    for (const std::shared_ptr<StoreBuilder>& builder : supplier.stores()) {
      names.push_back(builder->name());
      graph.add_state_store(builder);
    }
  }
}

}  // namespace internal

template <typename K, typename V>
template <KeyValuePredicate<K, V> P>
KStream<K, V> KStream<K, V>::filter(P predicate, Named named) const {
  auto name = handle_.graph->name_or_new(named.name, "KSTREAM-FILTER-");
  return KStream(internal::Dsl::append(handle_, std::move(name),
                                       internal::plan_filter<K, V, true>(std::move(predicate))),
                 key_serde_, value_serde_);
}

template <typename K, typename V>
template <KeyValuePredicate<K, V> P>
KStream<K, V> KStream<K, V>::filter_not(P predicate, Named named) const {
  auto name = handle_.graph->name_or_new(named.name, "KSTREAM-FILTER-");
  return KStream(internal::Dsl::append(handle_, std::move(name),
                                       internal::plan_filter<K, V, false>(std::move(predicate))),
                 key_serde_, value_serde_);
}

template <typename K, typename V>
template <KeyValueMapper<K, V> F>
auto KStream<K, V>::map(F mapper, Named named) const
    -> KStream<pair_key_t<mapped_t<F, K, V>>, pair_value_t<mapped_t<F, K, V>>> {
  auto name = handle_.graph->name_or_new(named.name, "KSTREAM-MAP-");
  using Pair = mapped_t<F, K, V>;
  return internal::Dsl::stream<pair_key_t<Pair>, pair_value_t<Pair>>(
      internal::Dsl::append(handle_, std::move(name), internal::plan_map<K, V>(std::move(mapper)),
                            internal::kChangesKey));
}

template <typename K, typename V>
template <ValueMapper<K, V> F>
auto KStream<K, V>::map_values(F mapper, Named named) const -> KStream<K, mapped_value_t<F, K, V>> {
  auto name = handle_.graph->name_or_new(named.name, "KSTREAM-MAPVALUES-");
  return internal::Dsl::stream<K, mapped_value_t<F, K, V>>(
      internal::Dsl::append(handle_, std::move(name),
                            internal::plan_map_values<K, V>(std::move(mapper)),
                            internal::kChangesValue),
      key_serde_);
}

template <typename K, typename V>
template <KeySelector<K, V> F>
auto KStream<K, V>::select_key(F selector, Named named) const -> KStream<mapped_t<F, K, V>, V> {
  auto name = handle_.graph->name_or_new(named.name, "KSTREAM-KEY-SELECT-");
  return internal::Dsl::stream<mapped_t<F, K, V>, V>(
      internal::Dsl::append(handle_, std::move(name),
                            internal::plan_select_key<K, V>(std::move(selector)),
                            internal::kChangesKey),
      {}, value_serde_);
}

template <typename K, typename V>
template <KeyValueAction<K, V> F>
KStream<K, V> KStream<K, V>::peek(F action, Named named) const {
  auto name = handle_.graph->name_or_new(named.name, "KSTREAM-PEEK-");
  return KStream(
      internal::Dsl::append(handle_, std::move(name), internal::plan_peek<K, V>(std::move(action))),
      key_serde_, value_serde_);
}

template <typename K, typename V>
template <KeyValueFlatMapper<K, V> F>
auto KStream<K, V>::flat_map(F mapper, Named named) const
    -> KStream<pair_key_t<range_value_t<mapped_t<F, K, V>>>,
               pair_value_t<range_value_t<mapped_t<F, K, V>>>> {
  auto name = handle_.graph->name_or_new(named.name, "KSTREAM-FLATMAP-");
  using Pair = range_value_t<mapped_t<F, K, V>>;
  return internal::Dsl::stream<pair_key_t<Pair>, pair_value_t<Pair>>(internal::Dsl::append(
      handle_, std::move(name), internal::plan_flat_map<K, V>(std::move(mapper)),
      internal::kChangesKey));
}

template <typename K, typename V>
template <FlatValueMapper<K, V> F>
auto KStream<K, V>::flat_map_values(F mapper, Named named) const
    -> KStream<K, range_value_t<mapped_value_t<F, K, V>>> {
  auto name = handle_.graph->name_or_new(named.name, "KSTREAM-FLATMAPVALUES-");
  return internal::Dsl::stream<K, range_value_t<mapped_value_t<F, K, V>>>(
      internal::Dsl::append(handle_, std::move(name),
                            internal::plan_flat_map_values<K, V>(std::move(mapper)),
                            internal::kChangesValue),
      key_serde_);
}

template <typename K, typename V>
BranchedKStream<K, V> KStream<K, V>::split(Named named) const {
  auto name = handle_.graph->name_or_new(named.name, "KSTREAM-BRANCH-");
  auto branches = std::make_shared<internal::Branches<K, V>>();
  internal::GraphNode* node =
      handle_.graph->add_processor({handle_.node}, name, internal::plan_branch<K, V>(branches));
  return internal::Dsl::split<K, V>(*this, node, std::move(name), std::move(branches));
}

template <typename K, typename V>
KStream<K, V> KStream<K, V>::merge(const KStream& other, Named named) const {
  auto name = handle_.graph->name_or_new(named.name, "KSTREAM-MERGE-");
  internal::GraphNode* node =
      handle_.graph->add_processor({handle_.node, other.handle_.node}, name,
                                   internal::plan_pass_through<K, V>(), {.merge = true});
  internal::StreamHandle merged = internal::Dsl::behind(handle_, node, std::move(name));
  merged.sources.insert(other.handle_.sources.begin(), other.handle_.sources.end());
  merged.repartition_required |= other.handle_.repartition_required;
  return KStream(std::move(merged));  // The two may have other serdes: neither goes on.
}

template <typename K, typename V>
KStream<K, V> KStream<K, V>::repartition(Repartitioned<K, V> repartitioned) const {
  internal::StreamGraph& graph = *handle_.graph;
  std::string prefix = repartitioned.name;
  if (prefix.empty()) prefix = graph.new_name("KSTREAM-REPARTITION-");
  auto key_serde = internal::either(repartitioned.key_serde, key_serde_);
  auto value_serde = internal::either(repartitioned.value_serde, value_serde_);
  auto plan = internal::plan_repartition<K, V>(std::move(prefix), key_serde, value_serde,
                                               std::move(repartitioned.partitioner));
  plan.partitions = repartitioned.partitions;
  plan.optimizable = false;
  internal::StreamHandle alone = handle_;
  alone.repartition = std::make_shared<internal::GraphNode*>(nullptr);
  return KStream(graph.repartitioned(alone, std::move(plan), false, false), std::move(key_serde),
                 std::move(value_serde));
}

template <typename K, typename V>
KGroupedStream<K, V> KStream<K, V>::group_by_key(Grouped<K, V> grouped) const {
  grouped.key_serde = internal::either(grouped.key_serde, key_serde_);
  grouped.value_serde = internal::either(grouped.value_serde, value_serde_);
  internal::StreamHandle handle = handle_;
  handle.repartition = std::make_shared<internal::GraphNode*>(nullptr);
  return internal::Dsl::grouped<K, V>(std::move(handle), std::move(grouped));
}

template <typename K, typename V>
template <KeySelector<K, V> F>
auto KStream<K, V>::group_by(F selector, Grouped<mapped_t<F, K, V>, V> grouped) const
    -> KGroupedStream<mapped_t<F, K, V>, V> {
  return select_key(std::move(selector), {.name = grouped.name}).group_by_key(std::move(grouped));
}

namespace internal {

/// Both joins with a table: repartitions the stream if its key has changed, then looks rows up.
template <bool Left, typename VOut, typename K, typename V, typename TV, typename J>
KStream<K, VOut> join_with_table(const StreamHandle& stream, const OptionalSerde<K>& key_serde,
                                 const OptionalSerde<V>& value_serde,
                                 const KTable<payload_t<K>, TV>& table, J joiner,
                                 const Joined<K, V>& joined) {
  StreamGraph& graph = *stream.graph;
  const auto key = either(joined.key_serde, key_serde);
  StreamHandle left = stream;
  if (stream.repartition_required) {
    const std::string& prefix = joined.name.empty() ? stream.name : joined.name;
    left = graph.repartitioned(
        stream, plan_repartition<K, V>(prefix, key, either(joined.value_serde, value_serde)),
        prefix == stream.name, false);
  }
  left.sources = graph.copartition(left, Dsl::handle(table));
  auto name = graph.name_or_new(joined.name, Left ? "KSTREAM-LEFTJOIN-" : "KSTREAM-JOIN-");
  auto rows = Dsl::supplier(table).value_getter();
  auto stores = rows.stores;
  ProcessorPlan plan;
  if (joined.grace) {
    if (graph.versioned(Dsl::handle(table).node) == false) refuse_grace_without_versions();
    const std::string buffer = name + "-Buffer";
    const std::string where = "join " + name;
    graph.add_state_store(record_buffer_builder(buffer));
    stores.insert(stores.begin(), buffer);
    plan = plan_stream_table_grace_join<K, V, TV, Left>(
        std::move(rows), std::move(joiner),
        {.grace = *joined.grace,
         .store = buffer,
         .key_serde = resolve_serde<K>(key, {}, "key", where),
         .value_serde = resolve_serde<V>(joined.value_serde, value_serde, "value", where)});
  } else {
    plan = plan_stream_table_join<K, V, TV, Left>(std::move(rows), std::move(joiner));
  }
  return Dsl::stream<K, VOut>(
      Dsl::append(left, std::move(name), std::move(plan),
                  {.value_changing = !std::same_as<V, VOut>, .null_key_relaxed = Left},
                  std::move(stores)),
      key);
}

}  // namespace internal

template <typename K, typename V>
template <CopartitionedWith<payload_t<K>> TK, typename TV,
          StreamTableJoiner<payload_t<K>, payload_t<V>, TV> J>
auto KStream<K, V>::join(const KTable<TK, TV>& table, J joiner, Joined<K, V> joined) const
    -> KStream<K, joined_t<J, payload_t<K>, payload_t<V>, TV>> {
  return internal::join_with_table<false, joined_t<J, payload_t<K>, payload_t<V>, TV>, K, V>(
      handle_, key_serde_, value_serde_, table, std::move(joiner), joined);
}

template <typename K, typename V>
template <CopartitionedWith<payload_t<K>> TK, typename TV,
          StreamTableLeftJoiner<K, payload_t<V>, TV> J>
auto KStream<K, V>::left_join(const KTable<TK, TV>& table, J joiner, Joined<K, V> joined) const
    -> KStream<K, left_joined_t<J, K, payload_t<V>, TV>> {
  return internal::join_with_table<true, left_joined_t<J, K, payload_t<V>, TV>, K, V>(
      handle_, key_serde_, value_serde_, table, std::move(joiner), joined);
}

namespace internal {

/// Both joins with a global table.
template <bool Left, typename K, typename V, typename GK, typename GV, typename F, typename J>
KStream<K, row_joined_t<Left, J, K, payload_t<V>, GV>> join_with_global_table(
    const StreamHandle& stream, const OptionalSerde<K>& key_serde,
    const GlobalKTable<GK, GV>& table, F selector, J joiner, const Named& named) {
  using VOut = row_joined_t<Left, J, K, payload_t<V>, GV>;
  auto name = stream.graph->name_or_new(named.name, "KSTREAM-LEFTJOIN-");
  // Kafka Streams lets a repartition topic move in front of the join; so can we, unless the type of
  // the values changes in it.
  const OperatorTraits traits{.value_changing = !std::same_as<V, VOut>, .null_key_relaxed = Left};
  return Dsl::stream<K, VOut>(
      Dsl::append(stream, std::move(name),
                  plan_stream_global_table_join<K, V, GK, GV, Left>(
                      Dsl::supplier(table).value_getter(), std::move(selector), std::move(joiner)),
                  traits),
      key_serde);
}

}  // namespace internal

template <typename K, typename V>
template <typename GK, typename GV, RowKeySelector<K, V, GK> F,
          StreamTableJoiner<K, payload_t<V>, GV> J>
auto KStream<K, V>::join(const GlobalKTable<GK, GV>& table, F selector, J joiner, Named named) const
    -> KStream<K, joined_t<J, K, payload_t<V>, GV>> {
  return internal::join_with_global_table<false, K, V>(
      handle_, key_serde_, table, std::move(selector), std::move(joiner), named);
}

template <typename K, typename V>
template <typename GK, typename GV, RowKeySelector<K, V, GK> F,
          StreamTableLeftJoiner<K, payload_t<V>, GV> J>
auto KStream<K, V>::left_join(const GlobalKTable<GK, GV>& table, F selector, J joiner,
                              Named named) const
    -> KStream<K, left_joined_t<J, K, payload_t<V>, GV>> {
  return internal::join_with_global_table<true, K, V>(
      handle_, key_serde_, table, std::move(selector), std::move(joiner), named);
}

template <typename K, typename V>
auto KStream<K, V>::to_table(Materialized<payload_t<K>, payload_t<V>> materialized) const
    -> KTable<payload_t<K>, payload_t<V>> {
  internal::StreamGraph& graph = *handle_.graph;
  auto name = graph.name_or_new(materialized.name, "KSTREAM-TOTABLE-");
  auto store = internal::store_name(graph, materialized, "KSTREAM-TOTABLE-");
  auto key_serde = internal::either(materialized.key_serde, key_serde_);
  auto value_serde = internal::either(materialized.value_serde, value_serde_);
  internal::StreamHandle from = handle_;
  if (handle_.repartition_required) {
    from.repartition = std::make_shared<internal::GraphNode*>(nullptr);
    from = graph.repartitioned(from, internal::plan_repartition<K, V>(name, key_serde, value_serde),
                               false, false);
  }
  auto plan = internal::plan_table(graph, materialized, std::move(store), key_serde, value_serde);
  internal::GraphNode* node =
      graph.add_table_processor(from.node, name, internal::plan_table_source<K, V>(plan), plan,
                                {.versioned_output = plan->versioned});
  return internal::Dsl::table<payload_t<K>, payload_t<V>>(
      internal::Dsl::behind(from, node, std::move(name)),
      std::make_shared<internal::StoredTable<payload_t<K>, payload_t<V>>>(plan), materialized,
      std::move(key_serde), std::move(value_serde));
}

template <typename K, typename V>
template <KeySelector<K, V> F>
KStream<K, V> KStream<K, V>::deduplicate(F id, Deduplicated deduplicated) const {
  internal::StreamGraph& graph = *handle_.graph;
  auto store = deduplicated.store;
  if (store.empty()) store = graph.new_store_name("KSTREAM-DEDUPLICATE-");
  auto name = graph.name_or_new(deduplicated.name, "KSTREAM-DEDUPLICATE-");
  if (deduplicated.within <= std::chrono::milliseconds(0)) {
    throw TopologyError(name + " needs a time above 0 ms within which records are the same");
  }
  graph.add_state_store(internal::deduplication_store<payload_t<mapped_t<F, K, V>>>(
      store, deduplicated.within, graph.is_persistent({})));
  return KStream(
      internal::Dsl::append(
          handle_, std::move(name),
          internal::plan_deduplicate<K, V>(store, deduplicated.within, std::move(id)), {}, {store}),
      key_serde_, value_serde_);
}

template <typename K, typename V>
void KStream<K, V>::print(Printed<K, V> printed) const {
  auto name = handle_.graph->name_or_new(printed.name, "KSTREAM-PRINTER-");
  if (!printed.mapper) {
    if constexpr (internal::Printable<payload_t<K>> && internal::Printable<payload_t<V>>) {
      printed.mapper = [](const K& key, const V& value) {
        return internal::printed_text(key) + ", " + internal::printed_text(value);
      };
    } else {
      throw TopologyError(name + " needs a mapper: the key or the value has no operator<<");
    }
  }
  if (printed.label.empty()) printed.label = handle_.name;
  internal::Dsl::append(
      handle_, std::move(name),
      internal::plan_peek<K, V>([printed = std::move(printed)](const K& key, const V& value) {
        std::ostream& out = printed.out ? *printed.out : internal::standard_output();
        out << '[' << printed.label << "]: " << printed.mapper(key, value) << '\n';
      }));
}

template <typename K, typename V>
template <KeyValueAction<K, V> F>
void KStream<K, V>::for_each(F action, Named named) const {
  auto name = handle_.graph->name_or_new(named.name, "KSTREAM-FOREACH-");
  internal::Dsl::append(handle_, std::move(name), internal::plan_peek<K, V>(std::move(action)));
}

template <typename K, typename V>
void KStream<K, V>::to(std::string topic, Produced<K, V> produced) const {
  auto name = handle_.graph->name_or_new(produced.name, "KSTREAM-SINK-");
  const std::string where = "sink " + name + " to topic " + topic;
  handle_.graph->add_sink(
      handle_.node, name, std::move(topic),
      internal::plan_sink<K, V>(
          internal::resolve_serde<K>(produced.key_serde, key_serde_, "key", where),
          internal::resolve_serde<V>(produced.value_serde, value_serde_, "value", where),
          std::move(produced.partitioner)));
}

template <typename K, typename V>
void KStream<K, V>::to(TopicNameExtractor<K, V> extractor, Produced<K, V> produced) const {
  auto name = handle_.graph->name_or_new(produced.name, "KSTREAM-SINK-");
  const std::string where = "sink " + name;
  handle_.graph->add_sink(
      handle_.node, name, {},
      internal::plan_sink<K, V>(
          internal::resolve_serde<K>(produced.key_serde, key_serde_, "key", where),
          internal::resolve_serde<V>(produced.value_serde, value_serde_, "value", where),
          std::move(produced.partitioner), std::move(extractor)));
}

template <typename K, typename V>
template <ProcessorSupplier<K, V> S>
auto KStream<K, V>::process(S supplier, std::vector<std::string> stores, Named named) const
    -> KStream<typename supplied_t<S>::OutputKey, typename supplied_t<S>::OutputValue> {
  auto name = named.name;
  if (name.empty()) name = handle_.graph->new_name("KSTREAM-PROCESSOR-");
  internal::check_name(name);
  internal::add_stores_of(*handle_.graph, supplier, stores);
  using P = supplied_t<S>;
  auto handle = internal::Dsl::append(
      handle_, std::move(name), internal::plan_process(std::move(supplier)),
      internal::processor_traits<K, V, typename P::OutputKey, typename P::OutputValue>(),
      std::move(stores));
  handle.repartition_required = true;
  return internal::Dsl::stream<typename P::OutputKey, typename P::OutputValue>(std::move(handle));
}

template <typename K, typename V>
template <FixedKeyProcessorSupplier<K, V> S>
auto KStream<K, V>::process_values(S supplier, std::vector<std::string> stores, Named named) const
    -> KStream<K, typename supplied_t<S>::OutputValue> {
  auto name = named.name;
  if (name.empty()) name = handle_.graph->new_name("KSTREAM-PROCESSVALUES-");
  internal::check_name(name);
  internal::add_stores_of(*handle_.graph, supplier, stores);
  using VOut = typename supplied_t<S>::OutputValue;
  return internal::Dsl::stream<K, VOut>(
      internal::Dsl::append(handle_, std::move(name),
                            internal::plan_process_values(std::move(supplier)),
                            internal::processor_traits<K, V, K, VOut>(), std::move(stores)),
      key_serde_);
}

template <typename K, typename V>
template <KeyValuePredicate<K, V> P>
BranchedKStream<K, V>& BranchedKStream<K, V>::branch(P predicate, Branched<K, V> branched) {
  check_open();
  plan_->predicates.emplace_back(std::move(predicate));
  add(branched, plan_->predicates.size());
  return *this;
}

template <typename K, typename V>
std::map<std::string, KStream<K, V>> BranchedKStream<K, V>::default_branch(
    Branched<K, V> branched) {
  check_open();
  add(branched, 0);
  return no_default_branch();
}

template <typename K, typename V>
std::map<std::string, KStream<K, V>> BranchedKStream<K, V>::no_default_branch() {
  check_open();
  ended_ = true;
  return branches_;
}

template <typename K, typename V>
void BranchedKStream<K, V>::check_open() const {
  if (ended_) throw TopologyError("split " + name_ + " has ended: it takes no more branches");
}

template <typename K, typename V>
void BranchedKStream<K, V>::add(const Branched<K, V>& branched, std::size_t number) {
  std::string name = name_ + (branched.name.empty() ? std::to_string(number) : branched.name);
  if (branched.chain && branched.consumer) {
    throw TopologyError("branch " + name + " can be chained or consumed, not both");
  }
  internal::StreamGraph& graph = *source_.handle_.graph;
  graph.new_name(name);  // Takes a number, as every operator does.
  internal::GraphNode* node =
      graph.add_processor({node_}, name, internal::plan_pass_through<K, V>());
  auto handle = internal::Dsl::behind(source_.handle_, node, name);
  auto stream =
      internal::Dsl::stream<K, V>(std::move(handle), source_.key_serde_, source_.value_serde_);
  if (branched.consumer) return branched.consumer(std::move(stream));
  if (branched.chain) stream = branched.chain(std::move(stream));
  branches_.emplace(std::move(name), std::move(stream));
}

}  // namespace thalweg
