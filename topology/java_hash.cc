#include "java_hash.h"

#include <algorithm>

namespace thalweg::internal {

std::uint32_t java_hash(std::string_view text) {
  std::uint32_t hash = 0;
  for (const char c : text) hash = 31 * hash + static_cast<unsigned char>(c);
  return hash;
}

std::vector<std::string> java_hash_order(const std::vector<std::string>& names,
                                         std::size_t capacity) {
  if (capacity == 0) {
    capacity = 16;
    while (names.size() * 4 > capacity * 3) capacity *= 2;
  }
  const auto bucket = [capacity](const std::string& name) {
    const std::uint32_t hash = java_hash(name);
    return (hash ^ (hash >> 16)) & (capacity - 1);
  };
  // Within a bucket the order of insertion stays, also when the table grows.
  std::vector<std::string> order = names;
  std::ranges::stable_sort(order, {}, bucket);
  return order;
}

}  // namespace thalweg::internal
