// The shop over HTTP, as a customer's program sees it: what is answered, and when it is refused.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thalweg/runtime/async_producer.h>
#include <thalweg/runtime/local_environment.h>

#include "gateway_fixture.h"
#include "tokens.h"

namespace thalweg::shop {
namespace {

namespace json = boost::json;
using testing::RawClient;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::SizeIs;

TEST_F(GatewayTest, TakesAnOrderToItsEnd) {
  a_shop_with_lamps();

  const std::string id = order(kTwoLamps);

  EXPECT_EQ(end_of(id), "COMPLETED");
  EXPECT_EQ(asked("/users/ann/balance").at("balance"), 40);
  EXPECT_EQ(asked("/products/lamp").at("stock"), 8);
  EXPECT_THAT(asked("/orders/" + id + "/events").as_array(), SizeIs(5));
  EXPECT_EQ(request("GET", "/audit").status, 200);
}

TEST_F(GatewayTest, NamesEveryFaultOfABody) {
  const auto answer = request("POST", "/orders",
                              R"({"items":[{"productId":7,"quantity":0}],"payment":"never"})");

  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.header("content-type"), "application/problem+json");
  EXPECT_THAT(answer.body, AllOf(HasSubstr("userId"), HasSubstr("items[0].productId"),
                                 HasSubstr("items[0].quantity"), HasSubstr("payment")));
  EXPECT_EQ(request("POST", "/orders", "{").status, 400);
  EXPECT_EQ(request("POST", "/orders", "[]").status, 400);
}

TEST_F(GatewayTest, DoesNotKnowWhatIsNotThere) {
  a_shop_with_lamps();

  EXPECT_EQ(request("GET", "/orders/none").status, 404);
  EXPECT_EQ(request("GET", "/products/none/stock").status, 404);
  EXPECT_EQ(request("GET", "/users/none/balance").status, 404);
  EXPECT_EQ(request("GET", "/users/none/orders").status, 404);
  EXPECT_EQ(request("GET", "/users/ann/orders").body, "[]") << "a user who has none";
  EXPECT_EQ(request("POST", "/orders/none/pay", "{}").status, 404);
  EXPECT_EQ(request("POST", "/products/none/restock", R"({"quantity":1})").status, 404);
  EXPECT_EQ(request("POST", "/orders",
                    R"({"userId":"ann","items":[{"productId":"none","quantity":2}]})")
                .status,
            404);
}

TEST_F(GatewayTest, ARetryUnderTheSameKeyIsTheSameOrder) {
  a_shop_with_lamps();

  const std::string first = order(kTwoLamps, "Idempotency-Key: a\r\n");
  const std::string second = order(kTwoLamps, "Idempotency-Key: a\r\n");

  EXPECT_EQ(first, second);
  EXPECT_EQ(end_of(first), "COMPLETED");
  EXPECT_EQ(asked("/users/ann/balance").at("paid"), 60);
  const auto other = request("POST", "/orders",
                             R"({"userId":"ann","items":[{"productId":"lamp","quantity":1}]})",
                             "Idempotency-Key: a\r\n");
  EXPECT_EQ(other.status, 409);
}

// An order is accepted before it is processed, and nobody is to notice.
TEST_F(GatewayTest, AnOrderIsThereForEveryRequestAfterItsAcceptance) {
  a_shop_with_lamps();
  RawClient client(shop_->port());

  for (int i = 0; i < 5; ++i) {
    const auto accepted = client.request("POST", "/orders", kTwoLamps, {});
    ASSERT_EQ(accepted.status, 202);
    const std::string id(json::parse(accepted.body).at("orderId").as_string());
    EXPECT_EQ(client.request("GET", "/orders/" + id, {}, {}).status, 200);
    EXPECT_EQ(client.request("GET", "/orders/" + id + "/events", {}, {}).status, 200);
  }
}

TEST_F(GatewayTest, AListHasEveryOrderThatWasAcceptedBeforeIt) {
  a_shop_with_lamps();
  RawClient client(shop_->port());

  for (std::size_t i = 1; i <= 30; ++i) {
    ASSERT_EQ(client.request("POST", "/orders", kTwoLampsLater, {}).status, 202);
    const auto list = client.request("GET", "/users/ann/orders?limit=100", {}, {});
    EXPECT_THAT(json::parse(list.body).as_array(), SizeIs(i));
  }
}

TEST_F(GatewayTest, AKeyOfAnotherOrderIsRefusedRightAfterThatOrder) {
  a_shop_with_lamps();
  RawClient client(shop_->port());

  for (int i = 0; i < 5; ++i) {
    const std::string key = "Idempotency-Key: " + std::to_string(i) + "\r\n";
    ASSERT_EQ(client.request("POST", "/orders", kTwoLampsLater, key).status, 202);
    EXPECT_EQ(client.request("POST", "/orders",
                             R"({"userId":"ann","items":[{"productId":"lamp","quantity":1}]})", key)
                  .status,
              409);
  }
}

TEST_F(GatewayTest, WhoAsksToWaitIsAnsweredWhenTheOrderIsDecided) {
  a_shop_with_lamps();

  const auto bought = order(kTwoLamps);
  EXPECT_EQ(asked("/orders/" + bought + "?wait=20000").at("status"), "COMPLETED");
  EXPECT_EQ(asked("/orders/" + bought + "?wait=20000").at("status"), "COMPLETED") << "at once";

  const auto unpaid = order(kTwoLampsLater);
  EXPECT_EQ(asked("/orders/" + unpaid + "?wait=30").at("status"), "PENDING")
      << "when the time is over, the order as it is then";

  for (const char* wait : {"-1", "soon", "25001"}) {
    const auto answer = request("GET", "/orders/" + bought + "?wait=" + wait);
    EXPECT_EQ(answer.status, 400) << wait;
    EXPECT_THAT(answer.body, HasSubstr("wait"));
  }
}

// They were cut off, after they had held up the end of the shop for as long as it lets requests.
TEST_F(GatewayTest, WhoWaitsForAnOrderIsAnsweredWhenTheShopCloses) {
  a_shop_with_lamps();
  const std::string unpaid = "GET /orders/" + order(kTwoLampsLater);
  RawClient client(shop_->port());
  client.send(unpaid + " HTTP/1.1\r\nHost: shop\r\n\r\n" + unpaid +
              "?wait=20000 HTTP/1.1\r\nHost: shop\r\n\r\n");
  ASSERT_EQ(client.read().status, 200);
  // The server's one thread has begun with the other before it comes to this.
  ASSERT_EQ(request("GET", "/livez").status, 200);

  shop_.reset();

  const auto answer = client.read();
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.body, HasSubstr(R"("status":"PENDING")"));
}

