#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include <boost/unordered/unordered_flat_set.hpp>

#include <thalweg/schemas/bytes.h>
#include <thalweg/schemas/timestamp.h>
#include <thalweg/state/internal/row_groups.h>

#include "big_endian.h"

namespace thalweg::internal {

/// One key with its value and timestamp, in one block of memory: overwriting a value by one that is
/// not longer allocates nothing.
class ByteEntry {
 public:
  static ByteEntry* make(BytesView key, std::optional<BytesView> value, Timestamp timestamp);
  static void free(ByteEntry* entry);

  BytesView key() const { return {data(), key_size_}; }
  bool is_tombstone() const { return value_size_ == kTombstone; }
  Timestamp timestamp() const { return from_millis(read_big_endian<std::int64_t>(stored())); }
  /// Only when it is no tombstone.
  BytesView value() const { return {data() + key_size_ + kTimestampSize, value_size_}; }
  /// What level 3 stores: 8 bytes of timestamp, then the value. Only when it is no tombstone.
  BytesView stored() const { return {data() + key_size_, kTimestampSize + value_size_}; }

  /// False, and nothing done, when the block is too small for `value`, or far too large.
  bool overwrite(std::optional<BytesView> value, Timestamp timestamp);
  /// What the entry takes of the memory budget, its share of the hash table included.
  std::size_t footprint() const;

 private:
  static constexpr std::uint32_t kTombstone = 0xffffffff;
  static constexpr std::size_t kTimestampSize = sizeof(std::int64_t);

  ByteEntry() = default;
  char* data() { return reinterpret_cast<char*>(this) + sizeof(ByteEntry); }
  const char* data() const { return reinterpret_cast<const char*>(this) + sizeof(ByteEntry); }

  std::uint32_t key_size_ = 0;
  std::uint32_t value_size_ = 0;
  std::uint32_t value_capacity_ = 0;
};

/// Keys and values as bytes: a hash table that can also be walked in order of keys, all of them or
/// group by group, once asked to. Not thread-safe; LayeredTable guards it.
class ByteTable {
 public:
  struct KeyOf {
    BytesView operator()(const ByteEntry* entry) const { return entry->key(); }
    BytesView operator()(BytesView bytes) const { return bytes; }
  };
  using Groups = RowGroups<const ByteEntry*, KeyOf>;
  using Order = Groups::Rows;

  ByteTable() = default;
  ~ByteTable() { clear(); }
  ByteTable(const ByteTable&) = delete;
  ByteTable& operator=(const ByteTable&) = delete;

  const ByteEntry* find(BytesView key) const {
    const auto found = entries_.find(Probe(key));
    return found == entries_.end() ? nullptr : found->entry;
  }
  /// Stores a value, or a tombstone for null.
  void put(BytesView key, std::optional<BytesView> value, Timestamp timestamp);
  void erase(BytesView key);
  /// Drops every entry whose key is before `key`.
  void erase_before(BytesView key);
  void clear();

  /// Takes over all entries of `older` that this table has no newer ones for, and leaves it empty.
  void merge_older(ByteTable& older);
  void swap(ByteTable& other);

  bool empty() const { return entries_.empty(); }
  std::size_t size() const { return entries_.size(); }
  /// Bytes of the memory budget that the entries take.
  std::size_t footprint() const { return footprint_; }
  /// And those that their order and groups take.
  std::size_t index_footprint() const;

  /// All entries, in no order.
  std::vector<const ByteEntry*> entries() const;
  /// Sorts entries by key.
  static void sort(std::vector<const ByteEntry*>& entries);

  bool is_ordered() const { return is_ordered_; }
  /// Builds the order of keys, once; from then on each new key keeps it up.
  void make_ordered();
  /// Complete only once make_ordered() was called.
  const Order& order() const { return order_; }

  bool is_grouped() const { return is_grouped_; }
  /// The same for groups: the entries whose keys are the same but for `suffix` bytes at their end.
  void make_grouped(std::size_t suffix);
  /// The entries of a group, in order of keys; null: there are none. Only once make_grouped() was
  /// called.
  const Order* group(BytesView group) const { return groups_.find(group); }

 private:
  struct Probe {
    explicit Probe(BytesView wanted) : hash(std::hash<BytesView>{}(wanted)), bytes(wanted) {}
    BytesView key() const { return bytes; }
    std::size_t hash;
    BytesView bytes;
  };
  /// With its hash, so that the table grows without a look at any entry: a commit waits for it.
  struct Slot {
    BytesView key() const { return entry->key(); }
    std::size_t hash;
    ByteEntry* entry;
  };
  struct Hash {
    using is_transparent = void;
    using is_avalanching = void;  // libstdc++ hashes bytes with murmur.
    std::size_t operator()(const auto& slot) const { return slot.hash; }
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(const auto& left, const auto& right) const {
      return left.hash == right.hash && left.key() == right.key();
    }
  };

  void insert(const Slot& slot);
  /// Takes an entry out of the order and its group, before it is freed.
  void take_out(const ByteEntry* entry);
  BytesView group_of(const ByteEntry* entry) const {
    const BytesView key = entry->key();
    return key.substr(0, key.size() - std::min(key.size(), suffix_));
  }
  /// Lets go of all entries without freeing them.
  void forget();

  boost::unordered_flat_set<Slot, Hash, Equal> entries_;
  Order order_;
  Groups groups_;
  std::size_t suffix_ = 0;
  std::size_t footprint_ = 0;
  bool is_ordered_ = false;
  bool is_grouped_ = false;
};

}  // namespace thalweg::internal
