// The shop tells somebody outside of every payment: a receiver that is down, slow, or refuses, and
// a shop that is killed between two attempts.

#include <concepts>
#include <filesystem>
#include <thread>

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thalweg/runtime/json_text.h>

#include "end_to_end/shop_client.h"
#include "end_to_end/shop_process.h"
#include "stub_receiver.h"

namespace thalweg::end_to_end {
namespace {

using ::testing::_;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;
using ::testing::SizeIs;
using stub_receiver::StubReceiver;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

class DeliveryStory : public ::testing::Test {
 protected:
  /// With a receiver at a port on which nobody listens yet.
  void open_shop(const std::string& pauses) {
    open_shop_with({"webhook.url=http://127.0.0.1:" + std::to_string(receiver_port_),
                    "delivery.retry.ms=" + pauses});
  }
  void open_shop_with(const std::vector<std::string>& settings) {
    std::vector<std::string> arguments = {"--set", "webhook.timeout.ms=1000", "--set",
                                          "delivery.retry.jitter.percent=0"};
    for (const auto& setting : settings) arguments.insert(arguments.end(), {"--set", setting});
    shop_.emplace(directory_.path() / "data", std::map<std::string, std::string>{}, arguments);
    customer_.emplace(shop_->port());
    shop_->start_and_wait();
    customer_->stock("lamp", 4'900, 1'000);
    customer_->register_user("ada");
    customer_->deposit("ada", 10'000'000);
  }
  void kill_and_restart() {
    shop_->process().kill_hard();
    shop_->start_and_wait();
  }
  void open_receiver() {
    receiver_.emplace("127.0.0.1:" + std::to_string(receiver_port_));
    const auto started = receiver_->start();
    ASSERT_TRUE(started) << started.error().message;
  }
  /// The order's id, once it has completed.
  std::string buy() {
    const std::string order = customer_->order("ada", "lamp", 1);
    EXPECT_EQ(customer_->end_of(order), completed());
    return order;
  }
  boost::json::array list(const std::string& path) {
    const auto response = customer_->request("GET", path);
    EXPECT_EQ(response.status, 200) << response.body;
    return parse_json(response.body).value().as_array();
  }
  /// The order's only delivery, once `wanted` says yes to it; the last look at it after 30 s.
  template <std::predicate<const boost::json::object&> Wanted>
  boost::json::object delivery(const std::string& order, Wanted wanted) {
    boost::json::object seen;
    for (const auto end = Clock::now() + 90s; Clock::now() < end;) {
      const auto deliveries = list("/deliveries?orderId=" + order);
      if (!deliveries.empty()) {
        EXPECT_THAT(deliveries, SizeIs(1));
        seen = deliveries.at(0).as_object();
        if (wanted(seen)) return seen;
      }
      std::this_thread::sleep_for(10ms);
    }
    ADD_FAILURE() << "the delivery stays " << boost::json::serialize(seen);
    return seen;
  }
  boost::json::object delivery(const std::string& order, const std::string& status) {
    return delivery(order, [&](const auto& seen) {
      return seen.at("status").as_string() == status;
    });
  }
  std::string records_of(const std::string& topic) {
    return customer_->request("GET", "/v1/topics/" + topic + "/records").body;
  }

