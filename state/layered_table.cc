#include <algorithm>
#include <atomic>
#include <mutex>
#include <shared_mutex>
#include <utility>

#include <thalweg/state/internal/layered_table.h>

#include "big_endian.h"
#include "fair_shared_mutex.h"
#include "frozen_table.h"
#include "merged_scan.h"

namespace thalweg::internal {
namespace {

// Who may touch what: entries of `fresh_` and `family_` change on the task's thread only, under the
// exclusive lock; so that thread reads them without one. Order and groups of what is in memory are
// made under the exclusive lock by whoever scans first. `frozen_` is set by the task and taken away
// by the spilling thread, each under the exclusive lock. `spilling_` is held while a spill writes,
// and by whoever must not meet one.
class LayeredTableImpl final : public LayeredTable,
                               public std::enable_shared_from_this<LayeredTableImpl> {
 public:
  LayeredTableImpl(const StoreContext& context, std::optional<Segments> segments)
      : storage_(context.storage),
        segments_(segments),
        is_cached_(context.caching),
        cache_bytes_(context.caching ? context.cache_bytes : 0),
        family_name_(context.family),
        identity_(context.identity),
        budget_(context.budget),
        damaged_(context.damaged),
        on_discard_(context.on_discard) {}
  ~LayeredTableImpl() override { release(true); }

  Status open_disk();

  // StoreView
  Result<std::optional<StoredEntry>> get(BytesView key) const override;
  Result<std::vector<StoredEntry>> scan(const Scan& scan) const override;
  std::uint64_t approximate_entries() const override;
  CommitSequence last_commit() const override { return last_commit_.load(); }
  Timestamp first_readable() const override {
    if (!segments_) return kNoTimestamp;
    std::shared_lock lock(mutex_);
    return from_millis(is_cached_ ? first_segment_ : segments_->first_readable(marks_.stream_time));
  }

  // The task's side
  bool persistent() const override { return storage_ != nullptr; }
  bool find(BytesView key, std::string& value, Timestamp& timestamp) const override;
  bool is_by_group(const Scan& scan) const override { return suffix_size_ > 0 && group_of(scan); }
  void read_chunk(const Scan& scan, std::vector<StoredEntry>& out) const override;
  void commit(std::span<const TableWrite> writes, const StoreMarks& marks, Offset changelog_end,
              CommitSequence commit) override;
  StoreMarks marks() const override { return marks_; }
  std::int64_t first_segment() const override { return first_segment_; }
  Offset restored_to() const override { return offset_; }
  void restore(std::span<const RecordView> records, Offset next, CommitSequence commit) override;
  Status discard() override;
  std::size_t unspilled_bytes() const override {
    return family_ ? fresh_.footprint() + frozen_bytes_.load() : 0;
  }
  std::shared_ptr<Spill> start_spill(Timestamp wall_time) override;
  void close() override;

  // The spill's side
  Status write(const std::shared_ptr<Frozen>& frozen);
  /// The spill of `frozen` will not write any more.
  void spill_ended(const Frozen* frozen) { open_spill_.compare_exchange_strong(frozen, nullptr); }

 private:
  Status make_family();
  /// Whether level 3 can have anything as late as the time behind so many bytes of `key`, if any.
  bool is_on_disk(BytesView key, std::size_t group) const;
  bool is_on_disk(BytesView key) const {
    return is_on_disk(key, key.size() - std::min(key.size(), suffix_size_));
  }
  bool buries() const { return frozen_ || !on_disk_.is_empty; }
  void store(BytesView key, std::optional<BytesView> value, Timestamp timestamp, bool bury);
  void restore_windows(std::span<const RecordView> records, bool bury);
  void expire();
  bool fits_in_cache() const { return !buries() && fresh_.footprint() < cache_bytes_; }
  void drop_expired();
  void resume(const Checkpoint& checkpoint);
  void charge();
  void take_back(Frozen& frozen);
  void release(bool closing);
  Status scan_all_levels(const Scan& scan, std::vector<StoredEntry>& out) const;
  std::shared_lock<FairSharedMutex> lock_for(const Scan& scan) const;
  void arrange(ByteTable& table) const;
  Error with_name(Error error) const {
    if (error.code == ErrorCode::kCorrupt && damaged_) damaged_->store(true);
    error.message = "store " + family_name_ + ": " + error.message;
    return error;
  }

  Storage* const storage_;
  const std::optional<Segments> segments_;  // None: nothing expires.
  const std::size_t suffix_size_ = segments_ ? segments_->suffix_size() : 0;  // Of stored keys.
  const bool is_cached_;
  const std::size_t cache_bytes_;
  const std::string family_name_;
  const Checkpoint identity_;
  MemoryBudget* const budget_;
  const std::shared_ptr<std::atomic<bool>> damaged_;
  const std::function<void(const std::string&)> on_discard_;

  std::mutex spilling_;
  mutable FairSharedMutex mutex_;
  mutable ByteTable fresh_;          // Level 2. Mutable: a scan may have it arranged.
  std::shared_ptr<Frozen> frozen_;   // Its part under spill, or left from a spill that failed.
  std::shared_ptr<Family> family_;   // Level 3; null in memory.
  OnDisk on_disk_;                   // Of family_.
  mutable bool is_ordered_ = false;  // Some scan has asked for it: what is in memory is kept so.
  mutable bool is_grouped_ = false;
  bool is_closed_ = false;

  std::atomic<bool> has_frozen_ = false;
  std::atomic<const Frozen*> open_spill_ = nullptr;  // The frozen part of a spill yet to end.
  std::atomic<std::size_t> frozen_bytes_ = 0;
  std::atomic<CommitSequence> last_commit_ = 0;
  Offset offset_ = 0;               // What those in all levels reach.
  StoreMarks marks_;                // As of offset_.
  std::int64_t first_segment_ = 0;  // What lies before it has expired.
  std::int64_t charged_ = 0;        // What of fresh_ the budget knows.
};

class LayeredSpill final : public Spill {
 public:
  LayeredSpill(std::shared_ptr<LayeredTableImpl> table, std::shared_ptr<Frozen> frozen)
      : table_(std::move(table)), frozen_(std::move(frozen)) {}
  ~LayeredSpill() override { end(); }

