#pragma once

#include <optional>
#include <string>

#include <thalweg/topology/async_call.h>
#include <thalweg/topology/internal/async_outbox.h>
#include <thalweg/topology/internal/node.h>
#include <thalweg/topology/internal/payload.h>

namespace thalweg::internal {

/// What each task's node that calls the outside is made of, and how records lie in its outbox.
template <typename K, typename V>
struct MapAsyncPlan {
  AsyncOptions options;  ///< With the store's name.
  AnySerde<payload_t<K>> key_serde;
  AnySerde<payload_t<V>> value_serde;

  AsyncRow row_of(const K& key, const V& value, const RecordContext& context) const {
    AsyncRow row{.timestamp = context.timestamp};
    write_bytes(payload_of(key), key_serde, row.key);
    write_bytes(payload_of(value), value_serde, row.value);
    context.headers->encode(row.headers);
    return row;
  }
  void read(const AsyncRow& row, K& key, V& value) const {
    read_bytes<K>(row.key, key_serde, key);
    read_bytes<V>(row.value, value_serde, value);
  }

 private:
  template <typename T>
  static void write_bytes(const T* payload, const AnySerde<T>& serde,
                          std::optional<std::string>& bytes) {
    if (payload) serde.serialize(*payload, bytes.emplace());
  }
  template <typename T>
  static void read_bytes(const std::optional<std::string>& bytes,
                         const AnySerde<payload_t<T>>& serde, T& out) {
    if (!bytes) return;
    if constexpr (is_nullable<T>) {
      serde.deserialize(*bytes, out.emplace());
    } else {
      serde.deserialize(*bytes, out);
    }
  }
};

}  // namespace thalweg::internal
