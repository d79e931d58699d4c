#include "embedded/partition_cleaner.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace thalweg::internal {

namespace {

/// Small batches are put together up to this size.
constexpr std::size_t kGroupBytes = std::size_t{128} << 10;
constexpr std::size_t kGroupBatches = 1'000;
/// Tombstones that may go in the same hour share a batch.
constexpr std::int64_t kHorizonStep = 3'600'000;
constexpr std::size_t kEntryBytes = 64;

bool has_tombstone(const LogBatch& batch) {
  LogBatchReader reader(batch);
  for (RecordView record; reader.next(record);) {
    if (!record.value) return true;
  }
  return false;
}

}  // namespace

std::unique_ptr<StorageCursor> PartitionCleaner::batches() const {
  return journal_.scan(partition_.key_of(0),
                       batch_key(partition_.topic_id(), partition_.name().partition + 1, 0));
}

Result<std::shared_ptr<LogBatch>> PartitionCleaner::decode(const StorageCursor& cursor) const {
  const Offset base = base_of_batch_key(cursor.key());
  auto batch = decode_batch(cursor.value(), base);
  if (!batch) return std::unexpected(at(base, batch.error()));
  return batch;
}

Status PartitionCleaner::save(WriteBatch& changes) {
  changes.put(partition_key(partition_.topic_id(), partition_.name().partition),
              encode_partition(record_));
  if (auto status = journal_.append(changes); !status) return status;
  partition_.set_record(record_);
  return {};
}

// --- Retention --------------------------------------------------------------------------------

Status PartitionCleaner::expire() {
  if (spec_.cleanup == CleanupPolicy::kCompact || spec_.retention.count() < 0) return {};
  const std::int64_t oldest = now_ - spec_.retention.count();
  const Offset begin = partition_.begin();
  Offset kept_from = begin;
  auto cursor = batches();
  cursor->seek_for_previous(partition_.key_of(begin));
  if (!cursor->valid()) cursor->seek(partition_.key_of(begin));
  for (; cursor->valid(); cursor->next()) {
    const Offset base = base_of_batch_key(cursor->key());
    auto batch = decode_batch_header(cursor->value(), base);
    if (!batch) return std::unexpected(at(base, batch.error()));
    if (batch->end() <= begin) continue;
    if (batch->max_timestamp >= oldest) break;
    kept_from = batch->end();
  }
  if (kept_from > begin) partition_.advance_begin(kept_from);
  return cursor->status();
}

Status PartitionCleaner::truncate() {
  const Offset begin = partition_.begin();
  if (begin <= record_.begin) return {};
  // The batch that holds the beginning stays, with the records before it.
  Offset first_kept = begin;
  auto cursor = batches();
  cursor->seek_for_previous(partition_.key_of(begin));
  if (cursor->valid()) {
    const Offset base = base_of_batch_key(cursor->key());
    auto batch = decode_batch_header(cursor->value(), base);
    if (!batch) return std::unexpected(at(base, batch.error()));
    if (batch->end() > begin) first_kept = base;
  } else if (auto status = cursor->status(); !status) {
    return status;
  }
  // From the first key that is there, so that the ranges of many passes do not overlap; and in
  // steps, each with the beginning that it leaves.
  std::string first;
  int batches = 0;
  for (cursor->seek(partition_.key_of(0)); cursor->valid(); cursor->next()) {
    const Offset base = base_of_batch_key(cursor->key());
    if (base >= first_kept) break;
    if (batches == kBatchesAtOnce) {
      if (auto status = remove_before(base, base, first); !status) return status;
      batches = 0;
    }
    if (batches++ == 0) first = cursor->key();
  }
  if (auto status = cursor->status(); !status) return status;
  return remove_before(first_kept, begin, first);
}

/// Removes the batches from the key `first` on, if there is one, up to `end`, and moves the
/// beginning to `begin`.
Status PartitionCleaner::remove_before(Offset end, Offset begin, const std::string& first) {
  WriteBatch changes;
  if (!first.empty()) changes.remove_range(first, partition_.key_of(end));
  record_.begin = std::max(record_.begin, begin);
  record_.cleaned_to = std::max(record_.cleaned_to, begin);
  return save(changes);
}

// --- Compaction -------------------------------------------------------------------------------

bool PartitionCleaner::worth_compacting(Offset dirty_end) const {
  const std::int64_t dirty = dirty_end - record_.cleaned_to;
  if (dirty < std::max<std::int64_t>(1, options_.compaction_records_min)) return false;
  return static_cast<double>(dirty) >=
         options_.compaction_dirty_ratio * static_cast<double>(dirty + record_.clean_records);
}

Status PartitionCleaner::compact() {
  if (spec_.cleanup == CleanupPolicy::kDelete || !worth_compacting(partition_.end())) return {};
  auto cursor = batches();
  cursor->seek_for_previous(partition_.key_of(std::numeric_limits<Offset>::max()));
  if (!cursor->valid()) return cursor->status();
  const Offset dirty_end = base_of_batch_key(cursor->key());
  cursor.reset();
  if (!worth_compacting(dirty_end)) return {};
  Offset end = 0;
  const auto latest = latest_offsets(dirty_end, end);
  if (!latest) return std::unexpected(latest.error());
  if (end == record_.cleaned_to) return {};  // All of it is too young.
  if (auto status = rewrite(*latest, end); !status) return status;
  record_.cleaned_to = end;
  record_.clean_records = kept_;
  WriteBatch changes;
  return save(changes);
}

