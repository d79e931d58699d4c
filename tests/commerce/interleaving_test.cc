// The saga under every order of arrival: products, accounts, customers and clocks answer when a
// random generator says so, and commands come twice. Whatever happens, nothing is lost or doubled.

#include <algorithm>
#include <deque>
#include <map>
#include <random>

#include <gtest/gtest.h>

#include <thalweg/runtime/topology_test_driver.h>

#include "coupon_request.h"
#include "effects.h"
#include "ledgers.h"
#include "saga_command.h"
#include "saga_topology.h"
#include "topics.h"
#include "topologies.h"

namespace thalweg::shop {
namespace {

using namespace std::chrono_literals;

Topology saga_alone() {
  StreamsBuilder builder;
  decide_orders(builder, {}).to(topics::kOrderEvents);
  return builder.build();
}

StreamsConfig named(const char* application_id) {
  StreamsConfig config;
  config.application_id = application_id;
  return config;
}

/// The saga on the driver; products and accounts are the real ledgers, held in maps, and coupons
/// run on a driver of their own. Their commands and answers wait in queues until somebody delivers
/// them. A queue keeps its order, as a partition does.
class World {
 public:
  void add_product(const std::string& id, std::int64_t price, std::int64_t stock) {
    StockCommand put{.kind = StockCommandKind::PUT, .quantity = stock, .name = id};
    put.price = price;
    products_[id] = *apply(put, {});
  }
  void deposit(const std::string& user, std::int64_t amount) {
    accounts_[user] = apply(AccountCommand{.amount = amount}, accounts_[user]);
  }

  /// One coupon for each.
  void issue(const std::vector<std::string>& users) {
    coupons_.create_input_topic<std::string, Coupon>(topics::kCoupons)
        .pipe(kCoupon, Coupon{.quantity = 100, .valid_until = 10, .discount_amount = 5});
    for (const auto& user : users) {
      coupons_.pipe(topics::kCouponRequests, coupon_user_key(user),
                    coupon_request_json("for " + user, user, kCoupon, 1), from_millis(1));
    }
  }

  void start(const std::string& order, const std::string& user,
             const std::vector<ItemRequest>& items, bool later, bool with_coupon = false) {
    std::string json = R"({"orderId":")" + order + R"(","userId":")" + user + R"(","items":[)";
    for (const auto& item : items) {
      if (json.back() == '}') json += ',';
      json += R"({"productId":")" + item.product_id + R"(","quantity":)" +
              std::to_string(item.quantity) + "}";
    }
    Headers headers;
    std::string options;
    if (later) options = R"("payment":"later")";
    if (with_coupon) options += std::string(later ? "," : "") + R"("couponId":")" + kCoupon + '"';
    if (!options.empty()) headers.add(std::string(kOrderOptionsHeader), "{" + options + "}");
    tell(topics::kOrderStart, order, json + "]}", headers);
  }
  void tell(const std::string& topic, const std::string& order, const std::string& json,
            const Headers& headers = {}) {
    driver_.pipe(topic, order, json, from_millis(1), headers);
    take_events();
  }
  void simple(const std::string& topic, const std::string& order) {
    tell(topic, order, R"({"orderId":")" + order + R"("})");
  }
  void time_out(const std::string& order) {
    const auto deadline = deadlines_.find(order);
    if (deadline == deadlines_.end()) return;
    std::string bytes;
    Serde<SagaTimeout>::serialize({deadline->second}, bytes);
    tell(topics::kSagaTimeouts, order, bytes);
  }

  // Each delivers one message of a queue; false if it is empty.
  bool product_acts() {
    return take(to_products_, [this](const std::string& product, const StockCommand& command) {
      const auto row = products_.find(product);
      auto next = apply(command, row == products_.end() ? Stock{} : row->second);
      if (next) {
        EXPECT_NE(next->outcome, StockOutcome::REJECTED) << "released or confirmed twice";
        products_[product] = *next;
      }
      if (command.kind != StockCommandKind::RESERVE) return;
      StockReply reply{.product_id = product, .index = command.index, .name = product};
      reply.known = next.has_value();
      reply.granted = next && next->outcome == StockOutcome::GRANTED;
      reply.price = next ? next->price : 0;
      answers_.emplace_back(topics::kStockReplies, command.order_id, bytes_of(reply));
    });
  }
  bool account_acts() {
    return take(to_accounts_, [this](const std::string& user, const AccountCommand& command) {
      auto& account = accounts_[user];
      account = apply(command, account);
      if (command.kind == AccountCommandKind::REFUND) {
        EXPECT_TRUE(account.accepted) << "refunded what was not paid";
        return;
      }
      answers_.emplace_back(
          topics::kPaymentReplies, command.order_id,
          bytes_of(PaymentReply{account.accepted, "paid-" + command.order_id, command.amount}));
    });
  }
  bool coupon_acts() {
    return take(to_coupons_, [this](const std::string& coupon, const CouponCommand& command) {
      coupons_.create_input_topic<std::string, CouponCommand>(topics::kCouponHolds)
          .pipe(coupon, command, from_millis(1));
      auto replies = coupons_.create_output_topic<std::string, Bytes>(topics::kCouponReplies);
      while (!replies.is_empty()) {
        const auto reply = replies.read_record();
        answers_.emplace_back(topics::kCouponReplies, *reply.key, reply.value->data);
      }
    });
  }
  bool answer_arrives(bool twice) {
    if (answers_.empty()) return false;
    const auto [topic, order, bytes] = answers_.front();
    answers_.pop_front();
    tell(topic, order, bytes);
    if (twice) tell(topic, order, bytes);
    return true;
  }
  void settle() {
    while (product_acts() || account_acts() || coupon_acts() || answer_arrives(false)) {
    }
  }

