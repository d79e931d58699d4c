#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include <thalweg/state/state_store.h>

#include "byte_table.h"

namespace thalweg::internal {

/// Committed writes on their way to disk: the entries do not change any more.
struct Frozen {
  ByteTable table;
  Checkpoint checkpoint;
  std::int64_t first_segment = 0;  // What lies before it has expired.
  CommitSequence commit = 0;
  std::int64_t charged = 0;
};

/// What level 3 has, as far as it is known without reading it. A spill sets it before what it wrote
/// leaves memory; any thread reads it.
struct OnDisk {
  std::atomic<bool> is_empty = true;
  std::atomic<Offset> offset = 0;               // What the changelog's records in it reach.
  std::atomic<std::int64_t> first_segment = 0;  // What lies before it was dropped.
  std::atomic<std::int64_t> latest_time = 0;    // No window in it is of a later one.

  void set(const Checkpoint& checkpoint, std::int64_t first) {
    offset = checkpoint.next_offset;
    first_segment = first;
    latest_time = to_millis(checkpoint.stream_time);
    is_empty = false;
  }
  void clear() {
    is_empty = true;
    offset = first_segment = latest_time = 0;
  }
};

/// In what a checkpoint is not one of the same changelog as `expected`; empty: it is.
std::string difference(const Checkpoint& checkpoint, const Checkpoint& expected);

/// Writes entries and checkpoint to the family as one file, which drops what is before
/// `drop_before`.
Status ingest(Family& family, std::vector<const ByteEntry*> entries, const Checkpoint& checkpoint,
              BytesView drop_before);

}  // namespace thalweg::internal
