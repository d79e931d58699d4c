#include "embedded/partition_log.h"

#include <algorithm>

namespace thalweg::internal {

Error at_offset(const TopicPartition& partition, Offset offset, const Error& error) {
  return {error.code, "topic " + partition.topic + ", partition " +
                          std::to_string(partition.partition) + ", offset " +
                          std::to_string(offset) + ": " + error.message};
}

Status PartitionLog::recover() {
  std::string stored;
  auto found = journal_.get(partition_key(topic_, name_.partition), stored);
  if (!found) return std::unexpected(found.error());
  if (*found) {
    auto record = decode_partition(stored);
    if (!record) return std::unexpected(at_offset(name_, 0, record.error()));
    record_ = *record;
  }
  Offset end = record_.begin;
  auto cursor = journal_.scan(key_of(0), batch_key(topic_, name_.partition + 1, 0));
  cursor->seek_for_previous(key_of(std::numeric_limits<Offset>::max()));
  if (cursor->valid()) {
    const Offset base = base_of_batch_key(cursor->key());
    auto last = decode_batch_header(cursor->value(), base);
    if (!last) return std::unexpected(at_offset(name_, base, last.error()));
    end = std::max(end, last->end());
  } else if (auto status = cursor->status(); !status) {
    return status;
  }
  begin_.store(record_.begin, std::memory_order_release);
  end_.store(end, std::memory_order_release);
  return {};
}

void PartitionLog::publish(const std::vector<std::shared_ptr<LogBatch>>& batches,
                           Wakeups& wakeups) {
  const std::lock_guard lock(mutex_);
  tail_.insert(tail_.end(), batches.begin(), batches.end());
  end_.store(batches.back()->end(), std::memory_order_release);
  for (const auto& reader : readers_) {
    if (reader->mark_records()) wakeups.push_back(reader);
  }
}

std::size_t PartitionLog::evict(Offset base) {
  BatchPtr oldest;  // Freed outside the lock.
  const std::lock_guard lock(mutex_);
  if (tail_.empty() || tail_.front()->base != base) return 0;
  oldest = std::move(tail_.front());
  tail_.pop_front();
  evicted_commit_ = std::max(evicted_commit_, oldest->commit);
  return memory_of(*oldest);
}

std::size_t PartitionLog::drop_tail_before(Offset before) {
  std::size_t freed = 0;
  const std::lock_guard lock(mutex_);
  while (!tail_.empty() && tail_.front()->end() <= before) {
    freed += memory_of(*tail_.front());
    evicted_commit_ = std::max(evicted_commit_, tail_.front()->commit);
    tail_.pop_front();
  }
  return freed;
}

void PartitionLog::advance_begin(Offset before) {
  Offset begin = begin_.load(std::memory_order_relaxed);
  while (begin < before && !begin_.compare_exchange_weak(begin, before)) {
  }
}

void PartitionLog::mark_deleted(Wakeups& wakeups) {
  deleted_.store(true, std::memory_order_release);
  const std::lock_guard lock(mutex_);
  for (const auto& reader : readers_) {
    if (reader->mark_records()) wakeups.push_back(reader);
  }
}

void PartitionLog::add_reader(const std::shared_ptr<ConsumerMailbox>& mailbox) {
  const std::lock_guard lock(mutex_);
  if (std::ranges::find(readers_, mailbox) == readers_.end()) readers_.push_back(mailbox);
}

void PartitionLog::remove_reader(const std::shared_ptr<ConsumerMailbox>& mailbox) {
  const std::lock_guard lock(mutex_);
  std::erase(readers_, mailbox);
}

/// False: the tail begins behind `from`.
bool PartitionLog::read_tail(Offset from, std::size_t records_max, std::deque<BatchPtr>& into,
                             Offset& tail_begin, CommitSequence& evicted) const {
  const std::lock_guard lock(mutex_);
  tail_begin = tail_.empty() ? end_.load(std::memory_order_relaxed) : tail_.front()->base;
  evicted = evicted_commit_;
  if (from < tail_begin) return false;
  auto batch =
      std::ranges::upper_bound(tail_, from, {}, [](const BatchPtr& b) { return b->end(); });
  // Batches of one transaction may stay together, but a reader takes what it asked for.
  for (std::size_t records = 0; batch != tail_.end() && records < records_max; ++batch) {
    into.push_back(*batch);
    records += (*batch)->count;
  }
  return true;
}

Status PartitionLog::read_journal(Offset from, Offset tail_begin, CommitSequence commit,
                                  std::size_t records_max, std::deque<BatchPtr>& into) const {
  auto cursor = journal_.scan(key_of(0), key_of(tail_begin));
  cursor->seek_for_previous(key_of(from));
  if (!cursor->valid()) {
    if (auto status = cursor->status(); !status) {
      return std::unexpected(at_offset(name_, from, status.error()));
    }
    cursor->seek(key_of(from));
  }
  for (std::size_t records = 0; cursor->valid() && records < records_max; cursor->next()) {
    const Offset base = base_of_batch_key(cursor->key());
    auto batch = decode_batch(cursor->value(), base);
    if (!batch) return std::unexpected(at_offset(name_, base, batch.error()));
    if ((*batch)->end() <= from) continue;
    (*batch)->commit = commit;
    records += (*batch)->count;
    into.push_back(*std::move(batch));
  }
  if (auto status = cursor->status(); !status) {
    return std::unexpected(at_offset(name_, from, status.error()));
  }
  return {};
}

Status PartitionLog::read(Offset from, std::size_t records_max, std::deque<BatchPtr>& into) const {
  const std::size_t before = into.size();
  // Where everything up to the tail was compacted or deleted, it goes on with the tail, which may
  // be in the journal only by then.
  for (Offset tail_begin = 0;; from = tail_begin) {
    CommitSequence evicted = 0;
    if (read_tail(from, records_max, into, tail_begin, evicted)) return {};
    if (auto status = read_journal(from, tail_begin, evicted, records_max, into); !status) {
      return status;
    }
    if (into.size() > before) return {};
  }
}

Result<Offset> PartitionLog::first_since(Timestamp time) const {
  constexpr std::size_t kRecordsAtOnce = 1000;
  std::deque<BatchPtr> batches;
  for (Offset next = begin();;) {
    if (auto status = read(next, kRecordsAtOnce, batches); !status) {
      return std::unexpected(status.error());
    }
    if (batches.empty()) return end();
    for (const BatchPtr& batch : batches) {
      next = batch->end();
      if (batch->max_timestamp < to_millis(time)) continue;
      RecordView record;
      for (LogBatchReader reader(*batch); reader.next(record);) {
        if (record.timestamp >= time && record.offset >= begin()) return record.offset;
      }
    }
    batches.clear();
  }
}

}  // namespace thalweg::internal
