#pragma once

#include <memory>
#include <utility>

#include <thalweg/state/key_value_store.h>

namespace thalweg::internal {

/// Shows entries without their timestamps, which are kNoTimestamp.
template <typename K, typename V>
class PlainIterator final : public KeyValueIterator<K, V> {
 public:
  explicit PlainIterator(std::unique_ptr<KeyValueIterator<K, V>> inner) : inner_(std::move(inner)) {
    read();
  }
  bool valid() const override { return inner_->valid(); }
  void next() override {
    inner_->next();
    read();
  }
  const K& key() const override { return inner_->key(); }
  const ValueAndTimestamp<V>& value() const override { return entry_; }

 private:
  void read() {
    if (inner_->valid()) entry_ = {inner_->value().value, kNoTimestamp};
  }

  std::unique_ptr<KeyValueIterator<K, V>> inner_;
  ValueAndTimestamp<V> entry_;
};

}  // namespace thalweg::internal
