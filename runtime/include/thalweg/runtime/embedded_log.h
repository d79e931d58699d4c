#pragma once

#include <memory>

#include <thalweg/runtime/clock.h>
#include <thalweg/runtime/log.h>
#include <thalweg/state/storage.h>

namespace thalweg {

struct EmbeddedLogOptions {
  /// Topics that are written or subscribed to and do not exist are made with as many partitions.
  std::int32_t default_partitions = 3;
  /// Memory for the newest records of all partitions, which readers then need not read from disk.
  std::size_t tail_bytes = 64u << 20;
  /// False: nothing runs in the background, and step() does it (the simulator).
  bool background_threads = true;
  std::chrono::milliseconds maintenance_interval{10'000};  ///< Retention and compaction.
  bool compress = true;                                    ///< LZ4 for batches that shrink by it.
  /// A compacted topic is cleaned when so much of a partition is new since the last time...
  double compaction_dirty_ratio = 0.5;
  /// ...and this many records at least. Cleaning costs more than the disk it gives back while a
  /// partition is small: a restore begins at the checkpoint, which is a minute old at most.
  std::int64_t compaction_records_min = 100'000;
  /// Memory for the keys of one pass; what does not fit waits for the next.
  std::size_t compaction_bytes = 32u << 20;
  /// How long compaction leaves tombstones for readers to see (Kafka's delete.retention.ms).
  std::chrono::milliseconds delete_retention = std::chrono::hours(24);
};

/// A durable log inside the process, on a Storage's journal: the default when no brokers are set.
///
/// A transaction is one journal batch of record batches, consumer offsets and the producer's epoch,
/// so every prefix of the journal is a consistent cut. Commits are visible at once; a syncing
/// thread makes them durable together, as fast as the disk allows.
class EmbeddedLog : public Log {
 public:
  /// Reads back what the journal holds. `storage` and `clock` must outlive the log.
  static Result<std::unique_ptr<EmbeddedLog>> open(Storage& storage, Clock& clock,
                                                   EmbeddedLogOptions options = {});

  /// Without background threads: one sync, if one is due; returns whether it did anything.
  virtual bool step_sync() = 0;
  /// Retention and compaction, once over all topics.
  virtual Status maintain() = 0;
  /// Why the last sync or maintenance failed, if it did. After a failed sync nothing is accepted
  /// until one succeeds, for nothing since the last good one may be claimed durable.
  virtual Status status() const = 0;
  /// Makes everything durable and stops the threads. Clients must be gone.
  virtual void close() = 0;
};

}  // namespace thalweg
