#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ledger.h"

namespace thalweg::flashsale {

enum class OrderStatus : std::uint8_t {
  kUnread,
  kPending,
  kProcessing,
  kCompleted,
  kCancelled,
  kNotFound,
  kUnreadable,  ///< The answer was not an order.
};
std::string_view name_of(OrderStatus status);
inline bool is_final(OrderStatus status) {
  return status == OrderStatus::kCompleted || status == OrderStatus::kCancelled;
}

/// What the shop says, in the ledger's numbering. A nullopt was not answered.
struct Observed {
  struct Order {
    OrderStatus status = OrderStatus::kUnread;
    std::int64_t final_amount = 0;
  };
  struct Stock {
    std::int64_t stocked = 0;
    std::int64_t available = 0;
    std::int64_t reserved = 0;
    std::int64_t sold = 0;
  };
  struct Balance {
    std::int64_t deposited = 0;
    std::int64_t balance = 0;
    std::int64_t paid = 0;
    std::int64_t refunded = 0;
  };
  std::vector<Order> orders;
  std::vector<std::optional<Stock>> stocks;
  std::vector<std::optional<Balance>> balances;
  int audit_status = 0;
  std::string audit;
};

/// Read from the bodies of GET /orders/{id}, /products/{id}/stock and /users/{id}/balance.
Observed::Order parse_order(std::string_view body);
std::optional<Observed::Stock> parse_stock(std::string_view body);
std::optional<Observed::Balance> parse_balance(std::string_view body);

/// One invariant that does not hold: `left` should equal (or bound) `right`.
struct Violation {
  std::string invariant;
  std::string key;
  std::int64_t left = 0;
  std::int64_t right = 0;
};
std::string to_string(const Violation& violation);

/// Everything that is wrong with what the shop says, given what it accepted.
///
/// Every accepted order is finished, under an id of its own, and a completed one cost what its
/// items cost. What a product sold is what its completed orders took, never more than was stocked,
/// and stocked = available + reserved + sold with nothing left reserved. What a user has is what
/// was deposited less the completed orders. The shop's own audit answers 200.
std::vector<Violation> find_violations(const Ledger& ledger, const Observed& observed);

/// Orders that no other order could have kept from being filled: all orders together ask for no
/// more of their products than was stocked, and of their user for no more than was deposited.
struct Fillable {
  std::uint64_t orders = 0;
  std::uint64_t completed = 0;

  double share_completed() const {
    return orders == 0 ? 1.0 : static_cast<double>(completed) / static_cast<double>(orders);
  }
};
Fillable count_fillable(const Ledger& ledger, const Observed& observed);

}  // namespace thalweg::flashsale
