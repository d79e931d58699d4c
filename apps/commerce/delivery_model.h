#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include <thalweg/schemas/flatbuffers_serde.h>
#include <thalweg/topology/async.h>

#include "delivery_generated.h"

// Deliveries to the outside: their records and the rules by which they go on.
namespace thalweg::shop {

using fb::DeliveryStatus;
using fb::DeliveryStep;
using fb::Receiver;
using Delivery = fb::DeliveryT;
using DeliveryEvent = fb::DeliveryEventT;
using DeliveryIds = fb::DeliveryIdsT;
using DeliveryRequest = fb::DeliveryRequestT;

/// A record of `external-events`, which anybody may write.
struct ExternalEvent {
  std::string json;      ///< As it came.
  std::string fault;     ///< What is wrong with it; empty: nothing.
  std::string id;        ///< The payment's, or that of the coupon's issue.
  std::string lane;      ///< The order's id, or the user's.
  std::string order_id;  ///< Empty for a coupon.
  std::string path;      ///< Where it is sent, in the receiver's URL.
};

/// One attempt to deliver; answered with the HTTP status of the receiver's answer.
using DeliveryCall = AsyncCall<std::string, DeliveryRequest, std::int32_t>;
using DeliveryOutcome = AsyncOutcome<DeliveryRequest, std::int32_t>;
/// Makes the attempt: returns at once, and answers the call later.
using DeliverySend = std::function<void(DeliveryCall call)>;

/// What the delivery's id stands for, after `event`.
Delivery apply(const DeliveryEvent& event, Delivery row);
/// Whether a RETRY or DISCARD of the same id has had its effect: it has no second one, not even on
/// a letter that died again since.
bool was_obeyed(const Delivery& row, const DeliveryEvent& command);
/// The request of a delivery that is made again.
DeliveryRequest request_of(const std::string& id, const Delivery& row);
DeliveryEvent published(const DeliveryRequest& request, std::int64_t at);
DeliveryEvent step_of(const DeliveryOutcome& outcome);

/// `{at, source, key, reason}` for `admin-alerts`.
std::string admin_alert(std::int64_t at, std::string_view source, std::string_view key,
                        std::string_view reason);

}  // namespace thalweg::shop

/// Bytes are the JSON as it came. Never throws: what cannot be read has a fault.
template <>
struct thalweg::Serde<thalweg::shop::ExternalEvent> {
  static void serialize(const shop::ExternalEvent& value, std::string& out) { out += value.json; }
  static void deserialize(BytesView bytes, shop::ExternalEvent& out);
  static SchemaPtr schema();
};
