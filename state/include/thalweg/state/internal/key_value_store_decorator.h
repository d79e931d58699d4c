#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include <thalweg/state/key_value_store.h>

namespace thalweg::internal {

/// A key-value store that does as another one does, but for what a derived class changes.
template <typename K, typename V>
class KeyValueStoreDecorator : public KeyValueStore<K, V> {
 public:
  using typename KeyValueStore<K, V>::Entry;
  using typename KeyValueStore<K, V>::Listener;

  explicit KeyValueStoreDecorator(std::unique_ptr<KeyValueStore<K, V>> inner)
      : inner_(std::move(inner)) {}

  const std::string& name() const override { return inner_->name(); }
  StateStore::Kind kind() const override { return inner_->kind(); }
  SchemaPtr key_schema() const override { return inner_->key_schema(); }
  SchemaPtr value_schema() const override { return inner_->value_schema(); }
  bool persistent() const override { return inner_->persistent(); }
  bool cached() const override { return inner_->cached(); }
  Status open(const StoreContext& context) override { return inner_->open(context); }

  const V* get(const K& key) override { return inner_->get(key); }
  const Entry* get_with_timestamp(const K& key) override { return inner_->get_with_timestamp(key); }
  void expect(std::span<const K> keys) override { inner_->expect(keys); }
  std::unique_ptr<KeyValueIterator<K, V>> range(const std::optional<K>& from,
                                                const std::optional<K>& to, bool reverse) override {
    return inner_->range(from, to, reverse);
  }
  std::unique_ptr<KeyValueIterator<K, V>> prefix_scan(BytesView prefix) override {
    return inner_->prefix_scan(prefix);
  }
  void put(const K& key, V value) override { inner_->put(key, std::move(value)); }
  void put(const K& key, V value, Timestamp timestamp, const Headers& headers) override {
    inner_->put(key, std::move(value), timestamp, headers);
  }
  void remove(const K& key) override { inner_->remove(key); }
  void remove(const K& key, Timestamp timestamp, const Headers& headers) override {
    inner_->remove(key, timestamp, headers);
  }
  void set_listener(Listener listener, bool old_values) override {
    inner_->set_listener(std::move(listener), old_values);
  }

  bool flush() override { return inner_->flush(); }
  void commit(Offset changelog_end, CommitSequence commit) override {
    inner_->commit(changelog_end, commit);
  }
  void abort() override { inner_->abort(); }
  std::size_t uncommitted_bytes() const override { return inner_->uncommitted_bytes(); }
  Offset restored_to() const override { return inner_->restored_to(); }
  void restore(std::span<const RecordView> records, Offset next, CommitSequence commit) override {
    inner_->restore(records, next, commit);
  }
  Status discard() override { return inner_->discard(); }
  std::size_t unspilled_bytes() const override { return inner_->unspilled_bytes(); }
  std::shared_ptr<Spill> start_spill(Timestamp wall_time) override {
    return inner_->start_spill(wall_time);
  }
  std::shared_ptr<const StoreView> view() const override { return inner_->view(); }

 protected:
  KeyValueStore<K, V>& inner() { return *inner_; }

 private:
  std::unique_ptr<KeyValueStore<K, V>> inner_;
};

}  // namespace thalweg::internal
