#pragma once

#include <memory>
#include <optional>
#include <utility>

#include <thalweg/state/internal/key_value_store_decorator.h>
#include <thalweg/state/internal/plain_iterator.h>

namespace thalweg::internal {

/// A store without timestamps: they are kNoTimestamp when they are read again, unless the entry is
/// read from a cache.
template <typename K, typename V>
class PlainKeyValueStore final : public KeyValueStoreDecorator<K, V> {
 public:
  using Base = KeyValueStoreDecorator<K, V>;
  using typename Base::Entry;
  using Base::Base;

  const Entry* get_with_timestamp(const K& key) override {
    const Entry* entry = this->inner().get_with_timestamp(key);
    if (!entry || this->cached()) return entry;
    read_ = {entry->value, kNoTimestamp};
    return &read_;
  }
  std::unique_ptr<KeyValueIterator<K, V>> range(const std::optional<K>& from,
                                                const std::optional<K>& to, bool reverse) override {
    return plain(this->inner().range(from, to, reverse));
  }
  std::unique_ptr<KeyValueIterator<K, V>> prefix_scan(BytesView prefix) override {
    return plain(this->inner().prefix_scan(prefix));
  }

 private:
  std::unique_ptr<KeyValueIterator<K, V>> plain(std::unique_ptr<KeyValueIterator<K, V>> inner) {
    if (this->cached()) return inner;
    return std::make_unique<PlainIterator<K, V>>(std::move(inner));
  }

  Entry read_;
};

}  // namespace thalweg::internal
