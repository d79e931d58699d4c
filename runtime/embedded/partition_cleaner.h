#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include <thalweg/runtime/embedded_log.h>

#include "embedded/partition_log.h"

namespace thalweg::internal {

/// How many batches are removed at once: whoever commits waits for that.
constexpr int kBatchesAtOnce = 10'000;

/// Retention, truncation and compaction of one partition. Runs beside commits and readers: it only
/// touches batches that commits never change again, and readers see the journal as of one moment.
class PartitionCleaner {
 public:
  PartitionCleaner(PartitionLog& partition, const TopicSpec& spec, Journal& journal,
                   const EmbeddedLogOptions& options, Timestamp now)
      : partition_(partition),
        spec_(spec),
        journal_(journal),
        options_(options),
        now_(to_millis(now)),
        record_(partition.record()) {}

  /// Moves the beginning past batches whose newest record is older than the topic's retention.
  Status expire();
  /// Removes what lies before the beginning, and remembers the beginning.
  Status truncate();
  /// Drops records whose key has a newer one, if enough is new since the last time. Offsets stay,
  /// the last batch is never touched, and tombstones stay for `delete_retention`.
  Status compact();

 private:
  /// Batches that are rewritten as one.
  struct Group {
    Offset base = 0;
    Offset end = 0;
    std::int64_t delete_horizon = 0;
    bool changed = false;
    std::vector<std::string> sources;
    LogBatchBuilder builder;
  };
  struct KeyHash {
    using is_transparent = void;
    std::size_t operator()(BytesView key) const { return std::hash<BytesView>{}(key); }
  };
  using LatestOffsets = boost::unordered_flat_map<std::string, Offset, KeyHash, std::equal_to<>>;

  std::unique_ptr<StorageCursor> batches() const;
  Status remove_before(Offset end, Offset begin, const std::string& first);
  Result<std::shared_ptr<LogBatch>> decode(const StorageCursor& cursor) const;
  Error at(Offset offset, const Error& error) const {
    return at_offset(partition_.name(), offset, error);
  }
  bool worth_compacting(Offset dirty_end) const;
  /// The newest offset per key from `cleaned_to` on, as far as memory allows; `end` says how far.
  Result<LatestOffsets> latest_offsets(Offset dirty_end, Offset& end) const;
  Status rewrite(const LatestOffsets& latest, Offset end);
  Status add(const LogBatch& batch, const LatestOffsets& latest);
  Status finish_group();
  bool keeps(const RecordView& record, const LogBatch& batch, const LatestOffsets& latest) const;
  std::int64_t horizon_of(const LogBatch& batch) const;
  Status save(WriteBatch& changes);

  PartitionLog& partition_;
  const TopicSpec& spec_;
  Journal& journal_;
  const EmbeddedLogOptions& options_;
  const std::int64_t now_;
  PartitionRecord record_;
  Group group_;
  std::int64_t kept_ = 0;
};

}  // namespace thalweg::internal
