#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <thalweg/state/internal/segments.h>
#include <thalweg/state/state_store.h>

namespace thalweg::internal {

/// One committed write, as bytes that live during the call.
struct TableWrite {
  BytesView key;
  std::optional<BytesView> value;  ///< Null: the key is deleted.
  Timestamp timestamp = kNoTimestamp;
};

/// What a store of windows remembers besides its entries.
struct StoreMarks {
  Timestamp stream_time = kNoTimestamp;  ///< The latest time put.
  std::int32_t sequence = 0;             ///< The number of the last duplicate put.
};

/// Levels 2 and 3 of a store: committed writes in memory above a family on disk, as bytes.
///
/// The task's thread writes; any thread reads through the StoreView half, and one spill at a time
/// moves writes to disk from the spilling thread. Reads of the task's side throw StoreError when
/// the disk fails.
class LayeredTable : public StoreView {
 public:
  /// Opens the family that `context` names, if it names storage. What the family holds is believed
  /// only when its checkpoint is whole and of the same changelog; otherwise it starts empty. With
  /// `segments`, its keys are stored keys of windows or versions, and segments that have expired by
  /// the marks' stream time are dropped: from memory with the commit, or later
  /// (StoreContext::cache_bytes), from disk with the next spill.
  static Result<std::shared_ptr<LayeredTable>> open(const StoreContext& context,
                                                    std::optional<Segments> segments = {});

  // --- The task's side ----------------------------------------------------------------------

  virtual bool persistent() const = 0;
  /// The committed value of `key`; false when there is none.
  virtual bool find(BytesView key, std::string& value, Timestamp& timestamp) const = 0;
  /// Whether only a group of keys is wanted that the table can find by their beginning.
  virtual bool is_by_group(const Scan& scan) const = 0;
  /// Replaces `out` by the next at most `limit` entries; fewer mean the end was reached.
  virtual void read_chunk(const Scan& scan, std::vector<StoredEntry>& out) const = 0;
  /// Makes all writes visible at once.
  virtual void commit(std::span<const TableWrite> writes, const StoreMarks& marks,
                      Offset changelog_end, CommitSequence commit) = 0;
  /// As committed or restored.
  virtual StoreMarks marks() const = 0;
  /// Segments before this one have been dropped.
  virtual std::int64_t first_segment() const = 0;

  virtual Offset restored_to() const = 0;
  /// Keys of windows come as on the changelog. Throws SerdeError for one that is none.
  virtual void restore(std::span<const RecordView> records, Offset next, CommitSequence commit) = 0;
  virtual Status discard() = 0;

  virtual std::size_t unspilled_bytes() const = 0;
  virtual std::shared_ptr<Spill> start_spill(Timestamp wall_time) = 0;

  /// Waits for a spill that is writing, stops one that is not, and lets go of memory and disk.
  /// From then on views answer kUnavailable.
  virtual void close() = 0;
};

}  // namespace thalweg::internal
