#include "rocksdb_journal.h"

#include "free_space.h"

namespace thalweg::internal {
namespace {

constexpr std::size_t kSmallestBlob = 1024;
constexpr std::size_t kCheckRoomEvery = 1u << 20;  // Bytes.

rocksdb::Options journal_options(const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::ColumnFamilyOptions family;
  family.table_factory = make_table_factory(cache);
  family.compression = rocksdb::kNoCompression;  // Record batches are compressed already.
  family.write_buffer_size = 32u << 20;
  family.max_write_buffer_number =
      2;  // More of them, and a failed flush may be retried out of order.
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

rocksdb::Status add_operations(const WriteBatch& batch, rocksdb::WriteBatch& writes) {
  rocksdb::Status status;
  for (const auto& operation : batch.operations()) {
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
    if (!status.ok()) break;
  }
  return status;
}

/// Takes over the operations of another batch, in order.
class Copier final : public rocksdb::WriteBatch::Handler {
 public:
  explicit Copier(rocksdb::WriteBatch& to) : to_(to) {}
  rocksdb::Status PutCF(std::uint32_t, const rocksdb::Slice& key,
                        const rocksdb::Slice& value) override {
    return to_.Put(key, value);
  }
  rocksdb::Status DeleteCF(std::uint32_t, const rocksdb::Slice& key) override {
    return to_.Delete(key);
  }
  rocksdb::Status DeleteRangeCF(std::uint32_t, const rocksdb::Slice& from,
                                const rocksdb::Slice& to) override {
    return to_.DeleteRange(from, to);
  }

 private:
  rocksdb::WriteBatch& to_;
};

}  // namespace

Result<std::unique_ptr<RocksDbJournal>> RocksDbJournal::open(
    const std::string& path, const std::shared_ptr<rocksdb::Cache>& cache) {
  std::unique_ptr<RocksDbJournal> journal(new RocksDbJournal(path, cache));
  const auto status = journal->open_database();
  if (!status.ok()) {
    auto error = to_error(status, "cannot open the journal", path);
    if (is_damage(status)) error.code = ErrorCode::kCorrupt;
    return std::unexpected(std::move(error));
  }
  return journal;
}

RocksDbJournal::~RocksDbJournal() {
  // Nobody is left to be told of a failure; sync() is what promises durability.
  if (db_ && !is_broken_) static_cast<void>(db_->FlushWAL(true));
}

rocksdb::Status RocksDbJournal::open_database() {
  rocksdb::DB* db = nullptr;
  const auto status = rocksdb::DB::Open(journal_options(cache_), path_, &db);
  if (status.ok()) db_.reset(db);
  return status;
}

Status RocksDbJournal::append(const WriteBatch& batch) {
  if (auto status = reopen_if_broken(); !status) return status;
  rocksdb::WriteBatch writes(batch.bytes() + batch.operations().size() * 8);
  if (auto status = add_operations(batch, writes); !status.ok()) {
    return to_status(status, "cannot append to", path_);
  }
  std::shared_lock database(database_);
  std::lock_guard lock(appending_);
  if (is_broken_) return std::unexpected(met_fault());
  if (auto room = check_room(batch.bytes()); !room) return room;
  const auto status = db_->Write({}, &writes);
  if (!status.ok()) return std::unexpected(broken_by(status, "cannot append to"));
  unsynced_.push_back(std::move(writes));
  ++appended_;
  return {};
}

Status RocksDbJournal::sync() {
  if (auto status = reopen_if_broken(); !status) return status;
  std::shared_lock database(database_);
  std::uint64_t covered;
  {
    // One at a time writes to the file: RocksDB ends the process when it is written to after a
    // fault, so whoever comes next must know.
    std::lock_guard lock(appending_);
    if (is_broken_) return std::unexpected(met_fault());
    covered = appended_;
    const auto written = db_->FlushWAL(/*sync=*/false);
    if (!written.ok()) return std::unexpected(broken_by(written, "cannot write to"));
  }
  const auto status = db_->SyncWAL();
  if (!status.ok()) return std::unexpected(broken_by(status, "cannot sync"));
  std::lock_guard lock(appending_);
  while (appended_ - unsynced_.size() < covered) unsynced_.pop_front();
  return {};
}

/// Asks the disk now and then, and always while it was full. Called with appending_ held.
Status RocksDbJournal::check_room(std::size_t bytes) {
  unchecked_bytes_ += bytes;
  if (unchecked_bytes_ < kCheckRoomEvery) return {};
  auto room = check_free_space(path_, bytes);
  if (room) unchecked_bytes_ = 0;
  return room;
}

/// What others are told until the journal is opened again.
Error RocksDbJournal::met_fault() const {
  if (auto room = check_free_space(path_, 0); !room) return room.error();
  return {ErrorCode::kUnavailable, "the journal " + path_ + " met a fault and is opened again"};
}

Error RocksDbJournal::broken_by(const rocksdb::Status& status, const std::string& what) {
  is_broken_ = true;
  auto error = to_error(status, what, path_);
  // Once the log is broken, RocksDB no longer says by what.
  if (auto room = check_free_space(path_, 0); !room) error.code = ErrorCode::kNoSpace;
  return error;
}

Status RocksDbJournal::reopen_if_broken() {
  if (!is_broken_) return {};
  if (auto room = check_free_space(path_, 0); !room) return room;
  std::unique_lock database(database_);
  if (!is_broken_) return {};
  if (db_.use_count() > 1) {
    return failure(ErrorCode::kNoSpace, "the journal " + path_ +
                                            " met a full disk; it is opened again once its last "
                                            "cursor is gone");
  }
  if (db_) db_->Close();
  db_.reset();
  if (auto status = open_database(); !status.ok()) {
    return to_status(status, "cannot open again", path_);
  }
  std::lock_guard lock(appending_);
  rocksdb::WriteBatch all;
  Copier copier(all);
  for (const auto& batch : unsynced_) {
    if (auto status = batch.Iterate(&copier); !status.ok()) {
      return to_status(status, "cannot repeat appends to", path_);
    }
  }
  if (auto status = db_->Write({}, &all); !status.ok()) {
    return to_status(status, "cannot repeat appends to", path_);
  }
  is_broken_ = false;
  return {};
}

Result<bool> RocksDbJournal::get(BytesView key, std::string& value) const {
  std::shared_lock database(database_);
  if (!db_) return failure(ErrorCode::kNoSpace, "the journal " + path_ + " met a full disk");
  const auto status = db_->Get({}, to_slice(key), &value);
  if (status.IsNotFound()) return false;
  if (!status.ok()) return std::unexpected(to_error(status, "cannot read", path_));
  return true;
}

std::unique_ptr<StorageCursor> RocksDbJournal::scan(BytesView from, BytesView to) const {
  std::shared_lock database(database_);
  if (!db_) {
    return std::make_unique<FailedCursor>(
        Error{ErrorCode::kNoSpace, "the journal " + path_ + " met a full disk"});
  }
  return std::make_unique<RocksDbCursor>(db_, *db_, db_->DefaultColumnFamily(), path_, from, to,
                                         "");
}

}  // namespace thalweg::internal
