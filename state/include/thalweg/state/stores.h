#pragma once

#include <memory>
#include <string>

#include <thalweg/schemas/serde.h>
#include <thalweg/state/key_value_store.h>

namespace thalweg {

struct StoreOptions {
  bool persistent = true;  ///< False: memory only; every start restores the whole changelog.
  bool logging = true;     ///< Whether changes go to a changelog topic.
  bool caching = false;    ///< Whether changes are forwarded and logged once per commit and key.
  std::vector<std::pair<std::string, std::string>> changelog_config = {};
};

/// Makes key-value stores named `name`, one per task.
template <typename K, typename V>
std::shared_ptr<StoreBuilder> key_value_store_builder(std::string name, StoreOptions options = {},
                                                      AnySerde<K> key_serde = {},
                                                      AnySerde<V> value_serde = {});

}  // namespace thalweg

#include <thalweg/state/internal/typed_key_value_store.h>
