#include "coupon_desk.h"

#include "text.h"

namespace thalweg::shop {

void CouponDesk::init(FixedKeyProcessorContext<std::string, CouponEvent>& context) {
  FixedKeyProcessor::init(context);
  holders_ = &context.key_value_store<std::string, HeldCoupon>(kHolders);
  issued_ = &context.key_value_store<std::string, std::int64_t>(kIssued);
}

void CouponDesk::process(const RecordRef<std::string, CouponAsk>& record) {
  const CouponCommand& command = record.value.command;
  coupon_id_ = record.key;
  holder_key_.assign(record.key).append(1, '\n').append(command.user_id);
  at_ = to_millis(record.timestamp);
  switch (command.kind) {
    case CouponCommandKind::ISSUE: return issue(record.value);
    case CouponCommandKind::RESERVE: return reserve(record.value);
    case CouponCommandKind::USE:
      return settle(command, CouponState::USED, CouponEventType::USED);
    case CouponCommandKind::RELEASE:
      return settle(command, CouponState::UNUSED, CouponEventType::RELEASED);
  }
}

CouponEvent& CouponDesk::event(CouponEventType type, const CouponCommand& command) {
  event_ = CouponEvent{.type = type,
                       .coupon_id = coupon_id_,
                       .user_id = command.user_id,
                       .request_id = command.request_id,
                       .order_id = command.order_id,
                       .history_id = {},
                       .at = at_};
  return event_;
}

CouponReason CouponDesk::refusal(const CouponAsk& ask) const {
  if (!ask.coupon) return CouponReason::UNKNOWN_COUPON;
  if (at_ < ask.coupon->valid_from) return CouponReason::NOT_STARTED;
  if (at_ > ask.coupon->valid_until) return CouponReason::EXPIRED;
  return CouponReason::NONE;
}

void CouponDesk::issue(const CouponAsk& ask) {
  CouponReason reason = refusal(ask);
  std::int64_t issued = 0;
  if (reason == CouponReason::NONE) {
    const auto* count = issued_->get(coupon_id_);
    issued = count ? *count : 0;
    if (holders_->get(holder_key_)) {
      reason = CouponReason::DUPLICATE;
    } else if (issued >= ask.coupon->quantity) {
      reason = CouponReason::OUT_OF_STOCK;
    }
  }
  if (reason != CouponReason::NONE) {
    auto& failed = event(CouponEventType::FAILED, ask.command);
    failed.reason = reason;
    return context().forward(failed);
  }
  auto& completed = event(CouponEventType::COMPLETED, ask.command);
  completed.history_id = derived_id("coupon", holder_key_);
  holders_->put(holder_key_, {completed.history_id, CouponState::UNUSED, {}, at_});
  issued_->put(coupon_id_, issued + 1);
  context().forward(completed);
}

void CouponDesk::reserve(const CouponAsk& ask) {
  const HeldCoupon* row = holders_->get(holder_key_);
  if (!row || row->state != CouponState::UNUSED || refusal(ask) != CouponReason::NONE) {
    return context().forward(event(CouponEventType::REFUSED, ask.command));
  }
  HeldCoupon held = *row;
  held.state = CouponState::RESERVED;
  held.order_id = ask.command.order_id;
  auto& reserved = event(CouponEventType::RESERVED, ask.command);
  reserved.history_id = held.history_id;
  reserved.discount_amount = ask.coupon->discount_amount;
  reserved.discount_percent = ask.coupon->discount_percent;
  holders_->put(holder_key_, held);
  context().forward(reserved);
}

void CouponDesk::settle(const CouponCommand& command, CouponState state, CouponEventType type) {
  const HeldCoupon* row = holders_->get(holder_key_);
  if (!row || row->state != CouponState::RESERVED || row->order_id != command.order_id) return;
  HeldCoupon held = *row;
  held.state = state;
  if (state == CouponState::UNUSED) held.order_id.clear();
  auto& settled = event(type, command);
  settled.history_id = held.history_id;
  holders_->put(holder_key_, held);
  context().forward(settled);
}

CouponCounts fold(const CouponEvent& event, CouponCounts counts) {
  switch (event.type) {
    case CouponEventType::COMPLETED:
      ++counts.issued;
      ++counts.unused;
      break;
    case CouponEventType::RESERVED:
      --counts.unused;
      ++counts.reserved;
      break;
    case CouponEventType::USED:
      --counts.reserved;
      ++counts.used;
      break;
    case CouponEventType::RELEASED:
      --counts.reserved;
      ++counts.unused;
      break;
    case CouponEventType::PENDING:
    case CouponEventType::FAILED:
    case CouponEventType::NOTIFIED:
    case CouponEventType::REFUSED:
      break;
  }
  return counts;
}

}  // namespace thalweg::shop
