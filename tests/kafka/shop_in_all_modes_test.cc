// The shop's stories on the embedded log, on Apache Kafka, and there as four processes: each runs
// in all three, and what it expects does not depend on the mode.

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <thread>

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "end_to_end/load_under_crashes.h"
#include "end_to_end/web_socket_client.h"
#include "flashsale/report.h"
#include "kafka/programs.h"
#include "kafka/shop_rig.h"

namespace thalweg::testing {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using end_to_end::cancelled_for;
using end_to_end::completed;
using end_to_end::orders_in_files;
using end_to_end::ShopClient;
using end_to_end::stomp;
using end_to_end::WebSocketClient;
using ::testing::_;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::SizeIs;
using ::testing::Values;
using Clock = std::chrono::steady_clock;

/// Shops are started once for each mode, and both on Kafka have one cluster: so names are of one
/// story in one mode.
class ShopInAllModes : public ::testing::TestWithParam<ShopMode> {
 protected:
  static std::unique_ptr<ShopRig>& rig() {
    static std::unique_ptr<ShopRig> rig;
    return rig;
  }
  static void TearDownTestSuite() { rig().reset(); }

  void SetUp() override {
    RecordProperty("mode", name_of(GetParam()));
    if (!rig()) rig() = std::make_unique<ShopRig>(GetParam());
  }
  void TearDown() override {
    if (HasFailure()) std::cout << "in the shop " << name_of(GetParam()) << '\n';
  }

  ShopClient& customer() { return rig()->customer(); }
  static std::string own(const std::string& name) {
    return name + "-" + std::to_string(static_cast<int>(GetParam()));
  }

  /// What `look` says once `wanted` likes it; the last of it after two minutes.
  template <typename Look, typename Wanted>
  auto soon(Look look, Wanted wanted) {
    const auto end = Clock::now() + 2min;
    for (;;) {
      auto seen = look();
      if (wanted(seen) || Clock::now() > end) return seen;
      std::this_thread::sleep_for(20ms);
    }
  }
  std::string body_of(const std::string& path) { return customer().request("GET", path).body; }
  std::string body_with(const std::string& path, const std::string& text) {
    return soon([&] { return body_of(path); },
                [&](const std::string& body) { return body.contains(text); });
  }

