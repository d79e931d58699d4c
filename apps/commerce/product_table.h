#pragma once

#include <string>

#include <thalweg/topology/streams_builder.h>

#include "sales_model.h"
#include "shop_config.h"

namespace thalweg::shop {

/// The products as `product-events` tells of them, kept in `store`.
KTable<std::string, ProductInfo> product_table(StreamsBuilder& builder, const char* store,
                                               const ShopConfig& config);

}  // namespace thalweg::shop
