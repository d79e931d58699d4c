#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <thalweg/state/internal/stored_window.h>
#include <thalweg/state/internal/typed_key_value_store.h>
#include <thalweg/state/internal/window_scan.h>

namespace thalweg::internal {

/// Walks the entries of a store of windows as a WindowScan says: range by range as they lie, or in
/// another order, for which it first reads the keys.
template <typename K, typename V>
class SegmentedIterator final : public KeyValueIterator<Windowed<K>, V> {
 public:
  using Entries = TypedKeyValueStore<StoredWindow<K>, V>;
  using Walk = TypedIterator<StoredWindow<K>, V>;

  SegmentedIterator(Entries& entries, WindowScan scan) : entries_(entries), scan_(std::move(scan)) {
    if (scan_.order == WindowScan::Order::kAsStored) {
      settle();
    } else {
      read_keys();
      settle_ordered();
    }
  }

  bool valid() const override { return current_ != nullptr; }
  void next() override {
    if (!current_) return;
    if (scan_.order == WindowScan::Order::kAsStored) {
      walk_->next();
      settle();
    } else {
      settle_ordered();
    }
  }
  const Windowed<K>& key() const override { return *key_; }
  const ValueAndTimestamp<V>& value() const override { return *current_; }

 private:
  /// To the next entry that is asked for, from where the walk stands on.
  void settle() {
    current_ = nullptr;
    while (true) {
      for (; walk_ && walk_->valid(); walk_->next()) {
        if (!scan_.wants(walk_->key_bytes())) continue;
        key_ = &walk_->key().windowed;
        current_ = &walk_->value();
        return;
      }
      if (range_ == scan_.ranges.size()) return;
      walk_.emplace(entries_, scan_.ranges[range_++]);
    }
  }

  void read_keys() {
    for (auto& range : scan_.ranges) {
      for (Walk walk(entries_, range); walk.valid(); walk.next()) {
        if (scan_.wants(walk.key_bytes())) keys_.emplace_back(walk.key_bytes());
      }
    }
    scan_.sort(keys_);
  }
  void settle_ordered() {
    current_ = nullptr;
    while (!current_ && range_ < keys_.size()) {
      entries_.key_serde().deserialize(keys_[range_++], stored_);
      current_ = entries_.get_with_timestamp(stored_);
    }
    key_ = &stored_.windowed;
  }

  Entries& entries_;
  WindowScan scan_;
  std::size_t range_ = 0;  // The next of scan_.ranges, or of keys_.
  std::optional<Walk> walk_;
  std::vector<std::string> keys_;
  StoredWindow<K> stored_{};
  const Windowed<K>* key_ = nullptr;
  const ValueAndTimestamp<V>* current_ = nullptr;
};

}  // namespace thalweg::internal
