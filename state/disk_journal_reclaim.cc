// Giving back the space of what was overwritten and removed: segments in which little is still
// wanted are emptied into the newest one, and their files removed.

#include <algorithm>
#include <filesystem>
#include <utility>

#include "disk_journal.h"

namespace thalweg::internal {
namespace {

constexpr std::size_t kMoveBytes = std::size_t{1} << 20;
// A pass reads the whole index: worth it after so much has come, or a quarter of what there is.
constexpr std::uint64_t kSegmentsBetweenPasses = 2;

Result<std::optional<ValuePlace>> place_of(const StorageCursor& entries, const std::string& path) {
  const auto entry = JournalIndex::decode(entries.value(), path);
  if (!entry) return std::unexpected(entry.error());
  return entry->place;
}

}  // namespace

Status DiskJournal::reclaim() {
  const std::lock_guard one_pass(reclaiming_);
  remove_retired();
  const auto before = segments();
  {
    const std::lock_guard lock(appending_);
    if (!worth_reclaiming(*before)) return {};
    reclaimed_at_bytes_ = appended_bytes_;
  }
  const auto sparse = sparse_segments();
  if (!sparse) return std::unexpected(sparse.error());
  if (sparse->empty()) return {};
  if (auto status = move_values(*sparse); !status) return status;
  return retire(*sparse);
}

bool DiskJournal::worth_reclaiming(const Segments& segments) const {
  if (segments.size() < 2) return false;
  const std::uint64_t all = std::uint64_t{options_.segment_bytes} * segments.size();
  const std::uint64_t few = kSegmentsBetweenPasses * options_.segment_bytes;
  return appended_bytes_ - reclaimed_at_bytes_ >= std::max(few, all / 4);
}

/// The segments of which less than half is still wanted; never the newest.
Result<std::vector<SegmentId>> DiskJournal::sparse_segments() const {
  std::map<SegmentId, std::uint32_t> ends;
  {
    const std::lock_guard lock(appending_);
    ends = ends_;
  }
  std::map<SegmentId, std::uint64_t> wanted;
  auto entries = index_->scan({}, {});
  for (; entries->valid(); entries->next()) {
    const auto place = place_of(*entries, index_->path());
    if (!place) return std::unexpected(place.error());
    if (*place) wanted[(*place)->position.segment] += (*place)->bytes;
  }
  if (auto status = entries->status(); !status) return std::unexpected(status.error());
  std::vector<SegmentId> sparse;
  for (const auto& [id, end] : ends) {
    if (wanted[id] < end / 2) sparse.push_back(id);
  }
  return sparse;
}

Status DiskJournal::move_values(const std::vector<SegmentId>& from) {
  const auto files = segments();
  std::vector<Move> moves;
  std::size_t bytes = 0;
  auto entries = index_->scan({}, {});
  for (; entries->valid(); entries->next()) {
    const auto place = place_of(*entries, index_->path());
    if (!place) return std::unexpected(place.error());
    if (!*place || !std::ranges::binary_search(from, (*place)->position.segment)) continue;
    Move& move = moves.emplace_back(std::string(entries->key()), std::string(entries->value()));
    if (auto status = read(*files, **place, move.value); !status) return status;
    bytes += move.value.size();
    if (bytes < kMoveBytes) continue;
    if (auto status = this->move(moves); !status) return status;
    bytes = 0;
  }
  if (auto status = entries->status(); !status) return status;
  return move(moves);
}

/// Appends the values whose entries are what they were: others were written or removed meanwhile.
Status DiskJournal::move(std::vector<Move>& moves) {
  const std::lock_guard lock(appending_);
  WriteBatch batch;
  std::string entry;
  for (const auto& move : moves) {
    const auto found = index_->get(move.key, entry);
    if (!found) return std::unexpected(found.error());
    if (*found && entry == move.entry) batch.put(move.key, move.value);
  }
  moves.clear();
  return append_locked(batch);
}

/// Makes the index on disk do without the segments. Only then may their files go: until it is
/// saved, an opening would begin with the index before.
Status DiskJournal::retire(const std::vector<SegmentId>& sparse) {
  const std::lock_guard syncing(syncing_);
  {
    const std::lock_guard lock(appending_);
    auto left = std::make_shared<Segments>(*segments());
    for (const SegmentId id : sparse) {
      retiring_.push_back(left->at(id)->path());
      left->erase(id);
      ends_.erase(id);
    }
    set_segments(std::move(left));
  }
  return save_index();
}

void DiskJournal::remove_retired() {
  const std::lock_guard syncing(syncing_);
  if (retired_.empty() || !index_->is_saved()) return;
  for (const auto& path : std::exchange(retired_, {})) {
    std::error_code ignored;  // What stays is removed by the next opening.
    std::filesystem::remove(path, ignored);
  }
}

}  // namespace thalweg::internal
