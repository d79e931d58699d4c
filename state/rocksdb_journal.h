#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>

#include <rocksdb/write_batch.h>

#include "rocksdb_support.h"

namespace thalweg::internal {

/// The journal on a RocksDB of its own: one column family, so that its write-ahead log is in the
/// order of the batches and every prefix of it is a consistent cut.
///
/// An append goes to the log's buffer in memory and to the memtable; sync() writes and syncs the
/// log. Values of a kilobyte and more go to blob files, which compactions do not rewrite.
///
/// A write-ahead log that met a full disk cannot be written any more. Batches are kept until they
/// are synced: once there is room, the database is opened again and gets all of them as one.
class RocksDbJournal final : public Journal {
 public:
  static Result<std::unique_ptr<RocksDbJournal>> open(const std::string& path,
                                                      const std::shared_ptr<rocksdb::Cache>& cache);
  ~RocksDbJournal() override;

  Status append(const WriteBatch& batch) override;
  Status sync() override;
  Result<bool> get(BytesView key, std::string& value) const override;
  std::unique_ptr<StorageCursor> scan(BytesView from, BytesView to) const override;

 private:
  RocksDbJournal(std::string path, std::shared_ptr<rocksdb::Cache> cache)
      : path_(std::move(path)), cache_(std::move(cache)) {}
  rocksdb::Status open_database();
  Status check_room(std::size_t bytes);
  Status reopen_if_broken();
  Error met_fault() const;
  Error broken_by(const rocksdb::Status& status, const std::string& what);

  const std::string path_;
  const std::shared_ptr<rocksdb::Cache> cache_;

  mutable std::shared_mutex database_;  // Shared by whoever uses db_, exclusive to replace it.
  std::shared_ptr<rocksdb::DB> db_;     // Shared with cursors.
  std::atomic<bool> is_broken_ = false;

  std::mutex appending_;  // Guards what follows, and the order of appends.
  std::deque<rocksdb::WriteBatch> unsynced_;
  std::uint64_t appended_ = 0;  // Batches so far; the last of them ends unsynced_.
  std::size_t unchecked_bytes_ = 0;
};

}  // namespace thalweg::internal
