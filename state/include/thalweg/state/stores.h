#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <thalweg/schemas/serde.h>
#include <thalweg/state/key_value_store.h>
#include <thalweg/state/session_store.h>
#include <thalweg/state/window_store.h>

namespace thalweg {

struct StoreOptions {
  bool persistent = true;  ///< False: memory only; every start restores the whole changelog.
  /// Whether changes go to a changelog topic. Without one a persistent store keeps on disk what was
  /// committed up to its last spill: all of it after a clean close, an older state after a crash
  /// (never an uncommitted one), and nothing when the task moves to another machine.
  bool logging = true;
  bool caching = false;  ///< Whether changes are forwarded and logged once per commit and key.
  std::vector<std::pair<std::string, std::string>> changelog_config = {};
  /// Of key-value stores: keep only as many entries, those read or written last, in memory, without
  /// a cache.
  std::optional<std::size_t> max_entries = {};
  /// Whether the changelog is told of entries that gave way to others.
  bool logs_evictions = true;
  /// Of key-value and window stores: false reads entries back with kNoTimestamp.
  bool timestamps = true;
  /// Of key-value stores: delete entries that have not been written for so long, by the latest
  /// timestamp put into the store. The listener and the changelog are told of each.
  std::optional<std::chrono::milliseconds> time_to_live = {};
};

/// Makes key-value stores named `name`, one per task. K needs std::hash and ==; K and V are default
/// constructible, and V may be a type that only moves.
template <typename K, typename V>
std::shared_ptr<StoreBuilder> key_value_store_builder(std::string name, StoreOptions options = {},
                                                      AnySerde<K> key_serde = {},
                                                      AnySerde<V> value_serde = {});

/// How stores of windows and sessions keep time. Their changelogs are compacted, and deleted a day
/// behind the retention, as in Kafka Streams.
struct WindowStoreOptions {
  std::chrono::milliseconds retention;    ///< At least the window size and grace.
  std::chrono::milliseconds window_size;  ///< Only of windows: what they last.
  /// What expires together. Absent: half the retention, at least a minute.
  std::optional<std::chrono::milliseconds> segment_interval = {};
  /// Keep each value put, not the latest only; then nothing is cached.
  bool retain_duplicates = false;
  /// Keep entries in the order of their time, then of their keys: for those who walk over all keys
  /// of a short time. Looking up one key over a long time is slow.
  bool time_ordered = false;
};

/// Makes window stores. Throws std::invalid_argument for times that do not fit together.
template <typename K, typename V>
std::shared_ptr<StoreBuilder> window_store_builder(std::string name, WindowStoreOptions windows,
                                                   StoreOptions options = {},
                                                   AnySerde<K> key_serde = {},
                                                   AnySerde<V> value_serde = {});

/// How versioned stores keep time. Their changelogs are compacted, a day behind the retention.
struct VersionedStoreOptions {
  std::chrono::milliseconds history_retention;
  /// What is forgotten together. Absent: a part of the retention, as Kafka Streams chooses it.
  std::optional<std::chrono::milliseconds> segment_interval = {};
};

/// Makes versioned stores, which are never cached. Throws std::invalid_argument for times that make
/// no sense.
template <typename K, typename V>
std::shared_ptr<StoreBuilder> versioned_key_value_store_builder(std::string name,
                                                                VersionedStoreOptions versions,
                                                                StoreOptions options = {},
                                                                AnySerde<K> key_serde = {},
                                                                AnySerde<V> value_serde = {});

/// Makes session stores, which have a retention only.
template <typename K, typename V>
std::shared_ptr<StoreBuilder> session_store_builder(std::string name,
                                                    std::chrono::milliseconds retention,
                                                    StoreOptions options = {},
                                                    AnySerde<K> key_serde = {},
                                                    AnySerde<V> value_serde = {});

}  // namespace thalweg

#include <thalweg/state/internal/common_stores.h>
#include <thalweg/state/internal/typed_store_builder.h>
