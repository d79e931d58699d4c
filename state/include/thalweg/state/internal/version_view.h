#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include <thalweg/state/state_store.h>

namespace thalweg::internal {

/// Stands in front of the keys whose rows hold the latest versions: behind all segments.
inline constexpr std::int64_t kLatestVersions = std::numeric_limits<std::int64_t>::max();

/// What stands in front of a row's key. Throws SerdeError for a row without.
std::int64_t segment_prefix(BytesView key);
/// The prefixes of the segments that have rows, in order.
Result<std::vector<std::int64_t>> segment_prefixes(const StoreView& rows);

/// Shows the latest version of each key in the rows of a versioned store, as a key-value store
/// would.
std::shared_ptr<const StoreView> view_of_latest(std::shared_ptr<const StoreView> rows);

}  // namespace thalweg::internal