TEST_F(GatewayTest, ARetriedDepositAndRestockCountOnce) {
  a_shop_with_lamps();
  for (int i = 0; i < 3; ++i) {
    request("POST", "/users/ann/deposit", R"({"amount":5})", "Idempotency-Key: d\r\n");
    request("POST", "/products/lamp/restock", R"({"quantity":7})", "Idempotency-Key: r\r\n");
  }

  EXPECT_EQ(asked("/users/ann/balance").at("deposited"), 105);
  EXPECT_EQ(asked("/products/lamp/stock").at("stocked"), 17);
}

TEST_F(GatewayTest, AnOrderWaitsForItsPaymentWhenAskedTo) {
  a_shop_with_lamps();
  const std::string id = order(kTwoLampsLater);
  while (asked("/products/lamp/stock").at("reserved") != 2) {
  }

  const auto paid = request("POST", "/orders/" + id + "/pay", "{}");
  const auto again = request("POST", "/orders/" + id + "/pay", "{}");

  EXPECT_EQ(paid.status, 200) << paid.body;
  EXPECT_EQ(json::parse(paid.body).at("status"), "COMPLETED");
  EXPECT_EQ(again.body, paid.body);
  EXPECT_EQ(asked("/users/ann/balance").at("paid"), 60);
}

TEST_F(GatewayTest, APaymentThatIsRefusedSaysWhy) {
  a_shop_with_lamps();
  const std::string id = order(
      R"({"userId":"ann","items":[{"productId":"lamp","quantity":9}],"payment":"later"})");

  const auto refused = request("POST", "/orders/" + id + "/pay", "{}");

  EXPECT_EQ(refused.status, 402) << refused.body;
  EXPECT_THAT(refused.body, HasSubstr("INSUFFICIENT_BALANCE"));
  EXPECT_EQ(request("POST", "/orders/" + id + "/process", "{}").status, 409);
}

