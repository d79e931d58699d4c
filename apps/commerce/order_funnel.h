#pragma once

#include <string>

#include <thalweg/topology/kstream.h>
#include <thalweg/topology/streams_builder.h>

#include "model.h"

namespace thalweg::shop {

inline constexpr const char* kCancelledPrefix = "ORDER_CANCELLED/";
/// The row of the funnel that counts events of the type: its name; of cancelled orders the prefix
/// and the reason.
const std::string& funnel_row(EventType type, Reason reason = Reason::NONE);

/// Counts the events of all orders in the key-value store `order-funnel`, in the step that tells
/// them: however busy the shop is, the funnel is as far as the orders are.
///
/// Each task counts what passes it in rows of its own, so that nothing is repartitioned by a key of
/// a dozen values: a row of the whole shop is the sum over the partitions.
void keep_funnel(StreamsBuilder& builder, const KStream<std::string, OrderEvent>& events);

}  // namespace thalweg::shop
