#include "webhook.h"

#include <functional>
#include <map>
#include <memory>
#include <utility>

#include "delivery_topology.h"
#include "outside_client.h"

namespace thalweg::shop {
namespace {

void answer(DeliveryCall& call, const std::expected<OutsideReply, std::string>& reply) {
  if (!reply) return call.fail(reply.error());
  if (reply->ok()) return call.succeed(reply->status);
  const std::string error = "the receiver answered " + std::to_string(reply->status);
  if (reply->status >= 300 && reply->status < 500) return call.refuse(error);
  call.fail(error);
}

}  // namespace

DeliverySend send_over_http(const DeliveryConfig& config) {
  std::map<std::string, OutsideUrl, std::less<>> receivers;
  for (const auto& [topic, url] : receivers_of(config)) {
    const auto parsed = OutsideUrl::parse(url);
    if (!parsed) throw TopologyError("the receiver of " + topic + ": " + parsed.error().message);
    receivers.emplace(topic, *parsed);
  }
  return [client = std::make_shared<OutsideClient>(),
          receivers = std::move(receivers)](DeliveryCall call) {
    const auto receiver = receivers.find(call.value().source);
    if (receiver == receivers.end()) return call.refuse("there is no receiver any more");
    OutsideRequest request{.url = receiver->second,
                           .headers = {{"Content-Type", "application/json"},
                                       {"Idempotency-Key", call.value().id}},
                           .body = call.value().payload,
                           .timeout = call.timeout()};
    request.url.path += call.value().path;
    client->send(std::move(request), [call = std::move(call)](auto reply) mutable {
      answer(call, reply);
    });
  };
}

}  // namespace thalweg::shop