  const std::map<std::string, Stock>& products() const { return products_; }
  const std::map<std::string, Account>& accounts() const { return accounts_; }
  const std::map<std::string, std::vector<EventType>>& ends() const { return ends_; }
  CouponCounts coupon_counts() {
    const auto* row =
        coupons_.key_value_store<std::string, CouponCounts>(stores::kCouponCounts).get(kCoupon);
    return row ? *row : CouponCounts{};
  }
  std::int64_t completed_with_coupon() const { return completed_with_coupon_; }
  std::int64_t completed_units(const std::string& product) { return units_[product]; }
  std::int64_t completed_amount(const std::string& user) { return amounts_[user]; }

 private:
  template <typename T>
  static std::string bytes_of(const T& value) {
    std::string bytes;
    Serde<T>::serialize(value, bytes);
    return bytes;
  }
  template <typename Queue, typename Act>
  static bool take(Queue& queue, Act act) {
    if (queue.empty()) return false;
    const auto [key, command] = queue.front();
    queue.pop_front();
    act(key, command);
    return true;
  }

  void take_events() {
    auto events = driver_.create_output_topic<std::string, OrderEvent>(topics::kOrderEvents);
    while (!events.is_empty()) {
      const auto record = events.read_record();
      const OrderEvent& event = *record.value;
      if (event.type == EventType::ORDER_CREATED || event.type == EventType::ORDER_COMPLETED ||
          event.type == EventType::ORDER_CANCELLED ||
          event.type == EventType::INVENTORY_RELEASED) {
        for (auto& command : stock_commands(*record.key, event)) to_products_.push_back(command);
      }
      if (concerns_coupon(*record.key, event)) {
        to_coupons_.push_back(coupon_command(*record.key, event));
      }
      if (concerns_payment(*record.key, event)) {
        to_accounts_.push_back(account_command(*record.key, event));
      }
      if (event.type == EventType::ORDER_CREATED) deadlines_[event.order_id] = event.deadline;
      if (event.type == EventType::PAYMENT_REQUESTED) deadlines_[event.order_id] = event.deadline;
      note_end(event);
    }
  }
  void note_end(const OrderEvent& event) {
    if (event.type != EventType::ORDER_COMPLETED && event.type != EventType::ORDER_CANCELLED) {
      return;
    }
    ends_[event.order_id].push_back(event.type);
    if (event.type == EventType::ORDER_CANCELLED) return;
    amounts_[event.user_id] += event.final_amount;
    if (!event.coupon_id.empty()) ++completed_with_coupon_;
    for (const auto& item : event.items) units_[item.product_id] += item.quantity;
  }

  static constexpr const char* kCoupon = "five-off";

