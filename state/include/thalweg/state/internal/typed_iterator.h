#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <thalweg/state/internal/layered_table.h>
#include <thalweg/state/internal/overlay.h>
#include <thalweg/state/key_value_store.h>

namespace thalweg::internal {

/// The smallest key above every key with that prefix; none when there is no such key.
inline std::optional<std::string> end_of_prefix(BytesView prefix) {
  std::string end(prefix);
  while (!end.empty() && end.back() == '\xff') end.pop_back();
  if (end.empty()) return std::nullopt;
  end.back() = static_cast<char>(static_cast<unsigned char>(end.back()) + 1);
  return end;
}

template <typename K, typename V>
class TypedKeyValueStore;

/// Walks a store's open transaction merged over its committed entries, which are read in chunks.
/// Survives writes to the store: next() goes on behind the key it stood at.
template <typename K, typename V>
class TypedIterator final : public KeyValueIterator<K, V> {
 public:
  TypedIterator(TypedKeyValueStore<K, V>& store, StoreView::Scan scan)
      : store_(store), scan_(std::move(scan)) {
    scan_.limit = kFirstChunk;
    store_.prepare_scan(is_by_group());
    read_chunk();
    seek_overlay();
    settle();
  }

  bool valid() const override { return current_ != nullptr; }
  void next() override {
    if (current_) settle();
  }
  const K& key() const override { return key_; }
  const ValueAndTimestamp<V>& value() const override { return *current_; }
  /// The serialised key.
  BytesView key_bytes() const {
    return scan_.reverse ? BytesView(*scan_.to)
                         : BytesView(*scan_.from).substr(0, scan_.from->size() - 1);
  }

 private:
  static constexpr std::size_t kFirstChunk = 32;
  static constexpr std::size_t kLargestChunk = 1024;

  /// To the next entry that is not deleted, from the committed chunk or the overlay.
  void settle() {
    current_ = nullptr;
    while (true) {
      if (chunk_at_ == chunk_.size() && !chunk_is_last_) read_chunk();
      if (overlay_version_ != store_.overlay_.version()) seek_overlay();
      const bool has_committed = chunk_at_ < chunk_.size();
      const bool has_open = this->has_open();
      if (!has_committed && !has_open) return;
      const int order = !has_open        ? 1
                        : !has_committed ? -1
                                         : compare(open_key(), chunk_[chunk_at_].key);
      if (order == 0) ++chunk_at_;  // The open transaction has a newer one.
      if (order > 0 ? take_committed() : take_open()) return;
    }
  }

  bool take_committed() {
    StoredEntry& entry = chunk_[chunk_at_++];
    pass(entry.key);
    store_.read_key(entry.key, key_);
    store_.read_value(entry.value, committed_.value);
    committed_.timestamp = entry.timestamp;
    current_ = &committed_;
    return true;
  }

  bool take_open() {
    const std::uint32_t row = *next_open();
    if (scan_.reverse) {
      --open_;
    } else {
      ++open_;
    }
    pass(store_.overlay_.key(row));
    const auto& cell = store_.entries_[store_.overlay_.number(row)];
    if (!cell.has_value) return false;
    key_ = cell.key;
    current_ = &cell.current;
    return true;
  }

  /// What is behind `key` is left to visit.
  void pass(BytesView key) {
    auto& bound = scan_.reverse ? scan_.to : scan_.from;
    if (!bound) bound.emplace();
    bound->assign(key);
    if (!scan_.reverse) bound->push_back('\0');
  }

  void read_chunk() {
    // Every key before the bounds was passed, but those between them and the chunk's end were not.
    store_.table_->read_chunk(scan_, chunk_);
    chunk_at_ = 0;
    chunk_is_last_ = chunk_.size() < scan_.limit;
    scan_.limit = std::min(scan_.limit * 4, kLargestChunk);
  }

  bool is_by_group() const { return store_.table_->is_by_group(scan_); }

  void seek_overlay() {
    const Overlay& overlay = store_.overlay_;
    overlay_version_ = overlay.version();
    rows_ = is_by_group() ? overlay.group(BytesView(*scan_.from).substr(0, scan_.group))
                          : &overlay.order();
    if (!rows_) return;
    const auto& bound = scan_.reverse ? scan_.to : scan_.from;
    if (bound) {
      open_ = rows_->lower_bound(*bound);
    } else {
      open_ = scan_.reverse ? rows_->end() : rows_->begin();
    }
  }

  bool has_open() const {
    if (!rows_ || open_ == (scan_.reverse ? rows_->begin() : rows_->end())) return false;
    return scan_.reverse ? !scan_.from || open_key() >= *scan_.from
                         : !scan_.to || open_key() < *scan_.to;
  }
  Overlay::Rows::Place next_open() const {
    auto at = open_;
    if (scan_.reverse) --at;
    return at;
  }
  BytesView open_key() const { return store_.overlay_.key(*next_open()); }
  /// < 0: `left` comes first in the order of the scan.
  int compare(BytesView left, BytesView right) const {
    const int order = left.compare(right);
    return scan_.reverse ? -order : order;
  }

  TypedKeyValueStore<K, V>& store_;
  StoreView::Scan scan_;  // Narrowed as the walk goes on.
  std::vector<StoredEntry> chunk_;
  std::size_t chunk_at_ = 0;
  bool chunk_is_last_ = false;
  const Overlay::Rows* rows_ = nullptr;  // Of the overlay; null: it has none of the group.
  Overlay::Rows::Place open_;            // Of rows_; in reverse behind what comes next.
  std::uint64_t overlay_version_ = 0;
  K key_{};
  ValueAndTimestamp<V> committed_;
  const ValueAndTimestamp<V>* current_ = nullptr;
};

}  // namespace thalweg::internal
