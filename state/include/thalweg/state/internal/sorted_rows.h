#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <set>
#include <utility>

#include <boost/container/small_vector.hpp>

#include <thalweg/schemas/bytes.h>

namespace thalweg::internal {

/// Rows in the order of their keys, `KeyOf()(row)`, of which no two are the same: side by side as
/// long as they are few, in a tree from then on. Any number of threads may read at a time.
template <typename Row, typename KeyOf>
class SortedRows {
  struct Before {
    using is_transparent = void;
    [[no_unique_address]] KeyOf key_of;
    bool operator()(const Row& left, const Row& right) const {
      return key_of(left) < key_of(right);
    }
    bool operator()(const Row& left, BytesView right) const { return key_of(left) < right; }
    bool operator()(BytesView left, const Row& right) const { return left < key_of(right); }
  };
  using Tree = std::set<Row, Before>;

 public:
  /// Of a row among many: a node of the tree and what malloc keeps.
  static constexpr std::size_t kFootprint = 64;

  /// A place in the order, as an iterator: valid until the rows change or move.
  class Place {
   public:
    Place() = default;
    const Row& operator*() const { return few_ ? *few_ : *many_; }
    Place& operator++() {
      if (few_) {
        ++few_;
      } else {
        ++many_;
      }
      return *this;
    }
    Place& operator--() {
      if (few_) {
        --few_;
      } else {
        --many_;
      }
      return *this;
    }
    friend bool operator==(const Place&, const Place&) = default;

   private:
    friend class SortedRows;
    explicit Place(const Row* few) : few_(few) {}
    explicit Place(typename Tree::const_iterator many) : many_(many) {}

    const Row* few_ = nullptr;  // Null: in the tree.
    typename Tree::const_iterator many_{};
  };

  explicit SortedRows(KeyOf key_of = {}) : before_{key_of} {}

  bool empty() const { return many_ ? many_->empty() : few_.empty(); }
  Place begin() const { return many_ ? Place(many_->begin()) : Place(few_.data()); }
  Place end() const { return many_ ? Place(many_->end()) : Place(few_.data() + few_.size()); }
  /// The first row whose key is not before `key`.
  Place lower_bound(BytesView key) const {
    return many_ ? Place(many_->lower_bound(key)) : Place(few_.data() + index_of(key));
  }

  /// Adds a row whose key no other has.
  void insert(Row row) {
    if (!many_ && few_.size() == kFew) plant();
    if (many_) {
      many_->insert(row);
    } else if (few_.empty() || before_(few_.back(), row)) {
      few_.push_back(row);
    } else {
      few_.insert(at(index_of(before_.key_of(row))), row);
    }
  }
  /// Adds a row whose key is behind all others.
  void append(Row row) {
    if (!many_ && few_.size() == kFew) plant();
    if (many_) {
      many_->insert(many_->end(), row);
    } else {
      few_.push_back(row);
    }
  }
  /// Removes a row that is there.
  void erase(const Row& row) {
    if (many_) {
      many_->erase(row);
    } else {
      few_.erase(at(index_of(before_.key_of(row))));
    }
  }
  /// Removes every row whose key is before `key`.
  void erase_before(BytesView key) {
    if (many_) {
      many_->erase(many_->begin(), many_->lower_bound(key));
    } else {
      few_.erase(few_.begin(), at(index_of(key)));
    }
  }
  /// Looks at no row.
  void clear() {
    few_.clear();
    many_.reset();
  }

 private:
  using Few = boost::container::small_vector<Row, 1>;
  static constexpr std::size_t kFew = 256;

  std::size_t index_of(BytesView key) const {
    return static_cast<std::size_t>(std::lower_bound(few_.begin(), few_.end(), key, before_) -
                                    few_.begin());
  }
  typename Few::iterator at(std::size_t index) {
    return few_.begin() + static_cast<std::ptrdiff_t>(index);
  }
  void plant() {
    many_ = std::make_unique<Tree>(before_);
    for (const Row& row : few_) many_->insert(many_->end(), row);
    few_.clear();
    few_.shrink_to_fit();
  }

  [[no_unique_address]] Before before_;
  Few few_;
  std::unique_ptr<Tree> many_;  // Then few_ is empty.
};

}  // namespace thalweg::internal
