#pragma once

#include <chrono>
#include <cstdint>
#include <stdexcept>

namespace thalweg {

/// Where to start reading a topic for which the group has no committed offset.
class AutoOffsetReset {
 public:
  enum class Kind : std::uint8_t { kEarliest, kLatest, kNone, kByDuration };

  /// At the beginning.
  static constexpr AutoOffsetReset earliest() { return AutoOffsetReset(Kind::kEarliest); }
  /// Behind what is there now.
  static constexpr AutoOffsetReset latest() { return AutoOffsetReset(Kind::kLatest); }
  /// Nowhere: the application fails, and says for which partition.
  static constexpr AutoOffsetReset none() { return AutoOffsetReset(Kind::kNone); }
  /// With the first record whose timestamp is at most `duration` ago; behind what is there now if
  /// there is none (KIP-1106). Throws std::invalid_argument for a negative one.
  static constexpr AutoOffsetReset by_duration(std::chrono::milliseconds duration) {
    if (duration.count() < 0) throw std::invalid_argument("Duration cannot be negative");
    return AutoOffsetReset(Kind::kByDuration, duration);
  }

  constexpr Kind kind() const { return kind_; }
  /// Of by_duration().
  constexpr std::chrono::milliseconds duration() const { return duration_; }

  friend constexpr bool operator==(const AutoOffsetReset&, const AutoOffsetReset&) = default;

 private:
  explicit constexpr AutoOffsetReset(Kind kind, std::chrono::milliseconds duration = {})
      : kind_(kind), duration_(duration) {}

  Kind kind_;
  std::chrono::milliseconds duration_;
};

}  // namespace thalweg
