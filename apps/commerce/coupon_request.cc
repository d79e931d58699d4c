#include "coupon_request.h"

#include "public_input.h"
#include "text.h"

namespace thalweg::shop {

std::string CouponRequest::fault(const std::string& key) const {
  if (!not_readable.empty()) return not_readable;
  const std::string expected = coupon_user_key(user_id);
  return key == expected ? std::string() : "the record's key is not " + expected;
}

void CouponRequestSerde::deserialize(BytesView bytes, CouponRequest& out) const {
  out.bytes.assign(bytes);
  out.not_readable.clear();
  try {
    read_json_object(bytes, [&](JsonFields& fields, Faults&) {
      out.request_id = fields.text("requestId");
      out.user_id = fields.text("userId");
      out.coupon_id = fields.text("couponId");
      read_time(fields, "requestedAt");
    });
  } catch (const SerdeError& error) {
    out.not_readable = error.what();
  }
}

std::string coupon_request_json(const std::string& request_id, const std::string& user_id,
                                const std::string& coupon_id, std::int64_t requested_at) {
  std::string json;
  JsonWriter(json)
      .text("requestId", request_id)
      .text("userId", user_id)
      .text("couponId", coupon_id)
      .time("requestedAt", requested_at)
      .end();
  return json;
}

JsonText coupon_result(const CouponEvent& event) {
  const bool success = event.type == CouponEventType::COMPLETED;
  JsonText json{{}};
  JsonWriter writer(json.text);
  writer.text("requestId", event.request_id).text("userId", event.user_id);
  writer.text("couponId", event.coupon_id).boolean("success", success);
  if (success) {
    writer.text("couponHistoryId", event.history_id);
  } else {
    writer.text("reason", fb::EnumNameCouponReason(event.reason));
  }
  writer.end();
  return json;
}

JsonText coupon_issued(const CouponEvent& event) {
  JsonText json{{}};
  JsonWriter(json.text)
      .text("type", "COUPON_ISSUED")
      .text("couponId", event.coupon_id)
      .text("userId", event.user_id)
      .text("couponHistoryId", event.history_id)
      .time("timestamp", event.at)
      .end();
  return json;
}

}  // namespace thalweg::shop
