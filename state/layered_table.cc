#include <algorithm>
#include <utility>

#include "layered_table_impl.h"

namespace thalweg::internal {
namespace {

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

}  // namespace

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
  cursor_.drop();
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
    ++disk_version_;
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
    cursor_.drop();
    family_.swap(family);
  }
  open_spill_ = nullptr;
  frozen_bytes_ = 0;
  if (budget_) budget_->add(-charged_ - (frozen ? std::exchange(frozen->charged, 0) : 0));
  charged_ = 0;
}

Result<std::shared_ptr<LayeredTable>> LayeredTable::open(const StoreContext& context,
                                                         std::optional<Segments> segments) {
  auto table = std::make_shared<LayeredTableImpl>(context, segments);
  if (auto status = table->open_disk(); !status) return std::unexpected(status.error());
  return table;
}

}  // namespace thalweg::internal
