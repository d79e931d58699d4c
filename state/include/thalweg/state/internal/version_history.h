#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include <thalweg/state/internal/version_rows.h>

namespace thalweg::internal {

/// All versions of one key, in the rows of a table: the latest value, and older ones in segments by
/// the time at which they ceased to hold. Lives during one call; whatever the number of versions, a
/// write changes two rows at most.
///
/// A step-by-step match of what Kafka Streams keeps in RocksDB, since what is forgotten when, and
/// what a late write returns, depends on it.
template <typename K, typename V>
class VersionHistory {
 public:
  using Segment = VersionSegment<V>;
  struct Found {
    const V* value = nullptr;  // Until the next call on the rows.
    std::int64_t from = 0;
    std::optional<std::int64_t> to = {};
  };
  struct Put {
    bool is_put = true;
    std::optional<std::int64_t> valid_to = {};
  };

  VersionHistory(VersionRows<K, V>& rows, const K& key, std::int64_t stream_time)
      : rows_(rows),
        rules_(rows.rules()),
        key_(key),
        horizon_(stream_time - rules_.retention),
        first_(rules_.first_segment(stream_time)) {}

  Put put(std::optional<V> value, std::int64_t time) {
    std::optional<std::int64_t> next;  // The earliest version known after `time`.
    if (const Version<V>* latest = rows_.latest(key_)) {
      if (time >= latest->time) {
        replace_latest(std::move(value), latest->time, time);
        return {};
      }
      next = latest->time;
    }
    const std::int64_t oldest = std::max(first_, rules_.segment_of(time));
    for (auto id = rows_.newest_segment(); id && *id >= oldest; id = rows_.segment_before(*id)) {
      const Segment* segment = rows_.segment(key_, *id);
      if (!segment) continue;
      if (segment->next <= time) break;
      if (segment->oldest() <= time) return put_within(*id, *segment, std::move(value), time);
      if (segment->oldest() < horizon_) return {.is_put = false};
      next = segment->oldest();
    }
    return next ? put_before(*next, std::move(value), time) : put_alone(std::move(value), time);
  }

  Found newest() const {
    const Version<V>* latest = rows_.latest(key_);
    return latest ? Found{&*latest->value, latest->time} : Found{};
  }

  Found as_of(std::int64_t time) const {
    if (const Found latest = newest(); latest.value && latest.from <= time) return latest;
    if (time < horizon_) return {};
    const std::int64_t oldest = std::max(first_, rules_.segment_of(time));
    for (auto id = rows_.newest_segment(); id && *id >= oldest; id = rows_.segment_before(*id)) {
      const Segment* segment = rows_.segment(key_, *id);
      if (!segment) continue;
      if (segment->next <= time) return {};
      if (segment->oldest() > time) continue;
      return found(*segment, segment->find(time));
    }
    return {};
  }

  /// Calls `visit` with every version that has a value, newest first.
  template <typename Visit>
  void for_each(Visit visit) const {
    if (const Found latest = newest(); latest.value) visit(latest);
    for (auto id = rows_.newest_segment(); id && *id >= first_; id = rows_.segment_before(*id)) {
      const Segment* segment = rows_.segment(key_, *id);
      if (!segment) continue;
      for (std::size_t at = segment->versions.size(); at > 0; --at) {
        if (const Found version = found(*segment, at - 1); version.value) visit(version);
      }
    }
  }

 private:
  static Found found(const Segment& segment, std::size_t at) {
    const Version<V>& version = segment.versions[at];
    if (!version.value) return {};
    return {&*version.value, version.time, segment.end_of(at)};
  }

  /// The latest version, of `known`, ceases to hold at `time`.
  void replace_latest(std::optional<V> value, std::int64_t known, std::int64_t time) {
    std::optional<V> before =
        value ? rows_.exchange_latest(key_, time, std::move(*value))
              : rows_.take_latest(key_, time);
    const std::int64_t id = rules_.segment_of(time);
    if (time > known && id >= first_) put_newest(id, std::move(before), known, time);
  }

  /// Puts a version into a segment as its newest: it held from `from` to `to`.
  void put_newest(std::int64_t id, std::optional<V> value, std::int64_t from, std::int64_t to) {
    rows_.modify(key_, id, to, [&](Segment& segment) {
      segment.insert_newest(std::move(value), from, to);
    });
  }

  /// `time` lies within what the segment covers.
  Put put_within(std::int64_t id, const Segment& segment, std::optional<V> value,
                 std::int64_t time) {
    const std::int64_t own = rules_.segment_of(time);
    const std::size_t at = segment.find(time);
    const std::int64_t known = segment.versions[at].time;
    const Put result{.valid_to = segment.end_of(at)};
    std::optional<V> before;
    rows_.modify(key_, id, time, [&](Segment& row) {
      if (known != time && own == id) return row.insert_behind(at, time, std::move(value));
      before = std::exchange(row.versions[at], {time, std::move(value)}).value;
    });
    // What held before ends here, in a segment further back.
    const bool moves = known != time && own != id;
    if (moves && own >= first_) put_newest(own, std::move(before), known, time);
    return result;
  }

  /// The next version known begins at `next`.
  Put put_before(std::int64_t next, std::optional<V> value, std::int64_t time) {
    const std::int64_t id = rules_.segment_of(next);
    if (id < first_) return {.is_put = false};
    rows_.modify(key_, id, time, [&](Segment& segment) {
      if (segment.versions.empty() || segment.next <= time) {
        segment.insert_newest(std::move(value), time, next);
      } else if (segment.is_degenerate()) {
        segment.become(std::move(value), time, segment.next);
      } else {
        segment.insert_oldest(time, std::move(value));
      }
    });
    return {.valid_to = next};
  }

  /// Nothing newer is known.
  Put put_alone(std::optional<V> value, std::int64_t time) {
    if (value) {
      rows_.exchange_latest(key_, time, std::move(*value));
      return {};
    }
    const std::int64_t id = rules_.segment_of(time);
    if (id < first_) return {.is_put = false};
    rows_.modify(key_, id, time, [&](Segment& segment) {
      if (segment.versions.empty()) {
        segment.become(std::nullopt, time, time);
      } else if (segment.next != time) {
        segment.insert_newest(std::nullopt, segment.next, time);
      }
    });
    return {};
  }

  VersionRows<K, V>& rows_;
  const HistoryRules& rules_;
  const K& key_;
  const std::int64_t horizon_;  // What is older is no longer known.
  const std::int64_t first_;
};

}  // namespace thalweg::internal
