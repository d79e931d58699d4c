#include "coupon_book.h"

#include "topologies.h"

namespace thalweg::shop {

void CouponBook::init(FixedKeyProcessorContext<std::string, CouponEvent>& context) {
  FixedKeyProcessor::init(context);
  requests_ = &context.key_value_store<std::string, CouponRequestRow>(stores::kCouponRequests);
  coupons_ = &context.key_value_store<std::string, HeldCoupon>(stores::kCouponsByUser);
}

void CouponBook::process(const RecordRef<std::string, CouponEvent>& record) {
  const CouponEvent& event = record.value;
  switch (event.type) {
    case CouponEventType::PENDING: return begin(event);
    case CouponEventType::COMPLETED:
      follow(event);
      return keep_coupon(event);
    case CouponEventType::FAILED:
    case CouponEventType::NOTIFIED: return follow(event);
    case CouponEventType::RESERVED:
    case CouponEventType::USED:
    case CouponEventType::RELEASED: return keep_coupon(event);
    case CouponEventType::REFUSED: return;
  }
}

/// Who asks first under an id has its row. Whoever else uses it, as only requests from outside do,
/// is answered as well, and has a row that nobody asks for by that id.
std::string CouponBook::row_key(const CouponEvent& event) {
  const auto* first = requests_->get(event.request_id);
  if (!first || first->user_id == event.user_id) return event.request_id;
  return event.request_id + '\n' + event.user_id;
}

void CouponBook::begin(const CouponEvent& event) {
  const std::string key = row_key(event);
  if (requests_->get(key)) return;
  requests_->put(key, CouponRequestRow{.user_id = event.user_id,
                                       .coupon_id = event.coupon_id,
                                       .history_id = {},
                                       .requested_at = event.at});
  context().forward(event);
}

void CouponBook::follow(const CouponEvent& event) {
  const std::string key = row_key(event);
  const auto* stored = requests_->get(key);
  if (!stored) return;
  CouponRequestRow row = *stored;
  row.status = event.type;
  if (event.type != CouponEventType::NOTIFIED) {
    row.history_id = event.history_id;
    row.reason = event.reason;
  }
  requests_->put(key, row);
}

void CouponBook::keep_coupon(const CouponEvent& event) {
  key_ = coupon_by_user_key(event.user_id, event.coupon_id);
  HeldCoupon coupon{.history_id = event.history_id, .order_id = {}, .issued_at = event.at};
  if (event.type != CouponEventType::COMPLETED) {
    if (const auto* stored = coupons_->get(key_)) coupon.issued_at = stored->issued_at;
  }
  if (event.type == CouponEventType::RESERVED) coupon.state = CouponState::RESERVED;
  if (event.type == CouponEventType::USED) coupon.state = CouponState::USED;
  if (coupon.state != CouponState::UNUSED) coupon.order_id = event.order_id;
  coupons_->put(key_, coupon);
}

}  // namespace thalweg::shop
