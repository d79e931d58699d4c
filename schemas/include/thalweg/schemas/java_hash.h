#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <thalweg/schemas/bytes.h>

namespace thalweg::internal {

// The order in which Java's HashSet and HashMap are walked. Kafka Streams shows it where it prints
// a topology, flushes the stores of one processor, logs what left a suppress buffer, and waits for
// its inputs, so results that are to be the same need it.

/// String.hashCode(), for ASCII: names of nodes, stores and topics are.
std::uint32_t java_hash(std::string_view text);
/// Arrays.hashCode(byte[]).
std::uint32_t java_bytes_hash(BytesView bytes);

/// The size of a hash table that has grown as needed to hold `entries`; at least `capacity`.
std::size_t java_hash_capacity(std::size_t entries, std::size_t capacity = 16);
/// Where in a table of that size an entry lies. Entries of one place are walked in the order of
/// their insertion, also when the table has grown.
inline std::size_t java_hash_place(std::uint32_t hash, std::size_t capacity) {
  return (hash ^ (hash >> 16)) & (capacity - 1);
}

/// The order of a hash table into which `names` (all different) were put in this order. `capacity`
/// is the table's size; 0 for one that has grown as needed.
std::vector<std::string> java_hash_order(const std::vector<std::string>& names,
                                         std::size_t capacity = 0);

}  // namespace thalweg::internal
