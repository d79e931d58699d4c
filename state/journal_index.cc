#include "journal_index.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include <rocksdb/listener.h>
#include <rocksdb/slice_transform.h>

#include "big_endian.h"

namespace thalweg::internal {
namespace {

// The journal's keys have one byte before them, so that none is the index's own.
constexpr char kUserKey = 'k';
constexpr BytesView kBehindUserKeys = "l";
constexpr BytesView kProgressKey = "progress";

constexpr char kInline = 0;
constexpr char kPlace = 1;
constexpr std::size_t kPlaceBytes = 1 + 4 * sizeof(std::uint32_t);

// Of a batch's key: all but the offset. Entries that share it are inserted one behind the other.
constexpr std::size_t kHintBytes = 10;
// Never reached: save() comes first, and nothing may be written without it.
constexpr std::size_t kMemoryBytes = std::size_t{1} << 30;

rocksdb::Options index_options(const std::shared_ptr<rocksdb::Cache>& cache,
                               std::shared_ptr<rocksdb::EventListener> listener) {
  rocksdb::ColumnFamilyOptions family;
  family.table_factory = make_table_factory(cache, Lookups::kFind);
  family.write_buffer_size = kMemoryBytes;
  family.arena_block_size = 1u << 20;
  family.max_write_buffer_number = 8;
  family.memtable_insert_with_hint_prefix_extractor.reset(
      rocksdb::NewFixedPrefixTransform(kHintBytes));

  rocksdb::DBOptions db = base_options();
  // What the segments do not hold for certain must not be on disk here.
  db.avoid_flush_during_shutdown = true;
  db.max_bgerror_resume_count = 0;
  db.listeners.push_back(std::move(listener));
  return {db, family};
}

rocksdb::WriteOptions without_log() {
  rocksdb::WriteOptions options;
  options.disableWAL = true;
  return options;
}

rocksdb::Slice user_key(BytesView key, std::string& memory) {
  memory.assign(1, kUserKey).append(key);
  return memory;
}

}  // namespace

/// Whether a save has failed in the background, most likely on a full disk. RocksDB would try again
/// by itself, and write what has come since then.
class JournalIndex::Halt final : public rocksdb::EventListener {
 public:
  void OnBackgroundError(rocksdb::BackgroundErrorReason, rocksdb::Status*) override {
    is_set = true;
  }
  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason, rocksdb::Status,
                            bool* auto_recovery) override {
    *auto_recovery = false;
  }

  std::atomic<bool> is_set = false;
};

void JournalIndex::Changes::put(BytesView key, BytesView value) {
  small_.push_back({.from = key, .value = value});
}

void JournalIndex::Changes::put(BytesView key, const ValuePlace& place) {
  char stored[kPlaceBytes];
  stored[0] = kPlace;
  write_big_endian(place.position.segment, stored + 1);
  write_big_endian(place.position.offset, stored + 5);
  write_big_endian(place.bytes, stored + 9);
  write_big_endian(place.checksum, stored + 13);
  batch_.Put(user_key(key, stored_key_), {stored, sizeof stored});
  small_.push_back({.from = key});
}

void JournalIndex::Changes::remove(BytesView key) {
  batch_.Delete(user_key(key, stored_key_));
  small_.push_back({.from = key});
}

std::size_t JournalIndex::Changes::count() const {
  return std::max<std::size_t>(batch_.Count(), small_.size());
}

void JournalIndex::Changes::clear() {
  batch_.Clear();
  small_.clear();
}

Result<JournalIndex::Entry> JournalIndex::decode(BytesView stored, const std::string& path) {
  if (!stored.empty() && stored[0] == kInline) return Entry{.place = {}, .value = stored.substr(1)};
  if (stored.size() != kPlaceBytes || stored[0] != kPlace) {
    return failure(ErrorCode::kCorrupt, "an entry of the index " + path + " is unreadable");
  }
  const auto field = [stored](std::size_t at) {
    return read_big_endian<std::uint32_t>(stored.substr(at));
  };
  return Entry{.place = ValuePlace{{field(1), field(5)}, field(9), field(13)}, .value = {}};
}

Result<std::unique_ptr<JournalIndex>> JournalIndex::open(
    const std::string& path, const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::DB* db = nullptr;
  const auto halt = std::make_shared<Halt>();
  const auto status = rocksdb::DB::Open(index_options(cache, halt), path, &db);
  if (!status.ok()) {
    auto error = to_error(status, "cannot open the journal's index", path);
    if (is_damage(status)) error.code = ErrorCode::kCorrupt;
    return std::unexpected(std::move(error));
  }
  return std::unique_ptr<JournalIndex>(
      new JournalIndex(path, std::unique_ptr<rocksdb::DB>(db), halt));
}

