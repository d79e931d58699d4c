// What the check of a sale promises: books that balance pass, and any single order doubled, dropped
// or charged wrongly does not.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "flashsale/invariants.h"

namespace thalweg::flashsale {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Books : public ::testing::Test {
 protected:
  Books() {
    note(product_line("apple", 250, 10));
    note(product_line("pear", 100, 1));
    note(user_line("ann"));
    note(user_line("bob"));
    note(accepted_line("/users/ann/deposit", R"({"amount":1000})", "d1", {}));
    ordered("order-1", "ann", "apple", 2);
    ordered("order-2", "ann", "pear", 1);
    ordered("order-3", "bob", "apple", 1);  // Has no money.
    observed_.orders = {{OrderStatus::kCompleted, 500},
                        {OrderStatus::kCompleted, 100},
                        {OrderStatus::kCancelled, 250}};
    observed_.stocks = {Observed::Stock{10, 8, 0, 2}, Observed::Stock{1, 0, 0, 1}};
    observed_.balances = {Observed::Balance{1000, 400, 600, 0}, Observed::Balance{0, 0, 0, 0}};
    observed_.audit_status = 200;
  }

  void note(const std::string& line) { ASSERT_TRUE(ledger_.apply(line)) << line; }
  void ordered(const std::string& id, const std::string& user, const std::string& product,
               int quantity) {
    note(accepted_line("/orders",
                       R"({"userId":")" + user + R"(","items":[{"productId":")" + product +
                           R"(","quantity":)" + std::to_string(quantity) + "}]}",
                       "key of " + id, id));
  }
  std::vector<std::string> violations() const {
    std::vector<std::string> texts;
    for (const auto& violation : find_violations(ledger_, observed_)) {
      texts.push_back(to_string(violation));
    }
    return texts;
  }

  Ledger ledger_;
  Observed observed_;
};

TEST_F(Books, ThatBalanceAreFoundInOrder) { EXPECT_THAT(violations(), IsEmpty()); }

TEST_F(Books, AnOrderPaidTwiceIsFound) {
  observed_.balances[0] = Observed::Balance{1000, -100, 1100, 0};

  EXPECT_THAT(violations(), Contains(HasSubstr("balance = deposited - completed orders [ann]")));
}

TEST_F(Books, AnOrderDeliveredTwiceIsFound) {
  observed_.stocks[0] = Observed::Stock{10, 6, 0, 4};

  EXPECT_THAT(violations(), Contains(HasSubstr("sold = units of completed orders [apple]: 4")));
}

TEST_F(Books, ADroppedOrderIsFound) {
  observed_.orders[1] = {OrderStatus::kNotFound, 0};

  EXPECT_THAT(violations(), Contains(HasSubstr("an accepted order is NOT_FOUND [order-2]")));
  EXPECT_THAT(violations(), Contains(HasSubstr("sold = units of completed orders [pear]: 1")));
}

TEST_F(Books, AnOrderThatNeverEndsIsFound) {
  observed_.orders[2] = {OrderStatus::kProcessing, 250};

  EXPECT_THAT(violations(), Contains(HasSubstr("is PROCESSING [order-3]")));
}

TEST_F(Books, OneOrderIdForTwoRequestsIsFound) {
  ordered("order-1", "ann", "apple", 2);
  observed_.orders.push_back({OrderStatus::kCompleted, 500});

  EXPECT_THAT(violations(), Contains(HasSubstr("two requests, one order id [order-1]")));
}

TEST_F(Books, OversellingIsFoundEvenIfTheShopAgreesWithItself) {
  ordered("order-4", "ann", "pear", 1);
  observed_.orders.push_back({OrderStatus::kCompleted, 100});
  observed_.stocks[1] = Observed::Stock{2, 0, 0, 2};
  observed_.balances[0] = Observed::Balance{1000, 300, 700, 0};

  EXPECT_THAT(violations(), Contains(HasSubstr("units of completed orders <= stocked [pear]: 2")));
  EXPECT_THAT(violations(), Contains(HasSubstr("stocked = what was stocked [pear]")));
}

TEST_F(Books, AReservationThatIsNeverReleasedIsFound) {
  observed_.stocks[0] = Observed::Stock{10, 7, 1, 2};

  EXPECT_THAT(violations(), Contains(HasSubstr("nothing stays reserved [apple]")));
}

