#pragma once

#include <cstddef>
#include <functional>
#include <type_traits>
#include <utility>

#include <boost/unordered/unordered_flat_set.hpp>

#include <thalweg/schemas/bytes.h>
#include <thalweg/state/internal/sorted_rows.h>

namespace thalweg::internal {

/// Rows by what their keys begin with, the group, as in a store of windows all rows of a key in one
/// segment do: most groups have a row or two, which are found without a walk through a tree.
template <typename Row, typename KeyOf>
class RowGroups {
 public:
  using Rows = SortedRows<Row, KeyOf>;

  explicit RowGroups(KeyOf key_of = {}) : key_of_(key_of), groups_(0, Hash{}, Equal{key_of}) {}

  /// The rows of a group; null: it has none. Valid until rows are added or removed.
  const Rows* find(BytesView group) const {
    const auto found = groups_.find(Probe(group));
    return found == groups_.end() ? nullptr : &found->rows;
  }
  /// Adds a row whose key begins with `group` and is no other row's.
  void insert(BytesView group, Row row) {
    const Probe probe(group);
    const auto found = groups_.find(probe);
    if (found != groups_.end()) return found->rows.insert(row);
    Rows rows(key_of_);
    rows.insert(row);
    groups_.insert(Group{probe.hash, group.size(), std::move(rows)});
  }
  /// Removes a row that is there, whose key can still be read.
  void erase(BytesView group, const Row& row) {
    const auto found = groups_.find(Probe(group));
    found->rows.erase(row);
    if (found->rows.empty()) groups_.erase(found);
  }
  /// Looks at no row.
  void clear() { groups_.clear(); }
  /// Gives memory back, if most of it is unused.
  void shrink() {
    if (groups_.size() < groups_.bucket_count() / 8) groups_.rehash(0);
  }
  /// Bytes that it takes, but for what groups of several rows have apart.
  std::size_t footprint() const { return groups_.bucket_count() * (sizeof(Group) + 1); }
  void swap(RowGroups& other) {
    static_assert(std::is_empty_v<KeyOf>, "rows are found as their own table finds them");
    groups_.swap(other.groups_);
  }

 private:
  struct Probe {
    explicit Probe(BytesView group) : hash(std::hash<BytesView>{}(group)), bytes(group) {}
    std::size_t hash;
    BytesView bytes;
  };
  /// Never empty: its bytes are those that its first row's key begins with.
  struct Group {
    std::size_t hash;
    std::size_t size;
    mutable Rows rows;  // Hash and size do not depend on it.
  };
  struct Hash {
    using is_transparent = void;
    using is_avalanching = void;  // libstdc++ hashes bytes with murmur.
    std::size_t operator()(const auto& group) const { return group.hash; }
  };
  struct Equal {
    using is_transparent = void;
    KeyOf key_of;
    BytesView bytes(const Group& group) const {
      return key_of(*group.rows.begin()).substr(0, group.size);
    }
    BytesView bytes(const Probe& probe) const { return probe.bytes; }
    bool operator()(const auto& left, const auto& right) const {
      return left.hash == right.hash && bytes(left) == bytes(right);
    }
  };

  KeyOf key_of_;
  boost::unordered_flat_set<Group, Hash, Equal> groups_;
};

}  // namespace thalweg::internal
