// Events on their way to the outside: told step by step, tried again by the schedule, put aside
// when that is used up, and taken up again when somebody asks.

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thalweg/runtime/topology_test_driver.h>

#include "dead_letters.h"
#include "delivery_sinks.h"
#include "delivery_topology.h"
#include "topics.h"
#include "topologies.h"

namespace thalweg::shop {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using namespace std::chrono_literals;

constexpr std::int64_t kStart = 1'800'000'000'000;

class DeliveryToTheOutside : public ::testing::Test {
 protected:
  static ShopConfig config() {
    ShopConfig config;
    config.delivery.webhook_url = "http://receiver";
    config.delivery.order_processed_url = "http://platform/orders";
    config.delivery.analytics_url = "http://analytics/sales";
    config.delivery.jitter = 0;
    return config;
  }
  Topology topology() {
    return build_delivery(config(),
                          [this](DeliveryCall call) { calls_.push_back(std::move(call)); });
  }

  void event(const std::string& json, const std::optional<std::string>& key = std::nullopt) {
    driver_.pipe(topics::kExternalEvents, key, json, from_millis(kStart));
  }
  void payment(const std::string& id, const std::string& order) {
    event(R"({"paymentId":")" + id + R"(","orderId":")" + order +
              R"(","amount":60,"timestamp":"2027-01-15T08:00:00.000Z"})",
          order);
  }
  void ask(DeliveryStep step, const std::string& id, const std::string& command_id = {}) {
    DeliveryEvent event;
    event.step = step;
    event.command_id = command_id;
    event.at = to_millis(driver_.wall_clock_time());
    driver_.create_input_topic<std::string, DeliveryEvent>(topics::kDeliveryEvents)
        .pipe(id, event, driver_.wall_clock_time());
  }
  void pass(std::chrono::milliseconds time) { driver_.advance_wall_clock_time(time); }
  void accept() {
    calls_.back().succeed(200);
    driver_.take_async_answers();
  }
  void fail(const std::string& error = "connecting: Connection refused") {
    calls_.back().fail(error);
    driver_.take_async_answers();
  }
  void fail_all_attempts() {
    fail();
    for (const auto pause : config().delivery.retry_after) {
      pass(pause);
      fail();
    }
  }

  const Delivery* delivery(const std::string& id) {
    return driver_.key_value_store<std::string, Delivery>(stores::kDeliveries).get(id);
  }
  bool is_dead_letter(const std::string& id) {
    return driver_.key_value_store<std::string, Delivery>(stores::kDeadLetters).get(id) != nullptr;
  }
  std::vector<DeliveryStep> steps(const std::string& id) {
    std::vector<DeliveryStep> steps;
    auto* records = driver_.produced(topics::kDeliveryEvents);
    if (!records) return steps;
    for (const auto& record : *records) {
      if (record.key != id) continue;
      DeliveryEvent event;
      Serde<DeliveryEvent>::deserialize(*record.value, event);
      steps.push_back(event.step);
    }
    return steps;
  }
  std::vector<TopologyTestDriver::Produced> written(const std::string& topic) {
    const auto* records = driver_.produced(topic);
    if (!records) return {};
    return {records->begin(), records->end()};
  }

  std::vector<DeliveryCall> calls_;
  TopologyTestDriver driver_{topology(), {}, from_millis(kStart)};
};

TEST_F(DeliveryToTheOutside, SendsAPaymentAsItCame) {
  payment("p1", "o1");

  ASSERT_THAT(calls_, SizeIs(1));
  EXPECT_EQ(calls_[0].value().path, "/webhooks/payment-completed");
  EXPECT_EQ(calls_[0].value().id, "p1");
  EXPECT_EQ(calls_[0].value().payload, R"({"paymentId":"p1","orderId":"o1","amount":60,)"
                                       R"("timestamp":"2027-01-15T08:00:00.000Z"})");
}

// Two of a product for 600,000,000,000 each: more than any one amount that customers name.
TEST_F(DeliveryToTheOutside, SendsAPaymentHoweverLarge) {
  event(R"({"paymentId":"p1","orderId":"o1","amount":1200000000000,)"
        R"("timestamp":"2027-01-15T08:00:00.000Z"})",
        "o1");

  EXPECT_THAT(calls_, SizeIs(1));
}

