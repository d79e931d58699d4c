#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <thalweg/state/internal/expiring_key_value_store.h>
#include <thalweg/state/internal/lru_key_value_store.h>
#include <thalweg/state/internal/plain_key_value_store.h>
#include <thalweg/state/internal/typed_key_value_store.h>
#include <thalweg/state/internal/typed_session_store.h>
#include <thalweg/state/internal/typed_versioned_store.h>
#include <thalweg/state/internal/typed_window_store.h>
#include <thalweg/state/stores.h>

namespace thalweg {
namespace internal {

/// What builders of typed stores have in common; a function makes each task's store.
class TypedStoreBuilder final : public StoreBuilder {
 public:
  using Make = std::function<std::unique_ptr<StateStore>()>;

  TypedStoreBuilder(std::string name, StoreOptions options, Make make)
      : name_(std::move(name)), options_(std::move(options)), make_(std::move(make)) {}

  const std::string& name() const override { return name_; }
  bool logging() const override { return options_.logging; }
  bool caching() const override { return options_.caching; }
  const std::vector<std::pair<std::string, std::string>>& changelog_config() const override {
    return options_.changelog_config;
  }
  std::optional<std::chrono::milliseconds> time_to_live() const override {
    return options_.time_to_live;
  }
  std::unique_ptr<StateStore> build() const override { return make_(); }

 private:
  std::string name_;
  StoreOptions options_;
  Make make_;
};

/// Checks the times of a store of windows, and lays it out.
Segments plan_segments(const std::string& name, Segments::Keys keys,
                       const WindowStoreOptions& windows, bool persistent);
/// The options of a store of windows, whose changelog is deleted behind the retention.
StoreOptions windowed_changelog(StoreOptions options, std::chrono::milliseconds retention);

/// Checks the times of a versioned store.
HistoryRules plan_history(const std::string& name, const VersionedStoreOptions& versions);
/// The options of a versioned store, whose changelog keeps what history needs.
StoreOptions versioned_changelog(StoreOptions options, const HistoryRules& rules);

}  // namespace internal

template <typename K, typename V>
std::shared_ptr<StoreBuilder> key_value_store_builder(std::string name, StoreOptions options,
                                                      AnySerde<K> key_serde,
                                                      AnySerde<V> value_serde) {
  if (options.max_entries) {
    if (*options.max_entries == 0) {
      throw std::invalid_argument("store " + name + " needs room for at least one entry");
    }
    options.persistent = false;
  }
  if (options.time_to_live && *options.time_to_live <= std::chrono::milliseconds(0)) {
    throw std::invalid_argument("store " + name + " needs a time to live above 0 ms");
  }
  auto make = [name, options, key_serde = std::move(key_serde),
               value_serde = std::move(value_serde)]() -> std::unique_ptr<StateStore> {
    std::unique_ptr<KeyValueStore<K, V>> store =
        std::make_unique<internal::TypedKeyValueStore<K, V>>(
            name, options.persistent, options.caching, key_serde, value_serde);
    if constexpr (std::is_copy_assignable_v<V>) {
      if (!options.timestamps) {
        store = std::make_unique<internal::PlainKeyValueStore<K, V>>(std::move(store));
      }
    }
    if (options.time_to_live) {
      store = std::make_unique<internal::ExpiringKeyValueStore<K, V>>(std::move(store),
                                                                      *options.time_to_live);
    }
    if (options.max_entries) {
      store = std::make_unique<internal::LruKeyValueStore<K, V>>(
          std::move(store), *options.max_entries, options.logs_evictions, key_serde);
    }
    return store;
  };
  return std::make_shared<internal::TypedStoreBuilder>(std::move(name), std::move(options),
                                                       std::move(make));
}

template <typename K, typename V>
std::shared_ptr<StoreBuilder> window_store_builder(std::string name, WindowStoreOptions windows,
                                                   StoreOptions options, AnySerde<K> key_serde,
                                                   AnySerde<V> value_serde) {
  options = internal::windowed_changelog(std::move(options), windows.retention);
  options.caching = options.caching && !windows.retain_duplicates;
  auto segments =
      internal::plan_segments(name, internal::Segments::Keys::kWindow, windows, options.persistent);
  auto make = [name, windows, segments, options, key_serde = std::move(key_serde),
               value_serde = std::move(value_serde)] {
    return std::make_unique<internal::TypedWindowStore<K, V>>(
        name, options.persistent, options.caching, key_serde, value_serde, segments,
        windows.window_size, windows.retain_duplicates, options.timestamps);
  };
  return std::make_shared<internal::TypedStoreBuilder>(std::move(name), std::move(options),
                                                       std::move(make));
}

template <typename K, typename V>
std::shared_ptr<StoreBuilder> session_store_builder(std::string name,
                                                    std::chrono::milliseconds retention,
                                                    StoreOptions options, AnySerde<K> key_serde,
                                                    AnySerde<V> value_serde) {
  options = internal::windowed_changelog(std::move(options), retention);
  auto segments =
      internal::plan_segments(name, internal::Segments::Keys::kSession,
                              {.retention = retention, .window_size = {}}, options.persistent);
  auto make = [name, segments, persistent = options.persistent, caching = options.caching,
               key_serde = std::move(key_serde), value_serde = std::move(value_serde)] {
    return std::make_unique<internal::TypedSessionStore<K, V>>(name, persistent, caching, key_serde,
                                                               value_serde, segments);
  };
  return std::make_shared<internal::TypedStoreBuilder>(std::move(name), std::move(options),
                                                       std::move(make));
}

template <typename K, typename V>
std::shared_ptr<StoreBuilder> versioned_key_value_store_builder(std::string name,
                                                                VersionedStoreOptions versions,
                                                                StoreOptions options,
                                                                AnySerde<K> key_serde,
                                                                AnySerde<V> value_serde) {
  const internal::HistoryRules rules = internal::plan_history(name, versions);
  options = internal::versioned_changelog(std::move(options), rules);
  auto make = [name, rules, persistent = options.persistent, key_serde = std::move(key_serde),
               value_serde = std::move(value_serde)] {
    return std::make_unique<internal::TypedVersionedStore<K, V>>(name, persistent, rules, key_serde,
                                                                 value_serde);
  };
  return std::make_shared<internal::TypedStoreBuilder>(std::move(name), std::move(options),
                                                       std::move(make));
}

}  // namespace thalweg
