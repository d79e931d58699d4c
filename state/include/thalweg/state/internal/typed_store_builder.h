#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <thalweg/state/internal/typed_key_value_store.h>
#include <thalweg/state/stores.h>

namespace thalweg {
namespace internal {

template <typename K, typename V>
class TypedStoreBuilder final : public StoreBuilder {
 public:
  TypedStoreBuilder(std::string name, StoreOptions options, AnySerde<K> key_serde,
                    AnySerde<V> value_serde)
      : name_(std::move(name)),
        options_(std::move(options)),
        key_serde_(std::move(key_serde)),
        value_serde_(std::move(value_serde)) {}

  const std::string& name() const override { return name_; }
  bool logging() const override { return options_.logging; }
  bool caching() const override { return options_.caching; }
  const std::vector<std::pair<std::string, std::string>>& changelog_config() const override {
    return options_.changelog_config;
  }
  std::unique_ptr<StateStore> build() const override {
    return std::make_unique<TypedKeyValueStore<K, V>>(name_, options_.persistent, options_.caching,
                                                      key_serde_, value_serde_);
  }

 private:
  std::string name_;
  StoreOptions options_;
  AnySerde<K> key_serde_;
  AnySerde<V> value_serde_;
};

}  // namespace internal

template <typename K, typename V>
std::shared_ptr<StoreBuilder> key_value_store_builder(std::string name, StoreOptions options,
                                                      AnySerde<K> key_serde,
                                                      AnySerde<V> value_serde) {
  return std::make_shared<internal::TypedStoreBuilder<K, V>>(
      std::move(name), std::move(options), std::move(key_serde), std::move(value_serde));
}

}  // namespace thalweg