  /// A product and a user who can pay for a lot of it.
  void open(const std::string& product, const std::string& user, std::int64_t units = 10'000) {
    customer().stock(product, 4'900, units);
    customer().register_user(user);
    customer().deposit(user, 1'000'000'000);
  }

  /// Those of the order whose ids are wanted.
  json::array deliveries_of(const std::string& order,
                            const std::function<bool(std::string_view)>& is_wanted) {
    const auto answer = customer().request("GET", "/deliveries?orderId=" + order);
    if (answer.status != 200) return {};
    json::array found;
    const json::value list = json::parse(answer.body);
    for (const auto& delivery : list.as_array()) {
      if (is_wanted(delivery.at("id").as_string())) found.push_back(delivery);
    }
    return found;
  }
  /// The order's webhook once its delivery has that status and so many attempts.
  json::object delivery(const std::string& order, std::string_view status, int attempts) {
    const auto is_webhook = [](std::string_view id) { return !id.starts_with("order.processed"); };
    const auto seen = soon([&] { return deliveries_of(order, is_webhook); },
                           [&](const json::array& list) {
                             return list.size() == 1 &&
                                    list[0].at("status") == json::string(status) &&
                                    list[0].at("attempts") == attempts;
                           });
    EXPECT_THAT(seen, SizeIs(1));
    if (seen.empty()) return {};
    EXPECT_EQ(seen[0].at("status"), json::string(status)) << seen;
    EXPECT_EQ(seen[0].at("attempts"), attempts) << seen;
    return seen[0].as_object();
  }

  /// All records of the topic that are JSON objects whose `field` is `value`, by partition.
  std::vector<json::array> records(const std::string& topic, const std::string& field,
                                   const std::string& value) {
    std::vector<json::array> found(3);
    for (int partition = 0; partition < 3; ++partition) {
      std::int64_t offset = 0;
      for (std::size_t size = 1; size > 0;) {
        const auto page = customer().request(
            "GET", "/v1/topics/" + topic + "/records?limit=1000&partition=" +
                       std::to_string(partition) + "&offset=" + std::to_string(offset));
        EXPECT_EQ(page.status, 200) << page.body;
        const auto parsed = json::parse(page.body);
        const auto& items = parsed.at("items").as_array();
        size = items.size();
        for (const auto& item : items) {
          offset = item.at("offset").as_int64() + 1;
          const auto& record = item.at("value").as_object();
          if (record.contains(field) && record.at(field) == json::string(value)) {
            found[static_cast<std::size_t>(partition)].push_back(record);
          }
        }
      }
    }
    return found;
  }
};

/// What curl says to `url`.
json::value curl(const std::string& method, const std::string& url, const std::string& body = {}) {
  std::vector<std::string> command = {"curl", "-sS", "--fail-with-body", "-X", method, url};
  if (!body.empty()) command.insert(command.end(), {"-d", body});
  const auto result = run_program(command);
  EXPECT_EQ(result.exit_code, 0) << method << ' ' << url << ": " << result.output;
  return json::parse(result.output);
}

TEST_P(ShopInAllModes, ThreeLinesOfCurlMakeAnOrder) {
  const std::string url = "http://127.0.0.1:" + std::to_string(rig()->port());
  curl("PUT", url + "/products/" + own("kettle"), R"({"name":"Kettle","price":2450,"stock":5})");
  curl("POST", url + "/users/" + own("curly") + "/deposit", R"({"amount":10000})");
  const auto order = curl("POST", url + "/orders",
                          R"({"userId":")" + own("curly") + R"(","items":[{"productId":")" +
                              own("kettle") + R"(","quantity":2}]})");

  const std::string id(order.at("orderId").as_string());
  EXPECT_EQ(order.at("websocketTopic"), json::string("/topic/order/" + id));
  EXPECT_TRUE(curl("GET", url + "/orders/" + id).at("status").is_string());
  EXPECT_EQ(customer().end_of(id), completed());
  EXPECT_EQ(customer().balance(own("curly")), 10'000 - 2 * 2'450);
  EXPECT_EQ(customer().available(own("kettle"), 3), 3);
  EXPECT_EQ(customer().end_of(customer().order(own("curly"), own("kettle"), 4)),
            cancelled_for("OUT_OF_STOCK"));
  EXPECT_EQ(customer().end_of(customer().order(own("curly"), own("kettle"), 3)),
            cancelled_for("INSUFFICIENT_BALANCE"));
  EXPECT_EQ(customer().available(own("kettle"), 3), 3);
  EXPECT_EQ(customer().audit_status(), 200);
}

TEST_P(ShopInAllModes, WhatIsPaidLaterIsAnsweredAfterTheCommit) {
  open(own("stove"), own("late-payer"));
  const auto order = json::parse(customer()
                                     .request("POST", "/orders",
                                              R"({"userId":")" + own("late-payer") +
                                                  R"(","payment":"later",)"
                                                  R"("items":[{"productId":")" +
                                                  own("stove") + R"(","quantity":1}]})")
                                     .body);
  const std::string path = "/orders/" + std::string(order.at("orderId").as_string());
  EXPECT_THAT(body_with(path, R"("PENDING")"), HasSubstr(R"("status":"PENDING")"));

  const auto paid = customer().request("POST", path + "/pay", "{}");

  EXPECT_EQ(paid.status, 200) << paid.body;
  EXPECT_THAT(body_of(path), HasSubstr(R"("status":"COMPLETED")"));
  EXPECT_THAT(body_with("/users/" + own("late-payer") + "/orders", "COMPLETED"),
              HasSubstr(path.substr(8)));
}

// --- Coupons --------------------------------------------------------------------------------

/// Asks for the coupon for every `step`th user, many requests ahead of their answers.
int ask_for_coupons(std::uint16_t port, const std::string& coupon, int first, int users, int step) {
  constexpr int kAhead = 50;
  RawClient client(port);
  int accepted = 0;
  int unanswered = 0;
  const auto take = [&] { accepted += client.read().status == 202 ? 1 : 0; };
  for (int number = first; number < users; number += step) {
    const std::string body =
        R"({"userId":"c)" + std::to_string(number) + R"(","couponId":")" + coupon + "\"}";
    client.send("POST /coupons/issue HTTP/1.1\r\nHost: shop\r\nContent-Length: " +
                std::to_string(body.size()) + "\r\n\r\n" + body);
    if (++unanswered < kAhead) continue;
    take();
    --unanswered;
  }
  for (; unanswered > 0; --unanswered) take();
  return accepted;
}

