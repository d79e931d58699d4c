#include "rocksdb_support.h"

#include <cstdarg>

#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>

namespace thalweg::internal {
namespace {

/// RocksDB's own log file, switched off: builds with assertions end the process when that file
/// meets a full disk. What matters comes back as a status or through a listener.
class QuietLogger final : public rocksdb::Logger {
 public:
  using rocksdb::Logger::Logv;
  void Logv(const char* /*format*/, std::va_list /*arguments*/) override {}
};

}  // namespace

Error to_error(const rocksdb::Status& status, const std::string& what, const std::string& path) {
  ErrorCode code = ErrorCode::kIo;
  if (status.IsNoSpace() || status.subcode() == rocksdb::Status::SubCode::kNoSpace ||
      status.ToString().find("No space left on device") != std::string::npos) {
    code = ErrorCode::kNoSpace;
  } else if (status.IsCorruption()) {
    code = ErrorCode::kCorrupt;
  } else if (status.IsNotFound() || status.IsColumnFamilyDropped()) {
    code = ErrorCode::kNotFound;
  }
  return {code, what + " " + path + ": " + status.ToString()};
}

Status to_status(const rocksdb::Status& status, const std::string& what, const std::string& path) {
  if (status.ok()) return {};
  return std::unexpected(to_error(status, what, path));
}

bool is_damage(const rocksdb::Status& status) {
  if (to_error(status, "", "").code == ErrorCode::kNoSpace) return false;
  return status.IsCorruption() || status.IsNotFound() || status.IsInvalidArgument() ||
         status.IsNotSupported() || status.IsPathNotFound();
}

rocksdb::DBOptions base_options() {
  rocksdb::DBOptions options;
  options.create_if_missing = true;
  options.paranoid_checks = true;
  options.max_background_jobs = 2;
  options.info_log = std::make_shared<QuietLogger>();
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  return options;
}

std::shared_ptr<rocksdb::TableFactory> make_table_factory(
    const std::shared_ptr<rocksdb::Cache>& cache, Lookups lookups) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  if (lookups == Lookups::kMayMiss) {
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10, false));
  }
  table.format_version = 5;
  // In small parts: what is larger than a shard of the cache, as the filter of a million rows is,
  // would be read from disk for each of them.
  table.index_type = rocksdb::BlockBasedTableOptions::kTwoLevelIndexSearch;
  table.partition_filters = true;
  table.cache_index_and_filter_blocks = true;
  table.cache_index_and_filter_blocks_with_high_priority = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  return std::shared_ptr<rocksdb::TableFactory>(rocksdb::NewBlockBasedTableFactory(table));
}

RocksDbCursor::RocksDbCursor(std::shared_ptr<const void> owner, rocksdb::DB& db,
                             rocksdb::ColumnFamilyHandle* family, std::string path, BytesView from,
                             BytesView to, std::string hidden)
    : owner_(std::move(owner)),
      path_(std::move(path)),
      from_(from),
      to_(to),
      lower_(from_),
      upper_(to_),
      hidden_(std::move(hidden)) {
  rocksdb::ReadOptions options;
  options.iterate_lower_bound = &lower_;
  if (!to_.empty()) options.iterate_upper_bound = &upper_;
  iterator_.reset(db.NewIterator(options, family));
  iterator_->SeekToFirst();
}

rocksdb::Slice RocksDbCursor::with_hidden(BytesView key) {
  target_.assign(hidden_).append(key);
  return target_;
}

void RocksDbCursor::seek(BytesView key) { iterator_->Seek(with_hidden(key)); }

void RocksDbCursor::seek_for_previous(BytesView key) { iterator_->SeekForPrev(with_hidden(key)); }

Status RocksDbCursor::status() const {
  return to_status(iterator_->status(), "cannot scan", path_);
}

}  // namespace thalweg::internal