  TemporaryDirectory directory_;
  std::uint16_t receiver_port_ = free_port();
  std::optional<ShopProcess> shop_;
  std::optional<ShopClient> customer_;
  std::optional<StubReceiver> receiver_;
};

TEST_F(DeliveryStory, APaymentIsToldOnceWithAKey) {
  open_receiver();
  open_shop("1000");
  const std::string order = buy();
  const auto done = delivery(order, "COMPLETED");

  EXPECT_EQ(done.at("attempts"), 1);
  const auto received = receiver_->received();
  ASSERT_THAT(received, SizeIs(1));
  EXPECT_EQ(received.begin()->first, done.at("id").as_string());
  EXPECT_EQ(received.begin()->second.path, "/webhooks/payment-completed");
  EXPECT_THAT(received.begin()->second.body, HasSubstr("\"orderId\":\"" + order + "\""));
  EXPECT_EQ(received.begin()->second.requests, 1);
}

TEST_F(DeliveryStory, TheScheduleIsKeptWhenTheShopIsKilledBetweenTwoAttempts) {
  open_shop("200,400,8000");
  const std::string order = buy();
  const auto before = delivery(order, [](const auto& seen) {
    return seen.at("attempts") == 3 && seen.at("status") == "FAILED";
  });
  kill_and_restart();
  EXPECT_EQ(list("/deliveries?orderId=" + order).at(0), before);
  open_receiver();
  const auto after = delivery(order, "COMPLETED");

  EXPECT_EQ(after.at("attempts"), 4);
  EXPECT_GE(after.at("updatedAt").as_string(), before.at("nextAttemptAt").as_string());
  EXPECT_THAT(before.at("lastError").as_string().c_str(), HasSubstr("refused"));
  EXPECT_EQ(receiver_->requests(), 1);
}

TEST_F(DeliveryStory, ADeadLetterRaisesAnAlertAndIsSentAgainWhenAsked) {
  open_shop("50,100");
  const std::string order = buy();
  const auto dead = delivery(order, "DEAD_LETTER");
  const std::string id(dead.at("id").as_string());
  EXPECT_EQ(dead.at("attempts"), 3);

  const auto letters = list("/dlq");
  ASSERT_THAT(letters, SizeIs(1));
  EXPECT_EQ(letters.at(0).at("id"), dead.at("id"));
  EXPECT_EQ(letters.at(0).at("event").at("orderId"), boost::json::string(order));
  EXPECT_THAT(records_of("admin-alerts"), HasSubstr(id));
  EXPECT_THAT(records_of("external-events.dlq"), HasSubstr(order));
  EXPECT_THAT(shop_->process().output(), HasSubstr("delivery " + id + ": given up"));

  open_receiver();
  const std::string key = "Idempotency-Key: again-1\r\n";
  EXPECT_EQ(customer_->request("POST", "/dlq/" + id + "/retry", "", key).status, 202);
  EXPECT_EQ(customer_->request("POST", "/dlq/" + id + "/retry", "", key).status, 202);
  EXPECT_EQ(delivery(order, "COMPLETED").at("attempts"), 4);
  EXPECT_THAT(list("/dlq"), SizeIs(0));
  EXPECT_EQ(customer_->request("POST", "/dlq/" + id + "/retry").status, 409);
  EXPECT_EQ(receiver_->received().at(id).accepted, 1);
}

TEST_F(DeliveryStory, WhatTheReceiverRefusesIsADeadLetterAtOnceAndCanBeForgotten) {
  open_receiver();
  receiver_->behave({.fail_next = 1, .fail_status = 422});
  open_shop("50,100");
  const std::string order = buy();
  const auto dead = delivery(order, "DEAD_LETTER");
  const std::string path = "/dlq/" + std::string(dead.at("id").as_string());

  EXPECT_EQ(dead.at("attempts"), 1);
  EXPECT_EQ(dead.at("lastError"), "the receiver answered 422");
  EXPECT_EQ(customer_->request("POST", path + "/discard").status, 202);
  EXPECT_EQ(customer_->request("GET", path).status, 404);
  EXPECT_EQ(customer_->request("POST", "/dlq/unknown/discard").status, 404);
  EXPECT_EQ(list("/deliveries?status=DISCARDED").at(0).at("orderId"), boost::json::string(order));
}

TEST_F(DeliveryStory, ASlowReceiverHoldsUpNoOrderAndIsWaitedForAtTheEnd) {
  open_receiver();
  receiver_->behave({.delay_next = 1'000, .delay = 700ms});
  open_shop("5000");
  const auto begin = Clock::now();
  std::string order;
  for (int i = 0; i < 20; ++i) order = buy();
  EXPECT_LT(Clock::now() - begin, 5s);
  delivery(order, "IN_PROGRESS");

  EXPECT_EQ(shop_->stop(), 0);
  const auto at_the_end = receiver_->received();
  shop_->start_and_wait();
  for (const auto& [id, received] : at_the_end) {
    EXPECT_EQ(receiver_->received().at(id).requests, received.requests)
        << "it was answered before the shop closed, and is asked again";
  }
  EXPECT_EQ(delivery(order, "COMPLETED").at("attempts"), 1);
}

TEST_F(DeliveryStory, EveryPaymentIsToldThoughTheShopIsKilledAgainAndAgain) {
  open_receiver();
  receiver_->behave({.delay_next = 100'000, .delay = 30ms});
  open_shop("100,100,100,100,100");
  std::vector<std::string> orders;
  for (int kill = 0; kill < 4; ++kill) {
    for (int i = 0; i < 25; ++i) orders.push_back(customer_->order("ada", "lamp", 1));
    std::this_thread::sleep_for(40ms * kill);
    kill_and_restart();
  }
  for (const auto& order : orders) {
    EXPECT_EQ(customer_->end_of(order), completed());
    delivery(order, "COMPLETED");
  }

  EXPECT_THAT(receiver_->received(), SizeIs(orders.size()));
  for (const auto& [id, received] : receiver_->received()) EXPECT_GE(received.accepted, 1) << id;
}

/// A shop whose processed orders go to a server, to files, and to a bucket.
class ManyReceiversStory : public DeliveryStory {
 protected:
  void open_shop() {
    const std::string bucket = "http://127.0.0.1:" + std::to_string(free_port()) + "/orders";
    const std::string server = "http://127.0.0.1:" + std::to_string(receiver_port_);
    open_shop_with({"order.processed.url=" + server + "/webhooks/orders",
                    "order.processed.directory=" + files_.string(),
                    "order.processed.file.bytes=2000", "order.processed.s3.url=" + bucket,
                    "order.processed.s3.access.key=AKIASHOP",
                    "order.processed.s3.secret.key=hunter2", "delivery.retry.ms=50"});
  }
  /// How the order's delivery of that id stands once it has ended.
  std::string end_of(const std::string& id, const std::string& order) {
    for (const auto end = Clock::now() + 90s; Clock::now() < end;) {
      for (const auto& seen : list("/deliveries?orderId=" + order)) {
        const auto status = std::string(seen.at("status").as_string());
        if (seen.at("id").as_string() != id) continue;
        if (status == "COMPLETED" || status == "DEAD_LETTER") return status;
      }
      std::this_thread::sleep_for(10ms);
    }
    return "no end";
  }

  const std::filesystem::path files_ = directory_.path() / "processed" / "orders";
};

TEST_F(ManyReceiversStory, EachHasEveryOrderThoughOneIsAwayAndTheShopIsKilled) {
  open_receiver();
  open_shop();
  std::vector<std::string> orders;
  for (int kill = 0; kill < 3; ++kill) {
    for (int i = 0; i < 10; ++i) orders.push_back(customer_->order("ada", "lamp", 1));
    std::this_thread::sleep_for(40ms * kill);
    kill_and_restart();
  }
  for (const auto& order : orders) {
    EXPECT_EQ(customer_->end_of(order), completed());
    EXPECT_EQ(end_of("order.processed-" + order, order), "COMPLETED");
    EXPECT_EQ(end_of("order.processed.files-" + order, order), "COMPLETED");
    EXPECT_EQ(end_of("order.processed.s3-" + order, order), "DEAD_LETTER");
    EXPECT_GE(receiver_->received().at("order.processed-" + order).accepted, 1);
  }

  EXPECT_THAT(orders_in_files(files_), SizeIs(orders.size()));
  EXPECT_THAT(orders_in_files(files_), Each(Pair(_, 1)));
  EXPECT_THAT(records_of("order.processed.dlq"), HasSubstr("order.processed.s3-" + orders[0]));
  EXPECT_THAT(shop_->process().output(), Not(HasSubstr("hunter2")));
  EXPECT_THAT(customer_->request("GET", "/dlq").body, Not(HasSubstr("hunter2")));
}

/// A shop whose payments somebody outside takes.
class PaymentStory : public DeliveryStory {
 protected:
  void open_shop() {
    shop_.emplace(directory_.path() / "data", std::map<std::string, std::string>{},
                  std::vector<std::string>{
                      "--set",
                      "payment.provider.url=http://127.0.0.1:" + std::to_string(receiver_port_),
                      "--set", "payment.provider.timeout.ms=500", "--set",
                      "payment.provider.retry.ms=100,200,400"});
    customer_.emplace(shop_->port());
    shop_->start_and_wait();
    customer_->stock("lamp", 4'900, 1'000);
    customer_->register_user("ada");
    customer_->deposit("ada", 10'000'000);
  }
};

TEST_F(PaymentStory, AProviderThatTimesOutAndFailsTwiceIsPaidOnce) {
  open_receiver();
  open_shop();
  receiver_->behave({.fail_next = 2, .delay_next = 1, .delay = 2s});
  const std::string order = buy();

  EXPECT_EQ(receiver_->received().at(order).requests, 4) << "two failures, one silence, one answer";
  EXPECT_EQ(receiver_->charges().at(order).charges, 1);
  EXPECT_EQ(receiver_->charges().at(order).amount, 4'900);
  EXPECT_FALSE(receiver_->charges().at(order).voided);
  EXPECT_EQ(customer_->balance("ada"), 10'000'000 - 4'900);
  EXPECT_EQ(customer_->audit_status(), 200);
}

TEST_F(PaymentStory, AProviderThatIsNotThereCancelsTheOrderAndItsPaymentIsMadeVoid) {
  open_shop();
  const std::string order = customer_->order("ada", "lamp", 1);
  EXPECT_EQ(customer_->end_of(order), cancelled_for("PAYMENT_FAILED"));
  open_receiver();

  for (const auto end = Clock::now() + 90s;
       !receiver_->charges().contains(order) && Clock::now() < end;) {
    std::this_thread::sleep_for(10ms);
  }
  EXPECT_TRUE(receiver_->charges().at(order).voided);
  EXPECT_EQ(receiver_->charges().at(order).charges, 0);
  EXPECT_EQ(customer_->available("lamp", 1'000), 1'000);
  EXPECT_EQ(customer_->balance("ada"), 10'000'000);
  EXPECT_EQ(customer_->audit_status(), 200);
  EXPECT_THAT(records_of("payment-processing-topic.dlq"), HasSubstr(order));
}

}  // namespace
}  // namespace thalweg::end_to_end
