#pragma once

#include <string>

#include <thalweg/schemas/json.h>
#include <thalweg/schemas/serde.h>

#include "coupon_model.h"

namespace thalweg::shop {

/// The key of `coupon-requests`, `coupon-results` and `coupon-events`.
inline std::string coupon_user_key(std::string_view user_id) {
  return "user:" + std::string(user_id);
}

/// A record of `coupon-requests`, from the gateway or from anyone else.
struct CouponRequest {
  std::string request_id;
  std::string user_id;
  std::string coupon_id;
  std::string bytes;         ///< As it came.
  std::string not_readable;  ///< Why it is no request; empty if it is one.

  /// What is wrong with the record under that key; nothing if it is a request.
  std::string fault(const std::string& key) const;
  bool readable(const std::string& key) const { return fault(key).empty(); }
};

/// Reads the JSON and never throws: what is no request says why, so that the topology itself can
/// send it to the dead letters. For sources only.
struct CouponRequestSerde {
  void serialize(const CouponRequest& request, std::string& out) const { out += request.bytes; }
  void deserialize(BytesView bytes, CouponRequest& out) const;
  SchemaPtr schema() const { return Serde<JsonText>::schema(); }
};

/// The JSON of `coupon-requests`.
std::string coupon_request_json(const std::string& request_id, const std::string& user_id,
                                const std::string& coupon_id, std::int64_t requested_at);
/// The JSON of `coupon-results`, of a COMPLETED or FAILED event.
JsonText coupon_result(const CouponEvent& event);
/// The JSON of `external-events`, of a COMPLETED event.
JsonText coupon_issued(const CouponEvent& event);

}  // namespace thalweg::shop