Result<PartitionCleaner::LatestOffsets> PartitionCleaner::latest_offsets(Offset dirty_end,
                                                                         Offset& end) const {
  LatestOffsets latest;
  std::size_t bytes = 0;
  auto cursor = batches();
  cursor->seek(partition_.key_of(record_.cleaned_to));
  end = dirty_end;
  for (; cursor->valid(); cursor->next()) {
    const Offset base = base_of_batch_key(cursor->key());
    if (base >= dirty_end) break;
    if (bytes >= options_.compaction_bytes) {
      end = base;
      break;
    }
    auto batch = decode(*cursor);
    if (!batch) return std::unexpected(batch.error());
    if ((*batch)->max_timestamp > now_ - spec_.min_compaction_lag.count() &&
        spec_.min_compaction_lag.count() > 0) {
      end = base;
      break;
    }
    LogBatchReader reader(**batch);
    for (RecordView record; reader.next(record);) {
      if (!record.key) continue;
      const auto found = latest.find(*record.key);
      if (found != latest.end()) {
        found->second = record.offset;
      } else {
        latest.emplace(*record.key, record.offset);
        bytes += record.key->size() + kEntryBytes;
      }
    }
  }
  if (auto status = cursor->status(); !status) return std::unexpected(status.error());
  return latest;
}

Status PartitionCleaner::rewrite(const LatestOffsets& latest, Offset end) {
  auto cursor = journal_.scan(partition_.key_of(0), partition_.key_of(end));
  for (cursor->seek(partition_.key_of(0)); cursor->valid(); cursor->next()) {
    auto batch = decode(*cursor);
    if (!batch) return std::unexpected(batch.error());
    if (auto status = add(**batch, latest); !status) return status;
  }
  if (auto status = cursor->status(); !status) return status;
  return finish_group();
}

bool PartitionCleaner::keeps(const RecordView& record, const LogBatch& batch,
                             const LatestOffsets& latest) const {
  if (record.offset < record_.begin) return false;
  if (!record.key) return true;
  if (!record.value && batch.delete_horizon != 0 && batch.delete_horizon <= now_) return false;
  const auto newer = latest.find(*record.key);
  return newer == latest.end() || newer->second <= record.offset;
}

std::int64_t PartitionCleaner::horizon_of(const LogBatch& batch) const {
  if (batch.delete_horizon != 0 || !has_tombstone(batch)) return batch.delete_horizon;
  const std::int64_t horizon = now_ + options_.delete_retention.count();
  return (horizon / kHorizonStep + 1) * kHorizonStep;
}

Status PartitionCleaner::add(const LogBatch& batch, const LatestOffsets& latest) {
  const std::int64_t horizon = horizon_of(batch);
  const bool fits =
      group_.sources.size() < kGroupBatches && group_.builder.bytes() < kGroupBytes &&
      (horizon == 0 || group_.delete_horizon == 0 || horizon == group_.delete_horizon) &&
      batch.end() - group_.base < std::numeric_limits<std::int32_t>::max();
  if (!group_.sources.empty() && !fits) {
    if (auto status = finish_group(); !status) return status;
  }
  if (group_.sources.empty()) {
    group_.base = batch.base;
  } else {
    group_.changed = true;
  }
  LogBatchReader reader(batch);
  std::uint32_t kept = 0;
  for (RecordView record; reader.next(record);) {
    if (!keeps(record, batch, latest)) continue;
    ++kept;
    group_.builder.add(static_cast<std::int32_t>(record.offset - group_.base), record.key,
                       record.value, record.timestamp, record.headers);
  }
  if (!reader.intact()) {
    return std::unexpected(
        at(batch.base, {ErrorCode::kCorrupt, "a record in a stored batch is unreadable"}));
  }
  kept_ += kept;
  group_.changed |= kept != batch.count || horizon != batch.delete_horizon;
  group_.sources.push_back(partition_.key_of(batch.base));
  group_.end = batch.end();
  if (kept > 0) group_.delete_horizon = std::max(group_.delete_horizon, horizon);
  return {};
}

Status PartitionCleaner::finish_group() {
  Group group = std::exchange(group_, Group{});
  if (!group.changed) return {};
  WriteBatch changes;
  for (const std::string& source : group.sources) changes.remove(source);
  if (!group.builder.empty()) {
    const auto batch = group.builder.take();
    batch->span = static_cast<std::int32_t>(group.end - group.base);
    batch->delete_horizon = group.delete_horizon;
    if (batch->max_timestamp < 0) batch->max_timestamp = now_;
    std::string stored;
    encode_batch(*batch, options_.compress, stored);
    patch_base_offset(stored, group.base);
    changes.put(group.sources.front(), stored);
  }
  return journal_.append(changes);
}

}  // namespace thalweg::internal
