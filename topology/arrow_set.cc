#include "arrow_set.h"

namespace thalweg::internal {

bool stands_before(const DescribedNode& a, const DescribedNode& b) {
  if (a.size != b.size) return a.size > b.size;
  return a.name < b.name;
}

void ArrowSet::insert(const DescribedNode* node) {
  std::size_t parent = kNone;
  bool left = false;
  for (std::size_t at = root_; at != kNone; at = left ? links_[at].left : links_[at].right) {
    if (links_[at].node == node) return;
    parent = at;
    left = stands_before(*node, *links_[at].node);
  }
  const std::size_t added = links_.size();
  links_.push_back({.node = node, .parent = parent});
  if (parent == kNone) {
    root_ = added;
  } else {
    (left ? links_[parent].left : links_[parent].right) = added;
  }
  rebalance(added);
}

bool ArrowSet::is_left_child(std::size_t link) const {
  return links_[links_[link].parent].left == link;
}

std::size_t ArrowSet::grandparent(std::size_t link) const {
  return links_[links_[link].parent].parent;
}

void ArrowSet::rotate(std::size_t link, bool to_left) {
  Link& down = links_[link];
  const std::size_t up_index = to_left ? down.right : down.left;
  Link& up = links_[up_index];
  const std::size_t between = to_left ? up.left : up.right;
  (to_left ? down.right : down.left) = between;
  if (between != kNone) links_[between].parent = link;
  up.parent = down.parent;
  if (down.parent == kNone) {
    root_ = up_index;
  } else {
    (is_left_child(link) ? links_[down.parent].left : links_[down.parent].right) = up_index;
  }
  (to_left ? up.left : up.right) = link;
  down.parent = up_index;
}

void ArrowSet::rebalance(std::size_t link) {
  while (link != root_ && links_[links_[link].parent].red) {
    const std::size_t top = grandparent(link);
    const bool parent_is_left = is_left_child(links_[link].parent);
    const std::size_t uncle = parent_is_left ? links_[top].right : links_[top].left;
    if (is_red(uncle)) {
      links_[links_[link].parent].red = false;
      links_[uncle].red = false;
      links_[top].red = true;
      link = top;
      continue;
    }
    if (is_left_child(link) != parent_is_left) {
      link = links_[link].parent;
      rotate(link, parent_is_left);
    }
    links_[links_[link].parent].red = false;
    links_[top].red = true;
    rotate(top, !parent_is_left);
  }
  links_[root_].red = false;
}

void ArrowSet::walk(std::size_t link, std::vector<const DescribedNode*>& out) const {
  if (link == kNone) return;
  walk(links_[link].left, out);
  out.push_back(links_[link].node);
  walk(links_[link].right, out);
}

std::vector<const DescribedNode*> ArrowSet::in_order() const {
  std::vector<const DescribedNode*> out;
  walk(root_, out);
  return out;
}

}  // namespace thalweg::internal
