#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace thalweg::internal {

/// A node as describe() orders it: by the size of what hangs from it, then by name.
struct DescribedNode {
  std::string name;
  std::size_t size = 1;
};

/// Whether `a` stands before `b`, as their sizes are now.
bool stands_before(const DescribedNode& a, const DescribedNode& b);

/// One list of arrows in describe(): a red-black tree whose order shifts under it, because the
/// nodes grow while it is filled. The list shows where each arrow came to rest, so to print what
/// Kafka Streams prints the tree has to be built by the same textbook insertion (Cormen et al.) as
/// Java's TreeSet.
class ArrowSet {
 public:
  void insert(const DescribedNode* node);
  /// The nodes from left to right.
  std::vector<const DescribedNode*> in_order() const;

 private:
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  struct Link {
    const DescribedNode* node;
    std::size_t parent = kNone;
    std::size_t left = kNone;
    std::size_t right = kNone;
    bool red = true;
  };

  bool is_red(std::size_t link) const { return link != kNone && links_[link].red; }
  bool is_left_child(std::size_t link) const;
  std::size_t grandparent(std::size_t link) const;
  void rotate(std::size_t link, bool to_left);
  void rebalance(std::size_t link);
  void walk(std::size_t link, std::vector<const DescribedNode*>& out) const;

  std::vector<Link> links_;
  std::size_t root_ = kNone;
};

}  // namespace thalweg::internal
