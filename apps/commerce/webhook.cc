#include "webhook.h"

#include <functional>
#include <utility>

#include <thalweg/topology/errors.h>

#include "outside_client.h"
#include "topics.h"

namespace thalweg::shop {

std::map<std::string, std::string> urls_of(const DeliveryConfig& config) {
  std::map<std::string, std::string> urls = {{topics::kExternalEvents, config.webhook_url},
                                             {topics::kOrderProcessed, config.order_processed_url},
                                             {topics::kOrderCompleted, config.analytics_url}};
  std::erase_if(urls, [](const auto& receiver) { return receiver.second.empty(); });
  return urls;
}

void answer_as(const std::expected<OutsideReply, std::string>& reply, DeliveryCall& call) {
  if (!reply) return call.fail(reply.error());
  if (reply->ok()) return call.succeed(reply->status);
  const std::string error = "the receiver answered " + std::to_string(reply->status);
  if (reply->status >= 300 && reply->status < 500) return call.refuse(error);
  call.fail(error);
}

DeliverySend send_over_http(const DeliveryConfig& config, std::shared_ptr<OutsideClient> client) {
  std::map<std::string, OutsideUrl, std::less<>> receivers;
  for (const auto& [topic, url] : urls_of(config)) {
    const auto parsed = OutsideUrl::parse(url);
    if (!parsed) throw TopologyError("the receiver of " + topic + ": " + parsed.error().message);
    receivers.emplace(topic, *parsed);
  }
  return [client = std::move(client), receivers = std::move(receivers)](DeliveryCall call) {
    const auto receiver = receivers.find(call.value().source);
    if (receiver == receivers.end()) return call.refuse(kNoReceiver);
    OutsideRequest request{.url = receiver->second,
                           .headers = {{"Content-Type", "application/json"},
                                       {"Idempotency-Key", call.value().id}},
                           .body = call.value().payload,
                           .timeout = call.timeout()};
    request.url.path += call.value().path;
    client->send(std::move(request), [call = std::move(call)](auto reply) mutable {
      answer_as(reply, call);
    });
  };
}

}  // namespace thalweg::shop