/// A thousand coupons for ten thousand users. Where a request takes as long as a transaction of
/// Kafka, a fifth of that, unless RUSH_USERS says how many.
int users_of_the_rush(ShopMode mode) {
  if (const char* users = std::getenv("RUSH_USERS")) return std::atoi(users);
  return mode == ShopMode::kEmbedded ? 10'000 : 2'000;
}

TEST_P(ShopInAllModes, CouponsWantedByTenTimesAsManyGoToThoseWhoCameFirst) {
  const int users = users_of_the_rush(GetParam());
  const int coupons = users / 10;
  constexpr int kConnections = 16;
  const auto offered = customer().request("POST", "/coupons",
                                          R"({"couponId":")" + own("rush") +
                                              R"(","validFrom":"2020-01-01T00:00:00Z",)"
                                              R"("validUntil":"2120-01-01T00:00:00Z","quantity":)" +
                                              std::to_string(coupons) + "}");
  ASSERT_EQ(offered.status, 201) << offered.body;

  const auto begin = Clock::now();
  std::atomic<int> accepted = 0;
  {
    std::vector<std::jthread> askers;
    for (int i = 0; i < kConnections; ++i) {
      askers.emplace_back([&, i] {
        accepted += ask_for_coupons(rig()->port(), own("rush"), i, users, kConnections);
      });
    }
  }
  EXPECT_EQ(accepted, users);
  const auto results = soon([&] { return records("coupon-results", "couponId", own("rush")); },
                            [&](const auto& all) {
                              return all[0].size() + all[1].size() + all[2].size() ==
                                     static_cast<std::size_t>(users);
                            });
  RecordProperty("seconds",
                 std::to_string(std::chrono::duration<double>(Clock::now() - begin).count()));

  std::map<std::string, bool> success;
  std::multiset<std::string> winners;
  for (const auto& partition : results) {
    for (const auto& result : partition) {
      const bool won = result.at("success").as_bool();
      EXPECT_TRUE(success.emplace(result.at("requestId").as_string(), won).second);
      if (won) winners.emplace(result.at("userId").as_string());
    }
  }
  EXPECT_THAT(success, SizeIs(users));
  EXPECT_THAT(winners, SizeIs(coupons));
  EXPECT_THAT(std::set<std::string>(winners.begin(), winners.end()), SizeIs(coupons));
  // Within a partition requests reach their coupon in order: those that got one come first.
  for (const auto& partition : records("coupon-requests", "couponId", own("rush"))) {
    bool refused = false;
    for (const auto& request : partition) {
      const bool won = success.at(std::string(request.at("requestId").as_string()));
      EXPECT_FALSE(won && refused) << request << " overtook another one";
      refused |= !won;
    }
  }
  EXPECT_THAT(body_of("/coupons/" + own("rush")),
              HasSubstr("\"issued\":" + std::to_string(coupons) + ",\"left\":0"));
  EXPECT_EQ(customer().audit_status(), 200);
}

// --- The outside ----------------------------------------------------------------------------

TEST_P(ShopInAllModes, AProviderThatTimesOutAndFailsTwiceIsPaidOnce) {
  open(own("tent"), own("payer"));
  rig()->payments().behave({.fail_next = 2, .delay_next = 1, .delay = 2s});
  const std::string order = customer().order(own("payer"), own("tent"), 1);

  EXPECT_EQ(customer().end_of(order), completed());
  EXPECT_EQ(rig()->payments().received().at(order).requests, 4)
      << "two failures, one silence, one answer";
  EXPECT_EQ(rig()->payments().charges().at(order).charges, 1);
  EXPECT_EQ(customer().balance(own("payer")), 1'000'000'000 - 4'900);
}

