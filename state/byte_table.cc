#include "byte_table.h"

#include <algorithm>
#include <new>

#include <thalweg/schemas/check.h>

namespace thalweg::internal {
namespace {

// What malloc keeps per block, and a slot of the hash table at its average load.
constexpr std::size_t kOverhead = 16 + 24;

constexpr std::size_t kWorthShrinking = 1024;

/// How many bytes all keys begin with in common.
std::size_t common_prefix(const std::vector<const ByteEntry*>& entries) {
  const BytesView first = entries.front()->key();
  std::size_t size = first.size();
  for (const ByteEntry* entry : entries) {
    const BytesView key = entry->key();
    size = std::min(size, key.size());
    size = static_cast<std::size_t>(
        std::mismatch(first.begin(), first.begin() + static_cast<std::ptrdiff_t>(size), key.begin())
            .first -
        first.begin());
  }
  return size;
}

/// Up to eight bytes of a key as a number that sorts like them; a shorter key sorts as if zeros
/// followed.
std::uint64_t leading_bytes(BytesView key) {
  if (key.size() >= sizeof(std::uint64_t)) return read_big_endian<std::uint64_t>(key);
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < sizeof value; ++i) {
    value = (value << 8) | (i < key.size() ? static_cast<unsigned char>(key[i]) : 0);
  }
  return value;
}

}  // namespace

ByteEntry* ByteEntry::make(BytesView key, std::optional<BytesView> value, Timestamp timestamp) {
  const std::size_t value_size = value ? value->size() : 0;
  THALWEG_CHECK(key.size() < kTombstone && value_size < kTombstone, "an entry of 4 GiB");
  void* memory = ::operator new(sizeof(ByteEntry) + key.size() + kTimestampSize + value_size);
  auto* entry = new (memory) ByteEntry();
  entry->key_size_ = static_cast<std::uint32_t>(key.size());
  entry->value_capacity_ = static_cast<std::uint32_t>(value_size);
  std::copy(key.begin(), key.end(), entry->data());
  entry->overwrite(value, timestamp);
  return entry;
}

void ByteEntry::free(ByteEntry* entry) {
  entry->~ByteEntry();
  ::operator delete(entry);
}

bool ByteEntry::overwrite(std::optional<BytesView> value, Timestamp timestamp) {
  const std::size_t size = value ? value->size() : 0;
  if (size > value_capacity_) return false;
  if (value_capacity_ > kWorthShrinking && size < value_capacity_ / 4) return false;
  char* to = data() + key_size_;
  write_big_endian(to_millis(timestamp), to);
  if (value) std::copy(value->begin(), value->end(), to + kTimestampSize);
  value_size_ = value ? static_cast<std::uint32_t>(size) : kTombstone;
  return true;
}

std::size_t ByteEntry::footprint() const {
  return sizeof(ByteEntry) + key_size_ + kTimestampSize + value_capacity_ + kOverhead;
}

void ByteTable::put(BytesView key, std::optional<BytesView> value, Timestamp timestamp) {
  const Probe probe(key);
  const auto found = entries_.find(probe);
  if (found == entries_.end()) {
    insert({probe.hash, ByteEntry::make(key, value, timestamp)});
    return;
  }
  ByteEntry* smaller = found->entry;
  if (smaller->overwrite(value, timestamp)) return;
  ByteEntry* larger = ByteEntry::make(key, value, timestamp);
  entries_.erase(found);
  footprint_ -= smaller->footprint();
  take_out(smaller);
  ByteEntry::free(smaller);
  insert({probe.hash, larger});
}

void ByteTable::insert(const Slot& slot) {
  entries_.insert(slot);
  if (is_ordered_) order_.insert(slot.entry);
  if (is_grouped_) groups_.insert(group_of(slot.entry), slot.entry);
  footprint_ += slot.entry->footprint();
}

void ByteTable::take_out(const ByteEntry* entry) {
  if (is_ordered_) order_.erase(entry);
  if (is_grouped_) groups_.erase(group_of(entry), entry);
}

void ByteTable::erase(BytesView key) {
  const auto found = entries_.find(Probe(key));
  if (found == entries_.end()) return;
  ByteEntry* entry = found->entry;
  entries_.erase(found);
  take_out(entry);
  footprint_ -= entry->footprint();
  ByteEntry::free(entry);
}

void ByteTable::erase_before(BytesView key) {
  std::vector<Slot> dropped;
  for (const Slot& slot : entries_) {
    if (slot.key() < key) dropped.push_back(slot);
  }
  if (dropped.empty()) return;
  if (is_ordered_) order_.erase_before(key);
  for (const Slot& slot : dropped) {
    if (is_grouped_) groups_.erase(group_of(slot.entry), slot.entry);
    entries_.erase(slot);
    footprint_ -= slot.entry->footprint();
    ByteEntry::free(slot.entry);
  }
  groups_.shrink();
}

std::size_t ByteTable::index_footprint() const {
  return groups_.footprint() + (is_ordered_ ? size() * Order::kFootprint : 0);
}

void ByteTable::clear() {
  for (const Slot& slot : entries_) ByteEntry::free(slot.entry);
  forget();
}

void ByteTable::merge_older(ByteTable& older) {
  if (older.size() > size()) {
    // Moving the smaller side: this table's entries replace their older ones.
    for (const Slot& slot : entries_) {
      older.erase(slot.key());
      older.insert(slot);
    }
    older.swap(*this);
  } else {
    for (const Slot& slot : older.entries_) {
      if (entries_.contains(slot)) {
        ByteEntry::free(slot.entry);
      } else {
        insert(slot);
      }
    }
  }
  older.forget();
}

void ByteTable::forget() {
  order_.clear();
  groups_.clear();
  entries_.clear();
  footprint_ = 0;
}

void ByteTable::swap(ByteTable& other) {
  entries_.swap(other.entries_);
  std::swap(order_, other.order_);
  groups_.swap(other.groups_);
  std::swap(suffix_, other.suffix_);
  std::swap(footprint_, other.footprint_);
  std::swap(is_ordered_, other.is_ordered_);
  std::swap(is_grouped_, other.is_grouped_);
}

std::vector<const ByteEntry*> ByteTable::entries() const {
  std::vector<const ByteEntry*> all;
  all.reserve(entries_.size());
  for (const Slot& slot : entries_) all.push_back(slot.entry);
  return all;
}

void ByteTable::sort(std::vector<const ByteEntry*>& entries) {
  if (entries.empty()) return;
  // Comparing entries in place costs two cache misses; bytes that lie beside the pointers none.
  struct Item {
    std::uint64_t leading;
    const ByteEntry* entry;
  };
  const std::size_t shared = common_prefix(entries);
  std::vector<Item> items;
  items.reserve(entries.size());
  for (const ByteEntry* entry : entries) {
    items.push_back({leading_bytes(entry->key().substr(shared)), entry});
  }
  std::sort(items.begin(), items.end(), [](const Item& left, const Item& right) {
    if (left.leading != right.leading) return left.leading < right.leading;
    return left.entry->key() < right.entry->key();
  });
  for (std::size_t i = 0; i < items.size(); ++i) entries[i] = items[i].entry;
}

void ByteTable::make_ordered() {
  if (is_ordered_) return;
  auto all = entries();
  sort(all);
  for (const ByteEntry* entry : all) order_.append(entry);
  is_ordered_ = true;
}

void ByteTable::make_grouped(std::size_t suffix) {
  if (is_grouped_) return;
  suffix_ = suffix;
  for (const Slot& slot : entries_) groups_.insert(group_of(slot.entry), slot.entry);
  is_grouped_ = true;
}

}  // namespace thalweg::internal