TEST_F(Books, ALostRestockOrDepositIsFound) {
  note(accepted_line("/products/apple/restock", R"({"quantity":5})", "r1", {}));
  note(accepted_line("/users/bob/deposit", R"({"amount":7})", "d2", {}));

  EXPECT_THAT(violations(), Contains(HasSubstr("stocked = what was stocked [apple]: 10")));
  EXPECT_THAT(violations(), Contains(HasSubstr("deposited = what was deposited [bob]: 0")));
}

TEST_F(Books, AWrongPriceIsFound) {
  observed_.orders[0].final_amount = 499;

  EXPECT_THAT(violations(), Contains(HasSubstr("finalAmount = price of the items [order-1]: 499")));
}

TEST_F(Books, AnAuditThatDisagreesIsFound) {
  observed_.audit_status = 500;

  EXPECT_THAT(violations(), Contains(HasSubstr("GET /audit answers 200")));
}

TEST_F(Books, AnAuditWhoseOwnSidesDifferIsFound) {
  observed_.audit = R"({"ok":true,"invariants":[
      {"invariant":"completed = paid","left":2,"right":2},
      {"invariant":"stocked = available + reserved + sold","left":11,"right":10}]})";

  const auto found = violations();

  ASSERT_EQ(found.size(), 1u);
  EXPECT_THAT(found[0], HasSubstr("audited invariant [stocked = available + reserved + sold]: 11"));
}

TEST_F(Books, WhatCouldNotBeReadIsFound) {
  observed_.stocks[0] = std::nullopt;
  observed_.balances[1] = std::nullopt;

  EXPECT_THAT(violations(), Contains(HasSubstr("can be read [apple]")));
  EXPECT_THAT(violations(), Contains(HasSubstr("can be read [bob]")));
}

TEST_F(Books, ACommandWithoutAnAnswerIsFound) {
  note(unresolved_line({"/users/ann/deposit", R"({"amount":1})", "d9"}));

  EXPECT_THAT(violations(), Contains(HasSubstr("every command is answered in the end")));
}

TEST_F(Books, AnOrderLeftOutOfTheReadingIsFound) {
  observed_.orders.pop_back();

  EXPECT_THAT(violations(), Contains(HasSubstr("everything accepted is looked at")));
}

TEST_F(Books, OnlyOrdersThatNothingCouldHaveRefusedCountAsFillable) {
  const auto before = count_fillable(ledger_, observed_);
  ordered("order-4", "ann", "pear", 1);  // Now two want the only pear: neither is certain.
  observed_.orders.push_back({OrderStatus::kCancelled, 100});

  EXPECT_EQ(before.orders, 2u);
  EXPECT_EQ(before.completed, 2u);
  EXPECT_EQ(count_fillable(ledger_, observed_).orders, 1u);
}

TEST_F(Books, AFillableOrderThatWasCancelledLowersTheShare) {
  observed_.orders[0] = {OrderStatus::kCancelled, 500};

  EXPECT_DOUBLE_EQ(count_fillable(ledger_, observed_).share_completed(), 0.5);
}

TEST(ShopAnswers, AreReadIntoNumbers) {
  const auto order = parse_order(R"({"orderId":"x","status":"COMPLETED","finalAmount":12})");
  const auto stock = parse_stock(R"({"stocked":4,"available":1,"reserved":2,"sold":1})");
  const auto balance = parse_balance(R"({"deposited":9,"balance":4,"paid":6,"refunded":1})");

  EXPECT_EQ(order.status, OrderStatus::kCompleted);
  EXPECT_EQ(order.final_amount, 12);
  ASSERT_TRUE(stock && balance);
  EXPECT_EQ(stock->available, 1);
  EXPECT_EQ(balance->refunded, 1);
}

TEST(ShopAnswers, ThatSayNothingAreNotTakenForAnAnswer) {
  EXPECT_EQ(parse_order("{}").status, OrderStatus::kUnreadable);
  EXPECT_EQ(parse_order("nonsense").status, OrderStatus::kUnreadable);
  EXPECT_FALSE(parse_stock(R"({"stocked":4})"));
  EXPECT_FALSE(parse_balance("[]"));
}

}  // namespace
}  // namespace thalweg::flashsale
