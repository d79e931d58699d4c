// What stands behind the question mark: no route of the shop ignores what it does not know.

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway_fixture.h"

namespace thalweg::shop {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

TEST_F(GatewayTest, AParameterWithASlipInItGivesNoOtherPageThanTheOneThatWasMeant) {
  a_shop_with_lamps();

  const auto answer = request("GET", "/products?limt=3");

  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.header("content-type"), "application/problem+json");
  EXPECT_THAT(answer.body, AllOf(HasSubstr("unknown_parameter"), HasSubstr("'limt'"),
                                 HasSubstr("did you mean 'limit'?")));
  EXPECT_THAT(request("GET", "/deliveries?colour=red").body,
              HasSubstr("it knows status, orderId, limit, cursor"));
}

TEST_F(GatewayTest, AParameterThatNoRouteKnowsIsRefusedByEach) {
  for (const char* target : {"/orders/any",
                             "/orders/any/events",
                             "/users/ann",
                             "/users/ann/balance",
                             "/users/ann/orders",
                             "/users/ann/coupons",
                             "/users/ann/recommendations",
                             "/products",
                             "/products/lamp",
                             "/products/lamp/stock",
                             "/products/lamp/rank",
                             "/products/lamp/views",
                             "/products/popular",
                             "/products/trending",
                             "/segments/30/female/popular",
                             "/ranking/products",
                             "/coupons",
                             "/coupons/ten",
                             "/coupons/requests/any",
                             "/deliveries",
                             "/dlq",
                             "/dlq/any",
                             "/analytics/funnel",
                             "/analytics/sales",
                             "/analytics/products/lamp",
                             "/analytics/customers/ann",
                             "/audit",
                             "/events",
                             "/ws",
                             "/page/settings",
                             "/v1/stores/stock/keys"}) {
    const auto answer = request("GET", target + std::string("?favourite_colour=red"));
    EXPECT_EQ(answer.status, 400) << target;
    EXPECT_THAT(answer.body, HasSubstr("unknown_parameter")) << target;
  }
}

TEST_F(GatewayTest, ACommandWithAParameterThatIsNotKnownIsNotObeyed) {
  a_shop_with_lamps();

  EXPECT_EQ(request("POST", "/orders?userId=ann", kTwoLamps).status, 400);
  EXPECT_EQ(request("POST", "/users/ann/deposit?amount=5", R"({"amount":5})").status, 400);
  EXPECT_EQ(request("PUT", "/products/lamp?price=1", R"({"name":"Lamp","price":1})").status, 400);

  EXPECT_EQ(request("GET", "/users/ann/orders").body, "[]");
  EXPECT_EQ(asked("/users/ann/balance").at("balance"), 100);
  EXPECT_EQ(asked("/products/lamp").at("price"), 30);
}

TEST_F(GatewayTest, EachParameterOfARouteIsKnownAndRead) {
  a_shop_with_lamps();
  for (const char* target :
       {"/orders/any?wait=1", "/users/ann/orders?limit=3&cursor=any",
        "/users/ann/coupons?limit=3&cursor=any", "/users/ann/recommendations?n=3",
        "/products?limit=3&cursor=any", "/products/lamp/rank?window=day&at=1795258800000",
        "/products/lamp/views?from=1795258800000&to=1795262400000&window=1h&raw=false&limit=3",
        "/products/popular?window=1h&at=1795258800000&n=3",
        "/products/trending?at=1795258800000&n=3", "/segments/30/female/popular?n=3",
        "/ranking/products?window=hour&at=1795258800000&n=3", "/coupons?limit=3&cursor=any",
        "/deliveries?status=FAILED&orderId=any&limit=3&cursor=0.any", "/dlq?limit=3&cursor=0.any",
        "/analytics/sales?from=1795258800000&to=1795262400000&limit=3"}) {
    const auto answer = request("GET", target);
    EXPECT_THAT(answer.status, ::testing::AnyOf(200, 404)) << target << ": " << answer.body;
    EXPECT_THAT(answer.body, Not(HasSubstr("unknown_parameter"))) << target;
  }
}

TEST_F(GatewayTest, WhatLinksProbesAndScrapersAddIsTheirOwnBusiness) {
  for (const char* target : {"/?utm_source=letter", "/page/main.js?v=3", "/livez?verbose",
                             "/readyz?exclude=log", "/metrics?name=thalweg_tasks"}) {
    EXPECT_EQ(request("GET", target).status, 200) << target;
  }
}

}  // namespace
}  // namespace thalweg::shop
