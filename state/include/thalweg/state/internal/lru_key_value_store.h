#pragma once

#include <list>
#include <memory>
#include <optional>
#include <utility>

#include <boost/unordered/unordered_flat_map.hpp>

#include <thalweg/state/internal/key_value_store_decorator.h>

namespace thalweg::internal {

/// Keeps the `max` entries that were read or written last. The one that gives way is forgotten
/// without a word to the listener; the changelog is told, if asked to.
template <typename K, typename V>
class LruKeyValueStore final : public KeyValueStoreDecorator<K, V>, private ChangelogWriter {
 public:
  using Base = KeyValueStoreDecorator<K, V>;
  using typename Base::Entry;
  using typename Base::Listener;

  LruKeyValueStore(std::unique_ptr<KeyValueStore<K, V>> inner, std::size_t max,
                   bool logs_evictions)
      : Base(std::move(inner)), max_(max), logs_evictions_(logs_evictions) {}

  Status open(const StoreContext& context) override {
    changelog_ = context.changelog;
    StoreContext adjusted = context;
    if (changelog_) adjusted.changelog = this;
    return Base::open(adjusted);
  }
  void set_listener(Listener listener, bool old_values) override {
    if (!listener) return Base::set_listener({}, false);
    Base::set_listener(
        [this, listener = std::move(listener)](const K& key, const V* new_value,
                                               const V* old_value, Timestamp timestamp,
                                               const Headers& headers) {
          if (!evicting_) listener(key, new_value, old_value, timestamp, headers);
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
    if (!evicting_ || logs_evictions_) changelog_->append(key, value, timestamp, headers);
  }

  /// After a start or an abort nobody knows what was used last: then by key.
  void know() {
    if (is_known_) return;
    is_known_ = true;
    order_.clear();
    places_.clear();
    for (auto entry = this->inner().all(); entry->valid(); entry->next()) use(entry->key());
    while (order_.size() > max_) evict();
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
    if (places_.contains(key)) return;
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
  ChangelogWriter* changelog_ = nullptr;
  bool evicting_ = false;
  bool is_known_ = false;
  std::list<K> order_;  // The one used last comes last.
  boost::unordered_flat_map<K, typename std::list<K>::iterator, std::hash<K>> places_;
};

}  // namespace thalweg::internal
