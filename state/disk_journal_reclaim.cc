// Giving back the space of what was overwritten and removed: segments in which little is still
// wanted are emptied into the newest one, and their files removed.

#include <algorithm>
#include <filesystem>
#include <utility>

#include "disk_journal.h"

namespace thalweg::internal {
namespace {

// Nobody appends while so much is moved: commits wait for it.
constexpr std::size_t kMoveBytes = std::size_t{64} << 10;
constexpr std::size_t kMoveValues = 32;
// What was moved is in memory until then.
constexpr std::size_t kSyncBytes = std::size_t{16} << 20;
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
  if (index_->is_halted()) {
    if (auto status = sync(); !status) return status;
  }
  const bool is_full = !check_free_space(path_, 0);
  // On a full disk nothing is moved while there are files about to go.
  if (!remove_retired() && is_full) return {};
  const auto before = segments();
  std::uint64_t seen_bytes = 0;
  {
    const std::lock_guard lock(appending_);
    if (!worth_reclaiming(*before)) return {};
    seen_bytes = appended_bytes_;
  }
  const auto sparse = sparse_segments();
  if (!sparse) return std::unexpected(sparse.error());
  // What costs no space comes first.
  if (!sparse->dead.empty()) {
    if (auto status = retire(sparse->dead); !status || is_full) return status;
  }
  if (!sparse->wanted.empty()) {
    const auto emptied = segments_to_empty(*sparse);
    if (auto status = move_values(emptied); !status) return status;
    if (auto status = retire(emptied); !status) return status;
    if (emptied.size() < sparse->wanted.size()) return {};  // The next pass goes on.
  }
  const std::lock_guard lock(appending_);
  reclaimed_at_bytes_ = seen_bytes;
  return {};
}

bool DiskJournal::worth_reclaiming(const Segments& segments) const {
  if (segments.size() < 2) return false;
  const std::uint64_t all = std::uint64_t{options_.segment_bytes} * segments.size();
  const std::uint64_t few = kSegmentsBetweenPasses * options_.segment_bytes;
  const std::uint64_t bytes = appended_bytes_ - reclaimed_at_bytes_;
  return bytes >= std::max(few, all / 4) || (bytes > 0 && !check_free_space(path_, 0));
}

/// Never the newest.
Result<DiskJournal::Sparse> DiskJournal::sparse_segments() const {
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
  Sparse sparse;
  for (const auto& [id, end] : ends) {
    const auto found = wanted.find(id);
    if (found == wanted.end()) {
      sparse.dead.push_back(id);
    } else if (found->second < end / 2) {
      sparse.wanted.insert(*found);
    }
  }
  return sparse;
}

/// All that are sparse, or where there is no room for what they have left, a few: those that have
/// the least.
std::vector<SegmentId> DiskJournal::segments_to_empty(const Sparse& sparse) const {
  std::vector<std::pair<std::uint64_t, SegmentId>> by_bytes;
  std::uint64_t all_bytes = 0;
  for (const auto& [id, bytes] : sparse.wanted) {
    by_bytes.emplace_back(bytes, id);
    all_bytes += bytes;
  }
  std::ranges::sort(by_bytes);
  const std::uint64_t room =
      check_free_space(path_, all_bytes) ? all_bytes : options_.segment_bytes / 2;
  std::vector<SegmentId> ids;
  std::uint64_t total = 0;
  for (const auto& [bytes, id] : by_bytes) {
    total += bytes;
    if (!ids.empty() && total > room) break;
    ids.push_back(id);
  }
  std::ranges::sort(ids);
  return ids;
}

Status DiskJournal::move_values(const std::vector<SegmentId>& from) {
  const auto files = segments();
  std::vector<Move> moves;
  std::size_t bytes = 0;
  std::size_t unsynced_bytes = 0;
  auto entries = index_->scan({}, {});
  for (; entries->valid(); entries->next()) {
    const auto place = place_of(*entries, index_->path());
    if (!place) return std::unexpected(place.error());
    if (!*place || !std::ranges::binary_search(from, (*place)->position.segment)) continue;
    Move& move = moves.emplace_back(std::string(entries->key()), std::string(entries->value()));
    if (auto status = read(*files, **place, move.value); !status) return status;
    bytes += move.value.size();
    if (bytes < kMoveBytes && moves.size() < kMoveValues) continue;
    if (auto status = this->move(moves); !status) return status;
    unsynced_bytes += std::exchange(bytes, 0);
    if (unsynced_bytes < kSyncBytes) continue;
    if (auto status = sync(); !status) return status;
    unsynced_bytes = 0;
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
  return append_locked(batch, SpaceFor::kUpkeep);
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

/// False: there are files that the index on disk still names.
bool DiskJournal::remove_retired() {
  const std::lock_guard syncing(syncing_);
  if (retired_.empty() && retiring_.empty()) return true;
  if (!index_->is_saved()) return false;
  for (const auto& path : std::exchange(retired_, {})) {
    std::error_code ignored;  // What stays is removed by the next opening.
    std::filesystem::remove(path, ignored);
  }
  return retiring_.empty();
}

}  // namespace thalweg::internal