TEST_F(GatewayTest, AProductKeepsItsFirstStock) {
  a_shop_with_lamps();

  EXPECT_EQ(request("PUT", "/products/lamp", R"({"name":"Lamp","price":30,"stock":11})").status,
            400);
  EXPECT_EQ(request("PUT", "/products/lamp", R"({"name":"Lamp 2","price":31,"stock":10})").status,
            200);
  EXPECT_EQ(asked("/products/lamp").at("name"), "Lamp 2");
}

TEST_F(GatewayTest, ListsTheOrdersOfAUserPageByPage) {
  a_shop_with_lamps();
  for (int i = 0; i < 5; ++i) order(kTwoLamps);

  const auto first = request("GET", "/users/ann/orders?limit=3");
  const auto second =
      request("GET", "/users/ann/orders?limit=3&cursor=" + first.header("next-cursor"));

  EXPECT_THAT(json::parse(first.body).as_array(), SizeIs(3));
  EXPECT_THAT(json::parse(second.body).as_array(), SizeIs(2));
  EXPECT_EQ(second.header("next-cursor"), "");
  EXPECT_EQ(request("GET", "/users/ann/orders?limit=x").status, 400);
}

TEST_F(GatewayTest, RemembersEverythingAfterARestart) {
  a_shop_with_lamps();
  const std::string id = order(kTwoLamps);
  EXPECT_EQ(end_of(id), "COMPLETED");

  open({});

  EXPECT_EQ(end_of(id), "COMPLETED");
  // The product hears of the order's end one step later, and did so before or after the restart.
  while (asked("/products/lamp/stock").at("sold") != 2) {
  }
  EXPECT_EQ(request("GET", "/audit").status, 200);
}

TEST_F(GatewayTest, RequestsThatComeBeforeItIsReadyWaitInsteadOfBeingRefused) {
  a_shop_with_lamps();
  const std::string id = order(kTwoLamps);
  end_of(id);

  begin({});
  RawClient buyer(shop_->port());
  RawClient reader(shop_->port());
  const std::string body = kTwoLamps;
  buyer.send("POST /orders HTTP/1.1\r\nHost: shop\r\nContent-Length: " +
             std::to_string(body.size()) + "\r\n\r\n" + body);
  reader.send("GET /orders/" + id + " HTTP/1.1\r\nHost: shop\r\n\r\n");

  EXPECT_EQ(buyer.read().status, 202);
  EXPECT_EQ(reader.read().status, 200);
}

// A kill between the sync of a command and the sync of what became of it: the customer had been
// told, and for a moment the restarted shop did not know the order.
TEST_F(GatewayTest, ACommandThatWasDurableIsSeenByTheFirstRequestAfterARestart) {
  a_shop_with_lamps();
  shop_.reset();
  {
    StreamsConfig config;
    config.state_dir = directory_;
    auto environment = LocalEnvironment::open(config);
    ASSERT_TRUE(environment) << environment.error().message;
    AsyncProducer producer((*environment)->log(), "before-the-crash");
    producer.send("order.start", "o-1",
                  R"({"orderId":"o-1","userId":"ann","items":[{"productId":"lamp","quantity":1}]})",
                  system_clock().wall_clock(), {}, [](Result<AsyncProducer::Sent> sent) {
                    EXPECT_TRUE(sent) << sent.error().message;
                  });
    producer.close();
  }

  begin({});

  EXPECT_EQ(request("GET", "/orders/o-1").status, 200);
}

