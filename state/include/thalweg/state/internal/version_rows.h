#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include <thalweg/state/internal/segments.h>
#include <thalweg/state/internal/typed_key_value_store.h>
#include <thalweg/state/internal/version_segment_serde.h>
#include <thalweg/state/internal/version_view.h>

namespace thalweg::internal {

/// Where a row of a versioned store lies: `i64 prefix, key`, so that a segment of all keys is one
/// range, which is dropped as one.
template <typename K>
struct VersionPlace {
  std::int64_t prefix = 0;  ///< The start of a segment, or kLatestVersions.
  K key{};

  friend bool operator==(const VersionPlace&, const VersionPlace&) = default;
};

template <typename K>
class VersionPlaceSerde {
 public:
  explicit VersionPlaceSerde(AnySerde<K> keys) : keys_(std::move(keys)) {}

  void serialize(const VersionPlace<K>& place, std::string& out) const {
    Segments::append_prefix(place.prefix, out);
    keys_.serialize(place.key, out);
  }
  void deserialize(BytesView bytes, VersionPlace<K>& out) const {
    out.prefix = segment_prefix(bytes);
    keys_.deserialize(bytes.substr(Segments::kPrefixSize), out.key);
  }
  SchemaPtr schema() const { return keys_.schema(); }

 private:
  AnySerde<K> keys_;
};

}  // namespace thalweg::internal

template <typename K>
struct std::hash<thalweg::internal::VersionPlace<K>> {
  std::size_t operator()(const thalweg::internal::VersionPlace<K>& place) const noexcept {
    return std::hash<K>{}(place.key) +
           static_cast<std::size_t>(place.prefix) * 0x9e3779b97f4a7c15ULL;
  }
};

namespace thalweg::internal {

/// The rows of a versioned store: of each key the latest version, and one row for each segment of
/// time that has older ones. Segments expire by stream time and are dropped from memory and disk as
/// those of windows are. What is returned lives until the next call.
template <typename K, typename V>
class VersionRows {
 public:
  using Place = VersionPlace<K>;
  using Segment = VersionSegment<V>;
  using Table = TypedKeyValueStore<Place, Segment>;

  VersionRows(std::string name, bool persistent, HistoryRules rules, AnySerde<K> keys,
              AnySerde<V> values)
      : rules_(rules),
        table_(std::move(name), persistent, true, AnySerde<Place>(VersionPlaceSerde<K>(keys)),
               AnySerde<Segment>(VersionSegmentSerde<V>(std::move(values))),
               Segments{.keys = Segments::Keys::kVersions,
                        .retention = rules.retention,
                        .interval = rules.segment_interval}) {}

  /// The table that holds the rows: opened, committed and spilled as it is.
  Table& table() { return table_; }
  const Table& table() const { return table_; }
  const HistoryRules& rules() const { return rules_; }

  Status open(const StoreContext& context) {
    if (Status opened = table_.open(context); !opened) return opened;
    auto prefixes = segment_prefixes(*table_.view());
    if (!prefixes) return std::unexpected(prefixes.error());
    segments_.clear();
    for (const std::int64_t prefix : *prefixes) segments_.insert(rules_.segment_of(prefix));
    return {};
  }

  // --- The latest version of a key ----------------------------------------------------------

  const Version<V>* latest(const K& key) {
    const Segment* row = table_.get(at(kLatestVersions, key));
    return row ? &row->versions.front() : nullptr;
  }
  /// Both return the value that was the latest.
  std::optional<V> exchange_latest(const K& key, std::int64_t time, V value) {
    std::optional<V> before;
    table_.modify(at(kLatestVersions, key), from_millis(time), [&](Segment& row) {
      if (!row.versions.empty()) before = std::move(row.versions.front().value);
      row.become(std::move(value), time, time);
    });
    return before;
  }
  std::optional<V> take_latest(const K& key, std::int64_t time) {
    const Place& place = at(kLatestVersions, key);
    std::optional<V> before;
    table_.modify(place, from_millis(time), [&](Segment& row) {
      if (!row.versions.empty()) before = std::move(row.versions.front().value);
    });
    table_.remove(place, from_millis(time), kNoHeaders);
    return before;
  }

  // --- Its segments -------------------------------------------------------------------------

  /// Of segments in which some key may have a row.
  std::optional<std::int64_t> newest_segment() const {
    return segments_.empty() ? std::nullopt : std::optional(*segments_.rbegin());
  }
  std::optional<std::int64_t> segment_before(std::int64_t id) const {
    const auto at = segments_.lower_bound(id);
    return at == segments_.begin() ? std::nullopt : std::optional(*std::prev(at));
  }
  /// Null if there is no row.
  const Segment* segment(const K& key, std::int64_t id) {
    return table_.get(at(start_of(id), key));
  }
  /// Lets `change` change a row where it lies; a new one has no versions yet.
  template <typename Change>
  void modify(const K& key, std::int64_t id, std::int64_t time, Change change) {
    segments_.insert(id);
    table_.modify(at(start_of(id), key), from_millis(time), std::move(change));
  }

  void commit(Offset changelog_end, CommitSequence commit) {
    table_.flush();
    table_.commit(changelog_end, commit);
    const std::int64_t first = rules_.first_segment(to_millis(table_.marks().stream_time));
    if (segments_.empty() || *segments_.begin() >= first) return;
    segments_.erase(segments_.begin(), segments_.lower_bound(first));
    table_.forget_clean(
        [bound = start_of(first)](const Place& place) { return place.prefix < bound; });
  }
  Status discard() {
    segments_.clear();
    return table_.discard();
  }

 private:
  std::int64_t start_of(std::int64_t id) const { return id * rules_.segment_interval; }
  const Place& at(std::int64_t prefix, const K& key) {
    place_.prefix = prefix;
    place_.key = key;
    return place_;
  }

  const HistoryRules rules_;
  Table table_;
  std::set<std::int64_t> segments_;
  Place place_;
};

}  // namespace thalweg::internal