TEST_P(ShopInAllModes, AWebhookIsTriedOnScheduleThroughAKillThenDeadThenSentAgainWhenAsked) {
  open(own("rope"), own("climber"));
  rig()->close_webhooks();
  const std::string order = customer().order(own("climber"), own("rope"), 1);
  EXPECT_EQ(customer().end_of(order), completed());
  const auto before = delivery(order, "FAILED", ShopRig::kAttempts - 1);
  rig()->kill_and_restart_deliveries();

  const auto dead = delivery(order, "DEAD_LETTER", ShopRig::kAttempts);
  EXPECT_GE(dead.at("updatedAt").as_string(), before.at("nextAttemptAt").as_string());
  const std::string id(dead.at("id").as_string());
  EXPECT_THAT(body_with("/dlq/" + id, id), HasSubstr(order));
  EXPECT_THAT(body_with("/v1/topics/admin-alerts/records?limit=1000", id), HasSubstr(id));
  EXPECT_THAT(body_with("/v1/topics/external-events.dlq/records?limit=1000", order),
              HasSubstr(order));
  EXPECT_THAT(rig()->output(), HasSubstr("delivery " + id + ": given up"));

  rig()->open_webhooks();
  EXPECT_EQ(customer().request("POST", "/dlq/" + id + "/retry").status, 202);
  delivery(order, "COMPLETED", ShopRig::kAttempts + 1);
  EXPECT_EQ(rig()->webhooks().received().at(id).accepted, 1);
}

TEST_P(ShopInAllModes, AProcessedOrderIsInTheFilesOnceAndInTheBucketWhoeverIsKilled) {
  open(own("book"), own("reader"));
  rig()->bucket().fail_next(2);
  std::vector<std::string> orders;
  for (int kill = 0; kill < 2; ++kill) {
    for (int i = 0; i < 5; ++i) orders.push_back(customer().order(own("reader"), own("book"), 1));
    rig()->kill_and_restart_deliveries();
  }
  for (const auto& order : orders) {
    EXPECT_EQ(customer().end_of(order), completed());
    for (const std::string receiver : {"files", "s3"}) {
      const std::string id = "order.processed." + receiver + "-" + order;
      const auto seen = soon(
          [&] { return deliveries_of(order, [&](std::string_view one) { return one == id; }); },
          [](const json::array& list) {
            return list.size() == 1 && list[0].at("status") == "COMPLETED";
          });
      EXPECT_THAT(seen, SizeIs(1));
      EXPECT_EQ(seen.at(0).at("status"), "COMPLETED") << seen;
    }
  }

  const auto in_files = orders_in_files(rig()->processed_files());
  EXPECT_THAT(in_files, Each(Pair(_, 1)));
  std::string in_bucket;
  for (const auto& [path, object] : rig()->bucket().objects()) in_bucket += object;
  for (const auto& order : orders) {
    EXPECT_TRUE(in_files.contains(order)) << order;
    EXPECT_THAT(in_bucket, HasSubstr(order));
  }
}

// --- Views ----------------------------------------------------------------------------------

std::string iso8601_ago(std::chrono::seconds ago) {
  const std::time_t then = std::time(nullptr) - ago.count();
  char text[32];
  std::strftime(text, sizeof text, "%FT%TZ", std::gmtime(&then));
  return text;
}

TEST_P(ShopInAllModes, ALateViewCountsWhereThereIsStillRoomForIt) {
  customer().stock(own("map"), 700, 1);
  const auto view_of = [&](std::chrono::seconds late) {
    const std::string record = R"({"key":")" + own("map") + R"(","value":{"productId":")" +
                               own("map") +
                               R"(","email":null,)"
                               R"("age":null,"gender":null,"at":")" +
                               iso8601_ago(late) + R"("}})";
    EXPECT_EQ(customer().request("POST", "/v1/topics/view-log-topic/records", record).status, 200);
  };
  const auto counted = [&](const std::string& window, int views) {
    return body_with(
        "/products/" + own("map") + "/views?window=" + window + "&from=" + iso8601_ago(30h),
        R"("views":)" + std::to_string(views));
  };
  ASSERT_EQ(customer().request("GET", "/products/" + own("map")).status, 200);
  EXPECT_THAT(counted("1d", 1), HasSubstr(R"("views":1,)"));  // Now there is a time to be behind.
  view_of(2min);
  EXPECT_THAT(counted("1m", 2), HasSubstr(R"("views":2,)"));
  view_of(2h);

  EXPECT_THAT(counted("1d", 3), HasSubstr(R"("views":3,)"));
  EXPECT_THAT(counted("1h", 2), HasSubstr(R"("views":2,)"));
  const auto late = soon(
      [&] { return json::serialize(json::value_from(records("view-log-late", "window", "1h"))); },
      [&](const std::string& all) { return all.contains(own("map")); });
  EXPECT_THAT(late, HasSubstr(own("map")));
}

