#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace thalweg::internal {

// The order in which Java's HashSet and HashMap walk strings. Kafka Streams shows it where it
// prints a topology and where it flushes the stores of one processor, so results that are to be the
// same need it.

/// String.hashCode(), for ASCII: names of nodes and stores are.
std::uint32_t java_hash(std::string_view text);

/// The order of a hash table into which `names` (all different) were put in this order. `capacity`
/// is the table's size; 0 for one that has grown as needed.
std::vector<std::string> java_hash_order(const std::vector<std::string>& names,
                                         std::size_t capacity = 0);

}  // namespace thalweg::internal
