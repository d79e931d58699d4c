#pragma once

#include <list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include <thalweg/schemas/serde.h>
#include <thalweg/state/internal/key_value_store_decorator.h>
#include <thalweg/state/internal/lru_under_cache.h>

namespace thalweg::internal {

/// Keeps the `max` entries that were read or written last. The one that gives way is forgotten
/// without a word to the listener; the changelog is told, if asked to.
///
/// With a record cache in front, the last ones are those that were flushed last. The cache goes on
/// showing the others, up to its size; their next change has no old value, and deleting them
/// changes nothing: Kafka Streams' rules.
template <typename K, typename V>
class LruKeyValueStore final : public KeyValueStoreDecorator<K, V>, private ChangelogWriter {
 public:
  using Base = KeyValueStoreDecorator<K, V>;
  using typename Base::Entry;
  using typename Base::Listener;

  LruKeyValueStore(std::unique_ptr<KeyValueStore<K, V>> inner, std::size_t max, bool logs_evictions,
                   AnySerde<K> key_serde)
      : Base(std::move(inner)),
        max_(max),
        logs_evictions_(logs_evictions),
        key_serde_(std::move(key_serde)),
        under_cache_(max) {}

  Status open(const StoreContext& context) override {
    changelog_ = context.changelog;
    cache_bytes_ = context.cache_bytes;
    StoreContext adjusted = context;
    adjusted.changelog = this;
    return Base::open(adjusted);
  }
  void set_listener(Listener listener, bool old_values) override {
    listens_ = listener != nullptr;
    if (!listener) return Base::set_listener({}, false);
    Base::set_listener(
        [this, listener = std::move(listener)](const K& key, const V* new_value, const V* old_value,
                                               Timestamp timestamp, const Headers& headers) {
          if (evicting_ || was_unseen_) return;
          const bool knows_old = !this->cached() || was_held_;
          listener(key, new_value, knows_old ? old_value : nullptr, timestamp, headers);
        },
        old_values);
  }

  const V* get(const K& key) override {
    touch(key);
    return Base::get(key);
  }
  const Entry* get_with_timestamp(const K& key) override {
    touch(key);
    return Base::get_with_timestamp(key);
  }
  void put(const K& key, V value) override {
    make_room(key);
    Base::put(key, std::move(value));
  }
  void put(const K& key, V value, Timestamp timestamp, const Headers& headers) override {
    make_room(key);
    Base::put(key, std::move(value), timestamp, headers);
  }
  void remove(const K& key) override {
    forget(key);
    Base::remove(key);
  }
  void remove(const K& key, Timestamp timestamp, const Headers& headers) override {
    forget(key);
    Base::remove(key, timestamp, headers);
  }

  bool flush() override {
    const bool flushed = Base::flush();
    while (auto key = under_cache_.give_up(cache_bytes_)) forget_in_cache(*key);
    return flushed;
  }
  void abort() override {
    is_known_ = false;
    Base::abort();
  }
  void restore(std::span<const RecordView> records, Offset next, CommitSequence commit) override {
    is_known_ = false;
    Base::restore(records, next, commit);
  }
  Status discard() override {
    is_known_ = false;
    return Base::discard();
  }

 private:
  void append(BytesView key, std::optional<BytesView> value, Timestamp timestamp,
              const Headers& headers) override {
    if (this->cached()) return append_flushed(key, value, timestamp, headers);
    if (changelog_ && (!evicting_ || logs_evictions_)) {
      changelog_->append(key, value, timestamp, headers);
    }
  }
  /// What the cache hands down.
  void append_flushed(BytesView key, std::optional<BytesView> value, Timestamp timestamp,
                      const Headers& headers) {
    if (evicting_) return;
    was_held_ = under_cache_.holds(key);
    was_unseen_ = listens_ && !value && !was_held_;
    if (value) {
      const auto eldest = under_cache_.put(key, key.size() + value->size());
      if (eldest && logs_evictions_ && changelog_) {
        changelog_->append(*eldest, std::nullopt, timestamp, kNoHeaders);
      }
    } else {
      under_cache_.remove(key);
    }
    if (changelog_ && !was_unseen_) changelog_->append(key, value, timestamp, headers);
  }
  void forget_in_cache(const std::string& key_bytes) {
    K key;
    key_serde_.deserialize(key_bytes, key);
    evicting_ = true;
    Base::remove(key);
    Base::flush();
    evicting_ = false;
  }

  /// After a start or an abort nobody knows what was used last: then by key.
  void know() {
    if (is_known_) return;
    is_known_ = true;
    if (this->cached()) return know_under_cache();
    order_.clear();
    places_.clear();
    for (auto entry = this->inner().all(); entry->valid(); entry->next()) use(entry->key());
    while (order_.size() > max_) evict();
  }
  /// After a start the cache is empty and shows nothing but what the store holds.
  void know_under_cache() {
    under_cache_.clear();
    std::vector<std::string> beyond;
    std::string bytes;
    for (auto entry = this->inner().all(); entry->valid(); entry->next()) {
      bytes.clear();
      key_serde_.serialize(entry->key(), bytes);
      if (auto eldest = under_cache_.put(bytes, bytes.size())) beyond.push_back(*eldest);
    }
    for (const std::string& key : beyond) {
      under_cache_.remove(key);
      forget_in_cache(key);
    }
  }
  void use(const K& key) {
    order_.push_back(key);
    places_[key] = std::prev(order_.end());
  }
  void touch(const K& key) {
    know();
    const auto found = places_.find(key);
    if (found != places_.end()) order_.splice(order_.end(), order_, found->second);
  }
  void make_room(const K& key) {
    touch(key);
    if (this->cached() || places_.contains(key)) return;
    if (order_.size() >= max_) evict();
    use(key);
  }
  void forget(const K& key) {
    know();
    const auto found = places_.find(key);
    if (found == places_.end()) return;
    order_.erase(found->second);
    places_.erase(found);
  }
  void evict() {
    const K eldest = order_.front();
    forget(eldest);
    evicting_ = true;
    Base::remove(eldest);
    evicting_ = false;
  }

  const std::size_t max_;
  const bool logs_evictions_;
  const AnySerde<K> key_serde_;
  ChangelogWriter* changelog_ = nullptr;
  std::size_t cache_bytes_ = 0;
  LruUnderCache under_cache_;  // Only with a cache: then order_ is empty.
  bool listens_ = false;
  bool was_held_ = false;    // The entry being flushed: by the store beneath the cache.
  bool was_unseen_ = false;  // A deletion of what only the cache showed.
  bool evicting_ = false;
  bool is_known_ = false;
  std::list<K> order_;  // The one used last comes last.
  boost::unordered_flat_map<K, typename std::list<K>::iterator, std::hash<K>> places_;
};

}  // namespace thalweg::internal
