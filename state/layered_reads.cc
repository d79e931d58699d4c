#include <array>

#include "big_endian.h"
#include "layered_table_impl.h"

// What LayeredTable answers, from all its levels.

namespace thalweg::internal {

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

bool LayeredTableImpl::reaches_disk(const Scan& scan) const {
  return is_by_group(scan) ? is_on_disk(*scan.from, scan.group) : is_on_disk({}, 0);
}

/// Called with the lock that lock_for() gives.
Status LayeredTableImpl::scan_all_levels(const Scan& scan, StorageCursor* on_disk,
                                         std::vector<StoredEntry>& out) const {
  if (is_closed_) return failure(ErrorCode::kUnavailable, "store " + family_name_ + " is closed");
  const std::array<const ByteTable*, 2> tables{&fresh_, frozen_ ? &frozen_->table : nullptr};
  const auto status = merge_scan(std::span(tables).first(frozen_ ? 2 : 1), on_disk, scan, out);
  if (!status) return std::unexpected(with_name(status.error()));
  return {};
}

Result<std::vector<StoredEntry>> LayeredTableImpl::scan(const Scan& scan) const {
  std::vector<StoredEntry> entries;
  const auto lock = lock_for(scan);
  std::unique_ptr<StorageCursor> cursor;
  if (reaches_disk(scan)) {
    cursor = family_->scan(scan.from ? BytesView(*scan.from) : BytesView{}, scan.to);
    if (scan.reverse) cursor->seek_to_last();
  }
  if (auto status = scan_all_levels(scan, cursor.get(), entries); !status) {
    return std::unexpected(status.error());
  }
  return entries;
}

void LayeredTableImpl::read_chunk(const Scan& scan, std::vector<StoredEntry>& out) const {
  out.clear();
  const auto lock = lock_for(scan);
  StorageCursor* const cursor =
      reaches_disk(scan) ? &cursor_.at_beginning(scan, *family_, disk_version_) : nullptr;
  if (auto status = scan_all_levels(scan, cursor, out); !status) {
    cursor_.drop();
    throw StoreError(status.error());
  }
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

}  // namespace thalweg::internal
