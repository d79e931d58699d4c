#pragma once

// The members of TimeWindowedCogroupedKStream and SessionWindowedCogroupedKStream.

#include <memory>
#include <utility>

#include <thalweg/topology/internal/cogroup.h>
#include <thalweg/topology/internal/dsl.h>
#include <thalweg/topology/internal/operators/pass_through.h>
#include <thalweg/topology/internal/windowed_kstream_dsl.h>
#include <thalweg/topology/internal/windowed_table.h>

namespace thalweg {

namespace internal {

// In windowed_kstream_dsl.h, which may be the one that includes this.
template <typename K, typename V, typename A, typename W>
struct WindowedKind;

/// `windows` again in `kinds`, which is what the aggregations of the streams are told.
template <typename K, typename A, typename W>
KTable<Windowed<K>, payload_t<A>> aggregate_windowed_cogroup(
    Cogroup<K, A>& cogroup, const W& windows, const CogroupWindows<K, A>& kinds,
    const typename CogroupedStream<K, A>::MakeSeed& initializer,
    const Materialized<K, payload_t<A>>& materialized) {
  using Value = payload_t<A>;
  using Kind = WindowedKind<K, Value, Value, W>;
  const auto store = store_name(cogroup.graph(), materialized, "COGROUPKSTREAM-AGGREGATE-");
  const std::string where = "store " + store;
  const auto key_serde = resolve_serde<K>(materialized.key_serde, {}, "key", where);
  const auto value_serde = resolve_serde<Value>(materialized.value_serde, {}, "value", where);
  auto plan = plan_windowed_table<Kind, K, Value>(cogroup.graph(), store, windows, Emission{},
                                                  materialized, key_serde, value_serde);
  auto handle = cogroup.aggregate(
      materialized.name, plan, plan_pass_through<Windowed<K>, Change<Value>>(),
      [&](const auto& stream) { return stream.aggregate(plan, initializer, kinds); });
  cogroup.graph().set_window_grace(handle.node, Kind::grace(windows));
  return Dsl::table<Windowed<K>, Value>(
      std::move(handle), std::make_shared<WindowedTable<K, Value, typename Kind::Store>>(plan),
      Materialized<Windowed<K>, Value>{.store = materialized.store,
                                      .store_supplier = materialized.store_supplier},
      Kind::key_serde(key_serde, windows), value_serde);
}

}  // namespace internal

template <typename K, typename A, typename W>
template <Initializer I>
requires std::same_as<seed_t<I>, A> KTable<Windowed<K>, payload_t<A>>
TimeWindowedCogroupedKStream<K, A, W>::aggregate(I initializer,
                                                 Materialized<K, payload_t<A>> materialized)
const {
  return internal::aggregate_windowed_cogroup<K, A>(*cogroup_, windows_, windows_,
                                                    std::move(initializer), materialized);
}

template <typename K, typename A>
template <Initializer I, SessionMerger<K, A> M>
requires std::same_as<seed_t<I>, A> KTable<Windowed<K>, payload_t<A>>
SessionWindowedCogroupedKStream<K, A>::aggregate(I initializer, M merger,
                                                 Materialized<K, payload_t<A>> materialized)
const {
  return internal::aggregate_windowed_cogroup<K, A>(
      *cogroup_, windows_, internal::CogroupSessions<K, A>{windows_, std::move(merger)},
      std::move(initializer), materialized);
}

template <typename K, typename A>
TimeWindowedCogroupedKStream<K, A, TimeWindows> CogroupedKStream<K, A>::windowed_by(
    TimeWindows windows) const {
  return internal::Dsl::windowed(cogroup_, std::move(windows));
}
template <typename K, typename A>
TimeWindowedCogroupedKStream<K, A, UnlimitedWindows> CogroupedKStream<K, A>::windowed_by(
    UnlimitedWindows windows) const {
  return internal::Dsl::windowed(cogroup_, std::move(windows));
}
template <typename K, typename A>
TimeWindowedCogroupedKStream<K, A, SlidingWindows> CogroupedKStream<K, A>::windowed_by(
    SlidingWindows windows) const {
  return internal::Dsl::windowed(cogroup_, std::move(windows));
}
template <typename K, typename A>
SessionWindowedCogroupedKStream<K, A> CogroupedKStream<K, A>::windowed_by(
    SessionWindows windows) const {
  return internal::Dsl::windowed(cogroup_, std::move(windows));
}

}  // namespace thalweg
