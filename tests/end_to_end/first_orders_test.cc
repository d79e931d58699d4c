// What a newcomer sees: the orders of the README against the program that scripts/run starts.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "end_to_end/shop_story.h"

namespace thalweg::end_to_end {
namespace {

using FirstOrders = ShopStory;

TEST_F(FirstOrders, OneCompletesAndTwoAreCancelledWithTheirReasons) {
  open_shop();

  const auto fine = customer_.order("ada", "lamp", 2);
  const auto too_many = customer_.order("ada", "lamp", 1'000);
  const auto too_dear = customer_.order("cleo", "lamp", 1);

  EXPECT_EQ(customer_.end_of(fine), completed());
  EXPECT_EQ(customer_.end_of(too_many), cancelled_for("OUT_OF_STOCK"));
  EXPECT_EQ(customer_.end_of(too_dear), cancelled_for("INSUFFICIENT_BALANCE"));
}

TEST_F(FirstOrders, ACancelledOrderGivesItsStockBackAndCostsNothing) {
  open_shop();

  const auto too_dear = customer_.order("cleo", "lamp", 3);

  EXPECT_EQ(customer_.end_of(too_dear), cancelled_for("INSUFFICIENT_BALANCE"));
  EXPECT_EQ(customer_.available("lamp", 10), 10);
  EXPECT_EQ(customer_.balance("cleo"), 100);
}

TEST_F(FirstOrders, ACompletedOrderTakesStockAndMoneyAndTheAuditAgrees) {
  open_shop();

  EXPECT_EQ(customer_.end_of(customer_.order("ada", "lamp", 2)), completed());

  EXPECT_EQ(customer_.available("lamp", 8), 8);
  EXPECT_EQ(customer_.balance("ada"), 1'000'000 - 2 * 4'900);
  EXPECT_EQ(customer_.audit_status(), 200);
}

TEST_F(FirstOrders, AnOrderIsKnownTheMomentItIsAccepted) {
  open_shop();

  for (int order = 0; order < 50; ++order) {
    const auto id = customer_.order("ada", "lamp", 1);
    EXPECT_EQ(customer_.request("GET", "/orders/" + id).status, 200);
  }
}

TEST_F(FirstOrders, GoTheirWayAsFlatBuffersTooAndAreShownAsJson) {
  std::vector<std::string> settings;
  for (const char* topic : {"order.start", "order-completed", "order.processed", "stock.success",
                            "notification-events", "external-events"}) {
    settings.push_back("--set");
    settings.push_back(std::string("wire.format.") + topic + "=flatbuffers");
  }
  ShopProcess shop(directory_.path() / "flatbuffers", {}, settings);
  shop.start_and_wait();
  ShopClient customer(shop.port());
  customer.stock("lamp", 4'900, 10);
  customer.register_user("ada");
  customer.deposit("ada", 1'000'000);

  const auto order = customer.order("ada", "lamp", 2);

  EXPECT_EQ(customer.end_of(order), completed());
  const auto records = customer.request("GET", "/v1/topics/order-completed/records?limit=10");
  EXPECT_THAT(records.body, ::testing::HasSubstr(order));
  EXPECT_THAT(records.body, ::testing::HasSubstr("application/flatbuffers"));
}

}  // namespace
}  // namespace thalweg::end_to_end
