#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <thalweg/state/internal/row_groups.h>

namespace thalweg::internal {

/// The entries of a store's open transaction by serialised key, for walks over them: in order, by
/// group (as the committed rows in memory), or both, each as soon as a walk has asked for it.
class Overlay {
 public:
  using Number = std::uint32_t;  ///< Of an entry of level 1.
  struct KeyOf {
    const Overlay* overlay;
    BytesView operator()(std::uint32_t row) const { return overlay->key(row); }
  };
  using Rows = SortedRows<std::uint32_t, KeyOf>;

  Overlay() : order_(KeyOf{this}), groups_(KeyOf{this}) {}
  Overlay(const Overlay&) = delete;
  Overlay& operator=(const Overlay&) = delete;

  /// Whether somebody has asked for something: then it is to have all entries.
  bool is_kept() const { return is_ordered_ || is_grouped_; }
  void make_ordered() {
    if (is_ordered_) return;
    is_ordered_ = true;
    for (std::uint32_t row = 0; row < rows_.size(); ++row) order_.insert(row);
  }
  /// Keys of a group are the same but for `suffix` bytes at their end.
  void make_grouped(std::size_t suffix) {
    if (is_grouped_) return;
    is_grouped_ = true;
    suffix_ = suffix;
    for (std::uint32_t row = 0; row < rows_.size(); ++row) groups_.insert(group_of(key(row)), row);
  }

  /// Adds an entry, in place of the one that the key had.
  void add(BytesView key, Number number) {
    ++version_;
    if (Row* row = find(key)) {
      row->number = number;
      return;
    }
    const auto row = static_cast<std::uint32_t>(rows_.size());
    rows_.push_back({keys_.size(), key.size(), number});
    keys_.append(key);
    if (is_ordered_) order_.insert(row);
    if (is_grouped_) groups_.insert(group_of(key), row);
  }
  void clear() {
    ++version_;
    order_.clear();
    groups_.clear();
    rows_.clear();
    keys_.clear();
    const std::size_t kept =
        keys_.capacity() + rows_.capacity() * sizeof(Row) + groups_.footprint();
    if (kept <= kKeptBytes) return;
    groups_.shrink();
    rows_.shrink_to_fit();
    keys_.shrink_to_fit();
  }

  /// Changes with the entries: places and groups of an earlier version are no longer valid.
  std::uint64_t version() const { return version_; }
  const Rows& order() const { return order_; }
  /// Null: the group has no entries.
  const Rows* group(BytesView group) const { return groups_.find(group); }
  BytesView key(std::uint32_t row) const {
    return BytesView(keys_).substr(rows_[row].at, rows_[row].size);
  }
  Number number(std::uint32_t row) const { return rows_[row].number; }

 private:
  static constexpr std::size_t kKeptBytes = 4u << 20;

  struct Row {
    std::size_t at = 0;  // Of its key.
    std::size_t size = 0;
    Number number = 0;
  };

  BytesView group_of(BytesView key) const {
    return key.substr(0, key.size() - std::min(key.size(), suffix_));
  }
  Row* find(BytesView key) {
    const Rows* rows = is_ordered_ ? &order_ : is_grouped_ ? group(group_of(key)) : nullptr;
    if (!rows) return nullptr;
    const auto at = rows->lower_bound(key);
    return at == rows->end() || this->key(*at) != key ? nullptr : &rows_[*at];
  }

  std::vector<Row> rows_;
  std::string keys_;
  Rows order_;
  RowGroups<std::uint32_t, KeyOf> groups_;
  std::size_t suffix_ = 0;
  std::uint64_t version_ = 0;
  bool is_ordered_ = false;
  bool is_grouped_ = false;
};

}  // namespace thalweg::internal
