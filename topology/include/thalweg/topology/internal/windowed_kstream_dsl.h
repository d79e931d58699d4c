#pragma once

// The members of TimeWindowedKStream and SessionWindowedKStream.

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include <thalweg/topology/internal/dsl.h>
#include <thalweg/topology/internal/kgrouped_stream_dsl.h>
#include <thalweg/topology/internal/operators/late_records.h>
#include <thalweg/topology/internal/operators/session_window_aggregate.h>
#include <thalweg/topology/internal/operators/sink.h>
#include <thalweg/topology/internal/operators/sliding_window_aggregate.h>
#include <thalweg/topology/internal/operators/window_aggregate.h>
#include <thalweg/topology/internal/windowed_table.h>
#include <thalweg/topology/windowed_serdes.h>

namespace thalweg {

namespace internal {

/// How long a windowed store keeps its entries: as told, but not less than its windows need.
std::chrono::milliseconds check_retention(std::optional<std::chrono::milliseconds> wanted,
                                          std::chrono::milliseconds needed,
                                          const std::string& store);

/// Throws std::invalid_argument unless it is above 0.
std::chrono::milliseconds check_idle(std::chrono::milliseconds idle);
/// What describe() says of it; empty for what Kafka Streams does, too.
std::string note_of(const Emission& emission);

/// What one kind of windows means for an aggregation's store and keys.
template <typename K, typename V, typename A, typename W>
struct WindowedKind {
  using Key = payload_t<K>;
  static constexpr bool kIsSession = std::is_same_v<W, SessionWindows>;
  using Store = std::conditional_t<kIsSession, SessionStore<Key, A>, WindowStore<Key, A>>;

  static AnySerde<Windowed<Key>> key_serde(const AnySerde<Key>& key_serde, const W& windows) {
    if constexpr (kIsSession) {
      return AnySerde<Windowed<Key>>(SessionWindowedSerde<Key>(key_serde));
    } else if constexpr (requires { windows.end_of(Timestamp()); }) {
      return AnySerde<Windowed<Key>>(AlignedWindowedSerde<Key, W>(key_serde, windows));
    } else {
      return AnySerde<Windowed<Key>>(TimeWindowedSerde<Key>(key_serde, windows.size()));
    }
  }
  /// How late a result may still change after its window's end.
  static std::chrono::milliseconds grace(const W& windows) {
    if constexpr (kIsSession) return windows.grace() + windows.inactivity_gap();
    if constexpr (!kIsSession) return windows.grace();
  }

