#include "rocksdb_journal.h"

#include <rocksdb/write_batch.h>

namespace thalweg::internal {
namespace {

constexpr std::size_t kSmallestBlob = 1024;

rocksdb::Options journal_options(const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::ColumnFamilyOptions family;
  family.table_factory = make_table_factory(cache);
  family.compression = rocksdb::kNoCompression;  // Record batches are compressed already.
  family.write_buffer_size = 32u << 20;
  family.max_write_buffer_number = 2;  // More of them, and a failed flush may be retried out of order.
  family.enable_blob_files = true;
  family.min_blob_size = kSmallestBlob;
  family.blob_file_size = 128u << 20;
  family.enable_blob_garbage_collection = true;
  family.blob_garbage_collection_age_cutoff = 0.5;

  rocksdb::DBOptions db = base_options();
  // An append costs no system call. What the buffer holds is lost with the process, as the contract
  // allows; what is written stops at the first torn record, so a prefix is left.
  db.manual_wal_flush = true;
  db.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  return {db, family};
}

}  // namespace

Result<std::unique_ptr<RocksDbJournal>> RocksDbJournal::open(
    const std::string& path, const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::DB* db = nullptr;
  const auto status = rocksdb::DB::Open(journal_options(cache), path, &db);
  if (!status.ok()) {
    auto error = to_error(status, "cannot open the journal", path);
    if (is_damage(status)) error.code = ErrorCode::kCorrupt;
    return std::unexpected(std::move(error));
  }
  return std::unique_ptr<RocksDbJournal>(
      new RocksDbJournal(std::shared_ptr<rocksdb::DB>(db), path));
}

RocksDbJournal::~RocksDbJournal() {
  // Nobody is left to be told of a failure; sync() is what promises durability.
  static_cast<void>(sync());
}

Status RocksDbJournal::append(const WriteBatch& batch) {
  thread_local rocksdb::WriteBatch writes;
  writes.Clear();
  for (const auto& operation : batch.operations()) {
    rocksdb::Status status;
    switch (operation.kind) {
      case WriteBatch::Operation::Kind::kPut:
        status = writes.Put(operation.key, operation.value);
        break;
      case WriteBatch::Operation::Kind::kRemove:
        status = writes.Delete(operation.key);
        break;
      case WriteBatch::Operation::Kind::kRemoveRange:
        if (operation.key < operation.value) {
          status = writes.DeleteRange(operation.key, operation.value);
        }
        break;
    }
    if (!status.ok()) return to_status(status, "cannot append to", path_);
  }
  auto status = db_->Write({}, &writes);
  if (!status.ok() && recovered_from(status)) status = db_->Write({}, &writes);
  return to_status(status, "cannot append to", path_);
}

Status RocksDbJournal::sync() {
  auto status = db_->FlushWAL(/*sync=*/true);
  if (!status.ok() && recovered_from(status)) status = db_->FlushWAL(true);
  return to_status(status, "cannot sync", path_);
}

/// A full disk stops the database until it is told to go on. Going on writes everything it holds in
/// memory to table files, so that no batch depends on the log that could not be written.
bool RocksDbJournal::recovered_from(const rocksdb::Status& status) {
  if (to_error(status, "", "").code != ErrorCode::kNoSpace) return false;
  std::lock_guard lock(recovering_);
  return db_->Resume().ok();
}

Result<bool> RocksDbJournal::get(BytesView key, std::string& value) const {
  const auto status = db_->Get({}, to_slice(key), &value);
  if (status.IsNotFound()) return false;
  if (!status.ok()) return std::unexpected(to_error(status, "cannot read", path_));
  return true;
}

std::unique_ptr<StorageCursor> RocksDbJournal::scan(BytesView from, BytesView to) const {
  return std::make_unique<RocksDbCursor>(db_, *db_, db_->DefaultColumnFamily(), path_, from, to, "");
}

}  // namespace thalweg::internal
