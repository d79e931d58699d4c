#pragma once

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <unordered_map>
#include <utility>

#include <thalweg/state/internal/key_value_store_decorator.h>

namespace thalweg::internal {

/// Deletes entries that have not been written for a time, by the latest timestamp put into the
/// store: with a word to the listener and a tombstone in the changelog, as a deletion by hand.
template <typename K, typename V>
class ExpiringKeyValueStore final : public KeyValueStoreDecorator<K, V> {
 public:
  using Base = KeyValueStoreDecorator<K, V>;

  ExpiringKeyValueStore(std::unique_ptr<KeyValueStore<K, V>> inner,
                        std::chrono::milliseconds time_to_live)
      : Base(std::move(inner)), time_to_live_(time_to_live) {}

  Status open(const StoreContext& context) override {
    record_time_ = context.record_time;
    return Base::open(context);
  }

  void put(const K& key, V value) override {
    put(key, std::move(value), record_time_ ? record_time_() : kNoTimestamp, kNoHeaders);
  }
  void put(const K& key, V value, Timestamp timestamp, const Headers& headers) override {
    know();
    time_ = std::max(time_, timestamp);
    Base::put(key, std::move(value), timestamp, headers);
    note(key, timestamp);
    expire();
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
  /// After a start or an abort: the entries say when they were written.
  void know() {
    if (is_known_) return;
    is_known_ = true;
    time_ = kNoTimestamp;
    written_.clear();
    places_.clear();
    for (auto entry = this->inner().all(); entry->valid(); entry->next()) {
      note(entry->key(), entry->value().timestamp);
      time_ = std::max(time_, entry->value().timestamp);
    }
  }

  /// A key is in written_ once, however often it is put.
  void note(const K& key, Timestamp timestamp) {
    const auto [place, is_new] = places_.try_emplace(key);
    if (is_new) {
      place->second = written_.emplace(timestamp, &place->first);
    } else if (place->second->first != timestamp) {
      auto node = written_.extract(place->second);
      node.key() = timestamp;
      place->second = written_.insert(std::move(node));
    }
  }
  void forget(const K& key) {
    const auto place = places_.find(key);
    if (place == places_.end()) return;
    written_.erase(place->second);
    places_.erase(place);
  }

  void expire() {
    while (!written_.empty() && written_.begin()->first + time_to_live_ <= time_) {
      const K oldest = *written_.begin()->second;
      forget(oldest);
      Base::remove(oldest, time_, kNoHeaders);
    }
  }

  using Written = std::multimap<Timestamp, const K*>;  // A key of places_.

  const std::chrono::milliseconds time_to_live_;
  std::function<Timestamp()> record_time_;
  bool is_known_ = false;
  Timestamp time_ = kNoTimestamp;
  Written written_;
  std::unordered_map<K, typename Written::iterator> places_;
};

}  // namespace thalweg::internal
