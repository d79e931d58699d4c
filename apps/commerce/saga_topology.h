#pragma once

#include <thalweg/topology/streams_builder.h>

#include "model.h"
#include "shop_config.h"

namespace thalweg::shop {

/// The first half of `order-service`: everything the saga can be told, and what it decides. Adds
/// the store `sagas`.
KStream<std::string, OrderEvent> decide_orders(StreamsBuilder& builder, const ShopConfig& config);

}  // namespace thalweg::shop