TEST_F(DeliveryToTheOutside, SendsAnIssuedCouponElsewhere) {
  event(R"({"type":"COUPON_ISSUED","couponId":"c","userId":"ann","couponHistoryId":"h1",)"
        R"("timestamp":"2027-01-15T08:00:00.000Z"})");

  ASSERT_THAT(calls_, SizeIs(1));
  EXPECT_EQ(calls_[0].value().path, "/webhooks/coupon-issued");
  EXPECT_EQ(calls_[0].value().id, "h1");
}

TEST_F(DeliveryToTheOutside, TellsEachStepOfASuccess) {
  payment("p1", "o1");
  EXPECT_EQ(delivery("p1")->status, DeliveryStatus::IN_PROGRESS);
  accept();

  EXPECT_THAT(steps("p1"), ElementsAre(DeliveryStep::PUBLISHED, DeliveryStep::IN_PROGRESS,
                                       DeliveryStep::COMPLETED));
  EXPECT_EQ(delivery("p1")->status, DeliveryStatus::COMPLETED);
  EXPECT_EQ(delivery("p1")->attempts, 1);
  EXPECT_THAT(written(topics::kAdminAlerts), IsEmpty());
}

TEST_F(DeliveryToTheOutside, TriesAgainAfterOneTwoFourAndEightSeconds) {
  payment("p1", "o1");
  fail();
  EXPECT_EQ(delivery("p1")->status, DeliveryStatus::FAILED);
  EXPECT_EQ(delivery("p1")->next_attempt_at, kStart + 1'000);
  EXPECT_EQ(delivery("p1")->last_error, "connecting: Connection refused");
  std::vector<std::size_t> calls_after;
  for (const auto pause : {1s, 2s, 4s, 8s}) {
    pass(pause - 1ms);
    calls_after.push_back(calls_.size());
    pass(1ms);
    fail();
  }

  EXPECT_THAT(calls_after, ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(calls_, SizeIs(5));
  EXPECT_EQ(delivery("p1")->status, DeliveryStatus::DEAD_LETTER);
  EXPECT_EQ(delivery("p1")->attempts, 5);
  EXPECT_EQ(delivery("p1")->next_attempt_at, 0);
}

TEST_F(DeliveryToTheOutside, PutsAsideWhatCannotBeDeliveredAndRaisesAnAlert) {
  payment("p1", "o1");
  fail_all_attempts();

  const auto dead = written("external-events.dlq");
  ASSERT_THAT(dead, SizeIs(1));
  EXPECT_THAT(*dead[0].value, HasSubstr(R"("paymentId":"p1")"));
  EXPECT_EQ(dead[0].headers.last("__streams.errors.topic")->value, "external-events");
  EXPECT_EQ(dead[0].headers.last("__streams.errors.offset")->value, "0");
  EXPECT_EQ(dead[0].headers.last("__streams.errors.message")->value,
            "connecting: Connection refused");
  const auto alerts = written(topics::kAdminAlerts);
  ASSERT_THAT(alerts, SizeIs(1));
  EXPECT_EQ(*alerts[0].value, R"({"at":"2027-01-15T08:00:15.000Z","source":"external-events",)"
                              R"("key":"p1","reason":"connecting: Connection refused"})");
  EXPECT_TRUE(is_dead_letter("p1"));
}

TEST_F(DeliveryToTheOutside, GivesUpAtOnceWhenTheReceiverRefuses) {
  payment("p1", "o1");
  calls_.back().refuse("the receiver answered 422");
  driver_.take_async_answers();

  EXPECT_EQ(delivery("p1")->status, DeliveryStatus::DEAD_LETTER);
  EXPECT_EQ(delivery("p1")->last_error, "the receiver answered 422");
  pass(1h);
  EXPECT_THAT(calls_, SizeIs(1));
}

TEST_F(DeliveryToTheOutside, SendsADeadLetterAgainWithTheSameId) {
  payment("p1", "o1");
  fail_all_attempts();
  ask(DeliveryStep::RETRY, "p1");

  ASSERT_THAT(calls_, SizeIs(6));
  EXPECT_EQ(calls_[5].value(), calls_[0].value());
  EXPECT_FALSE(is_dead_letter("p1"));
  accept();
  EXPECT_EQ(delivery("p1")->status, DeliveryStatus::COMPLETED);
  EXPECT_EQ(delivery("p1")->attempts, 6);
}

TEST_F(DeliveryToTheOutside, SendsOnlyDeadLettersAgainAndEachOnce) {
  payment("p1", "o1");
  ask(DeliveryStep::RETRY, "p1");
  ask(DeliveryStep::RETRY, "unknown");
  EXPECT_THAT(calls_, SizeIs(1));
  fail_all_attempts();
  ask(DeliveryStep::RETRY, "p1");
  ask(DeliveryStep::RETRY, "p1");

  EXPECT_THAT(calls_, SizeIs(6));
}

TEST_F(DeliveryToTheOutside, SendsAgainOnceForARequestThatComesTwice) {
  payment("p1", "o1");
  fail_all_attempts();
  ask(DeliveryStep::RETRY, "p1", "k1");
  fail_all_attempts();
  ASSERT_THAT(calls_, SizeIs(10));

  ask(DeliveryStep::RETRY, "p1", "k1");
  EXPECT_THAT(calls_, SizeIs(10));
  EXPECT_TRUE(is_dead_letter("p1"));

  ask(DeliveryStep::RETRY, "p1", "k2");
  fail_all_attempts();
  ask(DeliveryStep::RETRY, "p1", "k1");
  EXPECT_THAT(calls_, SizeIs(15));
  ask(DeliveryStep::DISCARD, "p1", "k1");
  EXPECT_EQ(delivery("p1")->status, DeliveryStatus::DISCARDED);
}

TEST_F(DeliveryToTheOutside, ForgetsADeadLetterThatIsDiscarded) {
  payment("p1", "o1");
  fail_all_attempts();
  ask(DeliveryStep::DISCARD, "p1");

  EXPECT_FALSE(is_dead_letter("p1"));
  EXPECT_EQ(delivery("p1")->status, DeliveryStatus::DISCARDED);
  ask(DeliveryStep::RETRY, "p1");
  EXPECT_THAT(calls_, SizeIs(5));
}

TEST_F(DeliveryToTheOutside, MakesThoseOfOneOrderOneAfterTheOther) {
  payment("p1", "o1");
  payment("p2", "o1");
  payment("p3", "o2");
  ASSERT_THAT(calls_, SizeIs(2));
  EXPECT_EQ(calls_[1].value().id, "p3");
  calls_[0].succeed(204);
  driver_.take_async_answers();

  ASSERT_THAT(calls_, SizeIs(3));
  EXPECT_EQ(calls_[2].value().id, "p2");
}

TEST_F(DeliveryToTheOutside, FindsTheDeliveriesOfAnOrder) {
  payment("p1", "o1");
  payment("p2", "o1");
  payment("p2", "o1");
  const auto* row =
      driver_.key_value_store<std::string, DeliveryIds>(stores::kDeliveriesByOrder).get("o1");

  ASSERT_NE(row, nullptr);
  EXPECT_THAT(row->ids, ElementsAre("p1", "p2"));
}

TEST_F(DeliveryToTheOutside, PutsAsideWhatIsNoEvent) {
  event("{\"paymentId\":\"p1\"", "k");
  event(R"({"paymentId":"p1","orderId":7})");
  event(R"({"type":"WEATHER"})");
  event("[]");

  EXPECT_THAT(calls_, IsEmpty());
  const auto dead = written("external-events.dlq");
  ASSERT_THAT(dead, SizeIs(4));
  EXPECT_EQ(dead[0].key, "k");
  EXPECT_EQ(dead[0].value, "{\"paymentId\":\"p1\"");
  EXPECT_THAT(*dead[1].headers.last("__streams.errors.message")->value,
              AllOf(HasSubstr("orderId"), HasSubstr("amount")));
  EXPECT_THAT(*dead[2].headers.last("__streams.errors.message")->value, HasSubstr("WEATHER"));
  EXPECT_EQ(dead[3].headers.last("__streams.errors.offset")->value, "3");
  const auto alerts = written(topics::kAdminAlerts);
  ASSERT_THAT(alerts, SizeIs(4));
  EXPECT_THAT(*alerts[2].value, AllOf(HasSubstr(R"("source":"external-events","key":"")"),
                                      HasSubstr("WEATHER")));
}

TEST_F(DeliveryToTheOutside, RaisesOneAlertForEachRecordThatNobodyCouldRead) {
  const auto dead_letter = [this](const std::string& topic, std::int64_t offset) {
    Headers headers;
    add_error_headers(headers, "DeserializationError", "is no JSON", {topic, 2, offset});
    driver_.pipe(topic + ".dlq", "k", "garbage", from_millis(0), headers);
  };
  dead_letter("view-log-topic", 7);
  dead_letter("order-completed", 7);
  dead_letter("order-completed", 7);  // Two applications read it.
  dead_letter("order-completed", 8);

  const auto alerts = written(topics::kAdminAlerts);
  ASSERT_THAT(alerts, SizeIs(3));
  EXPECT_EQ(alerts[0].key, "k");
  EXPECT_EQ(*alerts[0].value, R"({"at":"2027-01-15T08:00:00.000Z","source":"view-log-topic",)"
                              R"("key":"k","reason":"is no JSON"})");
  EXPECT_THAT(*alerts[1].value, HasSubstr(R"("source":"order-completed")"));
}

TEST_F(DeliveryToTheOutside, SendsProcessedOrdersToThePlatformAndOnce) {
  driver_.pipe(topics::kOrderProcessed, "o1", R"({"orderId":"o1"})", from_millis(kStart));
  driver_.pipe(topics::kOrderProcessed, "o1", R"({"orderId":"o1"})", from_millis(kStart));

  ASSERT_THAT(calls_, SizeIs(1));
  EXPECT_EQ(calls_[0].value().source, "order.processed");
  EXPECT_EQ(calls_[0].value().id, "order.processed-o1");
  fail_all_attempts();
  EXPECT_THAT(written("order.processed.dlq"), SizeIs(1));
  EXPECT_THAT(written("external-events.dlq"), IsEmpty());
  EXPECT_THAT(*written(topics::kAdminAlerts)[0].value, HasSubstr(R"("source":"order.processed")"));
}

TEST_F(DeliveryToTheOutside, SendsCompletedOrdersToTheAnalystsUnderTheSameRules) {
  driver_.pipe(topics::kOrderCompleted, "o1", R"({"orderId":"o1"})", from_millis(kStart));
  driver_.pipe(topics::kOrderCompleted, "o2", "nothing", from_millis(kStart));

  ASSERT_THAT(calls_, SizeIs(1));
  EXPECT_EQ(calls_[0].value().source, "order-completed");
  EXPECT_THAT(written("order-completed.dlq"), SizeIs(1));
  EXPECT_THAT(*written(topics::kAdminAlerts).at(0).value, HasSubstr(R"("key":"o2")"));
  accept();
  EXPECT_EQ(delivery("order-completed-o1")->status, DeliveryStatus::COMPLETED);
}

TEST_F(DeliveryToTheOutside, ReadsOnlyTopicsThatHaveAReceiver) {
  EXPECT_THAT(receivers_of({}), IsEmpty());
  ShopConfig one;
  one.delivery.analytics_url = "http://analytics";
  const std::string text = build_delivery(one, [](DeliveryCall) {}).describe().to_text();

  EXPECT_THAT(text, HasSubstr("topics: [order-completed]"));
  EXPECT_THAT(text, ::testing::Not(HasSubstr("topics: [external-events]")));
}

class DeliveryToManyReceivers : public ::testing::Test {
 protected:
  static ShopConfig config() {
    ShopConfig config;
    config.delivery.order_processed_url = "http://platform/orders";
    config.delivery.order_processed_directory = "orders";
    config.delivery.order_processed_s3.url = "http://store/bucket";
    config.delivery.retry_after = {1s};
    config.delivery.jitter = 0;
    return config;
  }
  void processed(const std::string& id, const std::string& at) {
    driver_.pipe(topics::kOrderProcessed, id,
                 R"({"orderId":")" + id + R"(","processedAt":")" + at + R"("})",
                 from_millis(kStart));
  }
  DeliverySend send() {
    return [this](DeliveryCall call) {
      const Receiver receiver = call.value().receiver;
      calls_[receiver].push_back(std::move(call));
    };
  }
  /// Fails the newest attempt at every receiver but `by`.
  void fail_all_but(Receiver by) {
    for (auto& [receiver, calls] : calls_) {
      if (receiver == by) {
        calls.back().succeed(200);
      } else {
        calls.back().fail("connecting: Connection refused");
      }
    }
    driver_.take_async_answers();
  }
  DeliveryStatus status(const std::string& id) {
    return driver_.key_value_store<std::string, Delivery>(stores::kDeliveries).get(id)->status;
  }

  std::map<Receiver, std::vector<DeliveryCall>> calls_;
  TopologyTestDriver driver_{build_delivery(config(), send()), {}, from_millis(kStart)};
};

TEST_F(DeliveryToManyReceivers, SendsEachAnOrderUnderAnIdOfItsOwn) {
  processed("o1", "2026-11-22T23:59:59.999Z");

  ASSERT_THAT(calls_, SizeIs(3));
  EXPECT_EQ(calls_[Receiver::HTTP].at(0).value().id, "order.processed-o1");
  EXPECT_EQ(calls_[Receiver::HTTP].at(0).value().path, "");
  EXPECT_EQ(calls_[Receiver::FILES].at(0).value().id, "order.processed.files-o1");
  EXPECT_EQ(calls_[Receiver::FILES].at(0).value().path, "/date=2026-11-22");
  EXPECT_EQ(calls_[Receiver::S3].at(0).value().id, "order.processed.s3-o1");
  EXPECT_EQ(calls_[Receiver::S3].at(0).value().path, "/date=2026-11-22/o1.json");
  const auto* row =
      driver_.key_value_store<std::string, DeliveryIds>(stores::kDeliveriesByOrder).get("o1");
  EXPECT_THAT(row->ids, SizeIs(3));
}

TEST_F(DeliveryToManyReceivers, CountsAnOrderToTheDayOfItsRecordIfItSaysNone) {
  processed("o1", "lately");

  EXPECT_EQ(calls_[Receiver::FILES].at(0).value().path, "/date=2027-01-15");
}

TEST_F(DeliveryToManyReceivers, GivesUpOnOneAlone) {
  processed("o1", "2026-11-22T10:00:00.000Z");
  fail_all_but(Receiver::S3);
  EXPECT_EQ(status("order.processed-o1"), DeliveryStatus::FAILED);
  EXPECT_EQ(status("order.processed.s3-o1"), DeliveryStatus::COMPLETED);
  driver_.advance_wall_clock_time(1s);
  fail_all_but(Receiver::FILES);

  EXPECT_EQ(status("order.processed-o1"), DeliveryStatus::DEAD_LETTER);
  EXPECT_EQ(status("order.processed.files-o1"), DeliveryStatus::COMPLETED);
  const auto* dead = driver_.produced("order.processed.dlq");
  ASSERT_THAT(*dead, SizeIs(1));
  EXPECT_EQ((*dead)[0].headers.last("delivery-id")->value, "order.processed-o1");
  EXPECT_THAT(*driver_.produced(topics::kAdminAlerts), SizeIs(1));
}

TEST_F(DeliveryToManyReceivers, LetsNobodyWaitForAnother) {
  processed("o1", "2026-11-22T10:00:00.000Z");
  calls_[Receiver::S3][0].succeed(200);
  calls_[Receiver::FILES][0].fail("No space left on device");
  driver_.take_async_answers();
  driver_.advance_wall_clock_time(1h);
  // HTTP has not even answered.
  EXPECT_EQ(calls_[Receiver::FILES].size(), 2U);
  calls_[Receiver::FILES][1].succeed(200);
  driver_.take_async_answers();

  EXPECT_EQ(status("order.processed.files-o1"), DeliveryStatus::COMPLETED);
}

TEST_F(DeliveryToManyReceivers, SendsADeadLetterAgainToItsOwnReceiver) {
  processed("o1", "2026-11-22T10:00:00.000Z");
  fail_all_but(Receiver::HTTP);
  driver_.advance_wall_clock_time(1s);
  calls_[Receiver::FILES][1].fail("No space left on device");
  driver_.take_async_answers();
  DeliveryEvent retry;
  retry.step = DeliveryStep::RETRY;
  driver_.create_input_topic<std::string, DeliveryEvent>(topics::kDeliveryEvents)
      .pipe("order.processed.files-o1", retry, driver_.wall_clock_time());

  ASSERT_THAT(calls_[Receiver::FILES], SizeIs(3));
  EXPECT_EQ(calls_[Receiver::FILES][2].value(), calls_[Receiver::FILES][0].value());
  EXPECT_THAT(calls_[Receiver::HTTP], SizeIs(1));
}

TEST_F(DeliveryToTheOutside, ShowsItsOutboxAndTheJoinWithDeadLetters) {
  const std::string text = topology().describe().to_text();

  EXPECT_THAT(text, HasSubstr("Processor: deliver (stores: [delivery-outbox])"));
  EXPECT_THAT(text, HasSubstr("Processor: dead-letters-to-send (stores: [deliveries])"));
}

}  // namespace
}  // namespace thalweg::shop
