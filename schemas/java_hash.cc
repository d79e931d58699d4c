#include <algorithm>

#include <thalweg/schemas/java_hash.h>

namespace thalweg::internal {

std::uint32_t java_hash(std::string_view text) {
  std::uint32_t hash = 0;
  for (const char c : text) hash = 31 * hash + static_cast<unsigned char>(c);
  return hash;
}

std::uint32_t java_bytes_hash(BytesView bytes) {
  std::uint32_t hash = 1;
  for (const char byte : bytes) {
    hash = 31 * hash + static_cast<std::uint32_t>(static_cast<signed char>(byte));
  }
  return hash;
}

std::size_t java_hash_capacity(std::size_t entries, std::size_t capacity) {
  while (entries * 4 > capacity * 3) capacity *= 2;
  return capacity;
}

std::vector<std::string> java_hash_order(const std::vector<std::string>& names,
                                         std::size_t capacity) {
  if (capacity == 0) capacity = java_hash_capacity(names.size());
  std::vector<std::string> order = names;
  std::ranges::stable_sort(order, {}, [capacity](const std::string& name) {
    return java_hash_place(java_hash(name), capacity);
  });
  return order;
}

}  // namespace thalweg::internal
