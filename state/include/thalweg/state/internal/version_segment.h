#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace thalweg::internal {

/// How long versions are kept, and in what pieces they are forgotten; in milliseconds.
struct HistoryRules {
  std::int64_t retention = 0;
  std::int64_t segment_interval = 1;

  std::int64_t segment_of(std::int64_t time) const { return time / segment_interval; }
  /// Everything in segments before this one is forgotten.
  std::int64_t first_segment(std::int64_t stream_time) const {
    return segment_of(stream_time - retention);
  }
};

/// From a time on a key had a value, or none.
template <typename V>
struct Version {
  std::int64_t time = 0;
  std::optional<V> value = {};
};

/// Versions of one key that follow one another, and the time up to which the newest one holds. A
/// segment may be *degenerate*: one deletion that holds for no time at all, which only marks when
/// the key went.
template <typename V>
struct VersionSegment {
  std::int64_t next = 0;
  std::vector<Version<V>> versions = {};  ///< Oldest first; at least one.

  std::int64_t oldest() const { return versions.front().time; }
  bool is_degenerate() const { return next == oldest(); }
  /// The newest version that is not newer than `time`, which must be oldest() or later.
  std::size_t find(std::int64_t time) const {
    const auto later = std::ranges::upper_bound(versions, time, {}, &Version<V>::time);
    return static_cast<std::size_t>(later - versions.begin()) - 1;
  }
  std::int64_t end_of(std::size_t at) const {
    return at + 1 == versions.size() ? next : versions[at + 1].time;
  }

  void become(std::optional<V> value, std::int64_t from, std::int64_t to) {
    versions.clear();
    versions.push_back({from, std::move(value)});
    next = to;
  }
  void insert_behind(std::size_t at, std::int64_t time, std::optional<V> value) {
    versions.insert(versions.begin() + static_cast<std::ptrdiff_t>(at) + 1,
                    Version<V>{time, std::move(value)});
  }
  void insert_oldest(std::int64_t time, std::optional<V> value) {
    versions.insert(versions.begin(), Version<V>{time, std::move(value)});
  }
  /// Adds what held from `from` to `to`; what was known of that time and later gives way.
  void insert_newest(std::optional<V> value, std::int64_t from, std::int64_t to) {
    if (versions.empty()) return become(std::move(value), from, to);
    if (from < next) {
      while (!versions.empty() && versions.back().time >= from) versions.pop_back();
      if (versions.empty()) become(std::nullopt, from, from);
      next = from;
    }
    const bool degenerate = is_degenerate();
    if (next < from) {  // For a time there was nothing.
      if (degenerate) {
        become(std::nullopt, next, from);
      } else {
        versions.push_back({next, std::nullopt});
      }
      versions.push_back({from, std::move(value)});
    } else if (degenerate) {
      become(std::move(value), from, to);
    } else {
      versions.push_back({from, std::move(value)});
    }
    next = to;
  }
};

}  // namespace thalweg::internal
