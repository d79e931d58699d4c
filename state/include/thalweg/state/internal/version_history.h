#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
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

/// All versions of one key: the latest value, and older ones in segments by the time at which they
/// ceased to hold.
///
/// A step-by-step match of what Kafka Streams keeps in RocksDB, since what is forgotten when, and
/// what a late write returns, depends on it: each segment holds versions one after the other, the
/// newest first, and the time up to which the newest holds. A segment may be *degenerate*: one
/// deletion that holds for no time at all, which only marks when the key went.
template <typename V>
class VersionHistory {
 public:
  struct Version {
    std::int64_t time = 0;
    std::optional<V> value;  // None: deleted.
  };
  struct Segment {
    std::int64_t id = 0;
    std::int64_t next = 0;  // Up to when the newest version holds.
    std::vector<Version> versions = {};

    std::int64_t oldest() const { return versions.back().time; }
    bool is_degenerate() const { return next == oldest(); }
    /// The newest version that is not newer than `time`, which must be oldest() or later.
    std::size_t find(std::int64_t time) const {
      std::size_t at = 0;
      while (versions[at].time > time) ++at;
      return at;
    }
    std::int64_t end_of(std::size_t at) const { return at == 0 ? next : versions[at - 1].time; }
    void become(std::optional<V> value, std::int64_t from, std::int64_t to) {
      versions.clear();
      versions.push_back({from, std::move(value)});
      next = to;
    }
    void insert_newest(std::int64_t time, std::optional<V> value) {
      versions.insert(versions.begin(), Version{time, std::move(value)});
    }
  };
  struct Found {
    const V* value = nullptr;
    std::int64_t from = 0;
    std::optional<std::int64_t> to = {};
  };
  struct Put {
    bool is_put = true;
    std::optional<std::int64_t> valid_to = {};
  };

  std::optional<Version> latest;   // Always with a value.
  std::vector<Segment> segments;   // Oldest first.

  bool empty() const { return !latest && segments.empty(); }

  Put put(std::optional<V> value, std::int64_t time, std::int64_t stream_time,
          const HistoryRules& rules) {
    const std::int64_t first = rules.first_segment(stream_time);
    std::erase_if(segments, [first](const Segment& segment) { return segment.id < first; });
    if (latest && time >= latest->time) {
      replace_latest(std::move(value), time, first, rules);
      return {};
    }
    std::optional<std::int64_t> next;  // The earliest version known after `time`.
    if (latest) next = latest->time;
    for (std::size_t i = segments.size(); i > 0; --i) {
      Segment& segment = segments[i - 1];
      if (segment.id < rules.segment_of(time) || segment.next <= time) break;
      if (segment.oldest() <= time) return put_within(i - 1, std::move(value), time, first, rules);
      if (segment.oldest() < stream_time - rules.retention) return {.is_put = false};
      next = segment.oldest();
    }
    return next ? put_before(*next, std::move(value), time, first, rules)
                : put_alone(std::move(value), time, first, rules);
  }

  Found newest() const { return latest ? Found{&*latest->value, latest->time} : Found{}; }

  Found as_of(std::int64_t time, std::int64_t stream_time, const HistoryRules& rules) const {
    if (latest && latest->time <= time) return newest();
    if (time < stream_time - rules.retention) return {};
    const std::int64_t first =
        std::max(rules.first_segment(stream_time), rules.segment_of(time));
    for (std::size_t i = segments.size(); i > 0 && segments[i - 1].id >= first; --i) {
      const Segment& segment = segments[i - 1];
      if (segment.next <= time) return {};
      if (segment.oldest() > time) continue;
      return found(segment, segment.find(time));
    }
    return {};
  }

  std::vector<Found> all(std::int64_t stream_time, const HistoryRules& rules) const {
    std::vector<Found> all;
    for (const Segment& segment : segments) {
      if (segment.id < rules.first_segment(stream_time)) continue;
      for (std::size_t at = segment.versions.size(); at > 0; --at) {
        if (const Found version = found(segment, at - 1); version.value) all.push_back(version);
      }
    }
    if (latest) all.push_back(newest());
    return all;
  }

 private:
  static Found found(const Segment& segment, std::size_t at) {
    const Version& version = segment.versions[at];
    if (!version.value) return {};
    return {&*version.value, version.time, segment.end_of(at)};
  }

