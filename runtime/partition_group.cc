#include "partition_group.h"

#include <utility>

namespace thalweg::internal {

RecordQueue& PartitionGroup::add_queue(std::unique_ptr<RecordQueue> queue) {
  return *inputs_.emplace_back(Input{.queue = std::move(queue)}).queue;
}

Offset PartitionGroup::lag() const {
  Offset lag = 0;
  for (const Input& input : inputs_) lag += input.end - input.fetched;
  return lag;
}

bool PartitionGroup::ready(Timestamp wall_clock, std::chrono::milliseconds max_idle) {
  if (heap_.size() == inputs_.size() || max_idle < std::chrono::milliseconds(0)) return !empty();
  for (Input& input : inputs_) {
    if (!input.queue->empty()) continue;
    if (input.end == kNoOffset || input.fetched < input.end) {
      input.waited_until.reset();
      return false;
    }
    if (!input.waited_until) input.waited_until = wall_clock + max_idle;
    if (wall_clock < *input.waited_until) return false;
  }
  if (empty()) return false;
  ++enforced_;
  return true;
}

void PartitionGroup::add_records(std::size_t index, RecordBatch batch, std::string_view topic) {
  Input& input = inputs_[index];
  RecordQueue& queue = *input.queue;
  const bool was_empty = queue.empty();
  input.fetched = batch.next;
  input.end = batch.end;
  buffered_ -= queue.buffered();
  queue.add(std::move(batch), topic);
  buffered_ += queue.buffered();
  if (!was_empty || queue.empty()) return;
  input.waited_until.reset();
  offer(&queue);
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
