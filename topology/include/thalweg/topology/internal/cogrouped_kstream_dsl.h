#pragma once

// The members of CogroupedKStream, and KGroupedStream::cogroup().

#include <memory>
#include <utility>

#include <thalweg/topology/internal/cogroup.h>
#include <thalweg/topology/internal/dsl.h>
#include <thalweg/topology/internal/operators/pass_through.h>

namespace thalweg {

template <typename K, typename V>
template <typename A, Aggregator<payload_t<K>, payload_t<V>, A> F>
CogroupedKStream<payload_t<K>, A> KGroupedStream<K, V>::cogroup(F aggregator) const {
  auto cogroup = std::make_shared<internal::Cogroup<Key, A>>();
  cogroup->add(std::make_unique<internal::CogroupedStreamOf<K, V, A, F>>(handle_, grouped_,
                                                                         std::move(aggregator)));
  return internal::Dsl::cogrouped<Key, A>(std::move(cogroup));
}

template <typename K, typename A>
template <typename KG, typename V, Aggregator<K, payload_t<V>, A> F>
requires std::same_as<payload_t<KG>, K> CogroupedKStream<K, A> CogroupedKStream<K, A>::cogroup(
    const KGroupedStream<KG, V>& stream, F aggregator)
const {
  cogroup_->add(std::make_unique<internal::CogroupedStreamOf<KG, V, A, F>>(
      internal::Dsl::handle(stream), internal::Dsl::grouped_options(stream),
      std::move(aggregator)));
  return *this;
}

template <typename K, typename A>
template <Initializer I>
requires std::same_as<seed_t<I>, A> KTable<K, payload_t<A>> CogroupedKStream<K, A>::aggregate(
    I initializer, Materialized<K, payload_t<A>> materialized)
const {
  auto store = internal::store_name(cogroup_->graph(), materialized, "COGROUPKSTREAM-AGGREGATE-");
  auto table = internal::plan_table(cogroup_->graph(), materialized, std::move(store),
                                    materialized.key_serde, materialized.value_serde);
  auto handle = cogroup_->aggregate(
      materialized.name, table, internal::plan_pass_through<K, internal::Change<payload_t<A>>>(),
      [&](const auto& stream) { return stream.aggregate(table, initializer); });
  return internal::Dsl::table<K, payload_t<A>>(
      std::move(handle), std::make_shared<internal::StoredTable<K, payload_t<A>>>(table),
      materialized, materialized.key_serde, materialized.value_serde);
}

}  // namespace thalweg