// Key by key: in a memtable, ranges that are removed are in a list of their own, and would share
// the hints of the keys.
Status JournalIndex::remove_range(BytesView from, BytesView to, Changes& changes) const {
  if (from >= to) return {};
  for (const auto& change : changes.small_) {
    if (change.from >= from && change.from < to) {
      changes.batch_.Delete(user_key(change.from, changes.stored_key_));
    }
  }
  {
    // A scan may move them to db_ behind the iterator's back.
    const std::lock_guard lock(mutex_);
    const auto end = small_values_.lower_bound(to);
    for (auto at = small_values_.lower_bound(from); at != end; ++at) {
      changes.batch_.Delete(user_key(at->first, changes.stored_key_));
    }
  }
  std::string low;
  std::string high;
  user_key(from, low);
  user_key(to, high);
  const rocksdb::Slice end = high;
  rocksdb::ReadOptions options;
  options.iterate_upper_bound = &end;
  const std::unique_ptr<rocksdb::Iterator> at(db_->NewIterator(options));
  for (at->Seek(low); at->Valid(); at->Next()) changes.batch_.Delete(at->key());
  changes.small_.push_back({.from = from, .to = to});
  return to_status(at->status(), "cannot read", path_);
}

Status JournalIndex::write(rocksdb::WriteBatch& batch) {
  return to_status(db_->Write(without_log(), &batch), "cannot write to", path_);
}

Status JournalIndex::apply(Changes& changes) {
  const std::lock_guard lock(mutex_);
  if (changes.batch_.Count() > 0) {
    if (auto status = write(changes.batch_); !status) return status;
  }
  for (const auto& change : changes.small_) apply_small(change);
  return {};
}

void JournalIndex::apply_small(const Changes::Small& change) {
  const auto at = small_values_.lower_bound(change.from);
  const bool found = at != small_values_.end() && at->first == change.from;
  if (change.to) {
    small_values_.erase(at, small_values_.lower_bound(*change.to));
  } else if (!change.value) {
    if (found) small_values_.erase(at);
  } else if (found) {
    at->second.assign(*change.value);
  } else {
    small_values_.emplace_hint(at, change.from, *change.value);
  }
}

Status JournalIndex::write_small_values() {
  if (small_values_.empty()) return {};
  rocksdb::WriteBatch batch;
  std::string stored_key;
  std::string stored;
  for (const auto& [key, value] : small_values_) {
    stored.assign(1, kInline).append(value);
    batch.Put(user_key(key, stored_key), stored);
  }
  if (auto status = write(batch); !status) return status;
  small_values_.clear();
  return {};
}

Result<bool> JournalIndex::get(BytesView key, std::string& stored) const {
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = small_values_.find(key); found != small_values_.end()) {
      stored.assign(1, kInline).append(found->second);
      return true;
    }
  }
  std::string memory;
  const auto status = db_->Get({}, user_key(key, memory), &stored);
  if (status.IsNotFound()) return false;
  if (!status.ok()) return std::unexpected(to_error(status, "cannot read", path_));
  return true;
}

std::unique_ptr<StorageCursor> JournalIndex::scan(BytesView from, BytesView to) {
  const std::lock_guard lock(mutex_);
  if (auto status = write_small_values(); !status) {
    return std::make_unique<EmptyCursor>(status);
  }
  std::string low;
  std::string high(kBehindUserKeys);
  user_key(from, low);
  if (!to.empty()) user_key(to, high);
  return std::make_unique<RocksDbCursor>(db_, *db_, db_->DefaultColumnFamily(), path_, low, high,
                                         std::string(1, kUserKey));
}

Result<std::vector<IndexedSegment>> JournalIndex::saved() const {
  std::string stored;
  const auto status = db_->Get({}, to_slice(kProgressKey), &stored);
  std::vector<IndexedSegment> segments;
  if (status.IsNotFound()) return segments;
  if (!status.ok()) return std::unexpected(to_error(status, "cannot read", path_));
  for (BytesView rest = stored; rest.size() >= 8; rest.remove_prefix(8)) {
    segments.push_back(
        {read_big_endian<SegmentId>(rest), read_big_endian<std::uint32_t>(rest.substr(4))});
  }
  return segments;
}

Status JournalIndex::save(const std::vector<IndexedSegment>& segments) {
  const std::lock_guard lock(mutex_);
  if (halt_->is_set.exchange(false)) {
    // This may write what is in memory, as a save does.
    if (const auto status = db_->Resume(); !status.ok()) {
      halt_->is_set = true;
      return std::unexpected(to_error(status, "cannot save", path_));
    }
  }
  if (auto status = write_small_values(); !status) return status;
  std::string stored;
  for (const auto& segment : segments) {
    append_big_endian(segment.id, stored);
    append_big_endian(segment.end, stored);
  }
  rocksdb::WriteBatch batch;
  batch.Put(to_slice(kProgressKey), stored);
  if (auto status = write(batch); !status) return status;
  rocksdb::FlushOptions begin;
  begin.wait = false;
  begin.allow_write_stall = true;
  return to_status(db_->Flush(begin), "cannot save", path_);
}

bool JournalIndex::is_halted() const { return halt_->is_set; }

bool JournalIndex::is_saved() const {
  std::uint64_t waiting = 1;
  return db_->GetIntProperty(rocksdb::DB::Properties::kNumImmutableMemTable, &waiting) &&
         waiting == 0;
}

Status JournalIndex::finish_save() {
  rocksdb::FlushOptions wait;
  wait.allow_write_stall = true;
  return to_status(db_->Flush(wait), "cannot save", path_);
}

}  // namespace thalweg::internal
