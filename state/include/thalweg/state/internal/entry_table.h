#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <ranges>
#include <span>
#include <vector>

#include <boost/unordered/unordered_flat_set.hpp>

#include <thalweg/state/internal/write_log.h>
#include <thalweg/state/key_value_store.h>

namespace thalweg::internal {

/// Level 1's entries: typed values at addresses that stay, found by key or by number.
template <typename K, typename V>
class EntryTable {
 public:
  using Number = std::uint32_t;
  static constexpr Number kNone = 0xffffffff;

  enum class State : std::uint8_t {
    kFree,
    kClean,    ///< As committed; may be evicted.
    kDirty,    ///< Written and not flushed.
    kFlushed,  ///< Written in the open transaction, and flushed.
    kOrphan,   ///< Written again while a listener was looking at it: kept for that listener only.
  };
  /// What is known of the value before the entry became dirty, as of the last flush.
  enum class Before : std::uint8_t { kUnknown, kAbsent, kPresent, kKept };

  struct Entry {
    K key{};
    ValueAndTimestamp<V> current{};
    std::size_t hash = 0;
    std::unique_ptr<V> before_value;   // Only for Before::kKept.
    std::unique_ptr<Headers> headers;  // Of the record that caused the last write; null: none.
    Number previous = kNone;           // In the dirty list.
    Number next = kNone;
    std::uint32_t write = WriteLog::kNone;
    std::uint32_t charge = 0;
    State state = State::kFree;
    Before before = Before::kUnknown;
    bool has_value = false;
    bool is_referenced = false;  // Since the clock's hand last passed.
    std::uint8_t pins = 0;       // Listeners looking at it.
  };

  /// Keeps a listener's view of an entry from changing under it.
  struct Pin {
    explicit Pin(Entry& pinned) : entry(pinned) { ++entry.pins; }
    ~Pin() { --entry.pins; }
    Entry& entry;
  };

  EntryTable() : index_(0, Hash{this}, Equal{this}) {}
  EntryTable(const EntryTable&) = delete;
  EntryTable& operator=(const EntryTable&) = delete;

  Entry& operator[](Number number) { return chunks_[number / kChunk][number % kChunk]; }
  const Entry& operator[](Number number) const { return chunks_[number / kChunk][number % kChunk]; }

  Number find(const K& key) const { return find(Hashed{key, std::hash<K>{}(key)}); }
  /// The entry that find() is most likely to find: by its hash alone, without a look at it.
  Number guess(const K& key) const {
    const auto found = index_.find(Guess{std::hash<K>{}(key)});
    return found == index_.end() ? kNone : *found;
  }

  /// Brings the entries of keys that will be looked up next, and their values, into the processor's
  /// cache. First all entries, then all values: each step needs what the one before it has brought.
  void expect(std::span<const K> keys) const {
    static constexpr std::size_t kAtOnce = 16;
    std::array<Number, kAtOnce> guesses;
    while (!keys.empty()) {
      const std::size_t count = std::min(keys.size(), kAtOnce);
      for (std::size_t i = 0; i < count; ++i) {
        guesses[i] = guess(keys[i]);
        if (guesses[i] == kNone) continue;
        const Entry& entry = (*this)[guesses[i]];
        __builtin_prefetch(&entry.key);
        __builtin_prefetch(&entry.is_referenced);
      }
      if constexpr (std::ranges::contiguous_range<const V>) {
        for (std::size_t i = 0; i < count; ++i) {
          if (guesses[i] == kNone) continue;
          __builtin_prefetch(std::ranges::data((*this)[guesses[i]].current.value));
        }
      }
      keys = keys.subspan(count);
    }
  }

  /// Adds an entry for a key that has none.
  Number insert(const K& key) {
    const Number number = allocate();
    Entry& entry = (*this)[number];
    entry.key = key;
    entry.hash = std::hash<K>{}(key);
    index_.insert(number);
    return number;
  }
  /// Adds an entry for the key of `number`, which from now on is found by its number only.
  Number supersede(Number number) {
    index_.erase(number);
    return insert((*this)[number].key);
  }
  void unlink(Number number) { index_.erase(number); }
  /// Frees an entry that is not linked; its memory goes, its place is used again.
  void release(Number number) {
    (*this)[number] = Entry{};
    free_.push_back(number);
  }

  std::size_t size() const { return index_.size(); }
  /// Numbers given out so far are below this.
  Number capacity() const { return static_cast<Number>(chunks_.size() * kChunk); }

 private:
  static constexpr Number kChunk = 64;

  struct Hashed {
    const K& key;
    std::size_t hash;
  };
  struct Guess {
    std::size_t hash;
  };
  struct Hash {
    using is_transparent = void;
    const EntryTable* table;
    std::size_t operator()(Number number) const { return (*table)[number].hash; }
    std::size_t operator()(const Hashed& key) const { return key.hash; }
    std::size_t operator()(const Guess& key) const { return key.hash; }
  };
  struct Equal {
    using is_transparent = void;
    const EntryTable* table;
    bool operator()(Number left, Number right) const { return left == right; }
    bool operator()(const Hashed& left, Number right) const {
      return left.key == (*table)[right].key;
    }
    bool operator()(Number left, const Hashed& right) const { return (*this)(right, left); }
    bool operator()(const Guess&, Number) const { return true; }
    bool operator()(Number, const Guess&) const { return true; }
  };

  Number find(const Hashed& key) const {
    const auto found = index_.find(key);
    return found == index_.end() ? kNone : *found;
  }
  Number allocate() {
    if (free_.empty()) {
      const Number first = capacity();
      chunks_.push_back(std::make_unique<Entry[]>(kChunk));
      for (Number number = first + kChunk; number > first; --number) free_.push_back(number - 1);
    }
    const Number number = free_.back();
    free_.pop_back();
    return number;
  }

  std::vector<std::unique_ptr<Entry[]>> chunks_;
  std::vector<Number> free_;
  boost::unordered_flat_set<Number, Hash, Equal> index_;
};

/// Entries written and not flushed, in order of last write; linked through the entries themselves.
template <typename Table>
class DirtyList {
 public:
  using Number = typename Table::Number;

  bool empty() const { return first_ == Table::kNone; }
  Number first() const { return first_; }
  void append(Table& entries, Number number) {
    entries[number].previous = last_;
    entries[number].next = Table::kNone;
    (last_ == Table::kNone ? first_ : entries[last_].next) = number;
    last_ = number;
  }
  void remove(Table& entries, Number number) {
    auto& entry = entries[number];
    (entry.previous == Table::kNone ? first_ : entries[entry.previous].next) = entry.next;
    (entry.next == Table::kNone ? last_ : entries[entry.next].previous) = entry.previous;
    entry.previous = entry.next = Table::kNone;
  }
  /// Forgets all entries, which must be gone or are about to go.
  void clear() { first_ = last_ = Table::kNone; }

 private:
  Number first_ = Table::kNone;
  Number last_ = Table::kNone;
};

}  // namespace thalweg::internal
