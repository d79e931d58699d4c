#pragma once

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
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
    written_.emplace(timestamp, key);
    expire();
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
    for (auto entry = this->inner().all(); entry->valid(); entry->next()) {
      written_.emplace(entry->value().timestamp, entry->key());
      time_ = std::max(time_, entry->value().timestamp);
    }
  }

  void expire() {
    while (!written_.empty() && written_.begin()->first + time_to_live_ <= time_) {
      const auto oldest = written_.extract(written_.begin());
      const auto* entry = this->inner().get_with_timestamp(oldest.mapped());
      // It may have been written again, or deleted.
      if (!entry || entry->timestamp != oldest.key()) continue;
      Base::remove(oldest.mapped(), time_, kNoHeaders);
    }
  }

  const std::chrono::milliseconds time_to_live_;
  std::function<Timestamp()> record_time_;
  bool is_known_ = false;
  Timestamp time_ = kNoTimestamp;
  std::multimap<Timestamp, K> written_;
};

}  // namespace thalweg::internal
