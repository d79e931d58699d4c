#include "query/store_scan.h"

#include <algorithm>

#include "query/store_request.h"

namespace thalweg::internal {

namespace {

constexpr std::size_t kPieceMin = 16;
constexpr std::size_t kPieceMax = 256;

// What a partition still has behind that place. Its own row of that key comes before the place when
// its turn is before that of the place's partition.
void go_behind(const StoreScan::Place& place, std::int32_t partition, StoreView::Scan& bounds) {
  if (bounds.reverse) {
    lower(bounds, partition < place.partition ? place.key + '\0' : place.key);
  } else {
    raise(bounds, partition > place.partition ? place.key : place.key + '\0');
  }
}

}  // namespace

StoreScan::StoreScan(std::vector<std::shared_ptr<const StoreView>> views, StoreView::Scan bounds,
                     const std::optional<Place>& after)
    : reverse_(bounds.reverse) {
  for (std::size_t i = 0; i < views.size(); ++i) {
    if (!views[i]) continue;
    Part part{.partition = static_cast<std::int32_t>(i),
              .view = std::move(views[i]),
              .scan = bounds,
              .read = {}};
    if (after) go_behind(*after, part.partition, part.scan);
    parts_.push_back(std::move(part));
  }
}

Status StoreScan::fill(Part& part, std::size_t count) {
  part.scan.limit = std::clamp(count / parts_.size() + 1, kPieceMin, kPieceMax);
  auto read = part.view->scan(part.scan);
  if (!read) return std::unexpected(read.error());
  part.read = *std::move(read);
  part.used = 0;
  part.ended = part.read.size() < part.scan.limit;
  if (part.read.empty()) return {};
  if (reverse_) {
    part.scan.to = part.read.back().key;
  } else {
    part.scan.from = part.read.back().key + '\0';
  }
  return {};
}

Status StoreScan::next(std::size_t count, std::vector<Row>& rows) {
  for (std::size_t taken = 0; taken < count; ++taken) {
    Part* best = nullptr;
    for (auto& part : parts_) {
      if (part.used == part.read.size() && !part.ended) {
        if (auto filled = fill(part, count - taken); !filled) return filled;
      }
      if (part.used == part.read.size()) continue;
      const auto& key = part.read[part.used].key;
      if (best) {
        const auto& best_key = best->read[best->used].key;
        if (reverse_ ? key < best_key : key >= best_key) continue;
      }
      best = &part;
    }
    if (!best) return {};
    rows.push_back({best->partition, std::move(best->read[best->used++])});
  }
  return {};
}

CommitSequence StoreScan::last_commit() const {
  CommitSequence newest = 0;
  for (const auto& part : parts_) newest = std::max(newest, part.view->last_commit());
  return newest;
}

}  // namespace thalweg::internal