// --- Listeners ------------------------------------------------------------------------------

TEST_P(ShopInAllModes, AClientThatStopsReadingIsClosedAndNobodyElseNotices) {
  constexpr int kSubscriptions = 100;  // So each notice is 35 kB.
  constexpr int kOrders = 240;         // More than the machine keeps for a connection.
  constexpr int kCustomers = 8;
  open(own("torch"), own("reader"));
  WebSocketClient reader(rig()->port(), own("reader"));
  reader.send(R"({"op":"subscribe","destination":"/queue/notifications"})");
  WebSocketClient staller(rig()->port(), own("reader"), "v12.stomp", 4'096);
  staller.send(stomp("CONNECT\naccept-version:1.2\nhost:shop\n\n"));
  for (int i = 0; i < kSubscriptions; ++i) {
    staller.send(stomp("SUBSCRIBE\nid:s" + std::to_string(i) +
                       "\ndestination:/user/queue/notifications\n\n"));
  }
  {
    std::vector<std::jthread> customers;
    for (int i = 0; i < kCustomers; ++i) {
      customers.emplace_back([&] {
        ShopClient one(rig()->port());
        for (int n = 0; n < kOrders / kCustomers; ++n) one.order(own("reader"), own("torch"), 1);
      });
    }
  }

  for (int number = 1; number <= kOrders; ++number) {
    const auto message = reader.read_json();
    ASSERT_EQ(message.at("id"), number);
    ASSERT_EQ(message.at("body").at("type"), "ORDER_COMPLETED");
  }
  std::string last = staller.read();
  while (last.starts_with("MESSAGE") || last.starts_with("CONNECTED")) last = staller.read();
  EXPECT_EQ(last, "closed 1013");
}

/// All that the shop has accepted comes to an end, once, whoever is killed.
TEST_P(ShopInAllModes, KillsAndStopsUnderLoadLoseNoOrderAndDoubleNone) {
  end_to_end::TemporaryDirectory directory;
  end_to_end::Load load({.url = "http://127.0.0.1:" + std::to_string(rig()->port()),
                         .ledger_path = (directory.path() / "ledger").string(),
                         .plan = {.seed = 7, .orders = 100'000, .users = 60, .products = 30},
                         .rate = 50,
                         .name = "kills" + std::to_string(static_cast<int>(GetParam()))});
  ASSERT_EQ(load.wait_until_seeded(), "");
  const auto some_orders = [&] {
    const auto before = load.answered();
    soon([&] { return load.answered(); }, [&](auto now) { return now >= before + 50; });
  };
  const std::size_t last = rig()->processes() - 1;
  some_orders();
  rig()->kill_and_restart(last);
  rig()->wait_until_ready();
  some_orders();
  EXPECT_EQ(rig()->process(last).stop(), 0);
  rig()->process(last).start();
  rig()->wait_until_ready();
  some_orders();

  const auto sale = load.finish();
  EXPECT_EQ(sale.unfinished, 0u) << "orders that never ended";
  EXPECT_EQ(sale.not_found, 0u) << "an accepted order was unknown to a later GET";
  EXPECT_GE(sale.accepted + sale.settled, 150u);
  const auto books = load.verify(60s);
  EXPECT_TRUE(books.violations.empty()) << to_text(books, load.ledger());
  EXPECT_EQ(customer().audit_status(), 200);
}

INSTANTIATE_TEST_SUITE_P(OnTheEmbeddedLog, ShopInAllModes, Values(ShopMode::kEmbedded));
INSTANTIATE_TEST_SUITE_P(OnKafka, ShopInAllModes, Values(ShopMode::kOnKafka));
INSTANTIATE_TEST_SUITE_P(OnKafkaAsFourProcesses, ShopInAllModes, Values(ShopMode::kFourProcesses));

}  // namespace
}  // namespace thalweg::testing
