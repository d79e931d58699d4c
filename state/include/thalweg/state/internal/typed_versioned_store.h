#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <thalweg/state/internal/history_serde.h>
#include <thalweg/state/internal/typed_key_value_store.h>
#include <thalweg/state/internal/version_view.h>
#include <thalweg/state/versioned_key_value_store.h>

namespace thalweg::internal {

/// The versioned store: one entry of a key-value store for each key, with all its versions.
///
/// The entries themselves are not logged: the changelog gets each write as it was made, and
/// restoring makes the writes again. Keys that were deleted are swept out a few at each commit,
/// once nothing is left of their histories.
template <typename K, typename V>
class TypedVersionedStore final : public VersionedKeyValueStore<K, V> {
 public:
  using Record = VersionedRecord<V>;
  using History = VersionHistory<V>;

  TypedVersionedStore(std::string name, bool persistent, HistoryRules rules, AnySerde<K> key_serde,
                      AnySerde<V> value_serde)
      : rules_(rules),
        key_serde_(key_serde),
        value_serde_(value_serde),
        histories_(std::move(name), persistent, true, std::move(key_serde),
                   AnySerde<History>(HistorySerde<V>(std::move(value_serde)))) {}

  const std::string& name() const override { return histories_.name(); }
  StateStore::Kind kind() const override { return StateStore::Kind::kVersioned; }
  SchemaPtr key_schema() const override { return key_serde_.schema(); }
  SchemaPtr value_schema() const override { return value_serde_.schema(); }
  bool persistent() const override { return histories_.persistent(); }
  std::chrono::milliseconds history_retention() const override {
    return std::chrono::milliseconds(rules_.retention);
  }

  Status open(const StoreContext& context) override {
    changelog_ = context.changelog;
    on_late_ = context.on_late;
    StoreContext unlogged = context;
    unlogged.changelog = nullptr;
    unlogged.caching = true;  // A history becomes bytes once in a commit.
    return histories_.open(unlogged);
  }

  // --- Reads and writes ---------------------------------------------------------------------

  VersionedPut put(const K& key, std::optional<V> value, Timestamp timestamp) override {
    if (changelog_) log(key, value, timestamp);
    return keep(key, std::move(value), timestamp);
  }

  std::optional<V> remove(const K& key, Timestamp timestamp) override {
    std::optional<V> known;
    if (!is_late(to_millis(timestamp))) {
      const Record record = get(key, timestamp);
      if (record) known = *record.value;
    }
    put(key, std::nullopt, timestamp);
    return known;
  }

  Record get(const K& key) override {
    const History* history = histories_.get(key);
    return history ? record(history->newest()) : Record{};
  }
  Record get(const K& key, Timestamp as_of) override {
    const History* history = histories_.get(key);
    return history ? record(history->as_of(to_millis(as_of), stream_time(), rules_)) : Record{};
  }
  std::vector<Record> versions(const K& key) override {
    std::vector<Record> versions;
    const History* history = histories_.get(key);
    if (!history) return versions;
    for (const auto& found : history->all(stream_time(), rules_)) versions.push_back(record(found));
    return versions;
  }

  // --- The open transaction -----------------------------------------------------------------

  bool flush() override {
    histories_.flush();
    return false;  // Everything was logged when it was written.
  }
  void commit(Offset changelog_end, CommitSequence commit) override {
    histories_.flush();
    histories_.commit(changelog_end, commit);
    sweep();
  }
  void abort() override { histories_.abort(); }
  std::size_t uncommitted_bytes() const override { return histories_.uncommitted_bytes(); }

  // --- Restore, disk, queries ---------------------------------------------------------------

  Offset restored_to() const override { return histories_.restored_to(); }
  void restore(std::span<const RecordView> records, Offset next, CommitSequence commit) override {
    K key{};
    for (const RecordView& record : records) {
      if (!record.key || is_late(to_millis(record.timestamp))) continue;
      key_serde_.deserialize(*record.key, key);
      std::optional<V> value;
      if (record.value) value_serde_.deserialize(*record.value, value.emplace());
      keep(key, std::move(value), record.timestamp);
    }
    histories_.flush();
    histories_.commit(next, commit);
  }
  Status discard() override { return histories_.discard(); }
  std::size_t unspilled_bytes() const override { return histories_.unspilled_bytes(); }
  std::shared_ptr<Spill> start_spill(Timestamp wall_time) override {
    return histories_.start_spill(wall_time);
  }
  std::shared_ptr<const StoreView> view() const override {
    return view_of_latest(histories_.view());
  }

 private:
  static constexpr int kSweep = 64;

  static Record record(const typename History::Found& found) {
    if (!found.value) return {};
    Record record{.value = found.value, .timestamp = from_millis(found.from)};
    if (found.to) record.valid_to = from_millis(*found.to);
    return record;
  }
  std::int64_t stream_time() const { return to_millis(histories_.marks().stream_time); }
  bool is_late(std::int64_t time) const { return time < stream_time() - rules_.retention; }

  VersionedPut keep(const K& key, std::optional<V> value, Timestamp timestamp) {
    const std::int64_t time = to_millis(timestamp);
    if (is_late(time)) {
      if (on_late_) on_late_();
      return {};
    }
    histories_.marks().stream_time = std::max(histories_.marks().stream_time, timestamp);
    const History* known = histories_.get(key);
    History history = known ? *known : History{};
    if (!value) ++deletions_;
    const auto put = history.put(std::move(value), time, stream_time(), rules_);
    if (history.empty()) {
      if (known) histories_.remove(key);
    } else {
      histories_.put(key, std::move(history), timestamp, kNoHeaders);
    }
    VersionedPut result{.is_put = put.is_put};
    if (put.valid_to) result.valid_to = from_millis(*put.valid_to);
    return result;
  }

  void log(const K& key, const std::optional<V>& value, Timestamp timestamp) {
    key_bytes_.clear();
    key_serde_.serialize(key, key_bytes_);
    value_bytes_.clear();
    if (value) value_serde_.serialize(*value, value_bytes_);
    changelog_->append(key_bytes_,
                       value ? std::optional<BytesView>(value_bytes_) : std::nullopt, timestamp,
                       kNoHeaders);
  }

  /// Looks at the next few keys, while deletions may have left histories that have expired since.
  void sweep() {
    if (deletions_ == 0) return;
    std::vector<K> expired;
    auto entries = histories_.range(sweep_from_, std::nullopt, false);
    for (int i = 0; i < kSweep && entries->valid(); ++i, entries->next()) {
      if (is_expired(entries->value().value)) expired.push_back(entries->key());
    }
    if (entries->valid()) {
      sweep_from_ = entries->key();
    } else {
      sweep_from_.reset();
    }
    entries.reset();
    for (const K& key : expired) histories_.remove(key);
    deletions_ -= std::min(deletions_, expired.size());
  }
  bool is_expired(const History& history) const {
    return !history.latest && std::ranges::all_of(history.segments, [this](const auto& segment) {
      return segment.id < rules_.first_segment(stream_time());
    });
  }

  const HistoryRules rules_;
  const AnySerde<K> key_serde_;
  const AnySerde<V> value_serde_;
  TypedKeyValueStore<K, History> histories_;
  ChangelogWriter* changelog_ = nullptr;
  std::function<void()> on_late_;
  std::size_t deletions_ = 0;  // Of which something may be left.
  std::optional<K> sweep_from_;
  std::string key_bytes_;
  std::string value_bytes_;
};

}  // namespace thalweg::internal