TEST_F(GatewayTest, GoodsAndCouponsAreListedById) {
  for (const char* id : {"lamp", "anvil", "rope", "zither", "candle"}) {
    const std::string product =
        R"({"name":")" + std::string(id) + R"(","price":30,"stock":10})";
    EXPECT_EQ(request("PUT", "/products/" + std::string(id), product).status, 201);
  }
  const auto first = request("GET", "/products?limit=3");
  EXPECT_EQ(first.body, R"([{"productId":"anvil","name":"anvil","price":30,"stock":10},)"
                        R"({"productId":"candle","name":"candle","price":30,"stock":10},)"
                        R"({"productId":"lamp","name":"lamp","price":30,"stock":10}])");
  EXPECT_EQ(first.header("next-cursor"), "lamp");
  const auto rest = asked("/products?limit=3&cursor=lamp");
  ASSERT_THAT(rest.as_array(), SizeIs(2));
  EXPECT_EQ(rest.at(1).at("productId"), "zither");
  EXPECT_EQ(request("GET", "/products?limit=0").status, 400);

  EXPECT_EQ(request("GET", "/coupons").body, "[]");
  for (const char* id : {"b", "a"}) {
    EXPECT_EQ(request("POST", "/coupons",
                      R"({"couponId":")" + std::string(id) +
                          R"(","quantity":7,"validFrom":"2020-01-01T00:00:00Z",)"
                          R"("validUntil":"2120-01-01T00:00:00Z"})")
                  .status,
              201);
  }
  EXPECT_EQ(asked("/coupons").at(0).at("couponId"), "a");
  EXPECT_EQ(asked("/coupons").at(1).at("left"), 7);
}

TEST_F(GatewayTest, WithoutReceiversNothingIsDeliveredOrGivenUp) {
  EXPECT_EQ(request("GET", "/dlq").body, "[]");
  EXPECT_EQ(request("GET", "/deliveries").body, "[]");
  EXPECT_EQ(request("GET", "/deliveries?orderId=any").body, "[]");
  EXPECT_EQ(request("GET", "/dlq/any").status, 404);
  EXPECT_EQ(request("POST", "/dlq/any/retry").status, 404);
}

TEST_F(GatewayTest, ASecondShopOnTheSameDataIsRefused) {
  ShopProcessOptions options;
  options.streams.state_dir = directory_;
  options.listen = "127.0.0.1:0";
  ShopProcess second(std::move(options));

  const auto started = second.start();

  ASSERT_FALSE(started.has_value());
  EXPECT_EQ(started.error().code, ErrorCode::kLocked);
}

// --- Coupons --------------------------------------------------------------------------------

constexpr const char* kTenOff =
    R"({"couponId":"ten-off","quantity":1,"validFrom":"2020-01-01T00:00:00Z",)"
    R"("validUntil":"2120-01-01T00:00:00Z","discount":{"percent":10}})";

TEST_F(GatewayTest, ACouponIsOfferedOnceAndShown) {
  EXPECT_EQ(request("POST", "/coupons", kTenOff).status, 201);
  EXPECT_EQ(request("POST", "/coupons", kTenOff).status, 200) << "the same again";
  std::string other = kTenOff;
  other.replace(other.find("10}"), 2, "90");
  EXPECT_EQ(request("POST", "/coupons", other).status, 409);

  const auto coupon = asked("/coupons/ten-off");
  EXPECT_EQ(coupon.at("quantity"), 1);
  EXPECT_EQ(coupon.at("left"), 1);
  EXPECT_EQ(coupon.at("validFrom"), "2020-01-01T00:00:00.000Z");
  EXPECT_EQ(coupon.at("discount").at("percent"), 10);
  EXPECT_EQ(request("GET", "/coupons/none").status, 404);
}

TEST_F(GatewayTest, ABadCouponIsRefusedWithEveryFault) {
  const auto answer = request("POST", "/coupons",
                              R"({"quantity":0,"validFrom":"today","discount":{"percent":101}})");

  EXPECT_EQ(answer.status, 400);
  EXPECT_THAT(answer.body,
              AllOf(HasSubstr("couponId is missing"), HasSubstr("quantity is not between"),
                    HasSubstr("validFrom is no ISO-8601"), HasSubstr("validUntil is missing"),
                    HasSubstr("discount.percent is not between")));
  EXPECT_EQ(answer.header("content-type"), "application/problem+json");
}

