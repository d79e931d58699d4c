#include "effects.h"

namespace thalweg::shop {

std::vector<std::pair<std::string, StockCommand>> stock_commands(const std::string& order_id,
                                                                 const OrderEvent& event) {
  std::vector<std::pair<std::string, StockCommand>> commands;
  commands.reserve(event.items.size());
  for (std::size_t i = 0; i < event.items.size(); ++i) {
    const Item& item = event.items[i];
    StockCommandKind kind = StockCommandKind::RESERVE;
    if (event.type == EventType::ORDER_COMPLETED) {
      kind = StockCommandKind::CONFIRM;
    } else if (event.type != EventType::ORDER_CREATED) {
      if (item.state != ItemState::RESERVED) continue;
      kind = StockCommandKind::RELEASE;
    }
    commands.emplace_back(item.product_id, StockCommand{.kind = kind,
                                                        .order_id = order_id,
                                                        .index = static_cast<std::int32_t>(i),
                                                        .quantity = item.quantity,
                                                        .name = {},
                                                        .command_id = {},
                                                        .at = event.at});
  }
  return commands;
}

bool concerns_payment(const std::string&, const OrderEvent& event) {
  return event.type == EventType::PAYMENT_REFUNDED ||
         ((event.type == EventType::INVENTORY_DEDUCTED ||
           event.type == EventType::COUPON_RESERVED ||
           event.type == EventType::PAYMENT_REQUESTED) &&
          event.pay_now);
}

std::pair<std::string, AccountCommand> account_command(const std::string& order_id,
                                                       const OrderEvent& event) {
  const auto kind = event.type == EventType::PAYMENT_REFUNDED ? AccountCommandKind::REFUND
                                                              : AccountCommandKind::CHARGE;
  return {event.user_id,
          AccountCommand{.kind = kind,
                         .amount = event.final_amount,
                         .order_id = order_id,
                         .command_id = {}}};
}

bool concerns_coupon(const std::string&, const OrderEvent& event) {
  if (event.coupon_id.empty()) return false;
  switch (event.type) {
    case EventType::INVENTORY_DEDUCTED:
    case EventType::COUPON_RELEASED: return true;
    case EventType::ORDER_COMPLETED:
    case EventType::ORDER_CANCELLED: return event.coupon_held;
    default: return false;
  }
}

std::pair<std::string, CouponCommand> coupon_command(const std::string& order_id,
                                                     const OrderEvent& event) {
  CouponCommand command{.kind = CouponCommandKind::RELEASE,
                        .user_id = event.user_id,
                        .request_id = {},
                        .order_id = order_id};
  if (event.type == EventType::INVENTORY_DEDUCTED) command.kind = CouponCommandKind::RESERVE;
  if (event.type == EventType::ORDER_COMPLETED) command.kind = CouponCommandKind::USE;
  return {event.coupon_id, std::move(command)};
}

}  // namespace thalweg::shop
