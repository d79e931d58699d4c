// Who is believed, and who may see and do what.

#include <string>

#include <gtest/gtest.h>

#include "gateway_fixture.h"
#include "tokens.h"

namespace thalweg::shop {
namespace {

TEST_F(GatewayTest, WithASecretOnlyTokensAreBelieved) {
  ShopConfig config;
  config.auth_secret = "secret";
  open(config);
  const std::string ann = "Authorization: Bearer " + make_token("ann", "secret", 0) + "\r\n";
  const std::string deposit = R"({"amount":5})";

  EXPECT_EQ(request("POST", "/users/ann/deposit", deposit).status, 401);
  EXPECT_EQ(request("POST", "/users/ann/deposit", deposit, "X-User: ann\r\n").status, 401);
  EXPECT_EQ(request("POST", "/users/bob/deposit", deposit, ann).status, 403);
  EXPECT_EQ(request("POST", "/users/ann/deposit", deposit, ann).status, 200);
}

TEST_F(GatewayTest, ATokenInTheAddressMayReadButNotDoAnything) {
  ShopConfig config;
  config.auth_secret = "secret";
  open(config);
  const std::string token = make_token("ann", "secret", 0);
  const std::string deposit = R"({"amount":5})";

  const auto refused = request("POST", "/users/ann/deposit?access_token=" + token, deposit);
  EXPECT_EQ(refused.status, 401) << "a link is followed too easily";
  EXPECT_EQ(refused.header("www-authenticate"), "Bearer");
  EXPECT_EQ(
      request("POST", "/users/ann/deposit", deposit, "Authorization: bearer " + token + "\r\n")
          .status,
      200);
  EXPECT_EQ(request("GET", "/users/ann/balance?access_token=" + token).status, 200);
  const auto wrong = request("GET", "/users/ann/balance?access_token=guess");
  EXPECT_EQ(wrong.header("www-authenticate"), "Bearer error=\"invalid_token\"");
}

TEST_F(GatewayTest, WithATokenOfTheirOwnOperatorsAloneSeeAndChangeWhatIsTheirs) {
  ShopConfig config;
  config.auth_secret = "secret";
  config.admin_token = "operators";
  open(config);
  const std::string ann = "Authorization: Bearer " + make_token("ann", "secret", 0) + "\r\n";
  const std::string operators = "Authorization: Bearer operators\r\n";
  const std::string lamp = R"({"name":"Lamp","price":30,"stock":10})";
  const std::string coupon =
      R"({"couponId":"ten","quantity":1,"validFrom":"2020-01-01T00:00:00Z",)"
      R"("validUntil":"2120-01-01T00:00:00Z"})";
  for (const auto& headers : {std::string(), ann}) {
    EXPECT_EQ(request("PUT", "/products/lamp", lamp, headers).status, 401);
    EXPECT_EQ(request("POST", "/products/lamp/restock", R"({"quantity":1})", headers).status, 401);
    EXPECT_EQ(request("POST", "/coupons", coupon, headers).status, 401);
    for (const char* target :
         {"/v1/stores", "/v1/stores/users/keys", "/v1/stores/orders/changes",
          "/v1/topics/inbox/records", "/v1/topology", "/v1/tasks", "/v1/info", "/metrics", "/audit",
          "/dlq", "/dlq/any", "/deliveries", "/analytics/funnel", "/analytics/sales",
          "/analytics/products/lamp", "/v1/views/stock/0",
          "/v1/positions/order.start/0"}) {
      EXPECT_EQ(request("GET", target, {}, headers).status, 401) << target;
    }
  }

  EXPECT_EQ(request("PUT", "/products/lamp", lamp, operators).status, 201);
  EXPECT_EQ(request("POST", "/products/lamp/restock", R"({"quantity":1})", operators).status, 200);
  EXPECT_EQ(request("POST", "/coupons", coupon, operators).status, 201);
  EXPECT_EQ(request("GET", "/v1/stores/stock/keys/str:lamp", {}, operators).status, 200);
  EXPECT_EQ(request("GET", "/dlq?access_token=operators").status, 200);
  EXPECT_EQ(request("GET", "/users/ann/balance", {}, operators).status, 401)
      << "what is a customer's is the customer's";
  for (const char* target : {"/", "/page/settings", "/livez", "/readyz", "/products",
                             "/products/lamp", "/products/lamp/stock", "/coupons", "/coupons/ten",
                             "/ranking/products", "/products/popular"}) {
    EXPECT_EQ(request("GET", target).status, 200) << target;
  }
}

}  // namespace
}  // namespace thalweg::shop
