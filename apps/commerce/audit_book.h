#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include <boost/json/fwd.hpp>

#include <thalweg/schemas/bytes.h>
#include <thalweg/schemas/timestamp.h>

#include "coupon_model.h"
#include "dead_letters.h"
#include "model.h"

namespace thalweg::shop {

/// The auditor's own book: what the topics say, added up by code that shares nothing with the
/// tables it is compared with. One record at a time, each topic partition in order.
class AuditBook {
 public:
  /// `retention` as the shop's `idempotency.retention.ms`.
  explicit AuditBook(std::chrono::milliseconds retention) : retention_(retention) {}

  /// Topics it is made of.
  static const std::vector<std::string>& topics();

  void add(std::string_view topic, std::string_view key, BytesView value, Timestamp timestamp,
           std::int32_t partition = 0, std::int64_t offset = 0);

  struct Product {
    std::int64_t stocked = 0;   ///< By `product-commands`.
    std::int64_t reserved = 0;  ///< By `order-events`.
    std::int64_t sold = 0;      ///< By `order-completed`.
    bool exists = false;
  };
  struct User {
    std::int64_t deposited = 0;  ///< By `account-commands`.
    std::int64_t paid = 0;       ///< By `payment-events`.
    std::int64_t refunded = 0;   ///< By `payment-events`.
  };

  struct Coupon {
    std::int64_t issued = 0;    ///< By `coupon-results`.
    std::int64_t holders = 0;   ///< Distinct users among those.
    std::int64_t reserved = 0;  ///< By `order-events`.
    std::int64_t used = 0;      ///< By `order.processed`.
  };

  const std::unordered_map<std::string, Coupon>& coupons() const { return coupons_; }
  const std::unordered_map<std::string, Product>& products() const { return products_; }
  const std::unordered_map<std::string, User>& users() const { return users_; }
  /// Orders begun and not ended, by `order-events`, with the time by which they must end.
  const std::unordered_map<std::string, std::int64_t>& open() const { return open_; }
  /// Orders whose completions and payments differ: `order-completed` less `payment-events`.
  const std::unordered_map<std::string, std::int64_t>& completed_not_paid() const {
    return completed_not_paid_;
  }
  std::int64_t created() const { return created_; }      ///< By `order-events`.
  std::int64_t completed() const { return completed_; }  ///< By `order-completed`.
  std::int64_t cancelled() const { return cancelled_; }  ///< By `notification-events`.
  std::int64_t paid() const { return paid_; }            ///< By `payment-events`.

  /// Records it could not read, and where the newest of them are, the very newest last.
  struct Unread {
    std::int64_t count = 0;
    std::deque<RecordOrigin> newest;
  };
  /// Of topics that the shop alone writes to.
  const Unread& unread() const { return unread_; }
  /// Of topics that others write to as well: dead letters of theirs.
  const Unread& unread_of_others() const { return unread_of_others_; }

 private:
  void add_product_command(const std::string& product, const StockCommand& command,
                           Timestamp timestamp);
  void add_account_command(const std::string& user, const AccountCommand& command,
                           Timestamp timestamp);
  bool is_new(const std::string& key, const std::string& command_id, Timestamp timestamp);
  void add_order_event(const OrderEvent& event);
  void add_json(std::string_view topic, BytesView value);
  void add_completed(const boost::json::object& record);
  void add_payment(const boost::json::object& record);
  void add_coupon(const std::string& coupon, const std::string& user);
  void balance(const std::string& order, std::int64_t by);

  std::unordered_map<std::string, Coupon> coupons_;
  std::unordered_set<std::string> coupon_holders_;
  std::unordered_map<std::string, Product> products_;
  std::unordered_map<std::string, User> users_;
  std::unordered_map<std::string, std::int64_t> open_;
  std::unordered_map<std::string, std::int64_t> completed_not_paid_;
  std::chrono::milliseconds retention_;
  std::unordered_map<std::string, std::int64_t> command_ids_;  // With the time of their records.
  std::int64_t created_ = 0;
  std::int64_t completed_ = 0;
  std::int64_t cancelled_ = 0;
  std::int64_t paid_ = 0;
  Unread unread_;
  Unread unread_of_others_;
  OrderEvent event_;
};

/// One comparison: the two sides of an invariant for one key.
struct Finding {
  std::string invariant;
  std::string key;
  std::int64_t left = 0;
  std::int64_t right = 0;

  bool holds() const { return left == right; }
  friend bool operator==(const Finding&, const Finding&) = default;
};

// The invariants. Left and right come from different topics or stores.

/// stocked (product-commands) = available (store) + reserved (order-events) + sold
/// (order-completed).
Finding audit_product(const std::string& id, const AuditBook::Product& book, const Stock& store);
/// stocked = available + reserved + sold within the store: true at every moment.
Finding audit_stock_row(const std::string& id, const Stock& store);
/// deposited (account-commands) = balance (store) + paid - refunded (payment-events).
Finding audit_user(const std::string& id, const AuditBook::User& book, const Account& store);
/// issued (coupon-results) = unused (store) + reserved (order-events) + used (order.processed).
Finding audit_coupon(const std::string& id, const AuditBook::Coupon& book,
                     const CouponCounts& store);
/// issued = users who have one (both coupon-results).
Finding audit_holders(const std::string& id, const AuditBook::Coupon& book);
/// created (order-events) = completed (order-completed) + cancelled (notification-events) + `open`
/// (the orders table).
Finding audit_orders(const AuditBook& book, std::int64_t open);
/// Every record that the shop alone writes can be read; the key says where the newest are that
/// cannot.
Finding audit_unread(const AuditBook& book);
/// completed (order-completed) = paid (payment-events), in number and order by order.
std::vector<Finding> audit_payments(const AuditBook& book);

}  // namespace thalweg::shop
