#pragma once

#include <memory>
#include <string>

#include <thalweg/schemas/serde.h>
#include <thalweg/state/key_value_store.h>

namespace thalweg {

struct StoreOptions {
  bool persistent = true;  ///< False: memory only; every start restores the whole changelog.
  /// Whether changes go to a changelog topic. Without one a persistent store keeps on disk what was
  /// committed up to its last spill: all of it after a clean close, an older state after a crash
  /// (never an uncommitted one), and nothing when the task moves to another machine.
  bool logging = true;
  bool caching = false;  ///< Whether changes are forwarded and logged once per commit and key.
  std::vector<std::pair<std::string, std::string>> changelog_config = {};
};

/// Makes key-value stores named `name`, one per task. K needs std::hash and ==; K and V are default
/// constructible, and V may be a type that only moves.
template <typename K, typename V>
std::shared_ptr<StoreBuilder> key_value_store_builder(std::string name, StoreOptions options = {},
                                                      AnySerde<K> key_serde = {},
                                                      AnySerde<V> value_serde = {});

}  // namespace thalweg

#include <thalweg/state/internal/typed_store_builder.h>
