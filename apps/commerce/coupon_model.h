#pragma once

#include <cstdint>
#include <string>

#include <thalweg/schemas/serde.h>

#include "coupon_generated.h"
#include "table_serde.h"

// The records of coupons as plain structs; their bytes are the FlatBuffers tables of
// schemas/coupon.fbs.
namespace thalweg::shop {

using fb::CouponCommandKind;
using fb::CouponEventType;
using fb::CouponReason;
using fb::CouponState;

struct Coupon {
  std::int64_t quantity = 0;
  std::int64_t valid_from = 0;
  std::int64_t valid_until = 0;
  std::int64_t discount_amount = 0;
  std::int32_t discount_percent = 0;

  friend bool operator==(const Coupon&, const Coupon&) = default;
};

struct CouponCommand {
  CouponCommandKind kind = CouponCommandKind::ISSUE;
  std::string user_id;
  std::string request_id;
  std::string order_id;
};

struct CouponEvent {
  CouponEventType type = CouponEventType::PENDING;
  std::string coupon_id;
  std::string user_id;
  std::string request_id;
  std::string order_id;
  std::string history_id;
  CouponReason reason = CouponReason::NONE;
  std::int64_t at = 0;
  std::int64_t discount_amount = 0;
  std::int32_t discount_percent = 0;
};

struct HeldCoupon {
  std::string history_id;
  CouponState state = CouponState::UNUSED;
  std::string order_id;
  std::int64_t issued_at = 0;
};

struct CouponCounts {
  std::int64_t issued = 0;
  std::int64_t unused = 0;
  std::int64_t reserved = 0;
  std::int64_t used = 0;
};

struct CouponRequestRow {
  std::string user_id;
  std::string coupon_id;
  CouponEventType status = CouponEventType::PENDING;
  std::string history_id;
  CouponReason reason = CouponReason::NONE;
  std::int64_t requested_at = 0;
};

struct CouponReply {
  bool granted = false;
  std::int64_t discount_amount = 0;
  std::int32_t discount_percent = 0;
};

}  // namespace thalweg::shop

THALWEG_SHOP_SERDE(Coupon);
THALWEG_SHOP_SERDE(CouponCommand);
THALWEG_SHOP_SERDE(CouponEvent);
THALWEG_SHOP_SERDE(HeldCoupon);
THALWEG_SHOP_SERDE(CouponCounts);
THALWEG_SHOP_SERDE(CouponRequestRow);
THALWEG_SHOP_SERDE(CouponReply);
