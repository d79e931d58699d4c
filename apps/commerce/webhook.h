#pragma once

#include <expected>
#include <map>
#include <memory>
#include <string>

#include "delivery_model.h"
#include "outside_config.h"

namespace thalweg {
class OutsideClient;
struct OutsideReply;
}  // namespace thalweg

namespace thalweg::shop {

/// Why a delivery is refused whose receiver has been taken out of the settings.
inline constexpr const char* kNoReceiver = "there is no receiver any more";

/// The topics that are told over HTTP, and the URLs of those who are.
std::map<std::string, std::string> urls_of(const DeliveryConfig& config);

/// Posts deliveries to the URLs of their topics. Throws TopologyError for one that is none.
DeliverySend send_over_http(const DeliveryConfig& config, std::shared_ptr<OutsideClient> client);

/// Ends the attempt as the reply says: any 2xx is success; a 3xx or 4xx says that it would never
/// be; all else may be tried again.
void answer_as(const std::expected<OutsideReply, std::string>& reply, DeliveryCall& call);

}  // namespace thalweg::shop
