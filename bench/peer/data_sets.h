#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include <thalweg/schemas/bytes.h>

namespace thalweg::bench {

/// Records of the inputs that bench/README.md describes. They depend on nothing but their number,
/// so that every load writes the same bytes (but for the time of creation in an order).
struct DataRecord {
  std::optional<std::string> key;
  std::string value;
  std::int64_t timestamp_ms = 0;
};

/// Record `index` of `count`, with event times from `base_ms` on, into a record that is used again.
using DataSet = std::function<void(std::int64_t index, std::int64_t count, std::int64_t base_ms,
                                   DataRecord& record)>;

/// kv, few, left, right, table, keys, shuffle, orders, persons, auctions or bids. Throws
/// std::invalid_argument for others.
DataSet data_set(const std::string& name);

}  // namespace thalweg::bench