  /// The segment of that number; null if there is none yet.
  Segment* segment(std::int64_t id) {
    const auto at = std::ranges::lower_bound(segments, id, {}, &Segment::id);
    return at != segments.end() && at->id == id ? &*at : nullptr;
  }
  void add_segment(std::int64_t id, std::optional<V> value, std::int64_t from, std::int64_t to) {
    const auto at = std::ranges::lower_bound(segments, id, {}, &Segment::id);
    segments.insert(at, Segment{.id = id})->become(std::move(value), from, to);
  }

  /// Puts a version into a segment as its newest: it held from `from` to `to`.
  void put_newest(std::int64_t id, std::optional<V> value, std::int64_t from, std::int64_t to) {
    Segment* into = segment(id);
    if (!into) return add_segment(id, std::move(value), from, to);
    insert_as_newest(*into, std::move(value), from, to);
  }
  static void insert_as_newest(Segment& segment, std::optional<V> value, std::int64_t from,
                               std::int64_t to) {
    if (from < segment.next) {
      std::erase_if(segment.versions, [from](const Version& each) { return each.time >= from; });
      if (segment.versions.empty()) segment.become(std::nullopt, from, from);
      segment.next = from;
    }
    const bool degenerate = segment.is_degenerate();
    if (segment.next < from) {  // For a time there was nothing.
      if (degenerate) {
        segment.become(std::nullopt, segment.next, from);
      } else {
        segment.insert_newest(segment.next, std::nullopt);
      }
      segment.insert_newest(from, std::move(value));
    } else if (degenerate) {
      segment.become(std::move(value), from, to);
    } else {
      segment.insert_newest(from, std::move(value));
    }
    segment.next = to;
  }

  void replace_latest(std::optional<V> value, std::int64_t time, std::int64_t first,
                      const HistoryRules& rules) {
    const std::int64_t id = rules.segment_of(time);
    if (time > latest->time && id >= first) {
      put_newest(id, std::move(latest->value), latest->time, time);
    }
    if (value) {
      latest = Version{time, std::move(value)};
    } else {
      latest.reset();
    }
  }

  /// `time` lies within what the segment covers.
  Put put_within(std::size_t index, std::optional<V> value, std::int64_t time, std::int64_t first,
                 const HistoryRules& rules) {
    const std::int64_t id = segments[index].id;
    const std::int64_t own = rules.segment_of(time);
    const std::size_t at = segments[index].find(time);
    const Put result{.valid_to = segments[index].end_of(at)};
    Version& known = segments[index].versions[at];
    if (known.time == time) {
      known.value = std::move(value);
    } else if (own == id) {
      segments[index].versions.insert(
          segments[index].versions.begin() + static_cast<std::ptrdiff_t>(at),
          Version{time, std::move(value)});
    } else {
      // What held before ends here, in a segment further back.
      Version before = std::exchange(known, Version{time, std::move(value)});
      if (own >= first) put_newest(own, std::move(before.value), before.time, time);
    }
    return result;
  }

  /// The next version known begins at `next`.
  Put put_before(std::int64_t next, std::optional<V> value, std::int64_t time, std::int64_t first,
                 const HistoryRules& rules) {
    const std::int64_t id = rules.segment_of(next);
    if (id < first) return {.is_put = false};
    Segment* into = segment(id);
    if (!into) {
      add_segment(id, std::move(value), time, next);
    } else if (into->next <= time) {
      insert_as_newest(*into, std::move(value), time, next);
    } else if (into->is_degenerate()) {
      into->become(std::move(value), time, into->next);
    } else {
      into->versions.push_back({time, std::move(value)});
    }
    return {.valid_to = next};
  }

  /// Nothing newer is known.
  Put put_alone(std::optional<V> value, std::int64_t time, std::int64_t first,
                const HistoryRules& rules) {
    if (value) {
      latest = Version{time, std::move(value)};
      return {};
    }
    const std::int64_t id = rules.segment_of(time);
    if (id < first) return {.is_put = false};
    Segment* into = segment(id);
    if (!into) {
      add_segment(id, std::nullopt, time, time);
    } else if (into->next != time) {
      insert_as_newest(*into, std::nullopt, into->next, time);
    }
    return {};
  }
};

}  // namespace thalweg::internal
