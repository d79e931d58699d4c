#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <span>
#include <string>
#include <vector>

#include <thalweg/state/internal/layered_table.h>

#include "fair_shared_mutex.h"
#include "frozen_table.h"
#include "merged_scan.h"

namespace thalweg::internal {

// Answers are in layered_reads.cc, all else in layered_table.cc.
//
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
  bool reaches_disk(const Scan& scan) const;
  Status scan_all_levels(const Scan& scan, StorageCursor* on_disk,
                         std::vector<StoredEntry>& out) const;
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
  std::uint64_t disk_version_ = 0;   // Changes with every spill.
  mutable KeptCursor cursor_;        // Of the task, between two commits. Goes before family_.
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

}  // namespace thalweg::internal
