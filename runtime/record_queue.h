#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include <thalweg/runtime/log.h>
#include <thalweg/topology/internal/node.h>

namespace thalweg::internal {

/// The records of one input partition that a task has fetched and not yet processed.
///
/// The head is always read already, so that its timestamp can be compared. Records that cannot be
/// read or are to be dropped are passed over; but where there is nothing behind them, the last of
/// them stands in for a head, as in Kafka Streams: the input is known to have come so far, so it
/// goes in front of all others, and is taken without being processed.
class RecordQueue {
 public:
  /// Decides about a record that cannot be read: returns to skip it, throws to stop the task.
  using BadRecord = std::function<void(const RecordView& record, const RecordMetadata& metadata,
                                       const SerdeError& error)>;

  /// `source` makes the typed input; `position` is the first offset that will be read.
  RecordQueue(TopicPartition partition, SourceNode& source, TaskContext& context, Offset position,
              Timestamp partition_time, BadRecord on_bad_record);
  RecordQueue(const RecordQueue&) = delete;
  RecordQueue& operator=(const RecordQueue&) = delete;

  /// `topic`: of these records, where the partition's is a pattern; it must outlive the queue.
  void add(RecordBatch batch, std::string_view topic = {});
  /// Adds records that other tasks of the worker have sent here and not through the log: they have
  /// no offset, and the position passes over them.
  void add_hops(RecordBatch batch);
  /// Gives back those of them that are not processed, in order.
  std::vector<RecordBatch> take_back();
  bool empty() const { return !has_head_; }
  /// How many records of the log are here.
  std::size_t buffered() const { return buffered_; }
  /// And how many that have not gone through it.
  std::size_t hops() const { return hops_; }

  Timestamp head_timestamp() const { return head_timestamp_; }
  const RecordMetadata& head_metadata() const { return metadata_; }
  /// The head, still as bytes.
  const RecordView& head() const { return batches_.front().batch.records[cursor_]; }
  /// Whether the head was dropped and is not to be processed, only taken with pop().
  bool head_stands_in() const { return head_stands_in_; }
  /// Runs the head through the topology. It stays the head until pop().
  void process_head() { input_->process(); }
  /// Done with the head: reads the next one.
  void pop();

  const TopicPartition& partition() const { return partition_; }
  /// The offset to commit: of the first record that is neither processed nor dropped.
  Offset position() const {
    const bool head_has_offset = has_head_ && !head_stands_in_ && !batches_.front().hops;
    return head_has_offset ? metadata_.offset : position_;
  }
  /// The highest timestamp processed from this partition.
  Timestamp partition_time() const { return partition_time_; }

 private:
  struct Batch {
    RecordBatch batch;
    std::string_view topic;
    bool hops = false;
  };

  /// How many there are of the batch's kind.
  std::size_t& count_of(const Batch& batch) { return batch.hops ? hops_ : buffered_; }
  void read_head();
  void announce(const RecordBatch& batch);
  bool readable(const RecordView& record);

  TopicPartition partition_;
  TaskContext& context_;
  std::string source_name_;
  std::unique_ptr<SourceInput> input_;
  BadRecord on_bad_record_;
  std::deque<Batch> batches_;
  std::size_t cursor_ = 0;  // Of the head, in the first batch.
  std::size_t buffered_ = 0;
  std::size_t hops_ = 0;
  Offset position_;
  std::optional<bool> expects_;  // SourceInput::expects(), once it was asked.
  bool has_head_ = false;
  bool head_stands_in_ = false;  // For what was dropped; no longer in a batch.
  Timestamp head_timestamp_ = kNoTimestamp;
  Timestamp partition_time_;
  RecordMetadata metadata_;
};

}  // namespace thalweg::internal
