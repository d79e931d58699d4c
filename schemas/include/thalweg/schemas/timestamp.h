#pragma once

#include <chrono>
#include <cstdint>

namespace thalweg {

/// A record's time, in milliseconds since the Unix epoch, UTC. Negative means "unknown", as in
/// Kafka.
using Timestamp = std::chrono::sys_time<std::chrono::milliseconds>;

/// The timestamp of records that carry none, and stream time before the first record: -1.
inline constexpr Timestamp kNoTimestamp{std::chrono::milliseconds{-1}};

constexpr Timestamp from_millis(std::int64_t milliseconds) {
  return Timestamp{std::chrono::milliseconds{milliseconds}};
}

constexpr std::int64_t to_millis(Timestamp timestamp) {
  return timestamp.time_since_epoch().count();
}

}  // namespace thalweg
