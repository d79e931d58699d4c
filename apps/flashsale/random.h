#pragma once

#include <cstdint>

namespace thalweg::flashsale {

/// A well mixed 64-bit number that depends on nothing but its argument (the splitmix64 finaliser).
/// The n-th draw of a run is mix(seed + n * kStride), so any order can be drawn again at any time.
inline constexpr std::uint64_t kStride = 0x9e3779b97f4a7c15ULL;

constexpr std::uint64_t mix(std::uint64_t value) {
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9ULL;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebULL;
  return value ^ (value >> 31);
}

/// A short sequence of draws, for the parts of one order.
class Draws {
 public:
  Draws(std::uint64_t seed, std::uint64_t index) : state_(mix(seed ^ mix(index * kStride + 1))) {}

  std::uint64_t next() {
    state_ += kStride;
    return mix(state_);
  }

  /// Uniform in [0, bound).
  std::uint32_t below(std::uint32_t bound) {
    return static_cast<std::uint32_t>(((next() >> 32) * bound) >> 32);
  }

 private:
  std::uint64_t state_;
};

}  // namespace thalweg::flashsale
