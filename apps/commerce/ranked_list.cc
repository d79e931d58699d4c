#include "ranked_list.h"

#include <algorithm>

#include "rank_index.h"

namespace thalweg::shop {
namespace {

using Views = std::vector<std::shared_ptr<const StoreView>>;

Result<Views> all_views(const StreamsApplication& keeper, const char* store) {
  auto views = keeper.all_views(store);
  if (!views) return views;
  if (std::ranges::find(*views, nullptr) != views->end()) {
    return failure(ErrorCode::kUnavailable, "a partition is not restored yet");
  }
  return views;
}

std::int64_t score_of(const StoredEntry& row) {
  std::int64_t score = 0;
  Serde<std::int64_t>::deserialize(row.value, score);
  return score;
}

/// All rows of the list that are sorted by score.
StoreView::Scan ranked_rows(std::string_view list) {
  StoreView::Scan scan;
  scan.from = rank_prefix(list);
  scan.to = scan.from;
  ++scan.to->back();
  return scan;
}

Result<std::int64_t> count_rows(const StoreView& view, StoreView::Scan scan) {
  scan.limit = 1000;
  for (std::int64_t count = 0;;) {
    const auto page = view.scan(scan);
    if (!page) return std::unexpected(page.error());
    count += static_cast<std::int64_t>(page->size());
    if (page->size() < scan.limit) return count;
    scan.from = page->back().key + '\0';
  }
}

}  // namespace

Result<RankedList> first_of(const StreamsApplication& keeper, const char* store,
                            std::string_view list, std::size_t n) {
  const auto views = all_views(keeper, store);
  if (!views) return std::unexpected(views.error());
  RankedList first;
  auto scan = ranked_rows(list);
  scan.limit = n;
  for (const auto& view : *views) {
    const auto rows = view->scan(scan);
    if (!rows) return std::unexpected(rows.error());
    for (const auto& row : *rows) {
      first.members.push_back({std::string(member_of(row.key)), score_of(row)});
    }
    first.commit = std::max(first.commit, view->last_commit());
  }
  std::ranges::sort(first.members, [](const Ranked& a, const Ranked& b) {
    return a.score != b.score ? a.score > b.score : a.member < b.member;
  });
  if (first.members.size() > n) first.members.resize(n);
  return first;
}

Result<Standing> standing_of(const StreamsApplication& keeper, const char* store,
                             std::string_view list, std::string_view member) {
  const auto views = all_views(keeper, store);
  if (!views) return std::unexpected(views.error());
  Standing standing;
  for (const auto& view : *views) {
    const auto row = view->get(score_key(list, member));
    if (!row) return std::unexpected(row.error());
    if (*row) standing.score = score_of(**row);
    standing.commit = std::max(standing.commit, view->last_commit());
  }
  if (standing.score == 0) return standing;
  auto scan = ranked_rows(list);
  scan.to = rank_key(list, standing.score, member);
  standing.rank = 1;
  for (const auto& view : *views) {
    const auto before = count_rows(*view, scan);
    if (!before) return std::unexpected(before.error());
    *standing.rank += *before;
    standing.commit = std::max(standing.commit, view->last_commit());
  }
  return standing;
}

}  // namespace thalweg::shop
