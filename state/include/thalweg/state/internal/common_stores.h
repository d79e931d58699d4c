#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include <thalweg/state/internal/typed_store_builder.h>

// Stores of the commonest types are compiled once, with the library (common_stores.cc). For a
// topology of texts and numbers they would otherwise be a third of what the compiler does.

#define THALWEG_STORES_OF(DECLARED, K, V)                                                  \
  DECLARED template class internal::TypedKeyValueStore<K, V>;                              \
  DECLARED template class internal::TypedIterator<K, V>;                                   \
  DECLARED template class internal::PlainKeyValueStore<K, V>;                              \
  DECLARED template class internal::ExpiringKeyValueStore<K, V>;                           \
  DECLARED template class internal::LruKeyValueStore<K, V>;                                \
  DECLARED template class internal::TypedVersionedStore<K, V>;                             \
  DECLARED template class internal::TypedKeyValueStore<internal::StoredWindow<K>, V>;      \
  DECLARED template class internal::TypedIterator<internal::StoredWindow<K>, V>;           \
  DECLARED template class internal::SegmentedIterator<K, V>;                               \
  DECLARED template class internal::SegmentedStore<WindowStore<K, V>, K, V>;               \
  DECLARED template class internal::TypedWindowStore<K, V>;                                \
  DECLARED template class internal::SegmentedStore<SessionStore<K, V>, K, V>;              \
  DECLARED template class internal::TypedSessionStore<K, V>;                               \
  DECLARED template std::shared_ptr<StoreBuilder> key_value_store_builder<K, V>(           \
      std::string, StoreOptions, AnySerde<K>, AnySerde<V>);                                \
  DECLARED template std::shared_ptr<StoreBuilder> window_store_builder<K, V>(              \
      std::string, WindowStoreOptions, StoreOptions, AnySerde<K>, AnySerde<V>);            \
  DECLARED template std::shared_ptr<StoreBuilder> session_store_builder<K, V>(             \
      std::string, std::chrono::milliseconds, StoreOptions, AnySerde<K>, AnySerde<V>);     \
  DECLARED template std::shared_ptr<StoreBuilder> versioned_key_value_store_builder<K, V>( \
      std::string, VersionedStoreOptions, StoreOptions, AnySerde<K>, AnySerde<V>)

namespace thalweg {

THALWEG_STORES_OF(extern, std::string, std::string);
THALWEG_STORES_OF(extern, std::string, std::int64_t);

}  // namespace thalweg
