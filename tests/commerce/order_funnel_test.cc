// How far orders get, counted by `order-service` as it decides.

#include "order_funnel.h"

#include "shop_fixture.h"

namespace thalweg::shop {
namespace {

class OrderFunnel : public ShopTest {
 protected:
  /// Of all tasks.
  std::int64_t count(const std::string& row) {
    const auto* count =
        orders_.key_value_store<std::string, std::int64_t>(stores::kOrderFunnel).get(row);
    return count ? *count : 0;
  }
};

TEST_F(OrderFunnel, CountsTheStepsOfAllOrders) {
  product("shoe", 30, 3);
  deposit("ann", 100);

  order("o1", "ann", item("shoe", 2));
  order("o2", "ann", item("shoe", 2));
  order("o3", "bob", item("shoe", 1));

  EXPECT_EQ(count("ORDER_CREATED"), 3);
  EXPECT_EQ(count("INVENTORY_DEDUCTED"), 2);
  EXPECT_EQ(count("PAYMENT_COMPLETED"), 1);
  EXPECT_EQ(count("ORDER_COMPLETED"), 1);
  EXPECT_EQ(count("ORDER_CANCELLED/OUT_OF_STOCK"), 1);
  EXPECT_EQ(count("ORDER_CANCELLED/INSUFFICIENT_BALANCE"), 1);
  EXPECT_EQ(count("ORDER_CANCELLED/TIMEOUT"), 0);
}

TEST_F(OrderFunnel, AnOrderThatIsSentTwiceIsCountedOnce) {
  product("shoe", 30, 5);
  deposit("ann", 100);

  order("o1", "ann", item("shoe", 1));
  order("o1", "ann", item("shoe", 1));

  EXPECT_EQ(count("ORDER_CREATED"), 1);
  EXPECT_EQ(count("ORDER_COMPLETED"), 1);
}

TEST(OrderFunnelRows, OfALaterVersionAreUnknown) {
  EXPECT_EQ(funnel_row(EventType::ORDER_CREATED), "ORDER_CREATED");
  EXPECT_EQ(funnel_row(EventType::ORDER_CANCELLED, Reason::TIMEOUT), "ORDER_CANCELLED/TIMEOUT");
  EXPECT_EQ(funnel_row(static_cast<EventType>(200)), "UNKNOWN");
  EXPECT_EQ(funnel_row(EventType::ORDER_CANCELLED, static_cast<Reason>(200)),
            "ORDER_CANCELLED/UNKNOWN");
}

}  // namespace
}  // namespace thalweg::shop
