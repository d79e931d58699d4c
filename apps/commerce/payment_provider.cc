#include "payment_provider.h"

#include <memory>
#include <utility>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <thalweg/runtime/json_text.h>

#include "outside_client.h"
#include "text.h"

namespace thalweg::shop {
namespace {

using Reply = std::expected<OutsideReply, std::string>;

std::string error_of(const OutsideReply& reply) {
  return "the provider answered " + std::to_string(reply.status);
}

bool is_no(const OutsideReply& reply) { return reply.status >= 400 && reply.status < 500; }

/// Empty if the body has none.
std::string payment_id_in(const std::string& body) {
  const auto value = parse_json(body);
  const auto* object = value ? value->if_object() : nullptr;
  const auto* id = object ? object->if_contains("paymentId") : nullptr;
  return id && id->is_string() ? std::string(id->get_string()) : std::string();
}

void answer_charge(ChargeCall& call, const Reply& reply) {
  if (!reply) return call.fail(reply.error());
  if (is_no(*reply)) return call.refuse(error_of(*reply));
  if (!reply->ok()) return call.fail(error_of(*reply));
  std::string id = payment_id_in(reply->body);
  if (id.empty()) return call.fail("the provider's answer has no paymentId");
  call.succeed(std::move(id));
}

void answer_void(VoidCall& call, const Reply& reply) {
  if (!reply) return call.fail(reply.error());
  if (reply->ok()) return call.succeed(true);
  if (reply->status == 404) return call.succeed(false);
  if (is_no(*reply)) return call.refuse(error_of(*reply));
  call.fail(error_of(*reply));
}

std::string charge_body(const ProviderPayment& payment) {
  std::string body;
  JsonWriter(body)
      .text("orderId", payment.order_id)
      .text("userId", payment.user_id)
      .number("amount", payment.amount)
      .end();
  return body;
}

}  // namespace

PaymentProvider provider_over_http(const PaymentProviderConfig& config) {
  const auto base = OutsideUrl::parse(config.url);
  if (!base) throw TopologyError("payment.provider.url: " + base.error().message);
  const auto client =
      std::make_shared<OutsideClient>(OutsideClient::kConnectionsMax, config.tls_ca);
  const auto request_to = [base = *base](std::string method, const std::string& path,
                                         std::string key, std::chrono::milliseconds timeout) {
    OutsideRequest request{.method = std::move(method),
                           .url = base,
                           .headers = {{"Content-Type", "application/json"},
                                       {"Idempotency-Key", std::move(key)}},
                           .timeout = timeout};
    request.url.path += path;
    return request;
  };
  return {.charge =
              [=](ChargeCall call) {
                OutsideRequest request =
                    request_to("POST", "/payments", call.value().order_id, call.timeout());
                request.body = charge_body(call.value());
                client->send(std::move(request), [call = std::move(call)](Reply reply) mutable {
                  answer_charge(call, reply);
                });
              },
          .cancel =
              [=](VoidCall call) {
                const std::string& id = call.value().order_id;
                OutsideRequest request = request_to("DELETE", "/payments/" + percent_encoded(id),
                                                    "void-" + id, call.timeout());
                client->send(std::move(request), [call = std::move(call)](Reply reply) mutable {
                  answer_void(call, reply);
                });
              }};
}

}  // namespace thalweg::shop
