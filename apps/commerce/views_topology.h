#pragma once

#include <string>
#include <string_view>

#include <thalweg/schemas/timestamp.h>
#include <thalweg/topology/topology.h>

#include "shop_config.h"

namespace thalweg::shop {

// Besides those of view_windows.h. Sorted lists: see rank_index.h.
namespace stores {
inline constexpr const char* kProductsOfViews = "products-of-views";  ///< id -> ProductInfo
inline constexpr const char* kViewedProducts = "viewed-products";     ///< id -> ViewedProduct
inline constexpr const char* kRawViews = "raw-views";                 ///< id by time -> each View
inline constexpr const char* kTrend = "trend";        ///< id by five minutes -> views
inline constexpr const char* kTrending = "trending";  ///< A list of growth for each of them.
inline constexpr const char* kUsersOfViews = "users-of-views";  ///< user id -> User
inline constexpr const char* kUsersByEmail = "users-by-email";  ///< e-mail -> User
/// "segment \n id" by day -> views
inline constexpr const char* kViewsBySegment = "views-by-segment";
inline constexpr const char* kPopularBySegment = "popular-by-segment";  ///< segment_list()
inline constexpr const char* kSessions = "view-sessions";               ///< e-mail -> ViewSession
inline constexpr const char* kCoViewed = "co-viewed";  ///< A list for each product.
}  // namespace stores

/// The list of what a segment looked at on the day that begins then.
std::string segment_list(Timestamp day, std::string_view segment);

/// `views`: views of products by window, trend, segment and session.
Topology build_views(const ShopConfig& config = {});

}  // namespace thalweg::shop
