#pragma once

#include <string>

#include <thalweg/topology/processor.h>

#include "coupon_model.h"

namespace thalweg::shop {

/// What each user has asked for and got, in the user's own task: so a request is known by the
/// commit that has read it, before anything is decided.
///
/// Takes the events of one user, those of `coupon-events` and PENDING ones of new requests, and
/// forwards just the latter, each request of a user once, whatever is sent twice.
class CouponBook final : public FixedKeyProcessor<std::string, CouponEvent, CouponEvent> {
 public:
  void init(FixedKeyProcessorContext<std::string, CouponEvent>& context) override;
  void process(const RecordRef<std::string, CouponEvent>& record) override;

 private:
  std::string row_key(const CouponEvent& event);
  void begin(const CouponEvent& event);
  void follow(const CouponEvent& event);
  void keep_coupon(const CouponEvent& event);

  KeyValueStore<std::string, CouponRequestRow>* requests_ = nullptr;
  KeyValueStore<std::string, HeldCoupon>* coupons_ = nullptr;
  std::string key_;
};

}  // namespace thalweg::shop
