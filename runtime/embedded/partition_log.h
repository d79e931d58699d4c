#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <thalweg/state/storage.h>

#include "embedded/journal_keys.h"
#include "embedded/log_batch.h"
#include "embedded/wakeup.h"

namespace thalweg::internal {

using BatchPtr = std::shared_ptr<const LogBatch>;

/// One partition: its newest batches in memory, the older ones in the journal. Safe from any
/// thread.
class PartitionLog {
 public:
  PartitionLog(TopicPartition name, TopicId topic, Journal& journal)
      : name_(std::move(name)), topic_(topic), journal_(journal) {}

  const TopicPartition& name() const { return name_; }
  TopicId topic_id() const { return topic_; }
  Offset begin() const { return begin_.load(std::memory_order_acquire); }
  Offset end() const { return end_.load(std::memory_order_acquire); }
  bool deleted() const { return deleted_.load(std::memory_order_acquire); }
  std::string key_of(Offset base) const { return batch_key(topic_, name_.partition, base); }

  /// Reads back begin and end, which takes two seeks however long the partition is.
  Status recover();
  const PartitionRecord& record() const { return record_; }
  void set_record(const PartitionRecord& record) { record_ = record; }

  /// Shows batches to readers; the journal has them already. Adds readers not yet told to
  /// `wakeups`.
  void publish(const std::vector<std::shared_ptr<LogBatch>>& batches, Wakeups& wakeups);
  /// Drops the oldest batch in memory if it is the one at `base`; returns what that frees.
  std::size_t evict(Offset base);
  /// Drops the batches in memory that end at or before `before`; returns what that frees.
  std::size_t drop_tail_before(Offset before);
  /// Records before `before` are gone, for readers from now on.
  void advance_begin(Offset before);
  void mark_deleted(Wakeups& wakeups);

  void add_reader(const std::shared_ptr<ConsumerMailbox>& mailbox);
  void remove_reader(const std::shared_ptr<ConsumerMailbox>& mailbox);

  /// Appends the batches from the one that holds `from` on, with about `records_max` records in
  /// all.
  Status read(Offset from, std::size_t records_max, std::deque<BatchPtr>& into) const;
  /// The first record with that timestamp or a later one; the end if there is none. Goes through
  /// the batches, as times are in no order.
  Result<Offset> first_since(Timestamp time) const;

 private:
  bool read_tail(Offset from, std::size_t records_max, std::deque<BatchPtr>& into,
                 Offset& tail_begin, CommitSequence& evicted) const;
  Status read_journal(Offset from, Offset tail_begin, CommitSequence commit,
                      std::size_t records_max, std::deque<BatchPtr>& into) const;

  const TopicPartition name_;
  const TopicId topic_;
  Journal& journal_;
  std::atomic<Offset> begin_ = 0;
  std::atomic<Offset> end_ = 0;
  std::atomic<bool> deleted_ = false;
  PartitionRecord record_;  // Of the thread that maintains the log.

  mutable std::mutex mutex_;  // Guards the rest.
  std::deque<BatchPtr> tail_;
  CommitSequence evicted_commit_ = 0;
  std::vector<std::shared_ptr<ConsumerMailbox>> readers_;
};

/// What a batch costs in memory.
inline std::size_t memory_of(const LogBatch& batch) {
  return sizeof(LogBatch) + 64 + batch.body.capacity();
}

/// Adds which partition and offset an error is about.
Error at_offset(const TopicPartition& partition, Offset offset, const Error& error);

}  // namespace thalweg::internal