  TopologyTestDriver driver_{saga_alone(), named("order-service"), from_millis(1'800'000'000'000)};
  TopologyTestDriver coupons_{build_coupons(), named("coupon-request-group"), from_millis(1)};
  std::deque<std::pair<std::string, CouponCommand>> to_coupons_;
  std::int64_t completed_with_coupon_ = 0;
  std::map<std::string, Stock> products_;
  std::map<std::string, Account> accounts_;
  std::deque<std::pair<std::string, StockCommand>> to_products_;
  std::deque<std::pair<std::string, AccountCommand>> to_accounts_;
  std::deque<std::tuple<std::string, std::string, std::string>> answers_;
  std::map<std::string, std::int64_t> deadlines_;
  std::map<std::string, std::vector<EventType>> ends_;
  std::map<std::string, std::int64_t> units_;
  std::map<std::string, std::int64_t> amounts_;
};

TEST(SagaInterleaving, AGrantThatComesAfterTheCancellationIsReleasedOnce) {
  World world;
  world.add_product("shoe", 30, 5);
  world.start("o1", "ann", {{"shoe", 2}}, false);
  world.product_acts();

  world.simple(topics::kOrderCancel, "o1");
  world.answer_arrives(/*twice=*/true);
  world.settle();

  EXPECT_EQ(world.products().at("shoe").available, 5);
  EXPECT_EQ(world.products().at("shoe").reserved, 0);
}

TEST(SagaInterleaving, ATimeoutWhileTheRequestIsOnItsWayTakesNothing) {
  World world;
  world.add_product("shoe", 30, 5);
  world.start("o1", "ann", {{"shoe", 2}}, false);

  world.time_out("o1");
  world.settle();

  EXPECT_EQ(world.products().at("shoe").available, 5);
  EXPECT_EQ(world.ends().at("o1"), std::vector{EventType::ORDER_CANCELLED});
}

TEST(SagaInterleaving, APaymentThatComesAfterTheCancellationIsRefundedOnce) {
  World world;
  world.add_product("shoe", 30, 5);
  world.deposit("ann", 100);
  world.start("o1", "ann", {{"shoe", 2}}, false);
  world.product_acts();
  world.answer_arrives(false);
  world.account_acts();

  world.simple(topics::kOrderCancel, "o1");
  world.answer_arrives(/*twice=*/true);
  world.settle();

  EXPECT_EQ(world.accounts().at("ann").balance, 100);
  EXPECT_EQ(world.accounts().at("ann").refunded, 60);
  EXPECT_EQ(world.products().at("shoe").available, 5);
}

TEST(SagaInterleaving, ACouponThatComesAfterTheCancellationIsReleasedOnce) {
  World world;
  world.add_product("shoe", 30, 5);
  world.issue({"ann"});
  world.start("o1", "ann", {{"shoe", 2}}, false, /*with_coupon=*/true);
  world.product_acts();
  world.answer_arrives(false);
  world.coupon_acts();
  EXPECT_EQ(world.coupon_counts().reserved, 1);

  world.simple(topics::kOrderCancel, "o1");
  world.answer_arrives(/*twice=*/true);
  world.settle();

  EXPECT_EQ(world.coupon_counts().unused, 1);
  EXPECT_EQ(world.coupon_counts().reserved, 0);
}

void random_step(World& world, std::mt19937& random, const std::string& order) {
  switch (random() % 14) {
    case 0: world.simple(topics::kOrderCancel, order); break;
    case 1: world.simple(topics::kStockRollback, order); break;
    case 2: world.time_out(order); break;
    case 3: world.simple(topics::kPaymentProcessing, order); break;
    case 4: world.simple(topics::kOrderProcessing, order); break;
    case 5:
    case 6: world.account_acts(); break;
    case 7:
    case 8:
    case 9: world.product_acts(); break;
    case 10:
    case 11: world.coupon_acts(); break;
    default: world.answer_arrives(random() % 4 == 0); break;
  }
}

void expect_conserved(World& world) {
  const CouponCounts coupons = world.coupon_counts();
  EXPECT_EQ(coupons.reserved, 0);
  EXPECT_EQ(coupons.used, world.completed_with_coupon());
  EXPECT_EQ(coupons.issued, coupons.unused + coupons.used);
  for (const auto& [id, stock] : world.products()) {
    EXPECT_EQ(stock.reserved, 0) << id;
    EXPECT_GE(stock.available, 0) << id;
    EXPECT_EQ(stock.sold, world.completed_units(id)) << id;
    EXPECT_EQ(stock.stocked, stock.available + stock.sold) << id;
  }
  for (const auto& [user, account] : world.accounts()) {
    EXPECT_GE(account.balance, 0) << user;
    EXPECT_EQ(account.paid - account.refunded, world.completed_amount(user)) << user;
    EXPECT_EQ(account.deposited, account.balance + account.paid - account.refunded) << user;
  }
}

TEST(SagaInterleaving, WhateverArrivesWhenNothingIsLostOrDoubled) {
  constexpr int kOrders = 12;
  for (unsigned seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    World world;
    for (const char* product : {"a", "b", "c"}) world.add_product(product, 7, random() % 20);
    for (const char* user : {"ann", "bob"}) world.deposit(user, random() % 300);
    world.issue({"ann", "bob"});
    const auto id = [&] { return "o" + std::to_string(random() % kOrders); };
    for (int step = 0; step < 150; ++step) {
      if (random() % 3 == 0) {
        const auto few = [&] { return static_cast<std::int64_t>(1 + random() % 3); };
        std::vector<ItemRequest> items{{"a", few()}};
        if (random() % 2) items.push_back({"b", few()});
        if (random() % 2) items.push_back({"c", few()});
        world.start(id(), random() % 2 ? "ann" : "bob", items, random() % 3 == 0,
                    random() % 3 == 0);
      } else {
        random_step(world, random, id());
      }
    }
    world.settle();
    for (int order = 0; order < kOrders; ++order) world.time_out("o" + std::to_string(order));
    world.settle();

    expect_conserved(world);
    for (const auto& [order, ends] : world.ends()) EXPECT_EQ(ends.size(), 1u) << order;
  }
}

}  // namespace
}  // namespace thalweg::shop