TEST_F(GatewayTest, ACouponRequestIsKnownAtOnceAndEndsWithACouponOrAReason) {
  request("POST", "/coupons", kTenOff);
  const auto ask = [&](const std::string& user, const std::string& headers = {}) {
    const auto answer = request("POST", "/coupons/issue",
                                R"({"couponId":"ten-off","userId":")" + user + "\"}", headers);
    EXPECT_EQ(answer.status, 202) << answer.body;
    return std::string(json::parse(answer.body).at("requestId").as_string());
  };
  const auto end_of_request = [&](const std::string& id) {
    for (;;) {
      const auto row = asked("/coupons/requests/" + id);
      if (row.at("status") != "PENDING") return row;
    }
  };

  const std::string first = ask("ann", "Idempotency-Key: k\r\n");
  EXPECT_EQ(ask("ann", "Idempotency-Key: k\r\n"), first);
  const auto won = end_of_request(first);
  const auto lost = end_of_request(ask("bob"));

  EXPECT_EQ(won.at("success"), true);
  EXPECT_EQ(lost.at("success"), false);
  EXPECT_EQ(lost.at("reason"), "OUT_OF_STOCK");
  const auto coupons = asked("/users/ann/coupons").as_array();
  ASSERT_THAT(coupons, SizeIs(1));
  EXPECT_EQ(coupons[0].at("couponHistoryId"), won.at("couponHistoryId"));
  EXPECT_EQ(coupons[0].at("status"), "UNUSED");
  EXPECT_THAT(asked("/users/bob/coupons").as_array(), SizeIs(0));
  EXPECT_EQ(asked("/coupons/ten-off").at("left"), 0);
  EXPECT_EQ(request("GET", "/audit").status, 200);
  EXPECT_EQ(request("GET", "/coupons/requests/none").status, 404);
  EXPECT_EQ(request("POST", "/coupons/issue", R"({"couponId":"other","userId":"ann"})",
                    "Idempotency-Key: k\r\n").status,
            409);
}

// --- What has been sold ---------------------------------------------------------------------

TEST_F(GatewayTest, RanksProductsByWhatCompletedOrdersHave) {
  a_shop_with_lamps();
  EXPECT_EQ(request("PUT", "/products/mug", R"({"name":"Mug","price":1,"stock":10})").status, 201);
  EXPECT_EQ(end_of(order(kTwoLamps)), "COMPLETED");
  EXPECT_EQ(end_of(order(R"({"userId":"ann","items":[{"productId":"mug","quantity":3}]})")),
            "COMPLETED");

  for (const char* window : {"all", "day", "hour"}) {
    const std::string list = std::string("/ranking/products?n=5&window=") + window;
    const std::string expected = R"([{"productId":"mug","name":"Mug","quantity":3,"rank":1},)"
                                 R"({"productId":"lamp","name":"Lamp","quantity":2,"rank":2}])";
    EXPECT_EQ(eventually(list, expected), expected);
  }
  EXPECT_EQ(request("GET", "/products/lamp/rank").body,
            R"({"productId":"lamp","name":"Lamp","quantity":2,"rank":2})");
  EXPECT_EQ(asked("/ranking/products?n=1").as_array().size(), 1u);
  EXPECT_EQ(request("GET", "/products/none/rank").status, 404);
  EXPECT_EQ(request("GET", "/ranking/products?window=year&n=0").status, 400);
}

TEST_F(GatewayTest, AddsUpTheSalesOfAnHour) {
  a_shop_with_lamps();
  // From another program, of an hour of its own.
  const std::string record =
      R"({"key":"o9","timestamp":1795258800000,"value":{"orderId":"o9","userId":"bob",)"
      R"("products":[{"id":"lamp","qty":2},{"id":"mug","qty":1}],"totalAmount":75}})";
  EXPECT_EQ(request("POST", "/v1/topics/order-completed/records", record,
                    "Content-Type: application/json\r\n")
                .status,
            200);

  const std::string expected =
      R"([{"hour":"2026-11-21T11:00:00.000Z","orders":1,"units":3,"amount":75}])";
  EXPECT_EQ(
      eventually("/analytics/sales?from=2026-11-21T11:30:00Z&to=2026-11-21T12:00:00Z", expected),
      expected);
  const std::string lamps = R"({"productId":"lamp","units":2,"revenue":60})";
  EXPECT_EQ(eventually("/analytics/products/lamp", lamps), lamps);
  const std::string bob =
      R"({"userId":"bob","orders":1,"units":3,"spend":75,)"
      R"("favourite":{"productId":"lamp","quantity":2}})";
  EXPECT_EQ(eventually("/analytics/customers/bob", bob), bob);
  EXPECT_EQ(asked("/v1/stores/sales-by-hour/keys/shop").at("items").as_array().size(), 1u);
  EXPECT_EQ(request("GET", "/analytics/sales?from=noon").status, 400);
}

}  // namespace
}  // namespace thalweg::shop
