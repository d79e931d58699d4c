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
  if (was_empty) offer_first(input);
}

void PartitionGroup::add_hops(std::size_t index, RecordBatch batch) {
  Input& input = inputs_[index];
  const bool was_empty = input.queue->empty();
  input.queue->add_hops(std::move(batch));
  if (was_empty) offer_first(input);
}

// Puts a queue among the others that was empty so far.
void PartitionGroup::offer_first(Input& input) {
  if (input.queue->empty()) return;
  input.waited_until.reset();
  heap_.offer(input.queue.get());
}

std::vector<RecordBatch> PartitionGroup::take_back(std::size_t index) {
  RecordQueue& queue = *inputs_[index].queue;
  buffered_ -= queue.buffered();
  auto back = queue.take_back();
  buffered_ += queue.buffered();
  if (back.empty()) return back;
  heap_ = {};  // The queue has another head, or none.
  for (Input& input : inputs_) {
    if (!input.queue->empty()) heap_.offer(input.queue.get());
  }
  return back;
}

std::size_t PartitionGroup::hops() const {
  std::size_t hops = 0;
  for (const Input& input : inputs_) hops += input.queue->hops();
  return hops;
}

void PartitionGroup::pop_next() {
  RecordQueue* queue = heap_.peek();
  buffered_ -= queue->buffered();
  queue->pop();
  buffered_ += queue->buffered();
  if (heap_.size() == 1 && !queue->empty()) return;
  heap_.poll();  // And offered again, not replaced in place: ties depend on it.
  if (!queue->empty()) heap_.offer(queue);
}

}  // namespace thalweg::internal
