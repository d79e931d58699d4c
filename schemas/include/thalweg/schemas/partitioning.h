#pragma once

#include <cstddef>
#include <cstdint>

#include <thalweg/schemas/bytes.h>

namespace thalweg {

/// Murmur2 with Kafka's seed: the hash Java clients choose partitions by.
std::int32_t murmur2(BytesView bytes);

/// The partition Java's default partitioner gives a key among `partitions` (>= 1).
inline std::int32_t partition_of(BytesView key, std::int32_t partitions) {
  return (murmur2(key) & 0x7fffffff) % partitions;
}

/// Where a table has the row of a key whose last `window_bytes` name its window (0: no windowed
/// key): with all windows of the key within, as what a windowed aggregation counts stays where it
/// is.
inline std::int32_t partition_of_row(BytesView key, std::size_t window_bytes,
                                     std::int32_t partitions) {
  if (key.size() >= window_bytes) key.remove_suffix(window_bytes);
  return partition_of(key, partitions);
}

}  // namespace thalweg
