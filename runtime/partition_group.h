#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "java_priority_queue.h"
#include "record_queue.h"

namespace thalweg::internal {

/// The queues of a task, and which of them is next: the one whose head has the lowest timestamp.
///
/// Equal timestamps are taken in the order of java.util.PriorityQueue, so that results are those of
/// Kafka Streams.
class PartitionGroup {
 public:
  RecordQueue& add_queue(std::unique_ptr<RecordQueue> queue);
  RecordQueue& queue(std::size_t index) { return *inputs_[index].queue; }
  const RecordQueue& queue(std::size_t index) const { return *inputs_[index].queue; }
  std::size_t size() const { return inputs_.size(); }

  /// As RecordQueue::add(). Also tells how far the input is fetched, and where it ends.
  void add_records(std::size_t index, RecordBatch batch, std::string_view topic = {});
  /// As RecordQueue::add_hops(), take_back() and hops().
  void add_hops(std::size_t index, RecordBatch batch);
  std::vector<RecordBatch> take_back(std::size_t index);
  std::size_t hops() const;
  std::size_t buffered() const { return buffered_; }
  bool empty() const { return heap_.empty(); }
  /// How many offsets of all inputs are known to be in the log and not fetched yet.
  Offset lag() const;
  /// Whether next() may be processed: every queue has a record, so that choosing by timestamp
  /// compares them all, or need not be waited for. Kafka Streams' rules (KIP-695): a queue is
  /// waited for while the log is not known to have nothing more for it, then `max_idle` longer, for
  /// records that are not written yet. That wait begins when those for the queues before it are
  /// over, if need be while all are empty: asked then too, it says no, but what is waited until the
  /// first record counts. With a negative `max_idle`, none is waited for.
  bool ready(Timestamp wall_clock, std::chrono::milliseconds max_idle);
  /// How often ready() allowed a record although a queue was empty.
  std::uint64_t enforced() const { return enforced_; }
  /// The queue to process next; there must be one.
  RecordQueue& next() { return *heap_.peek(); }
  /// next() is done with its head: puts the queue back where its new head belongs.
  void pop_next();

 private:
  struct Input {
    std::unique_ptr<RecordQueue> queue;
    Offset fetched = kNoOffset;             // The position after what was fetched.
    Offset end = kNoOffset;                 // As the last fetch told; none: nothing was told yet.
    std::optional<Timestamp> waited_until;  // Since it was found empty and fetched to its end.
  };
  struct EarlierHead {
    bool operator()(const RecordQueue* a, const RecordQueue* b) const {
      return a->head_timestamp() < b->head_timestamp();
    }
  };

  void offer_first(Input& input);

  std::vector<Input> inputs_;
  JavaPriorityQueue<RecordQueue*, EarlierHead> heap_;  // Queues that have a head.
  std::size_t buffered_ = 0;
  std::uint64_t enforced_ = 0;
};

}  // namespace thalweg::internal
