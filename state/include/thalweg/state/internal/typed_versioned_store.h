#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <thalweg/state/internal/version_history.h>
#include <thalweg/state/internal/version_rows.h>
#include <thalweg/state/versioned_key_value_store.h>

namespace thalweg::internal {

/// The versioned store: rows of a key-value store, a few for each key.
///
/// The rows themselves are not logged: the changelog gets each write as it was made, and restoring
/// makes the writes again.
template <typename K, typename V>
class TypedVersionedStore final : public VersionedKeyValueStore<K, V> {
 public:
  using Record = VersionedRecord<V>;
  using History = VersionHistory<K, V>;

  TypedVersionedStore(std::string name, bool persistent, HistoryRules rules, AnySerde<K> key_serde,
                      AnySerde<V> value_serde)
      : key_serde_(key_serde),
        value_serde_(value_serde),
        rows_(std::move(name), persistent, rules, std::move(key_serde), std::move(value_serde)) {}

  const std::string& name() const override { return table().name(); }
  StateStore::Kind kind() const override { return StateStore::Kind::kVersioned; }
  SchemaPtr key_schema() const override { return key_serde_.schema(); }
  SchemaPtr value_schema() const override { return value_serde_.schema(); }
  bool persistent() const override { return table().persistent(); }
  std::chrono::milliseconds history_retention() const override {
    return std::chrono::milliseconds(rows_.rules().retention);
  }

  Status open(const StoreContext& context) override {
    changelog_ = context.changelog;
    on_late_ = context.on_late;
    StoreContext unlogged = context;
    unlogged.changelog = nullptr;
    unlogged.caching = true;  // A row becomes bytes once in a commit.
    return rows_.open(unlogged);
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

  Record get(const K& key) override { return record(history(key).newest()); }
  Record get(const K& key, Timestamp as_of) override {
    return record(history(key).as_of(to_millis(as_of)));
  }
  std::vector<Record> versions(const K& key) override {
    std::vector<Record> versions;
    shown_.clear();
    history(key).for_each([&](const typename History::Found& found) {
      shown_.push_back(*found.value);
      versions.push_back(record(found));
      versions.back().value = &shown_.back();
    });
    std::ranges::reverse(versions);
    return versions;
  }

  // --- The open transaction -----------------------------------------------------------------

  bool flush() override {
    table().flush();
    return false;  // Everything was logged when it was written.
  }
  void commit(Offset changelog_end, CommitSequence commit) override {
    rows_.commit(changelog_end, commit);
  }
  void abort() override { table().abort(); }
  std::size_t uncommitted_bytes() const override { return table().uncommitted_bytes(); }

  // --- Restore, disk, queries ---------------------------------------------------------------

  Offset restored_to() const override { return table().restored_to(); }
  void restore(std::span<const RecordView> records, Offset next, CommitSequence commit) override {
    K key{};
    for (const RecordView& record : records) {
      if (!record.key || is_late(to_millis(record.timestamp))) continue;
      key_serde_.deserialize(*record.key, key);
      std::optional<V> value;
      if (record.value) value_serde_.deserialize(*record.value, value.emplace());
      keep(key, std::move(value), record.timestamp);
    }
    rows_.commit(next, commit);
  }
  Status discard() override { return rows_.discard(); }
  std::size_t unspilled_bytes() const override { return table().unspilled_bytes(); }
  std::shared_ptr<Spill> start_spill(Timestamp wall_time) override {
    return table().start_spill(wall_time);
  }
  std::shared_ptr<const StoreView> view() const override { return view_of_latest(table().view()); }

 private:
  auto& table() { return rows_.table(); }
  const auto& table() const { return rows_.table(); }
  static Record record(const typename History::Found& found) {
    if (!found.value) return {};
    Record record{.value = found.value, .timestamp = from_millis(found.from)};
    if (found.to) record.valid_to = from_millis(*found.to);
    return record;
  }
  History history(const K& key) { return History(rows_, key, stream_time()); }
  std::int64_t stream_time() const { return to_millis(table().marks().stream_time); }
  bool is_late(std::int64_t time) const { return time < stream_time() - rows_.rules().retention; }

  VersionedPut keep(const K& key, std::optional<V> value, Timestamp timestamp) {
    if (is_late(to_millis(timestamp))) {
      if (on_late_) on_late_();
      return {};
    }
    table().marks().stream_time = std::max(table().marks().stream_time, timestamp);
    const auto put = history(key).put(std::move(value), to_millis(timestamp));
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

  const AnySerde<K> key_serde_;
  const AnySerde<V> value_serde_;
  VersionRows<K, V> rows_;
  ChangelogWriter* changelog_ = nullptr;
  std::function<void()> on_late_;
  std::deque<V> shown_;  // By versions().
  std::string key_bytes_;
  std::string value_bytes_;
};

}  // namespace thalweg::internal
