// What the shop must not answer 2xx to, because no application could read what it would write; and
// what others write that must not break what the shop sends.

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thalweg/runtime/json_text.h>

#include "gateway_fixture.h"
#include "json_fields.h"
#include "tokens.h"

namespace thalweg::shop {
namespace {

namespace json = boost::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

class ShopOverHttp : public GatewayTest {
 protected:
  /// How many records the topic has, dead letters and all.
  std::int64_t records_of(const std::string& topic) {
    std::int64_t records = 0;
    const auto description = topic_named(topic);
    for (const auto& partition : description.at("partitions").as_array()) {
      records += partition.at("end").as_int64();
    }
    return records;
  }
  json::value topic_named(const std::string& name) {
    const auto all = asked("/v1/topics");
    for (const auto& topic : all.at("items").as_array()) {
      if (topic.at("name") == json::string_view(name)) return topic;
    }
    ADD_FAILURE() << "no topic " << name;
    return {};
  }
  std::int64_t hours_kept(const std::string& topic) {
    return topic_named(topic).at("retention_ms").as_int64() / 3'600'000;
  }
  void write(const std::string& topic, const std::string& record) {
    const auto answer = request("POST", "/v1/topics/" + topic + "/records", record,
                                "Content-Type: application/json\r\n");
    EXPECT_EQ(answer.status, 200) << answer.body;
  }
};

// --- Orders that their own saga could not read ----------------------------------------------

TEST_F(ShopOverHttp, RefusesMoreOfAProductThanAnOrderCanSayEvenInSeveralItems) {
  a_shop_with_lamps();

  const auto answer = request("POST", "/orders",
                              R"({"userId":"ann","items":[{"productId":"lamp","quantity":600000},)"
                              R"({"productId":"lamp","quantity":400001}]})");

  EXPECT_EQ(answer.status, 400);
  EXPECT_THAT(answer.body, HasSubstr("items have more than 1000000 of lamp"));
  EXPECT_EQ(records_of("order.start"), 0);
}

TEST_F(ShopOverHttp, RefusesACallerWhoCannotBeAUser) {
  a_shop_with_lamps();
  const std::string items = R"({"items":[{"productId":"lamp","quantity":1}]})";

  for (const std::string& user : {std::string(201, 'u'), std::string("a\x01nn"),
                                  std::string("Ren\xe9"), std::string("\xff\xfe")}) {
    const auto answer = request("POST", "/orders", items, "X-User: " + user + "\r\n");
    EXPECT_EQ(answer.status, 400) << answer.body;
    const auto deposit = request("POST", "/users/ann/deposit", R"({"amount":5})",
                                 "X-User: " + user + "\r\n");
    EXPECT_EQ(deposit.status, 400) << deposit.body;
  }
  EXPECT_EQ(records_of("order.start"), 0);
  order(items, "X-User: Ren\xc3\xa9\r\n");
}

TEST_F(ShopOverHttp, RefusesATokenThatSpeaksForNobodyWhoCanBeAUser) {
  ShopConfig config;
  config.auth_secret = "secret";
  open(config);

  for (const std::string& user : {std::string(201, 'u'), std::string("a\nnn")}) {
    const auto answer =
        request("POST", "/orders", R"({"items":[{"productId":"lamp","quantity":1}]})",
                "Authorization: Bearer " + make_token(user, "secret", 0) + "\r\n");
    EXPECT_EQ(answer.status, 401) << answer.body;
  }
  EXPECT_EQ(records_of("order.start"), 0);
}

TEST_F(ShopOverHttp, RefusesAProductWhoseEventsNobodyCouldRead) {
  const std::string lamp = R"({"name":"Lamp","price":30,"stock":10})";

  EXPECT_EQ(request("PUT", "/products/a%0Ab", lamp).status, 400);
  EXPECT_EQ(request("PUT", "/products/" + std::string(201, 'p'), lamp).status, 400);
  EXPECT_EQ(request("PUT", "/products/" + std::string(200, 'p'), lamp).status, 201);
  EXPECT_EQ(records_of("product-commands"), 1);
}

TEST_F(ShopOverHttp, RefusesANumberThatItCouldNotWriteAgain) {
  a_shop_with_lamps();
  const std::string id = order(kTwoLampsLater);

  for (const std::string number : {"1e400", "-1e400", "[[2, 1e999999]]"}) {
    const std::string shipment = R"("shipment":{"weight":)" + number + "}}";
    const auto bought = request("POST", "/orders",
                                R"({"userId":"ann","items":[{"productId":"lamp","quantity":1}],)"
                                R"("payment":"later",)" + shipment);
    EXPECT_EQ(bought.status, 400) << number;
    EXPECT_THAT(bought.body, HasSubstr("a number is too large"));
    EXPECT_EQ(request("POST", "/orders/" + id + "/process", "{" + shipment).status, 400) << number;
  }
  EXPECT_EQ(records_of("order.start"), 1);
  EXPECT_EQ(records_of("order-processing-topic"), 0);
  EXPECT_EQ(asked("/orders/" + id).at("status"), "PENDING");
}

// The record of an order that waits carries the body one deeper than the customer wrote it.
TEST_F(ShopOverHttp, RefusesABodyThatIsNestedDeeperThanItsRecordCanBe) {
  a_shop_with_lamps();
  const auto nested = [](int depth) {  // A body of that depth.
    std::string json = R"({"shipment":)";
    for (int i = 1; i < depth; ++i) json += R"({"a":)";
    return json + "1" + std::string(static_cast<std::size_t>(depth), '}');
  };
  const std::string id = order(kTwoLampsLater);

  for (const int depth : {63, 64, 65}) {
    for (const char* command : {"/process", "/payment", "/pay"}) {
      const auto answer = request("POST", "/orders/" + id + command, nested(depth));
      EXPECT_EQ(answer.status, 400) << command << ' ' << depth;
      EXPECT_THAT(answer.body, HasSubstr("nested deeper than 62"));
    }
  }
  EXPECT_EQ(records_of("order-processing-topic") + records_of("payment-processing-topic"), 0);

  EXPECT_EQ(request("POST", "/orders/" + id + "/process", nested(62)).status, 202);
  const auto bought = request("GET", "/orders/" + id + "?wait=20000");
  EXPECT_THAT(bought.body, HasSubstr(R"("status":"COMPLETED")"));
  EXPECT_TRUE(parse_json(request("GET", "/users/ann/orders").body).has_value());
  EXPECT_EQ(records_of("order-processing-topic.dlq"), 0);
}

// A product there could be put, and never be seen: GET is the list.
TEST_F(ShopOverHttp, RefusesAProductInThePlaceOfAList) {
  const std::string lamp = R"({"name":"Lamp","price":30,"stock":10})";

  for (const std::string id : {"popular", "trending"}) {
    const auto answer = request("PUT", "/products/" + id, lamp);
    EXPECT_EQ(answer.status, 400);
    EXPECT_THAT(answer.body, HasSubstr("the list GET /products/" + id));
  }
  EXPECT_EQ(records_of("product-commands"), 0);
}

TEST_F(ShopOverHttp, NamesAFaultOnceAndTakesNullForAbsent) {
  const auto product = request("PUT", "/products/lamp", R"({"name":"Lamp","price":30,"stock":-1})");
  EXPECT_THAT(product.body, AllOf(HasSubstr("stock is not between"), Not(HasSubstr("missing"))));
  const auto unnamed = request("PUT", "/products/lamp", R"({"name":"Lamp","price":30})");
  EXPECT_THAT(unnamed.body, HasSubstr("stock is missing"));

  const auto bought = request("POST", "/orders", R"({"userId":7,"items":[]})");
  EXPECT_THAT(bought.body, AllOf(HasSubstr("userId is not a string"), Not(HasSubstr("missing"))));
  for (const char* user : {R"({"userId":null})", R"({"userId":""})", "{}"}) {
    EXPECT_THAT(request("POST", "/orders", user).body, HasSubstr("userId is missing")) << user;
  }

  const auto coupon = [&](const std::string& discount) {
    return request("POST", "/coupons",
                   R"({"couponId":"ten-off","quantity":1,"validFrom":"2020-01-01T00:00:00Z",)"
                   R"("validUntil":"2120-01-01T00:00:00Z","discount":)" + discount + "}");
  };
  EXPECT_EQ(coupon(R"({"amount":null,"percent":10})").status, 201);
  EXPECT_EQ(coupon(R"({"amount":5,"percent":10})").status, 400);
  EXPECT_EQ(coupon(R"({"amount":null,"percent":null})").status, 400);
}

// --- Times that cannot be -------------------------------------------------------------------

TEST_F(ShopOverHttp, BelievesNobodyWhoIsFarAheadOfItsClock) {
  const auto records = [this](const std::string& topic, std::int64_t expected) {
    std::int64_t found = 0;
    for (int asked = 0; asked < 20'000 && found < expected; ++asked) found = records_of(topic);
    return found;
  };
  const std::string view = R"("value":{"productId":"lamp"}})";

  const auto refused = request("POST", "/v1/topics/view-log-topic/records",
                               R"({"key":"lamp","timestamp":9223372036854775807,)" + view,
                               "Content-Type: application/json\r\n");
  write("view-log-topic", R"({"key":"lamp","timestamp":200000000000000,)" + view);
  write("order-completed",
        R"({"key":"o1","timestamp":200000000000000,"value":{"orderId":"o1","userId":"ann",)"
        R"("products":[{"id":"lamp","qty":1}],"totalAmount":30}})");

  EXPECT_EQ(refused.status, 400) << refused.body;
  EXPECT_EQ(records("view-log-topic.dlq", 1), 1);
  EXPECT_EQ(records("order-completed.dlq", 2), 2) << "ranking and analytics read it";
  EXPECT_EQ(shop_->failure(), "");
}

// --- Keys that are used twice ---------------------------------------------------------------

TEST_F(ShopOverHttp, RefusesAKeyOfAnotherDepositOrRestock) {
  a_shop_with_lamps();
  const auto deposit = [&](const char* body) {
    return request("POST", "/users/ann/deposit", body, "Idempotency-Key: k\r\n");
  };
  const auto restock = [&](const char* body) {
    return request("POST", "/products/lamp/restock", body, "Idempotency-Key: k\r\n");
  };

  EXPECT_EQ(deposit(R"({"amount":100})").status, 200);
  EXPECT_EQ(restock(R"({"quantity":7})").status, 200);
  const auto other = deposit(R"({"amount":500})");
  EXPECT_EQ(other.status, 409);
  EXPECT_THAT(other.body, HasSubstr("idempotency_key_reused"));
  EXPECT_EQ(restock(R"({"quantity":8})").status, 409);

  EXPECT_EQ(deposit(R"({"amount":100})").status, 200) << "a retry";
  EXPECT_EQ(restock(R"({"quantity":7})").status, 200);
  EXPECT_EQ(asked("/users/ann/balance").at("deposited"), 200);
  EXPECT_EQ(asked("/products/lamp/stock").at("stocked"), 17);
}

TEST_F(ShopOverHttp, RefusesAKeyOfAnOrderThatOnlyItsOptionsTellApart) {
  a_shop_with_lamps();
  const auto buy = [&](const std::string& options) {
    return request("POST", "/orders",
                   R"({"userId":"ann","items":[{"productId":"lamp","quantity":1}])" + options + "}",
                   "Idempotency-Key: k\r\n");
  };
  const std::string later = R"(,"payment":"later")";
  const std::string ulm = later + R"(,"shipment":{"city":"Ulm","weight":1.7})";

  const auto first = buy(ulm);
  EXPECT_EQ(first.status, 202);
  EXPECT_EQ(buy(ulm).body, first.body) << "a retry";
  EXPECT_EQ(buy(R"(, "shipment" : {"city": "Ulm", "weight": 1.7}, "couponId" : null)" + later).body,
            first.body)
      << "the same in other words";

  for (const std::string& other :
       {std::string(), later, ulm + R"(,"couponId":"ten-off")", ulm + R"(,"warehouseStorage":true)",
        later + R"(,"shipment":{"city":"Bonn","weight":1.7})",
        std::string(R"(,"shipment":{"city":"Ulm","weight":1.7})")}) {
    const auto answer = buy(other);
    EXPECT_EQ(answer.status, 409) << other;
    EXPECT_THAT(answer.body, HasSubstr("idempotency_key_reused"));
  }
  EXPECT_EQ(records_of("order.start"), 1);
}

// --- What is kept ---------------------------------------------------------------------------

TEST_F(ShopOverHttp, KeepsAnswersForTheSagaLongerThanItMayBeDown) {
  for (const char* topic :
       {"stock-replies", "payment-replies", "coupon-replies", "saga-timeouts"}) {
    EXPECT_EQ(hours_kept(topic), 30 * 24) << topic;
  }
  EXPECT_EQ(hours_kept("inbox"), 24);
  EXPECT_EQ(hours_kept("view-log-topic"), 7 * 24);
}

// --- What is sent ---------------------------------------------------------------------------

TEST_F(ShopOverHttp, SendsANoticeOfSeveralLinesAsOneEvent) {
  testing::RawClient listener(shop_->port());
  listener.send("GET /events HTTP/1.1\r\nHost: shop\r\nX-User: ann\r\n\r\n");
  listener.read_until("retry: 1000");

  // As programs write JSON that people are to read.
  write("notification-events",
        "{\"key\":\"o1\",\"value\":{\n  \"type\": \"ORDER_COMPLETED\",\r\n\n"
        "  \"orderId\": \"o1\",\n  \"userId\": \"ann\"\n}}");

  listener.read_until("data: ");
  std::string event = listener.read_until("\n\n");
  event.resize(event.size() - 2);
  EXPECT_THAT(event, Not(HasSubstr("\n")));
  EXPECT_EQ(json::parse(event).at("body").at("userId"), "ann");
}

/// A WebSocket, as far as it is needed: what is read is looked for among the server's frames.
class Socket {
 public:
  Socket(std::uint16_t port, const std::string& target) : client_(port) {
    client_.send("GET " + target +
                 " HTTP/1.1\r\nHost: shop\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                 "Sec-WebSocket-Version: 13\r\n"
                 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    client_.read_until("\r\n\r\n");
  }
  /// Asks for the destination; of at most 125 bytes with what is around it.
  void subscribe(const std::string& destination) {
    const std::string text = R"({"op":"subscribe","destination":")" + destination + "\"}";
    std::string frame = {'\x81', static_cast<char>(0x80 | text.size()), 0, 0, 0, 0};
    client_.send(frame + text);
  }
  std::string read_until(std::string_view mark) { return client_.read_until(mark); }

 private:
  testing::RawClient client_;
};

TEST_F(ShopOverHttp, TellsOperatorsAloneOfAlertsOverWebSocket) {
  ShopConfig config;
  config.auth_secret = "secret";
  config.admin_token = "operators";
  open(config);
  Socket ann(shop_->port(), "/ws?access_token=" + make_token("ann", "secret", 0));
  Socket operators(shop_->port(), "/ws?access_token=operators");

  ann.subscribe("/topic/admin-alerts");
  EXPECT_THAT(ann.read_until("}"), HasSubstr("this belongs to operators"));
  operators.subscribe("/topic/admin-alerts");
  operators.subscribe("/queue/notifications");
  EXPECT_THAT(operators.read_until("}"), HasSubstr("this belongs to a customer"));
  for (const char* value : {R"("no object, but JSON")", R"({"source":"here","reason":"why"})"}) {
    const auto written = request("POST", "/v1/topics/admin-alerts/records",
                                 R"({"key":"k","value":)" + std::string(value) + "}",
                                 "Authorization: Bearer operators\r\n"
                                 "Content-Type: application/json\r\n");
    EXPECT_EQ(written.status, 200) << written.body;
  }

  EXPECT_THAT(operators.read_until("}}"),
              AllOf(HasSubstr(R"({"destination":"/topic/admin-alerts","id":)"),
                    HasSubstr(R"("body":{"source":"here","reason":"why"}})")));
}

TEST_F(ShopOverHttp, TellsWhoeverAsksOfAlertsWhileItIsBeingDeveloped) {
  Socket socket(shop_->port(), "/ws?userId=ann");

  socket.subscribe("/topic/admin-alerts");
  socket.subscribe("/topic/admin-alerts");
  EXPECT_THAT(socket.read_until("}"), HasSubstr("there is a subscription"));
  write("admin-alerts", R"({"key":"k","value":{"source":"here"}})");

  EXPECT_THAT(socket.read_until("}}"), HasSubstr(R"("body":{"source":"here"}})"));
}

TEST_F(ShopOverHttp, RaisesAnAlertOfWhateverItCannotRead) {
  for (const char* topic : {"order.start", "coupon-requests", "view-log-topic"}) {
    write(topic, R"({"key":"k","value":"garbage"})");
    const std::string expected = R"("source":")" + std::string(topic) + "\"";
    std::string alerts;
    for (int i = 0; i < 20'000 && alerts.find(expected) == std::string::npos; ++i) {
      alerts = request("GET", "/v1/topics/admin-alerts/records").body;
    }
    EXPECT_THAT(alerts, HasSubstr(expected));
  }
}

TEST_F(ShopOverHttp, TellsNobodyOfALongerNameThanAnyCustomerHas) {
  const std::string name(kIdLengthMax + 1, 'a');

  EXPECT_EQ(request("GET", "/events?userId=" + name).status, 400);
  testing::RawClient client(shop_->port());
  const auto answer = client.get("/ws?userId=" + name,
                                 "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                                 "Sec-WebSocket-Version: 13\r\n"
                                 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n");
  EXPECT_EQ(answer.status, 400);
}

TEST_F(ShopOverHttp, TellsEverythingToAListenerWhoseLastEventIsEmpty) {
  testing::RawClient listener(shop_->port());
  listener.send("GET /events HTTP/1.1\r\nHost: shop\r\nX-User: ann\r\nLast-Event-ID:\r\n\r\n");

  EXPECT_THAT(listener.read_until("retry: 1000"), HasSubstr(" 200 "));
}

// --- The audit ------------------------------------------------------------------------------

TEST_F(ShopOverHttp, AuditsWhatItWroteWhateverOthersWroteBesideIt) {
  a_shop_with_lamps();
  EXPECT_EQ(end_of(order(kTwoLamps)), "COMPLETED");
  write("coupon-results", R"({"key":"user:ann","value":"garbage"})");
  write("order.processed", R"({"key":"12","value":{"orderId":12,"userId":"eve"}})");

  const auto audit = request("GET", "/audit");
  EXPECT_EQ(audit.status, 200) << audit.body;
  EXPECT_THAT(audit.body,
              HasSubstr(R"("unreadableOfOthers":{"count":1,"newest":[{"topic":"coupon-results",)"));
}

TEST_F(ShopOverHttp, NamesARecordOfItsOwnThatTheAuditCannotRead) {
  write("payment-events", R"({"key":"o1","value":{"type":"PAYMENT_COMPLETED"}})");

  const auto audit = request("GET", "/audit");
  EXPECT_EQ(audit.status, 500);
  EXPECT_THAT(audit.body, HasSubstr("records that cannot be read = 0 does not hold for "
                                    "payment-events-"));
}

// --- Who is told what -----------------------------------------------------------------------

TEST_F(ShopOverHttp, RecommendsToACustomerWhomOnlyTheirTokenKnows) {
  ShopConfig config;
  config.auth_secret = "secret";
  open(config);
  const auto headers = [](const Claims& claims) {
    return "Authorization: Bearer " + make_token(claims, "secret", 0) + "\r\n";
  };
  const std::string ann = headers({.user_id = "ann", .age = 33, .gender = "female"});
  const std::string eve = headers({.user_id = "eve", .age = 35, .gender = "female"});
  const std::string lamp = R"({"name":"Lamp","price":30,"stock":10})";
  EXPECT_EQ(request("PUT", "/products/lamp", lamp, ann).status, 201);
  EXPECT_EQ(request("GET", "/products/lamp", {}, eve).status, 200);

  const std::string expected =
      R"([{"productId":"lamp","name":"Lamp","reason":"SEGMENT","views":1}])";
  std::string answer;
  for (int i = 0; i < 20'000 && answer != expected; ++i) {
    answer = request("GET", "/users/ann/recommendations", {}, ann).body;
  }
  EXPECT_EQ(answer, expected);
  EXPECT_EQ(request("GET", "/users/bob/recommendations", {}, ann).status, 403);
}

TEST_F(ShopOverHttp, ListsTheDeliveriesOfAnOrderPageByPage) {
  ShopConfig config;
  config.delivery.webhook_url = "http://127.0.0.1:1";
  config.delivery.analytics_url = "http://127.0.0.1:1";
  open(config);
  a_shop_with_lamps();
  const std::string id = order(kTwoLamps);
  const std::string all = "/deliveries?orderId=" + id;
  while (asked(all).as_array().size() < 2) {
  }

  const auto first = request("GET", all + "&limit=1");
  const auto second = request("GET", all + "&limit=1&cursor=" + first.header("next-cursor"));

  ASSERT_THAT(json::parse(first.body).as_array(), SizeIs(1));
  ASSERT_THAT(json::parse(second.body).as_array(), SizeIs(1));
  EXPECT_NE(json::parse(first.body).at(0).at("id"), json::parse(second.body).at(0).at("id"));
  EXPECT_EQ(second.header("next-cursor"), "");
}

TEST_F(ShopOverHttp, SendsADeadLetterAgainOnceForOneKeyThoughItDiesAgain) {
  ShopConfig config;
  config.delivery.webhook_url = "http://127.0.0.1:1";
  config.delivery.retry_after = {std::chrono::milliseconds(1)};
  open(config);
  a_shop_with_lamps();
  const std::string deliveries = "/deliveries?orderId=" + order(kTwoLamps);
  const auto dies_after = [&](std::int64_t attempts) {
    for (int i = 0; i < 20'000; ++i) {
      const auto all = asked(deliveries).as_array();
      if (all.empty() || all[0].at("status") != "DEAD_LETTER") continue;
      if (all[0].at("attempts") == attempts) return std::string(all[0].at("id").as_string());
    }
    ADD_FAILURE() << "it did not die after " << attempts << " attempts";
    return std::string();
  };
  const std::string letter = "/dlq/" + dies_after(2);
  const auto post = [&](const std::string& what) {
    return request("POST", letter + what, {}, "Idempotency-Key: k\r\n").status;
  };

  EXPECT_EQ(post("/retry"), 202);
  dies_after(4);
  EXPECT_EQ(post("/retry"), 202);
  EXPECT_EQ(post("/discard"), 202);
  EXPECT_EQ(asked(deliveries).at(0).at("status"), "DISCARDED");
  EXPECT_EQ(asked(deliveries).at(0).at("attempts"), 4);
}

TEST_F(ShopOverHttp, DoesNotKnowTheViewsOfAProductThatIsNotThere) {
  a_shop_with_lamps();

  EXPECT_EQ(request("GET", "/products/none/views").status, 404);
  EXPECT_EQ(request("GET", "/products/lamp/views").status, 200);
}

}  // namespace
}  // namespace thalweg::shop
