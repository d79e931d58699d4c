#pragma once

#include <optional>
#include <string>

#include <thalweg/topology/kstream.h>
#include <thalweg/topology/streams_builder.h>

#include "view_model.h"

namespace thalweg::shop {

/// How long each single view can be asked for.
inline constexpr std::chrono::hours kRawViewsKept{7 * 24};

/// Keeps every view by its product and time in the window store `store`: windows of a millisecond,
/// with as many views as there were.
void keep_raw_views(StreamsBuilder& builder, const KStream<std::optional<std::string>, View>& views,
                    const std::string& store);

}  // namespace thalweg::shop
