#pragma once

#include <string>
#include <utility>
#include <vector>

#include "coupon_model.h"
#include "model.h"

// What an event of an order asks of products, of its coupon and of its user's account.
namespace thalweg::shop {

/// Commands by product: reserve all items, confirm them, or give back those that are reserved.
std::vector<std::pair<std::string, StockCommand>> stock_commands(const std::string& order_id,
                                                                 const OrderEvent& event);

/// Whether the event charges the account, or gives a payment back.
bool concerns_payment(const std::string& order_id, const OrderEvent& event);

/// The command by user.
std::pair<std::string, AccountCommand> account_command(const std::string& order_id,
                                                       const OrderEvent& event);

/// Whether the event asks something of the order's coupon.
bool concerns_coupon(const std::string& order_id, const OrderEvent& event);

/// The command by coupon.
std::pair<std::string, CouponCommand> coupon_command(const std::string& order_id,
                                                     const OrderEvent& event);

}  // namespace thalweg::shop
