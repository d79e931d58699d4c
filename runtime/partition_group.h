#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <vector>

#include "record_queue.h"

namespace thalweg::internal {

/// The queues of a task, and which of them is next: the one whose head has the lowest timestamp.
///
/// Equal timestamps are taken in the order of java.util.PriorityQueue, whose binary heap this
/// repeats, so that results are those of Kafka Streams.
class PartitionGroup {
 public:
  RecordQueue& add_queue(std::unique_ptr<RecordQueue> queue);
  RecordQueue& queue(std::size_t index) { return *queues_[index]; }
  std::size_t size() const { return queues_.size(); }
  const std::vector<std::unique_ptr<RecordQueue>>& queues() const { return queues_; }

  /// As RecordQueue::add().
  void add_records(std::size_t index, RecordBatch batch, std::string_view topic = {});
  std::size_t buffered() const { return buffered_; }
  bool empty() const { return heap_.empty(); }
  /// Whether next() may be processed: every queue has a record, so that choosing by timestamp
  /// compares them all, or those without have been waited for, each `max_idle` since it was found
  /// empty. Kafka Streams' rules: the wait for a queue begins when those before it are over.
  bool ready(Timestamp wall_clock, std::chrono::milliseconds max_idle);
  /// The queue to process next; there must be one.
  RecordQueue& next() { return *heap_.front(); }
  /// next() is done with its head: puts the queue back where its new head belongs.
  void pop_next();

 private:
  void offer(RecordQueue* queue);
  void sift_down_from_root();

  std::vector<std::unique_ptr<RecordQueue>> queues_;
  std::vector<RecordQueue*> heap_;  // Queues that have a head.
  std::vector<std::optional<Timestamp>> waited_until_;  // For queues found empty, one per queue.
  std::size_t buffered_ = 0;
};

}  // namespace thalweg::internal
