#pragma once

#include <cstddef>
#include <functional>
#include <limits>
#include <utility>

#include <thalweg/schemas/timestamp.h>

namespace thalweg {

/// A span of time. Of a time window, `end` is the first moment behind it; of a session window it is
/// the time of its last record, which belongs to it.
struct Window {
  Timestamp start = kNoTimestamp;
  Timestamp end = kNoTimestamp;

  friend bool operator==(const Window&, const Window&) = default;
};

/// The latest time there is: where a window ends that has no end.
inline constexpr Timestamp kEndOfTime = from_millis(std::numeric_limits<std::int64_t>::max());

/// The time `span` after `time`, or kEndOfTime if that is beyond it.
constexpr Timestamp after(Timestamp time, std::chrono::milliseconds span) {
  return time > kEndOfTime - span ? kEndOfTime : time + span;
}

/// A key in one of its windows: what windowed aggregations have results for.
template <typename K>
struct Windowed {
  K key{};
  Window window{};

  friend bool operator==(const Windowed&, const Windowed&) = default;
};

}  // namespace thalweg

template <typename K>
struct std::hash<thalweg::Windowed<K>> {
  std::size_t operator()(const thalweg::Windowed<K>& windowed) const noexcept {
    auto mix = [hash = std::hash<K>{}(windowed.key)](thalweg::Timestamp time) mutable {
      hash = (hash ^ static_cast<std::size_t>(thalweg::to_millis(time))) * 0x9e3779b97f4a7c15ULL;
      return hash ^= hash >> 32;
    };
    mix(windowed.window.start);
    return mix(windowed.window.end);
  }
};
