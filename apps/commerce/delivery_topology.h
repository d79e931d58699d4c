#pragma once

#include <thalweg/topology/topology.h>

#include "delivery_model.h"
#include "shop_config.h"

namespace thalweg::shop {

/// `external-platform-redis-group` with attempts made by `send`. Topics without a receiver are not
/// read.
Topology build_delivery(const ShopConfig& config, DeliverySend send);

}  // namespace thalweg::shop