  CommitSequence needs_durable() const override { return needs_durable_; }
  Status run() override {
    if (!frozen_) return failure(ErrorCode::kInvalid, "a spill runs once");
    auto status = table_->write(frozen_);
    end();
    return status;
  }

 private:
  void end() {
    if (frozen_) table_->spill_ended(frozen_.get());
    frozen_.reset();
  }

  std::shared_ptr<LayeredTableImpl> table_;
  std::shared_ptr<Frozen> frozen_;
  CommitSequence needs_durable_ = frozen_->commit;
};

Status LayeredTableImpl::open_disk() {
  if (!storage_) return {};
  if (auto status = make_family(); !status) return status;
  auto checkpoint = family_->checkpoint();
  if (!checkpoint && checkpoint.error().code == ErrorCode::kNotFound) return {};
  std::string doubt;
  if (!checkpoint) {
    if (checkpoint.error().code != ErrorCode::kCorrupt) {
      return std::unexpected(with_name(checkpoint.error()));
    }
    doubt = checkpoint.error().message;
  } else {
    doubt = difference(*checkpoint, identity_);
  }
  if (!doubt.empty()) {
    if (on_discard_) {
      on_discard_("store " + family_name_ + ": what the disk holds is dropped: " + doubt);
    }
    return discard();
  }
  resume(*checkpoint);
  return {};
}

void LayeredTableImpl::resume(const Checkpoint& checkpoint) {
  offset_ = checkpoint.next_offset;
  marks_ = {checkpoint.stream_time, checkpoint.sequence};
  if (segments_) first_segment_ = segments_->first_segment(marks_.stream_time);
  on_disk_.set(checkpoint, first_segment_);
}

Status LayeredTableImpl::make_family() {
  auto family = storage_->open_family(family_name_);
  if (!family) return std::unexpected(with_name(family.error()));
  std::lock_guard lock(mutex_);
  family_ = std::move(*family);
  return {};
}

bool LayeredTableImpl::is_on_disk(BytesView key, std::size_t group) const {
  if (!family_ || on_disk_.is_empty) return false;
  if (suffix_size_ == 0 || key.size() < group + sizeof(std::int64_t)) return true;
  return read_big_endian<std::int64_t>(key.substr(group)) <= on_disk_.latest_time;
}

Result<std::optional<StoredEntry>> LayeredTableImpl::get(BytesView key) const {
  StoredEntry entry{std::string(key), {}, kNoTimestamp};
  std::shared_ptr<Family> family;
  {
    std::shared_lock lock(mutex_);
    if (is_closed_) {
      return failure(ErrorCode::kUnavailable, "store " + family_name_ + " is closed");
    }
    const ByteEntry* found = fresh_.find(key);
    if (!found && frozen_) found = frozen_->table.find(key);
    if (found) {
      if (found->is_tombstone()) return std::nullopt;
      entry.value.assign(found->value());
      entry.timestamp = found->timestamp();
      return entry;
    }
    if (is_on_disk(key)) family = family_;
  }
  // What memory does not hold, the family holds or nobody does; a spill that ends now only adds
  // what was committed meanwhile.
  if (!family) return std::nullopt;
  const auto is_there = read_stored(*family, key, entry.value, entry.timestamp);
  if (!is_there) return std::unexpected(with_name(is_there.error()));
  if (!*is_there) return std::nullopt;
  return entry;
}

std::shared_lock<FairSharedMutex> LayeredTableImpl::lock_for(const Scan& scan) const {
  const bool by_group = is_by_group(scan);
  const auto is_ready = [by_group](const ByteTable& table) {
    return by_group ? table.is_grouped() : table.is_ordered();
  };
  while (true) {
    std::shared_lock shared(mutex_);
    if (is_ready(fresh_) && (!frozen_ || is_ready(frozen_->table))) return shared;
    shared.unlock();
    std::lock_guard exclusive(mutex_);
    (by_group ? is_grouped_ : is_ordered_) = true;
    arrange(fresh_);
    if (frozen_) arrange(frozen_->table);
  }
}

/// Makes a table ready for the scans that there have been. Called with the lock held exclusively.
void LayeredTableImpl::arrange(ByteTable& table) const {
  if (is_ordered_) table.make_ordered();
  if (is_grouped_) table.make_grouped(suffix_size_);
}

Status LayeredTableImpl::scan_all_levels(const Scan& scan, std::vector<StoredEntry>& out) const {
  const auto lock = lock_for(scan);
  if (is_closed_) return failure(ErrorCode::kUnavailable, "store " + family_name_ + " is closed");
  std::vector<const ByteTable*> tables{&fresh_};
  if (frozen_) tables.push_back(&frozen_->table);
  const bool reaches_disk =
      is_by_group(scan) ? is_on_disk(*scan.from, scan.group) : is_on_disk({}, 0);
  const auto* family = reaches_disk ? family_.get() : nullptr;
  if (auto status = merge_scan(tables, family, scan, out); !status) {
    return std::unexpected(with_name(status.error()));
  }
  return {};
}

Result<std::vector<StoredEntry>> LayeredTableImpl::scan(const Scan& scan) const {
  std::vector<StoredEntry> entries;
  if (auto read = scan_all_levels(scan, entries); !read) return std::unexpected(read.error());
  return entries;
}

void LayeredTableImpl::read_chunk(const Scan& scan, std::vector<StoredEntry>& out) const {
  out.clear();
  if (auto status = scan_all_levels(scan, out); !status) throw StoreError(status.error());
}

std::uint64_t LayeredTableImpl::approximate_entries() const {
  std::shared_lock lock(mutex_);
  if (is_closed_) return 0;
  return fresh_.size() + (frozen_ ? frozen_->table.size() : 0) +
         (family_ ? family_->approximate_entries() : 0);
}

bool LayeredTableImpl::find(BytesView key, std::string& value, Timestamp& timestamp) const {
  const auto answer = [&](const ByteEntry& entry) {
    if (entry.is_tombstone()) return false;
    value.assign(entry.value());
    timestamp = entry.timestamp();
    return true;
  };
  if (const ByteEntry* found = fresh_.find(key)) return answer(*found);
  if (has_frozen_.load(std::memory_order_acquire)) {
    std::shared_lock lock(mutex_);
    if (const ByteEntry* found = frozen_ ? frozen_->table.find(key) : nullptr) {
      return answer(*found);
    }
  }
  if (!is_on_disk(key)) return false;
  const auto is_there = read_stored(*family_, key, value, timestamp);
  if (!is_there) throw StoreError(with_name(is_there.error()));
  return *is_there;
}

void LayeredTableImpl::store(BytesView key, std::optional<BytesView> value, Timestamp timestamp,
                             bool bury) {
  if (value || bury) {
    fresh_.put(key, value, timestamp);
  } else {
    fresh_.erase(key);  // Nothing below that a tombstone would have to hide.
  }
}

/// Takes from the budget what memory is used now. Called with the lock held: a reader may be making
/// the order of keys, which counts.
void LayeredTableImpl::charge() {
  const auto now = static_cast<std::int64_t>(fresh_.footprint() + fresh_.index_footprint());
  if (budget_) budget_->add(now - charged_);
  charged_ = now;
}

/// Drops segments that stream time has left behind. Called with the lock held exclusively.
void LayeredTableImpl::expire() {
  if (!segments_) return;
  const auto first = segments_->first_segment(marks_.stream_time);
  if (first <= first_segment_) return;
  first_segment_ = first;
  drop_expired();
}

void LayeredTableImpl::drop_expired() {
  std::string bound;
  Segments::append_prefix(first_segment_, bound);
  fresh_.erase_before(bound);
}

void LayeredTableImpl::commit(std::span<const TableWrite> writes, const StoreMarks& marks,
                              Offset changelog_end, CommitSequence commit) {
  std::lock_guard lock(mutex_);
  const bool bury = buries();
  for (const auto& write : writes) store(write.key, write.value, write.timestamp, bury);
  marks_ = marks;
  if (!fits_in_cache()) expire();
  last_commit_ = commit;
  if (changelog_end != kNoOffset) offset_ = changelog_end;
  charge();
}

void LayeredTableImpl::restore(std::span<const RecordView> records, Offset next,
                               CommitSequence commit) {
  std::lock_guard lock(mutex_);
  const bool bury = buries();
  if (segments_) {
    restore_windows(records, bury);
  } else {
    for (const auto& record : records) {
      if (record.key) store(*record.key, record.value, record.timestamp, bury);
    }
  }
  last_commit_ = commit;
  offset_ = next;
  charge();
}

void LayeredTableImpl::restore_windows(std::span<const RecordView> records, bool bury) {
  std::string stored;
  for (const auto& record : records) {
    if (!record.key) continue;
    stored.clear();
    segments_->append_stored(*record.key, stored);
    const auto time = segments_->time_of(*record.key);
    marks_.stream_time = std::max(marks_.stream_time, from_millis(time));
    if (segments_->keys == Segments::Keys::kWindow) {
      marks_.sequence = segments_->sequence_of(*record.key);
    }
    if (segments_->segment_of(time) >= segments_->first_segment(marks_.stream_time)) {
      store(stored, record.value, record.timestamp, bury);
    }
  }
  expire();
}

std::shared_ptr<Spill> LayeredTableImpl::start_spill(Timestamp wall_time) {
  if (!family_ || open_spill_.load() != nullptr) return nullptr;
  if (frozen_) take_back(*frozen_);
  if (fresh_.empty() && offset_ == on_disk_.offset) return nullptr;
  auto frozen = std::make_shared<Frozen>();
  frozen->checkpoint = identity_;
  frozen->checkpoint.next_offset = offset_;
  frozen->checkpoint.wall_time = wall_time;
  frozen->checkpoint.stream_time = marks_.stream_time;
  frozen->checkpoint.sequence = marks_.sequence;
  frozen->first_segment = first_segment_;
  frozen->commit = last_commit_;
  frozen->charged = std::exchange(charged_, 0);
  {
    std::lock_guard lock(mutex_);
    frozen->table.swap(fresh_);
    arrange(fresh_);
    frozen_ = frozen;
    has_frozen_ = true;
  }
  frozen_bytes_ = frozen->table.footprint();
  open_spill_ = frozen.get();
  return std::make_shared<LayeredSpill>(shared_from_this(), std::move(frozen));
}

/// Puts the entries of a spill that failed back under what was committed since.
void LayeredTableImpl::take_back(Frozen& frozen) {
  charged_ += frozen.charged;
  {
    std::lock_guard lock(mutex_);
    fresh_.merge_older(frozen.table);
    if (first_segment_ > frozen.first_segment) drop_expired();
    arrange(fresh_);
    frozen_.reset();
    has_frozen_ = false;
    charge();
  }
  frozen_bytes_ = 0;
}

Status LayeredTableImpl::write(const std::shared_ptr<Frozen>& frozen) {
  std::lock_guard spilling(spilling_);
  std::shared_ptr<Family> family;
  std::vector<const ByteEntry*> entries;
  {
    std::shared_lock lock(mutex_);
    if (frozen_ != frozen) {
      return failure(ErrorCode::kUnavailable,
                     "store " + family_name_ + " was closed or discarded before its spill");
    }
    family = family_;
    entries = frozen->table.entries();
  }
  std::string drop_before;
  if (frozen->first_segment > on_disk_.first_segment) {
    Segments::append_prefix(frozen->first_segment, drop_before);
  }
  const auto status = ingest(*family, std::move(entries), frozen->checkpoint, drop_before);
  if (!status) return std::unexpected(with_name(status.error()));
  on_disk_.set(frozen->checkpoint, frozen->first_segment);
  {
    std::lock_guard lock(mutex_);
    frozen_.reset();
    has_frozen_.store(false, std::memory_order_release);
  }
  frozen_bytes_ = 0;
  frozen->table.clear();  // Outside the lock: nobody can see it any more.
  if (budget_) budget_->add(-std::exchange(frozen->charged, 0));
  return {};
}

Status LayeredTableImpl::discard() {
  std::lock_guard spilling(spilling_);
  release(false);
  offset_ = 0;
  on_disk_.clear();
  if (!storage_) return {};
  if (auto status = storage_->drop_family(family_name_); !status) {
    return std::unexpected(with_name(status.error()));
  }
  return make_family();
}

void LayeredTableImpl::close() {
  std::lock_guard spilling(spilling_);
  release(true);
}

/// Lets go of everything in memory and of the family. Called with spilling_ held.
void LayeredTableImpl::release(bool closing) {
  ByteTable dropped;
  std::shared_ptr<Frozen> frozen;
  std::shared_ptr<Family> family;
  {
    std::lock_guard lock(mutex_);
    is_closed_ = closing;
    marks_ = {};
    first_segment_ = 0;
    fresh_.swap(dropped);
    arrange(fresh_);
    frozen_.swap(frozen);
    has_frozen_ = false;
    family_.swap(family);
  }
  open_spill_ = nullptr;
  frozen_bytes_ = 0;
  if (budget_) budget_->add(-charged_ - (frozen ? std::exchange(frozen->charged, 0) : 0));
  charged_ = 0;
}

}  // namespace

Result<std::shared_ptr<LayeredTable>> LayeredTable::open(const StoreContext& context,
                                                         std::optional<Segments> segments) {
  auto table = std::make_shared<LayeredTableImpl>(context, segments);
  if (auto status = table->open_disk(); !status) return std::unexpected(status.error());
  return table;
}

}  // namespace thalweg::internal
