#pragma once

#include <cstdint>

#include <thalweg/schemas/bytes.h>

namespace thalweg {

/// Murmur2 with Kafka's seed: the hash Java clients choose partitions by.
std::int32_t murmur2(BytesView bytes);

/// The partition Java's default partitioner gives a key among `partitions` (>= 1).
inline std::int32_t partition_of(BytesView key, std::int32_t partitions) {
  return (murmur2(key) & 0x7fffffff) % partitions;
}

}  // namespace thalweg
