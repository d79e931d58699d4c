#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace thalweg::internal {

/// java.util.PriorityQueue, step for step: how its binary heap moves elements decides which of
/// several equal ones comes first, and so what Kafka Streams gives.
///
/// `Before` is a strict order. What it says of elements must not change while they are inside,
/// except of the first one just before it is polled.
template <typename T, typename Before>
class JavaPriorityQueue {
 public:
  bool empty() const { return heap_.empty(); }
  std::size_t size() const { return heap_.size(); }
  /// The first element; there must be one.
  const T& peek() const { return heap_.front(); }

  void offer(T element) {
    std::size_t at = heap_.size();
    heap_.push_back(std::move(element));
    T moved = std::move(heap_.back());
    while (at > 0) {
      const std::size_t parent = (at - 1) / 2;
      if (!before_(moved, heap_[parent])) break;
      heap_[at] = std::move(heap_[parent]);
      at = parent;
    }
    heap_[at] = std::move(moved);
  }

  /// Takes the first element; there must be one. To put it back changed is to offer() it anew.
  T poll() {
    T last = std::move(heap_.back());
    heap_.pop_back();
    if (heap_.empty()) return last;
    T first = std::move(heap_.front());
    sift_down_from_root(std::move(last));
    return first;
  }

 private:
  void sift_down_from_root(T moved) {
    const std::size_t half = heap_.size() / 2;
    std::size_t at = 0;
    while (at < half) {
      std::size_t child = 2 * at + 1;
      const std::size_t right = child + 1;
      if (right < heap_.size() && before_(heap_[right], heap_[child])) child = right;
      if (!before_(heap_[child], moved)) break;
      heap_[at] = std::move(heap_[child]);
      at = child;
    }
    heap_[at] = std::move(moved);
  }

  std::vector<T> heap_;
  [[no_unique_address]] Before before_;
};

}  // namespace thalweg::internal
