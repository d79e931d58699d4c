#pragma once

#include <chrono>
#include <deque>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thalweg/runtime/topology_test_driver.h>
#include <thalweg/schemas/json.h>

#include "coupon_model.h"
#include "coupon_request.h"
#include "model.h"
#include "topics.h"
#include "topologies.h"

namespace thalweg::shop {

/// The whole of `order-service` with coupons beside it and `choreography` behind it, on the test
/// driver: what one writes the others read. Time moves only when a test moves it.
class ShopTest : public ::testing::Test {
 protected:
  static StreamsConfig config(std::string application_id) {
    StreamsConfig config;
    config.application_id = std::move(application_id);
    return config;
  }

  // --- What happens -------------------------------------------------------------------------

  void product(const std::string& id, std::int64_t price, std::int64_t stock) {
    StockCommand put{.kind = StockCommandKind::PUT, .quantity = stock, .name = "The " + id};
    put.price = price;
    orders_.create_input_topic<std::string, StockCommand>(topics::kProductCommands).pipe(id, put);
  }
  void restock(const std::string& id, std::int64_t quantity, const std::string& command_id) {
    StockCommand restock{.kind = StockCommandKind::RESTOCK, .quantity = quantity};
    restock.command_id = command_id;
    orders_.create_input_topic<std::string, StockCommand>(topics::kProductCommands)
        .pipe(id, restock);
  }
  void deposit(const std::string& user, std::int64_t amount, const std::string& command_id = {}) {
    AccountCommand deposit{.kind = AccountCommandKind::DEPOSIT, .amount = amount};
    deposit.command_id = command_id;
    orders_.create_input_topic<std::string, AccountCommand>(topics::kAccountCommands)
        .pipe(user, deposit);
  }
  /// A coupon of which each of `users` gets one.
  void coupon(const std::string& id, Coupon coupon, const std::vector<std::string>& users) {
    coupon.quantity = static_cast<std::int64_t>(users.size());
    coupon.valid_until = kStart + 86'400'000;
    coupons_.create_input_topic<std::string, Coupon>(topics::kCoupons).pipe(id, coupon);
    for (const auto& user : users) {
      coupons_.pipe(topics::kCouponRequests, coupon_user_key(user),
                    coupon_request_json("for " + user, user, id, now_), from_millis(now_));
    }
  }
  /// A record from outside, as `kcat` would write it.
  void foreign(const std::string& topic, const std::string& key, const std::string& json,
               const Headers& headers = {}) {
    orders_.pipe(topic, key, json, from_millis(now_), headers);
    choreograph();
  }
  void order(const std::string& id, const std::string& user, const std::string& items,
             const std::string& options = {}) {
    Headers headers;
    if (!options.empty()) headers.add("order-options", options);
    foreign(topics::kOrderStart, id,
            R"({"orderId":")" + id + R"(","userId":")" + user + R"(","items":[)" + items + "]}",
            headers);
  }
  static std::string item(const std::string& product, std::int64_t quantity) {
    return R"({"productId":")" + product + R"(","quantity":)" + std::to_string(quantity) + "}";
  }
  void time_passes(std::chrono::milliseconds by) {
    now_ += by.count();
    orders_.advance_wall_clock_time(by);
    choreograph();
  }

  // --- What can be seen ---------------------------------------------------------------------

  Order order_row(const std::string& id) {
    const auto* row = orders_.key_value_store<std::string, Order>(stores::kOrders).get(id);
    EXPECT_NE(row, nullptr) << "no order " << id;
    return row ? *row : Order{};
  }
  bool order_exists(const std::string& id) {
    return orders_.key_value_store<std::string, Order>(stores::kOrders).get(id) != nullptr;
  }
  std::vector<EventType> history(const std::string& id) {
    std::vector<EventType> types;
    for (const auto& entry : order_row(id).history) types.push_back(entry.type);
    return types;
  }
  Stock stock(const std::string& id) {
    const auto* row = orders_.key_value_store<std::string, Stock>(stores::kStock).get(id);
    return row ? *row : Stock{};
  }
  Account account(const std::string& user) {
    const auto* row = orders_.key_value_store<std::string, Account>(stores::kAccounts).get(user);
    return row ? *row : Account{};
  }
  CouponCounts coupon_counts(const std::string& id) {
    const auto* row =
        coupons_.key_value_store<std::string, CouponCounts>(stores::kCouponCounts).get(id);
    return row ? *row : CouponCounts{};
  }
  /// What was written to a topic since the last look.
  std::vector<std::string> written(const std::string& topic) {
    std::vector<std::string> values;
    for (auto* driver : {&orders_, &choreography_}) {
      auto* records = driver->produced(topic);
      if (!records) continue;
      for (auto& record : *records) values.push_back(record.value.value_or("null"));
      records->clear();
    }
    return values;
  }

  /// If set: where the order events go that are carried to the other application.
  std::vector<std::pair<std::string, std::string>>* keep_events_ = nullptr;
  TopologyTestDriver orders_{build_orders({}), config("order-service"), from_millis(kStart)};
  TopologyTestDriver coupons_{build_coupons(), config("coupon-request-group"),
                              from_millis(kStart)};
  /// False: coupons answer nothing for now.
  bool coupons_answer_ = true;
  TopologyTestDriver choreography_{build_choreography(), config("choreography"),
                                   from_millis(kStart)};

 private:
  static constexpr std::int64_t kStart = 1'800'000'000'000;

  // Carries the events to the other application, and what that writes to our inputs back.
  void choreograph() {
    for (bool moved = true; moved;) {
      moved = carry(orders_, topics::kOrderEvents, choreography_, false);
      moved |= carry(orders_, topics::kCouponHolds, coupons_, true);
      if (coupons_answer_) moved |= carry(coupons_, topics::kCouponReplies, orders_, true);
      for (const char* topic : {topics::kOrderCancel, topics::kStockRollback}) {
        moved |= carry(choreography_, topic, orders_, true);
      }
    }
  }
  bool carry(TopologyTestDriver& from, const std::string& topic, TopologyTestDriver& to,
             bool keep) {
    auto* records = from.produced(topic);
    if (!records) return false;
    auto& done = carried_[topic];
    bool moved = false;
    while (records->size() > done) {
      const auto record = (*records)[done];
      if (keep) {
        ++done;
      } else {
        records->pop_front();
      }
      if (keep_events_ && !keep) keep_events_->emplace_back(*record.key, *record.value);
      to.pipe(topic, record.key, record.value, record.timestamp, record.headers);
      moved = true;
    }
    return moved;
  }

  std::int64_t now_ = kStart;
  std::map<std::string, std::size_t> carried_;
};

}  // namespace thalweg::shop
