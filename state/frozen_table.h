#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <thalweg/state/state_store.h>

#include "byte_table.h"

namespace thalweg::internal {

/// Committed writes on their way to disk. Nothing in it changes any more.
struct Frozen {
  ByteTable table;
  Checkpoint checkpoint;
  std::int64_t first_segment = 0;  // What lies before it has expired.
  CommitSequence commit = 0;
  std::int64_t charged = 0;
};

/// In what a checkpoint is not one of the same changelog as `expected`; empty: it is.
std::string difference(const Checkpoint& checkpoint, const Checkpoint& expected);

/// Writes entries and checkpoint to the family as one file, which drops what is before
/// `drop_before`.
Status ingest(Family& family, std::vector<const ByteEntry*> entries, const Checkpoint& checkpoint,
              BytesView drop_before);

}  // namespace thalweg::internal
