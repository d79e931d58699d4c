#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <thalweg/schemas/bytes.h>
#include <thalweg/schemas/error.h>
#include <thalweg/schemas/ids.h>
#include <thalweg/schemas/timestamp.h>

namespace thalweg {

// The storage port: all that stores and the embedded log ask of a disk. Two forms exist, one on
// RocksDB (open_rocksdb_storage) and one in memory that can crash and forget (SimulatedStorage).
// Calls block on the disk: they belong to the threads that spill, sync and serve queries, not to
// workers. Keys are ordered as unsigned bytes.

/// Writes that happen together or not at all.
class WriteBatch {
 public:
  void put(BytesView key, BytesView value) { adopt(std::string(key), std::string(value)); }
  /// The same without a copy.
  void adopt(std::string key, std::string value);
  void remove(BytesView key);
  /// Removes every key in [from, to).
  void remove_range(BytesView from, BytesView to);

  struct Operation {
    enum class Kind : std::uint8_t { kPut, kRemove, kRemoveRange } kind;
    std::string key;
    std::string value;  ///< The end of the range for kRemoveRange.
  };
  const std::vector<Operation>& operations() const { return operations_; }
  std::size_t bytes() const { return bytes_; }
  bool empty() const { return operations_.empty(); }
  void clear();

 private:
  std::vector<Operation> operations_;
  std::size_t bytes_ = 0;
};

/// A walk over keys in order. Views stay valid until the next call.
class StorageCursor {
 public:
  virtual ~StorageCursor() = default;
  virtual bool valid() const = 0;
  virtual void next() = 0;
  virtual void seek(BytesView key) = 0;               ///< To the first key >= `key`.
  virtual void seek_for_previous(BytesView key) = 0;  ///< To the last key <= `key`.
  virtual void previous() = 0;
  virtual void seek_to_last() = 0;
  virtual BytesView key() const = 0;
  virtual BytesView value() const = 0;
  virtual Status status() const = 0;  ///< Why valid() is false, if it is not the end.
};

/// An ordered map written by atomic batches: what the embedded log stands on.
///
/// append() makes a batch visible; only sync() makes it last. After a crash the journal holds a
/// prefix of the batches appended, at least all that a finished sync() covered. Safe from any
/// thread.
class Journal {
 public:
  virtual ~Journal() = default;
  virtual Status append(const WriteBatch& batch) = 0;
  /// Returns when every batch whose append() had returned before this call is durable.
  virtual Status sync() = 0;
  /// Gives back the space of what was overwritten and removed, if it is worth the work. For a
  /// thread that does such work: it reads and writes as much as it must.
  virtual Status reclaim() = 0;
  /// False: no such key.
  virtual Result<bool> get(BytesView key, std::string& value) const = 0;
  /// A cursor on the journal as it is now, limited to [from, to). It must not outlive the journal.
  virtual std::unique_ptr<StorageCursor> scan(BytesView from, BytesView to) const = 0;
};

/// What a family is known to hold, stored inside it under a reserved key with every ingest().
struct Checkpoint {
  Offset next_offset = 0;  ///< The first changelog offset that is not in the family.
  std::string cluster_id;
  std::string changelog;  ///< The changelog topic's name.
  std::int32_t changelog_partitions = 0;
  Timestamp wall_time = kNoTimestamp;  ///< When it was written.
  // Of a store of windows, which needs them to go on as if its whole changelog had been read:
  Timestamp stream_time = kNoTimestamp;  ///< The latest time put.
  std::int32_t sequence = 0;             ///< The number of the last duplicate put.

  /// The stored form: a format byte, the fields, and a CRC-32C over them.
  std::string encode() const;
  /// Fails with kCorrupt when the bytes are not what encode() wrote, or of a later format.
  static Result<Checkpoint> decode(BytesView bytes);

  friend bool operator==(const Checkpoint&, const Checkpoint&) = default;
};

/// One store's entries on disk: written only whole, by sorted files with their checkpoint.
class Family {
 public:
  struct Entry {
    BytesView key;
    std::optional<BytesView> value;  ///< Null: the key is deleted.
  };

  virtual ~Family() = default;
  /// Drops every key before `drop_before`, adds entries (strictly ascending keys, none before
  /// `drop_before`) and replaces the checkpoint, durably and all at once: after a crash either all
  /// of it is done or nothing. What is dropped costs nothing per key.
  virtual Status ingest(const std::vector<Entry>& entries, const Checkpoint& checkpoint,
                        BytesView drop_before = {}) = 0;
  /// Not found: the family is new, or holds nothing yet. kCorrupt: do not trust what it holds.
  virtual Result<Checkpoint> checkpoint() const = 0;
  virtual Result<bool> get(BytesView key, std::string& value) const = 0;
  /// A cursor over the user's keys as they are now, limited to [from, to): on the first of them.
  virtual std::unique_ptr<StorageCursor> scan(BytesView from = {},
                                              std::optional<BytesView> to = {}) const = 0;
  virtual std::uint64_t approximate_entries() const = 0;
};

/// A directory's worth of storage: one journal and any number of families.
class Storage {
 public:
  virtual ~Storage() = default;
  virtual Journal& journal() = 0;
  /// Opens the family, or makes it. A family whose files are damaged is set aside and made anew,
  /// and on_damage (if set) is told what was wrong.
  virtual Result<std::shared_ptr<Family>> open_family(const std::string& name) = 0;
  virtual Status drop_family(const std::string& name) = 0;
  virtual std::vector<std::string> families() const = 0;
};

struct RocksDbStorageOptions {
  std::size_t block_cache_bytes = 64u << 20;
  /// The size of the journal's files, and of what an opening after a crash reads of them, about.
  std::uint32_t journal_segment_bytes = 64u << 20;
  std::uint64_t journal_replay_bytes = 128u << 20;
  /// Told about everything that was set aside or repaired, in a sentence for the operator.
  std::function<void(const std::string& message)> on_damage = {};
};

/// Opens (or makes) storage in `directory`: `lock`, `log/` (the journal: segments and their index),
/// `state/` (the families: no write-ahead log, ingested files only) and `spill/` (files
/// that are being written for them; cleared at each open).
///
/// kLocked when another process has it open; the message names it. A state database that does not
/// open is set aside (`state.damaged-<time>`) and made anew, since every family can be restored; a
/// damaged journal is an error, since it is the truth.
Result<std::unique_ptr<Storage>> open_rocksdb_storage(const std::string& directory,
                                                      RocksDbStorageOptions options = {});

}  // namespace thalweg
