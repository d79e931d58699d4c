#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <thalweg/schemas/json.h>
#include <thalweg/schemas/serde.h>

#include "notification_generated.h"

namespace thalweg::shop {

/// Something that a user is told; its bytes are the table of schemas/notification.fbs.
struct Notice {
  std::string user_id;
  std::string order_id;    ///< Of an ORDER_... notice.
  std::string request_id;  ///< Of a COUPON_RESULT.
  std::string body;        ///< The JSON object that the user gets.
};

/// A record of `coupon-results`, as it is read here.
struct CouponResult {
  std::string request_id;
  std::string user_id;
  std::string coupon_id;
  bool success = false;
  std::string history_id_or_reason;
};

/// Reads `coupon-results`. Throws SerdeError with every fault.
struct CouponResultSerde {
  void serialize(const CouponResult& result, std::string& out) const;
  void deserialize(BytesView bytes, CouponResult& out) const;
  SchemaPtr schema() const { return Serde<JsonText>::schema(); }
};

/// Reads `notification-events`, whose values are what users get. Throws SerdeError with every
/// fault.
struct OrderNoticeSerde {
  void serialize(const Notice& notice, std::string& out) const { out += notice.body; }
  void deserialize(BytesView bytes, Notice& out) const;
  SchemaPtr schema() const { return Serde<JsonText>::schema(); }
};

/// What the user is told of a result of that time.
Notice coupon_notice(const CouponResult& result, std::int64_t at);

/// Key of `inbox`: sorts by user, then by number, which counts from 1; its partition is that of the
/// user's id.
std::string inbox_key(std::string_view user_id, std::int64_t number);
/// Where the keys of one user begin.
std::string inbox_prefix(std::string_view user_id);
/// The two parts of such a key.
std::string_view user_of_inbox_key(std::string_view key);
std::int64_t number_of_inbox_key(std::string_view key);

}  // namespace thalweg::shop

template <>
struct thalweg::Serde<thalweg::shop::Notice> {
  static void serialize(const shop::Notice& value, std::string& out);
  static void deserialize(BytesView bytes, shop::Notice& out);
  static SchemaPtr schema();
};
