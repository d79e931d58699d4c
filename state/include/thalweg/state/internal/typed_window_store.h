#pragma once

#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <thalweg/state/internal/plain_iterator.h>
#include <thalweg/state/internal/segmented_store.h>
#include <thalweg/state/window_store.h>

namespace thalweg::internal {

/// The window store. Without timestamps they are kNoTimestamp when they are read again, unless the
/// entry is read from a cache; values must then be copyable.
template <typename K, typename V>
class TypedWindowStore final : public SegmentedStore<WindowStore<K, V>, K, V> {
 public:
  using Base = SegmentedStore<WindowStore<K, V>, K, V>;
  using typename Base::Entry;
  using typename Base::Iterator;

  TypedWindowStore(std::string name, bool persistent, bool caching, const AnySerde<K>& key_serde,
                   AnySerde<V> value_serde, Segments segments,
                   std::chrono::milliseconds window_size, bool retain_duplicates,
                   bool timestamps)
      : Base(std::move(name), persistent, caching, key_serde, std::move(value_serde), segments,
             window_size.count(), !retain_duplicates),
        window_size_(window_size),
        retain_duplicates_(retain_duplicates),
        timestamps_(timestamps) {}

  StateStore::Kind kind() const override { return StateStore::Kind::kWindow; }
  std::chrono::milliseconds window_size() const override { return window_size_; }

  const V* fetch(const K& key, Timestamp window_start) override {
    const Entry* entry = fetch_with_timestamp(key, window_start);
    return entry ? &entry->value : nullptr;
  }
  const Entry* fetch_with_timestamp(const K& key, Timestamp window_start) override {
    this->settle();
    if (retain_duplicates_ && this->segments_.exact_expiry) return nullptr;  // None is the one.
    return plain(this->find(at(key, window_start, last_put_), window_start));
  }
  /// A hint: these keys' windows are likely to be looked up next.
  void expect(std::span<const K> keys, Timestamp window_start) {
    if (retain_duplicates_) return;
    if (expected_.size() < keys.size()) expected_.resize(keys.size());
    const Window window{window_start, after(window_start, window_size_)};
    for (std::size_t i = 0; i < keys.size(); ++i) {
      expected_[i].windowed.key = keys[i];
      expected_[i].windowed.window = window;
    }
    this->entries_.expect(std::span<const Stored>(expected_).first(keys.size()));
  }

  void put(const K& key, V value, Timestamp window_start) override {
    put(key, std::move(value), window_start, this->now(), kNoHeaders);
  }
  void put(const K& key, V value, Timestamp window_start, Timestamp timestamp,
           const Headers& headers) override {
    this->settle();
    last_put_ = next_number();
    this->write(at(key, window_start, last_put_), window_start, std::move(value), timestamp,
                headers);
  }
  void remove(const K& key, Timestamp window_start) override {
    remove(key, window_start, this->now(), kNoHeaders);
  }
  void remove(const K& key, Timestamp window_start, Timestamp timestamp,
              const Headers& headers) override {
    this->settle();
    const auto number = next_number();
    const Stored& stored = at(key, window_start, number);
    if (retain_duplicates_ && this->segments_.exact_expiry) this->observe(stored, window_start);
    if (!retain_duplicates_) return this->erase(stored, window_start, timestamp, headers);
    // There is nothing to delete, but Kafka Streams logs the attempt under a number of its own.
    this->entries_.pass_through(stored, nullptr, timestamp, headers);
  }

  std::unique_ptr<Iterator> fetch(const K& key, Timestamp from, Timestamp to,
                                  bool reverse) override {
    return plain(walk(from, to, reverse, &key, &key));
  }
  std::unique_ptr<Iterator> fetch(const std::optional<K>& first, const std::optional<K>& last,
                                  Timestamp from, Timestamp to, bool reverse) override {
    return plain(
        walk(from, to, reverse, first ? &*first : nullptr, last ? &*last : nullptr));
  }
  std::unique_ptr<Iterator> fetch_all(Timestamp from, Timestamp to, bool reverse) override {
    return plain(walk(from, to, reverse, nullptr, nullptr));
  }
  std::unique_ptr<Iterator> all(bool reverse) override {
    return fetch_all(from_millis(0), kEndOfTime, reverse);
  }

 private:
  using typename Base::Stored;

  std::unique_ptr<Iterator> walk(Timestamp from, Timestamp to, bool reverse, const K* first,
                                 const K* last) {
    this->settle();
    WindowScan scan;
    scan.from = to_millis(from);
    scan.to = to_millis(to);
    scan.reverse = reverse;
    const bool in_memory = this->segments_.exact_expiry;
    scan.order = in_memory ? WindowScan::Order::kByTime : WindowScan::Order::kAsStored;
    return this->scan(std::move(scan), first, last);
  }
  bool shows_timestamps() const { return timestamps_ || this->cached(); }
  const Entry* plain(const Entry* entry) {
    if constexpr (std::is_copy_assignable_v<V>) {
      if (entry && !shows_timestamps()) return &(read_ = {entry->value, kNoTimestamp});
    }
    return entry;
  }
  std::unique_ptr<Iterator> plain(std::unique_ptr<Iterator> entries) const {
    if constexpr (std::is_copy_assignable_v<V>) {
      if (!shows_timestamps()) {
        return std::make_unique<PlainIterator<Windowed<K>, V>>(std::move(entries));
      }
    }
    return entries;
  }
  /// The key of an entry, in memory that is used again.
  const Stored& at(const K& key, Timestamp window_start, std::int32_t sequence) {
    if (!(at_.windowed.key == key)) at_.windowed.key = key;
    at_.windowed.window = {window_start, after(window_start, window_size_)};
    at_.sequence = sequence;
    return at_;
  }
  /// The number of the next duplicate.
  std::int32_t next_number() {
    if (!retain_duplicates_) return 0;
    std::int32_t& sequence = this->entries_.marks().sequence;
    return sequence = (sequence + 1) & std::numeric_limits<std::int32_t>::max();
  }

  const std::chrono::milliseconds window_size_;
  const bool retain_duplicates_;
  const bool timestamps_;
  Entry read_{};
  Stored at_{};
  std::vector<Stored> expected_;  ///< Kept for their memory.
  std::int32_t last_put_ = 0;
};

}  // namespace thalweg::internal
