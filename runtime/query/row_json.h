#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "query/query_context.h"

namespace thalweg::internal {

/// Appends a row as all answers show it: `{key, value, timestamp, partition}`, by the schemas of
/// the store. Without a value, which is then null: the row was deleted.
void append_row(const StoreRef& store, std::int32_t partition, BytesView key,
                std::optional<BytesView> value, Timestamp timestamp, std::string& out);

inline void append_row(const StoreRef& store, std::int32_t partition, const StoredEntry& entry,
                       std::string& out) {
  append_row(store, partition, entry.key, BytesView(entry.value), entry.timestamp, out);
}

}  // namespace thalweg::internal
