#pragma once

#include "outside_config.h"
#include "delivery_model.h"

namespace thalweg::shop {

/// Posts deliveries to the receivers of their topics. Any 2xx is success; a 3xx or 4xx says that it
/// would never be; all else may be tried again.
DeliverySend send_over_http(const DeliveryConfig& config);

}  // namespace thalweg::shop
