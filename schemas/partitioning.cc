#include <cstddef>

#include <thalweg/schemas/partitioning.h>

namespace thalweg {
namespace {

constexpr std::uint32_t kSeed = 0x9747b28c;
constexpr std::uint32_t kMultiplier = 0x5bd1e995;

/// Four bytes, least significant first, whatever the machine.
std::uint32_t little_endian(const unsigned char* bytes) {
  return static_cast<std::uint32_t>(bytes[0]) | static_cast<std::uint32_t>(bytes[1]) << 8 |
         static_cast<std::uint32_t>(bytes[2]) << 16 | static_cast<std::uint32_t>(bytes[3]) << 24;
}

}  // namespace

std::int32_t murmur2(BytesView bytes) {
  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  std::size_t left = bytes.size();
  std::uint32_t hash = kSeed ^ static_cast<std::uint32_t>(left);
  for (; left >= 4; data += 4, left -= 4) {
    std::uint32_t word = little_endian(data) * kMultiplier;
    word = (word ^ (word >> 24)) * kMultiplier;
    hash = (hash * kMultiplier) ^ word;
  }
  if (left > 0) {
    for (std::size_t i = 0; i < left; ++i) hash ^= static_cast<std::uint32_t>(data[i]) << (8 * i);
    hash *= kMultiplier;
  }
  hash = (hash ^ (hash >> 13)) * kMultiplier;
  return static_cast<std::int32_t>(hash ^ (hash >> 15));
}

}  // namespace thalweg
