#pragma once

#include <algorithm>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <thalweg/runtime/streams_application.h>
#include <thalweg/schemas/partitioning.h>
#include <thalweg/state/windowed.h>

namespace thalweg {

/// Which windows of a key are asked for, all bounds inclusive: windows that start within [from,
/// to]; sessions of which some part lies there.
struct WindowRange {
  Timestamp from = from_millis(0);
  Timestamp to = kEndOfTime;
  bool reverse = false;  ///< The latest first.
  std::size_t limit = std::numeric_limits<std::size_t>::max();
};

namespace internal {

/// One window of a store as bytes. Of a window `end` is kNoTimestamp: rows do not say it.
struct WindowRow {
  std::string key;
  Window window;
  std::string value;
  Timestamp timestamp = kNoTimestamp;
};

/// The windows or sessions of `key`, by start (sessions: by end). kInvalid for other stores.
Result<std::vector<WindowRow>> read_windows(const StoreView& view, StateStore::Kind kind,
                                            BytesView key, const WindowRange& range);

}  // namespace internal

/// A window and what is in it.
template <typename V>
struct WindowValue {
  Window window;  ///< Of a window store, `end` is kNoTimestamp: the topology knows it.
  V value{};
  Timestamp timestamp = kNoTimestamp;
};

/// Committed windows of one store over all its tasks: as ReadOnlyKeyValueStore, for stores of
/// windows (kWindow) and of sessions (kSession).
template <typename K, typename V, StateStore::Kind kKind>
class ReadOnlyWindows {
 public:
  ReadOnlyWindows(std::vector<std::shared_ptr<const StoreView>> by_partition, AnySerde<K> key_serde,
                  AnySerde<V> value_serde)
      : views_(std::move(by_partition)),
        key_serde_(std::move(key_serde)),
        value_serde_(std::move(value_serde)) {}

  using Windows = std::vector<WindowValue<V>>;

  /// The windows of `key` in the range. kUnavailable: its task is with nobody who answers, or
  /// still restoring.
  ///
  /// It asks the partition that the default partitioner gives the key, murmur2 of its bytes. What
  /// something else has spread (ReadOnlyKeyValueStore::get says what may) fetch_in_all() finds.
  Result<Windows> fetch(const K& key, const WindowRange& range = {}) const {
    const std::string bytes = bytes_of(key);
    return read(partition_of(bytes, static_cast<std::int32_t>(views_.size())), bytes, range);
  }

  /// The windows of `key` in the first partition that has some in the range, as Kafka Streams
  /// looks for them. kUnavailable: those that answer have none, and some do not answer.
  Result<Windows> fetch_in_all(const K& key, const WindowRange& range = {}) const {
    const std::string bytes = bytes_of(key);
    Result<Windows> nothing;
    for (std::int32_t i = 0; i < static_cast<std::int32_t>(views_.size()); ++i) {
      auto windows = read(i, bytes, range);
      if (windows && !windows->empty()) return windows;
      if (!windows && nothing) nothing = std::unexpected(windows.error());
    }
    return nothing;
  }

  /// The newest commit whose writes the reads so far can have shown.
  CommitSequence last_commit() const { return last_commit_; }

 private:
  std::string bytes_of(const K& key) const {
    std::string bytes;
    key_serde_.serialize(key, bytes);
    return bytes;
  }
  Result<Windows> read(std::int32_t partition, const std::string& key,
                       const WindowRange& range) const {
    const auto& view = views_[static_cast<std::size_t>(partition)];
    if (!view) return failure(ErrorCode::kUnavailable, "partition is not restored here yet");
    auto rows = internal::read_windows(*view, kKind, key, range);
    if (!rows) return std::unexpected(rows.error());
    last_commit_ = std::max(last_commit_, view->last_commit());
    Windows windows(rows->size());
    for (std::size_t i = 0; i < windows.size(); ++i) {
      const auto& row = (*rows)[i];
      value_serde_.deserialize(row.value, windows[i].value);
      windows[i].window = row.window;
      windows[i].timestamp = row.timestamp;
    }
    return windows;
  }

  std::vector<std::shared_ptr<const StoreView>> views_;
  AnySerde<K> key_serde_;
  AnySerde<V> value_serde_;
  mutable CommitSequence last_commit_ = 0;
};

template <typename K, typename V>
using ReadOnlyWindowStore = ReadOnlyWindows<K, V, StateStore::Kind::kWindow>;
template <typename K, typename V>
using ReadOnlySessionStore = ReadOnlyWindows<K, V, StateStore::Kind::kSession>;

/// The windows of a store of `application`, as StreamsApplication::store(): `Store` is a
/// ReadOnlyWindowStore or a ReadOnlySessionStore.
template <typename Store, typename K, typename V>
Result<Store> windows_of(const StreamsApplication& application, std::string_view name,
                         AnySerde<K> key_serde, AnySerde<V> value_serde) {
  auto views = application.all_views(name);
  if (!views) return std::unexpected(views.error());
  return Store(*std::move(views), std::move(key_serde), std::move(value_serde));
}
template <typename K, typename V>
Result<ReadOnlyWindowStore<K, V>> window_store(const StreamsApplication& application,
                                               std::string_view name, AnySerde<K> key_serde = {},
                                               AnySerde<V> value_serde = {}) {
  return windows_of<ReadOnlyWindowStore<K, V>>(application, name, std::move(key_serde),
                                               std::move(value_serde));
}
template <typename K, typename V>
Result<ReadOnlySessionStore<K, V>> session_store(const StreamsApplication& application,
                                                 std::string_view name, AnySerde<K> key_serde = {},
                                                 AnySerde<V> value_serde = {}) {
  return windows_of<ReadOnlySessionStore<K, V>>(application, name, std::move(key_serde),
                                                std::move(value_serde));
}

}  // namespace thalweg
