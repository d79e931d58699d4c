#pragma once

#include <string>

#include <thalweg/topology/kstream.h>
#include <thalweg/topology/streams_builder.h>

#include "model.h"

namespace thalweg::shop {

/// An event of `order-events` as the funnel reads it: the rest of its bytes is left alone, as every
/// event of every order passes here.
struct OrderStep {
  EventType type = EventType::ORDER_CREATED;
  Reason reason = Reason::NONE;

  friend bool operator==(const OrderStep&, const OrderStep&) = default;
};

inline constexpr const char* kCancelledPrefix = "ORDER_CANCELLED/";
/// The row of the funnel that counts such steps: the type's name; of cancelled orders the prefix
/// and the reason.
const std::string& funnel_row(const OrderStep& step);

/// Counts the steps of all orders in the key-value store `store`.
///
/// Each task counts what passes it in rows of its own, so that nothing is repartitioned by a key of
/// a dozen values: a row of the whole shop is the sum over the partitions.
void keep_funnel(StreamsBuilder& builder, const KStream<std::string, OrderStep>& steps,
                 const std::string& store);

}  // namespace thalweg::shop

THALWEG_SHOP_SERDE(OrderStep);
