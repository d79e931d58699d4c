#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "rocksdb_support.h"

namespace thalweg::internal {

/// The journal on a RocksDB of its own: one column family, so that its write-ahead log is in the order
/// of the batches and every prefix of it is a consistent cut.
///
/// An append goes to the log's buffer in memory and to the memtable; sync() writes and syncs the log.
/// Values of a kilobyte and more go to blob files, which compactions do not rewrite.
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
  RocksDbJournal(std::shared_ptr<rocksdb::DB> db, std::string path)
      : db_(std::move(db)), path_(std::move(path)) {}
  bool recovered_from(const rocksdb::Status& status);

  std::shared_ptr<rocksdb::DB> db_;  // Shared with cursors.
  const std::string path_;
  std::mutex recovering_;
};

}  // namespace thalweg::internal
