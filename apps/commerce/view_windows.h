#pragma once

#include <array>
#include <chrono>
#include <string_view>

// The windows in which views are counted, for the topology and for those who ask.
namespace thalweg::shop {

struct ViewWindow {
  std::string_view name;  ///< In requests and in `view-log-late`.
  std::chrono::milliseconds size;
  std::chrono::milliseconds grace;  ///< How long after a window's end its views may still come.
  const char* counts;               ///< Window store: product id -> views.
  std::chrono::milliseconds counts_kept;
  const char* popular;  ///< Sorted lists of products, one for each window: rank_index.h.
  std::chrono::milliseconds popular_kept;
};

inline constexpr std::array<ViewWindow, 3> kViewWindows = {{
    {"1m", std::chrono::minutes(1), std::chrono::minutes(5), "views-by-minute",
     std::chrono::hours(24), "popular-by-minute", std::chrono::hours(1)},
    {"1h", std::chrono::hours(1), std::chrono::hours(1), "views-by-hour",
     std::chrono::hours(31 * 24), "popular-by-hour", std::chrono::hours(48)},
    {"1d", std::chrono::hours(24), std::chrono::hours(6), "views-by-day",
     std::chrono::hours(400 * 24), "popular-by-day", std::chrono::hours(31 * 24)},
}};

/// Of the trend: five minutes, of which one begins every minute.
inline constexpr std::chrono::minutes kTrendSize{5};
inline constexpr std::chrono::minutes kTrendAdvance{1};
/// Segments are counted by day.
inline constexpr std::chrono::hours kSegmentWindow{24};

/// In a list of the trend: growth in millionths, above 0. Of as much as before it is kNoGrowth.
inline constexpr std::int64_t kNoGrowth = 1'000'000;
/// The growth from `previous` to `views` as such a score; 0: no views.
inline constexpr std::int64_t growth_score(std::int64_t views, std::int64_t previous) {
  if (views == 0) return 0;
  return kNoGrowth + (views - previous) * kNoGrowth / (previous < 1 ? 1 : previous);
}

}  // namespace thalweg::shop
