#include "partition_group.h"

#include <utility>

namespace thalweg::internal {

RecordQueue& PartitionGroup::add_queue(std::unique_ptr<RecordQueue> queue) {
  waited_until_.emplace_back();
  return *queues_.emplace_back(std::move(queue));
}

bool PartitionGroup::ready(Timestamp wall_clock, std::chrono::milliseconds max_idle) {
  if (empty()) return false;
  if (max_idle <= std::chrono::milliseconds(0)) return true;
  for (std::size_t i = 0; i < queues_.size(); ++i) {
    auto& until = waited_until_[i];
    if (!queues_[i]->empty()) {
      until.reset();
      continue;
    }
    if (!until) until = wall_clock + max_idle;
    if (wall_clock < *until) return false;
  }
  return true;
}

void PartitionGroup::add_records(std::size_t index, RecordBatch batch,
                                 std::string_view topic) {
  RecordQueue& queue = *queues_[index];
  const bool was_empty = queue.empty();
  buffered_ -= queue.buffered();
  queue.add(std::move(batch), topic);
  buffered_ += queue.buffered();
  if (was_empty && !queue.empty()) offer(&queue);
}

void PartitionGroup::pop_next() {
  RecordQueue* queue = heap_.front();
  buffered_ -= queue->buffered();
  queue->pop();
  buffered_ += queue->buffered();
  if (heap_.size() == 1 && !queue->empty()) return;
  // PriorityQueue.poll(), then offer(): not a replacement in place, since ties depend on it.
  heap_.front() = heap_.back();
  heap_.pop_back();
  if (!heap_.empty()) sift_down_from_root();
  if (!queue->empty()) offer(queue);
}

void PartitionGroup::offer(RecordQueue* queue) {
  heap_.push_back(queue);
  std::size_t child = heap_.size() - 1;
  while (child > 0) {
    const std::size_t parent = (child - 1) / 2;
    if (queue->head_timestamp() >= heap_[parent]->head_timestamp()) break;
    heap_[child] = heap_[parent];
    child = parent;
  }
  heap_[child] = queue;
}

void PartitionGroup::sift_down_from_root() {
  RecordQueue* moved = heap_.front();
  const std::size_t half = heap_.size() / 2;
  std::size_t parent = 0;
  while (parent < half) {
    std::size_t child = 2 * parent + 1;
    const std::size_t right = child + 1;
    if (right < heap_.size() && heap_[child]->head_timestamp() > heap_[right]->head_timestamp()) {
      child = right;
    }
    if (moved->head_timestamp() <= heap_[child]->head_timestamp()) break;
    heap_[parent] = heap_[child];
    parent = child;
  }
  heap_[parent] = moved;
}

}  // namespace thalweg::internal
