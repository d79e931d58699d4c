#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <rocksdb/write_batch.h>

#include "journal_segment.h"
#include "rocksdb_support.h"

namespace thalweg::internal {

/// A value that is too large to be kept twice: where the segments have it.
struct ValuePlace {
  JournalPosition position;
  std::uint32_t bytes = 0;
  std::uint32_t checksum = 0;  ///< CRC-32C.

  friend bool operator==(const ValuePlace&, const ValuePlace&) = default;
};

/// How much of the segments an index on disk has taken in.
struct IndexedSegment {
  SegmentId id = 0;
  std::uint32_t end = 0;  ///< Where the segment ends, or how far the index goes in the last one.
};

/// The journal's keys in order, each with its value if that is small, else with its place: a
/// RocksDB without a write-ahead log, since the segments are that. It reaches the disk only by
/// save(), which the journal calls when the segments have all that it holds; what came later is
/// applied again from them.
///
/// The place of a value costs a memtable entry of some 40 bytes; the batches of a partition arrive
/// in the order of their keys, so that each is inserted beside the one before it. Small values
/// (offsets, epochs) are written over and over: they wait in a table until somebody scans or saves.
///
/// Safe from any thread, but apply() and save() take turns.
class JournalIndex {
 public:
  static constexpr std::size_t kLargestInline = 64;

  /// Changes that are applied together. Keys and small values are those of the caller until then.
  class Changes {
   public:
    void put(BytesView key, BytesView value);
    void put(BytesView key, const ValuePlace& place);
    void remove(BytesView key);
    void clear();
    /// About: each removal of a range is as many as there are keys in it.
    std::size_t count() const;

   private:
    friend class JournalIndex;
    struct Small {
      BytesView from;
      std::optional<BytesView> to = {};  ///< Removes what is before it, from `from` on.
      std::optional<BytesView> value = {};
    };
    rocksdb::WriteBatch batch_;  // What is not small, and what is removed.
    std::vector<Small> small_;   // What that means for the small values, in order.
    std::string stored_key_;
  };

  /// An entry as read back: exactly one of the two.
  struct Entry {
    std::optional<ValuePlace> place;
    BytesView value;  ///< Into the bytes that were decoded.
  };

  static Result<std::unique_ptr<JournalIndex>> open(const std::string& path,
                                                    const std::shared_ptr<rocksdb::Cache>& cache);

  /// Adds the removal of every key in [from, to) to changes that are applied next.
  Status remove_range(BytesView from, BytesView to, Changes& changes) const;
  Status apply(Changes& changes);
  /// Empties `stored` and returns false when there is no such key.
  Result<bool> get(BytesView key, std::string& stored) const;
  static Result<Entry> decode(BytesView stored, const std::string& path);
  /// Over the keys in [from, to) as they are now, with entries for decode(). An empty `to` has no
  /// end.
  std::unique_ptr<StorageCursor> scan(BytesView from, BytesView to);

  /// What the index on disk has taken in, oldest segment first; empty for a new one.
  Result<std::vector<IndexedSegment>> saved() const;
  /// Begins to write all that was applied, and that it stands for `segments`. Nothing else writes
  /// to the disk.
  Status save(const std::vector<IndexedSegment>& segments);
  /// Whether what save() began has failed since. Until save() is called again and succeeds, apply()
  /// and scan() may fail.
  bool is_halted() const;
  /// Whether everything that save() began is on disk.
  bool is_saved() const;
  /// Waits for that.
  Status finish_save();
  const std::string& path() const { return path_; }

 private:
  class Halt;

  JournalIndex(std::string path, std::unique_ptr<rocksdb::DB> db, std::shared_ptr<Halt> halt)
      : path_(std::move(path)), halt_(std::move(halt)), db_(std::move(db)) {}
  Status write(rocksdb::WriteBatch& batch);
  void apply_small(const Changes::Small& change);
  Status write_small_values();

  const std::string path_;
  const std::shared_ptr<Halt> halt_;
  const std::shared_ptr<rocksdb::DB> db_;                         // Shared with cursors.
  mutable std::mutex mutex_;                                      // Guards small_values_.
  std::map<std::string, std::string, std::less<>> small_values_;  // Newer than what db_ has.
};

}  // namespace thalweg::internal
