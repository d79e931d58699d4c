#pragma once

#include <memory>
#include <string>

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/options.h>

#include <thalweg/state/storage.h>

namespace thalweg::internal {

inline rocksdb::Slice to_slice(BytesView bytes) { return {bytes.data(), bytes.size()}; }
inline BytesView to_view(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

/// A RocksDB failure in our words: kNoSpace, kCorrupt, kNotFound or kIo, naming what and where.
Error to_error(const rocksdb::Status& status, const std::string& what, const std::string& path);
Status to_status(const rocksdb::Status& status, const std::string& what, const std::string& path);

/// Whether a database that fails to open this way has damaged files, rather than a refusing system.
bool is_damage(const rocksdb::Status& status);

/// What both databases share: background work, no log file, no timers.
rocksdb::DBOptions base_options();
/// Whether keys are looked up that are not there: only then are Bloom filters worth their space.
enum class Lookups : bool { kFind, kMayMiss };
/// A table format on the shared cache.
std::shared_ptr<rocksdb::TableFactory> make_table_factory(
    const std::shared_ptr<rocksdb::Cache>& cache, Lookups lookups);

/// A cursor over nothing: there is nothing, or it could not be had, which `status` then says.
class EmptyCursor final : public StorageCursor {
 public:
  explicit EmptyCursor(Status status = {}) : status_(std::move(status)) {}
  bool valid() const override { return false; }
  void next() override {}
  void previous() override {}
  void seek(BytesView) override {}
  void seek_for_previous(BytesView) override {}
  void seek_to_last() override {}
  BytesView key() const override { return {}; }
  BytesView value() const override { return {}; }
  Status status() const override { return status_; }

 private:
  Status status_;
};

/// A cursor over the keys [from, to) of a column family, each without the `hidden` bytes that all
/// of them start with. An empty `to` has no end.
class RocksDbCursor final : public StorageCursor {
 public:
  /// `owner` keeps the database open.
  RocksDbCursor(std::shared_ptr<const void> owner, rocksdb::DB& db,
                rocksdb::ColumnFamilyHandle* family, std::string path, BytesView from, BytesView to,
                std::string hidden);

  bool valid() const override { return iterator_->Valid(); }
  void next() override { iterator_->Next(); }
  void previous() override { iterator_->Prev(); }
  void seek(BytesView key) override;
  void seek_for_previous(BytesView key) override;
  void seek_to_last() override { iterator_->SeekToLast(); }
  BytesView key() const override { return to_view(iterator_->key()).substr(hidden_.size()); }
  BytesView value() const override { return to_view(iterator_->value()); }
  Status status() const override;

 private:
  rocksdb::Slice with_hidden(BytesView key);

  std::shared_ptr<const void> owner_;
  const std::string path_;
  const std::string from_;
  const std::string to_;
  const rocksdb::Slice lower_;  // The iterator refers to both bounds.
  const rocksdb::Slice upper_;
  const std::string hidden_;
  std::string target_;
  std::unique_ptr<rocksdb::Iterator> iterator_;
};

}  // namespace thalweg::internal
