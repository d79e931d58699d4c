#pragma once

#include <map>
#include <string>

#include <thalweg/topology/topology.h>

#include "delivery_model.h"
#include "shop_config.h"

namespace thalweg::shop {

/// The topics that somebody is told of, and the URLs of those who are.
std::map<std::string, std::string> receivers_of(const DeliveryConfig& config);

/// `external-platform-redis-group` with attempts made by `send`. Topics without a receiver are not
/// read.
Topology build_delivery(const ShopConfig& config, DeliverySend send);

}  // namespace thalweg::shop