  static std::shared_ptr<StoreBuilder> store(const std::string& name, const W& windows,
                                             std::chrono::milliseconds retention, EmitStrategy emit,
                                             bool is_supplied, StoreOptions options,
                                             AnySerde<Key> key_serde, AnySerde<A> value_serde) {
    const bool on_close = emit == EmitStrategy::kOnWindowClose;
    // What is emitted on close is cached only for windows at fixed times.
    if (kIsSession || std::is_same_v<W, SlidingWindows>) {
      options.caching = options.caching && !on_close;
    }
    if constexpr (kIsSession) {
      return session_store_builder<Key, A>(name, retention, std::move(options),
                                           std::move(key_serde), std::move(value_serde));
    } else {
      return window_store_builder<Key, A>(name,
                                          {.retention = retention,
                                           .window_size = windows.size(),
                                           .time_ordered = on_close && options.persistent &&
                                                           !is_supplied},
                                          std::move(options), std::move(key_serde),
                                          std::move(value_serde));
    }
  }
};

/// The table of a windowed aggregation and the store it will have.
template <typename Kind, typename K, typename A, typename W>
std::shared_ptr<WindowedTablePlan> plan_windowed_table(const StreamGraph& graph,
                                                       const std::string& store, const W& windows,
                                                       const Emission& emission,
                                                       const Materialized<K, A>& materialized,
                                                       const AnySerde<K>& key_serde,
                                                       const AnySerde<A>& value_serde) {
  // A supplier's session store keeps what it likes, as in Kafka Streams.
  const bool keeps_any = Kind::kIsSession && materialized.store_supplier && materialized.retention;
  const auto retention = keeps_any
                             ? *materialized.retention
                             : check_retention(materialized.retention, windows.retention(), store);
  auto plan = std::make_shared<WindowedTablePlan>();
  plan->store = store;
  plan->materialized = true;
  plan->emission = emission;
  // As in Kafka Streams, whose stores of sessions on disk can do it only if it makes them itself.
  plan->lists_closed = !Kind::kIsSession || !materialized.store_supplier ||
                       !graph.is_persistent(materialized.persistent);
  plan->make_store =
      [=, options = StoreOptions{.persistent = graph.is_persistent(materialized.persistent),
                                 .logging = materialized.logging,
                                 .caching = materialized.caching,
                                 .changelog_config = materialized.changelog_config,
                                 .timestamps = materialized.timestamps},
       is_supplied = materialized.store_supplier](bool) {
        return Kind::store(store, windows, retention, emission.strategy, is_supplied, options,
                           key_serde, value_serde);
      };
  return plan;
}

/// Puts a node behind `from` that sends late records to a topic.
template <typename K, typename V, typename W>
StreamHandle divert_late_records(const StreamHandle& from, const Grouped<K, V>& grouped,
                                 const W& windows, const LateRecords<K, V>& late) {
  StreamGraph& graph = *from.graph;
  const auto late_node =
      Dsl::append(from, graph.new_name("KSTREAM-LATE-"), plan_late_records<K, V>(windows));
  auto sink = graph.name_or_new(late.produced.name, "KSTREAM-SINK-");
  const std::string where = "sink " + sink;
  const auto key_serde = resolve_serde<K>(late.produced.key_serde, grouped.key_serde, "key", where);
  const auto value_serde =
      resolve_serde<V>(late.produced.value_serde, grouped.value_serde, "value", where);
  graph.add_sink(late_node.node, sink, late.topic,
                 plan_sink<K, V>(key_serde, value_serde, late.produced.partitioner));
  return late_node;
}

/// What the windowed aggregations share: the names, the repartition topic, the store.
template <typename A, typename K, typename V, typename W, typename MakePlan>
KTable<Windowed<payload_t<K>>, A> aggregate_into_windows(
    const StreamHandle& stream, const Grouped<K, V>& grouped, const W& windows,
    const Emission& emission, const LateRecords<K, V>& late,
    const Materialized<payload_t<K>, A>& materialized, const OptionalSerde<A>& inherited_value,
    std::string_view prefix, MakePlan make_plan) {
  using Kind = WindowedKind<K, V, A, W>;
  using Key = payload_t<K>;
  StreamGraph& graph = *stream.graph;
  const std::string store = store_name(graph, materialized, prefix);
  auto name = graph.name_or_new(materialized.name, prefix);
  StreamHandle from = stream;
  if (stream.repartition_required) {
    const bool is_named = !grouped.name.empty();
    from = graph.repartitioned(stream,
                               plan_repartition<K, V>(is_named ? grouped.name : store,
                                                      grouped.key_serde, grouped.value_serde),
                               is_named, true);
  }
  const std::string where = "store " + store;
  const auto key_serde =
      resolve_serde<Key>(materialized.key_serde, grouped.key_serde, "key", where);
  const auto value_serde =
      resolve_serde<A>(materialized.value_serde, inherited_value, "value", where);
  auto plan = plan_windowed_table<Kind, Key, A>(graph, store, windows, emission, materialized,
                                                key_serde, value_serde);
  if constexpr (!Kind::kIsSession) {
    if (!late.topic.empty()) from = divert_late_records(from, grouped, windows, late);
  }
  ProcessorPlan processor = make_plan(plan);
  processor.note = note_of(emission);
  GraphNode* node = graph.add_table_processor(from.node, name, std::move(processor), plan,
                                              {.versioned_output = false});
  graph.set_window_grace(node, Kind::grace(windows));
  return Dsl::table<Windowed<Key>, A>(
      Dsl::behind(from, node, std::move(name)),
      std::make_shared<WindowedTable<Key, A, typename Kind::Store>>(plan),
      Materialized<Windowed<Key>, A>{.store = materialized.store,
                                     .store_supplier = materialized.store_supplier},
      Kind::key_serde(key_serde, windows), value_serde);
}

/// The aggregator of count().
struct Counting {
  static constexpr bool kCombinesExactly = true;
  static auto initializer() {
    return [] { return std::int64_t{0}; };
  }
  template <typename K, typename V>
  std::int64_t operator()(const K&, const V&, std::int64_t so_far) const {
    return so_far + 1;
  }
  static auto merger() {
    return [](const auto&, std::int64_t so_far, std::int64_t next) { return so_far + next; };
  }
};
/// A reducer as an aggregator: the first value is taken as it is.
template <typename Key, typename V, typename F>
auto reducing(F reducer) {
  using Seed = std::optional<payload_t<V>>;
  return [reducer = std::move(reducer)](const Key&, const V& value, Seed so_far) mutable -> Seed {
    if (!so_far) return value;
    return std::invoke(reducer, std::move(*so_far), value);
  };
}

}  // namespace internal

template <typename K, typename V, typename W>
TimeWindowedKStream<K, V, W> TimeWindowedKStream<K, V, W>::emit_strategy(
    EmitStrategy strategy) const {
  if (std::is_same_v<W, UnlimitedWindows> && strategy == EmitStrategy::kOnWindowClose) {
    throw std::invalid_argument(
        "ON_WINDOW_CLOSE emit strategy cannot be used for UnlimitedWindows");
  }
  auto stream = *this;
  stream.emission_.strategy = strategy;
  return stream;
}

template <typename K, typename V, typename W>
TimeWindowedKStream<K, V, W> TimeWindowedKStream<K, V, W>::close_when_idle(
    std::chrono::milliseconds idle) const {
  auto stream = *this;
  stream.emission_.close_when_idle = internal::check_idle(idle);
  return stream;
}

template <typename K, typename V, typename W>
TimeWindowedKStream<K, V, W> TimeWindowedKStream<K, V, W>::late_records_to(
    std::string topic, Produced<K, V> produced) const {
  auto stream = *this;
  stream.late_ = {std::move(topic), std::move(produced)};
  return stream;
}

template <typename K, typename V, typename W>
auto TimeWindowedKStream<K, V, W>::count(Materialized<Key, std::int64_t> materialized) const
    -> KTable<Windowed<Key>, std::int64_t> {
  constexpr std::string_view kPrefix = "KSTREAM-AGGREGATE-";
  if (!std::is_same_v<W, SlidingWindows> && internal::is_anonymous(materialized)) {
    handle_.graph->new_store_name(kPrefix);
  }
  return internal::aggregate_into_windows<std::int64_t>(
      handle_, grouped_, windows_, emission_, late_, materialized, {}, kPrefix,
      [this](const auto& table) {
        return internal::plan_window_aggregate<K, V, std::int64_t>(
            table, windows_, internal::Counting::initializer(), internal::Counting{});
      });
}

template <typename K, typename V, typename W>
template <WindowReducer<V> F>
auto TimeWindowedKStream<K, V, W>::reduce(F reducer, Materialized<Key, Value> materialized) const
    -> KTable<Windowed<Key>, Value> {
  return internal::aggregate_into_windows<Value>(
      handle_, grouped_, windows_, emission_, late_, materialized, grouped_.value_serde,
      "KSTREAM-REDUCE-", [this, &reducer](const auto& table) {
        return internal::plan_window_aggregate<K, V, Value>(
            table, windows_, [] { return std::optional<Value>(); },
            internal::reducing<Key, V>(std::move(reducer)));
      });
}

template <typename K, typename V, typename W>
template <Initializer I, WindowAggregator<payload_t<K>, V, seed_t<I>> F>
auto TimeWindowedKStream<K, V, W>::aggregate(
    I initializer, F aggregator, Materialized<payload_t<K>, aggregate_t<I>> materialized) const
    -> KTable<Windowed<payload_t<K>>, aggregate_t<I>> {
  return internal::aggregate_into_windows<aggregate_t<I>>(
      handle_, grouped_, windows_, emission_, late_, materialized, {}, "KSTREAM-AGGREGATE-",
      [&](const auto& table) {
        return internal::plan_window_aggregate<K, V, aggregate_t<I>>(
            table, windows_, std::move(initializer), std::move(aggregator));
      });
}

template <typename K, typename V>
SessionWindowedKStream<K, V> SessionWindowedKStream<K, V>::emit_strategy(
    EmitStrategy strategy) const {
  auto stream = *this;
  stream.emission_.strategy = strategy;
  return stream;
}

template <typename K, typename V>
SessionWindowedKStream<K, V> SessionWindowedKStream<K, V>::close_when_idle(
    std::chrono::milliseconds idle) const {
  auto stream = *this;
  stream.emission_.close_when_idle = internal::check_idle(idle);
  return stream;
}

template <typename K, typename V>
auto SessionWindowedKStream<K, V>::count(Materialized<Key, std::int64_t> materialized) const
    -> KTable<Windowed<Key>, std::int64_t> {
  constexpr std::string_view kPrefix = "KSTREAM-AGGREGATE-";
  if (internal::is_anonymous(materialized)) handle_.graph->new_store_name(kPrefix);
  return internal::aggregate_into_windows<std::int64_t>(
      handle_, grouped_, windows_, emission_, {}, materialized, {}, kPrefix,
      [this](const auto& table) {
        return internal::plan_session_aggregate<K, V, std::int64_t>(
            table, windows_, internal::Counting::initializer(), internal::Counting{},
            internal::Counting::merger());
      });
}

template <typename K, typename V>
template <WindowReducer<V> F>
auto SessionWindowedKStream<K, V>::reduce(F reducer, Materialized<Key, Value> materialized) const
    -> KTable<Windowed<Key>, Value> {
  return internal::aggregate_into_windows<Value>(
      handle_, grouped_, windows_, emission_, {}, materialized, grouped_.value_serde,
      "KSTREAM-REDUCE-", [this, &reducer](const auto& table) {
        auto fold = internal::reducing<Key, V>(std::move(reducer));
        return internal::plan_session_aggregate<K, V, Value>(
            table, windows_, [] { return std::optional<Value>(); }, fold,
            [fold](const Key& key, std::optional<Value> so_far, const Value& next) mutable {
              return fold(key, next, std::move(so_far));
            });
      });
}

template <typename K, typename V>
template <Initializer I, WindowAggregator<payload_t<K>, V, seed_t<I>> F,
          SessionMerger<payload_t<K>, seed_t<I>> M>
auto SessionWindowedKStream<K, V>::aggregate(
    I initializer, F aggregator, M merger,
    Materialized<payload_t<K>, aggregate_t<I>> materialized) const
    -> KTable<Windowed<payload_t<K>>, aggregate_t<I>> {
  return internal::aggregate_into_windows<aggregate_t<I>>(
      handle_, grouped_, windows_, emission_, {}, materialized, {}, "KSTREAM-AGGREGATE-",
      [&](const auto& table) {
        return internal::plan_session_aggregate<K, V, aggregate_t<I>>(
            table, windows_, std::move(initializer), std::move(aggregator), std::move(merger));
      });
}

template <typename K, typename V>
TimeWindowedKStream<K, V, TimeWindows> KGroupedStream<K, V>::windowed_by(
    TimeWindows windows) const {
  return internal::Dsl::windowed(handle_, grouped_, std::move(windows));
}
template <typename K, typename V>
TimeWindowedKStream<K, V, UnlimitedWindows> KGroupedStream<K, V>::windowed_by(
    UnlimitedWindows windows) const {
  return internal::Dsl::windowed(handle_, grouped_, std::move(windows));
}
template <typename K, typename V>
TimeWindowedKStream<K, V, SlidingWindows> KGroupedStream<K, V>::windowed_by(
    SlidingWindows windows) const {
  return internal::Dsl::windowed(handle_, grouped_, std::move(windows));
}
template <typename K, typename V>
TimeWindowedKStream<K, V, CalendarWindows> KGroupedStream<K, V>::windowed_by(
    CalendarWindows windows) const {
  return internal::Dsl::windowed(handle_, grouped_, std::move(windows));
}
template <typename K, typename V>
SessionWindowedKStream<K, V> KGroupedStream<K, V>::windowed_by(SessionWindows windows) const {
  return internal::Dsl::windowed(handle_, grouped_, std::move(windows));
}

}  // namespace thalweg
