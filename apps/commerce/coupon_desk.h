#pragma once

#include <optional>
#include <string>

#include <thalweg/topology/processor.h>

#include "coupon_model.h"

namespace thalweg::shop {

/// A command with the coupon that it is about, if there is one.
struct CouponAsk {
  CouponCommand command;
  std::optional<Coupon> coupon;
};

/// The one place where it is decided who has a coupon, keyed by the coupon's id.
///
/// Requests are served in the order of their partition, so the winners are the first `quantity`
/// distinct users. What a coupon's user may do with it is decided here too: an order reserves it,
/// and then either uses it or gives it back. A command that no longer fits changes nothing, so
/// nothing is given back or used twice.
class CouponDesk final : public FixedKeyProcessor<std::string, CouponAsk, CouponEvent> {
 public:
  static constexpr const char* kHolders = "coupon-holders";  ///< coupon and user -> HeldCoupon
  static constexpr const char* kIssued = "coupon-issued";    ///< coupon -> how many

  void init(FixedKeyProcessorContext<std::string, CouponEvent>& context) override;
  void process(const RecordRef<std::string, CouponAsk>& record) override;

 private:
  void issue(const CouponAsk& ask);
  void reserve(const CouponAsk& ask);
  /// Ends the reservation of the order, if it has one.
  void settle(const CouponCommand& command, CouponState state, CouponEventType type);
  /// Why a request of now would be refused, before it is known whether any are left.
  CouponReason refusal(const CouponAsk& ask) const;
  CouponEvent& event(CouponEventType type, const CouponCommand& command);

  KeyValueStore<std::string, HeldCoupon>* holders_ = nullptr;
  KeyValueStore<std::string, std::int64_t>* issued_ = nullptr;

  // The command in hand.
  std::string coupon_id_;
  std::string holder_key_;
  std::int64_t at_ = 0;
  CouponEvent event_;
};

/// What `event` makes of a coupon's counts.
CouponCounts fold(const CouponEvent& event, CouponCounts counts);

}  // namespace thalweg::shop
