#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "flashsale/order_plan.h"

namespace thalweg::flashsale {
namespace {

PlanOptions small_shop(std::uint64_t orders) {
  return {.seed = 7, .orders = orders, .users = 500, .products = 200, .skew = 0.99};
}

TEST(OrderPlan, DrawsTheSameOrderEveryTime) {
  const OrderPlan plan(small_shop(100));
  const OrderPlan again(small_shop(100));

  for (std::uint64_t index = 0; index < 100; ++index) {
    EXPECT_EQ(plan.order(index).user, again.order(index).user);
    EXPECT_EQ(plan.total_of(plan.order(index)), again.total_of(again.order(index)));
  }
}

TEST(OrderPlan, AnotherSeedMeansOtherOrders) {
  auto other = small_shop(100);
  other.seed = 8;
  const OrderPlan plan(small_shop(100));
  const OrderPlan another(other);

  int same = 0;
  for (std::uint64_t index = 0; index < 100; ++index) {
    if (plan.order(index).user == another.order(index).user) ++same;
  }
  EXPECT_LT(same, 20);
}

TEST(OrderPlan, OrdersHaveOneToThreeDifferentProducts) {
  const OrderPlan plan(small_shop(3000));
  std::set<std::uint32_t> sizes;

  for (std::uint64_t index = 0; index < plan.orders(); ++index) {
    const PlannedOrder order = plan.order(index);
    std::set<std::uint32_t> products;
    for (const PlannedItem& item : order.items()) {
      EXPECT_GE(item.quantity, 1);
      EXPECT_LT(item.product, 200u);
      products.insert(item.product);
    }
    EXPECT_EQ(products.size(), order.item_count);
    sizes.insert(order.item_count);
  }

  EXPECT_THAT(sizes, ::testing::ElementsAre(1u, 2u, 3u));
}

TEST(OrderPlan, AShopOfOneProductStillMakesOrders) {
  const OrderPlan plan({.seed = 1, .orders = 50, .users = 1, .products = 1, .skew = 0.99});

  for (std::uint64_t index = 0; index < 50; ++index) EXPECT_EQ(plan.order(index).item_count, 1u);
}

TEST(OrderPlan, NineOrdersInTenAreFillableButNotAll) {
  for (const std::uint64_t orders : {2'000, 20'000}) {
    const OrderPlan plan(small_shop(orders));

    EXPECT_GE(plan.fillable(), orders * 9 / 10);
    EXPECT_LT(plan.fillable(), orders);
  }
}

TEST(OrderPlan, EverythingIsSeededAndPriced) {
  const OrderPlan plan(small_shop(10));

  for (std::uint32_t product = 0; product < plan.products(); ++product) {
    EXPECT_GE(plan.stock(product), 1);
    EXPECT_GE(plan.price(product), 100);
  }
  for (std::uint32_t user = 0; user < plan.users(); ++user) EXPECT_GE(plan.deposit(user), 1);
}

}  // namespace
}  // namespace thalweg::flashsale
