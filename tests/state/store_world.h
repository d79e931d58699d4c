#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <thalweg/state/simulated_storage.h>
#include <thalweg/state/stores.h>

namespace thalweg::test {

/// A directory that goes with the test.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "thalweg-state-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

enum class DiskKind { kRocksDb, kSimulated, kNone };

inline std::string to_string(DiskKind kind) {
  return kind == DiskKind::kRocksDb     ? "RocksDb"
         : kind == DiskKind::kSimulated ? "Simulated"
                                        : "NoDisk";
}

/// A disk of one of the kinds, which a process can close or crash on.
class Disk {
 public:
  explicit Disk(DiskKind kind) : kind_(kind) { open(); }

  /// Null when there is no disk.
  Storage* storage() {
    if (kind_ == DiskKind::kRocksDb) return rocksdb_.get();
    return kind_ == DiskKind::kSimulated ? &simulated_ : nullptr;
  }
  SimulatedStorage& simulated() { return simulated_; }
  const std::string& path() const { return directory_.path(); }

  /// Stores must be closed. Families live on a RocksDB disk only as far as they were ingested, so a
  /// crash there is no different from closing.
  void restart() {
    rocksdb_.reset();
    if (kind_ == DiskKind::kSimulated) simulated_.crash();
    open();
  }
  std::vector<std::string> damage;

 private:
  void open() {
    if (kind_ != DiskKind::kRocksDb) return;
    auto opened = open_rocksdb_storage(
        directory_.path(),
        {.block_cache_bytes = 1u << 20,
         .on_damage = [this](const std::string& message) { damage.push_back(message); }});
    ASSERT_TRUE(opened) << opened.error().message;
    rocksdb_ = std::move(*opened);
  }

  DiskKind kind_;
  TemporaryDirectory directory_;
  SimulatedStorage simulated_{{[this](const std::string& message) { damage.push_back(message); }}};
  std::unique_ptr<Storage> rocksdb_;
};

/// A changelog partition: committed records, and those of the open transaction behind them.
class Changelog final : public ChangelogWriter {
 public:
  struct Change {
    std::string key;
    std::optional<std::string> value;
    Timestamp timestamp;

    friend bool operator==(const Change&, const Change&) = default;
  };

  void append(BytesView key, std::optional<BytesView> value, Timestamp timestamp,
              const Headers&) override {
    changes_.push_back(
        {std::string(key), value ? std::optional<std::string>(*value) : std::nullopt, timestamp});
  }
  /// Ends the transaction with the control record that takes an offset, as on Kafka. Returns the
  /// end.
  Offset commit() {
    changes_.push_back({"", std::nullopt, kNoTimestamp});
    committed_ = changes_.size();
    return end();
  }
  void abort() { changes_.resize(committed_); }
  Offset end() const { return static_cast<Offset>(committed_); }
  const std::vector<Change>& changes() const { return changes_; }
  /// What the open transaction has appended.
  std::vector<Change> open() const {
    return {changes_.begin() + static_cast<std::ptrdiff_t>(committed_), changes_.end()};
  }
  /// Committed records from `from` on. They live as long as nothing is appended.
  std::vector<RecordView> read(Offset from) const {
    std::vector<RecordView> records;
    for (auto at = static_cast<std::size_t>(from); at < committed_; ++at) {
      const Change& change = changes_[at];
      if (change.key.empty()) continue;  // A control record.
      records.push_back({static_cast<Offset>(at),
                         change.timestamp,
                         change.key,
                         change.value ? std::optional<BytesView>(*change.value) : std::nullopt,
                         {}});
    }
    return records;
  }
  /// The latest committed value per key.
  std::map<std::string, std::pair<std::string, Timestamp>> fold() const {
    std::map<std::string, std::pair<std::string, Timestamp>> table;
    for (const RecordView& record : read(0)) {
      if (record.value) {
        table[std::string(*record.key)] = {std::string(*record.value), record.timestamp};
      } else {
        table.erase(std::string(*record.key));
      }
    }
    return table;
  }

 private:
  std::vector<Change> changes_;
  std::size_t committed_ = 0;
};

/// One store of one task on a disk with a changelog: the part of a task that a store sees.
template <typename Store>
class World {
 public:
  World(DiskKind kind, std::shared_ptr<StoreBuilder> builder, bool caching,
        MemoryBudget* budget = nullptr, std::size_t cache_bytes = 0)
      : disk(kind),
        builder_(std::move(builder)),
        caching_(caching),
        budget_(budget),
        cache_bytes_(cache_bytes) {
    open();
  }

  Store& store() { return *typed_; }
  Store* operator->() { return typed_; }

  void commit() {
    store_->flush();
    const bool grew = !changelog.open().empty();
    store_->commit(grew ? changelog.commit() : kNoOffset, ++commits_);
  }
  void abort() {
    store_->abort();
    changelog.abort();
  }
  Status spill() {
    auto spill = store_->start_spill(from_millis(1));
    return spill ? spill->run() : Status{};
  }
  /// The process ends without a word and another one starts.
  void crash() {
    store_.reset();
    changelog.abort();
    disk.restart();
    open();
    restore();
  }
  void close() {
    EXPECT_TRUE(spill());
    store_.reset();
  }
  void close_and_restart() {
    close();
    disk.restart();
    open();
  }
  void restore() {
    const auto records = changelog.read(store_->restored_to());
    restored_records = records.size();
    store_->restore(records, changelog.end(), commits_);
  }

  StoreContext context() {
    StoreContext context;
    context.storage = disk.storage();
    context.family = "app/0_0/table";
    context.changelog = &changelog;
    context.identity.cluster_id = "cluster";
    context.identity.changelog = "app-table-changelog";
    context.identity.changelog_partitions = 3;
    context.budget = budget_;
    context.caching = caching_;
    context.cache_bytes = cache_bytes_;
    context.record_time = [this] { return record_time; };
    context.on_late = [this] { ++late_writes; };
    context.on_discard = [this](const std::string& message) { discarded.push_back(message); };
    return context;
  }
  Status open(const StoreContext& with) {
    store_ = builder_->build();
    typed_ = dynamic_cast<Store*>(store_.get());
    return store_->open(with);
  }
  void open() {
    const auto status = open(context());
    ASSERT_TRUE(status) << status.error().message;
  }

  Disk disk;
  Changelog changelog;
  Timestamp record_time = from_millis(100);
  std::vector<std::string> discarded;
  std::size_t restored_records = 0;
  std::size_t late_writes = 0;

 private:
  std::shared_ptr<StoreBuilder> builder_;
  bool caching_;
  MemoryBudget* budget_;
  std::size_t cache_bytes_;
  CommitSequence commits_ = 0;
  std::unique_ptr<StateStore> store_;
  Store* typed_ = nullptr;
};

/// The world of a key-value store.
template <typename K, typename V>
class StoreWorld : public World<KeyValueStore<K, V>> {
 public:
  StoreWorld(DiskKind kind, bool caching, MemoryBudget* budget = nullptr)
      : World<KeyValueStore<K, V>>(kind, key_value_store_builder<K, V>("table", {.caching = true}),
                                   caching, budget) {}
  explicit StoreWorld(DiskKind kind) : StoreWorld(kind, true) {}

  /// All entries as the task sees them, in the order of the walk.
  std::vector<std::pair<K, V>> entries(bool reverse = false) {
    std::vector<std::pair<K, V>> all;
    for (auto at = this->store().range(std::nullopt, std::nullopt, reverse); at->valid();
         at->next()) {
      all.emplace_back(at->key(), at->value().value);
    }
    return all;
  }
};

}  // namespace thalweg::test
