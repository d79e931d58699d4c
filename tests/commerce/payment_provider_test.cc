// Payments that somebody outside has to take: accounts are charged first, what the provider says
// decides, and nothing stays taken of an order that did not come about.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thalweg/runtime/topology_test_driver.h>

#include "payment_topology.h"
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

class PaymentsByAProvider : public ::testing::Test {
 protected:
  void SetUp() override {
    StockCommand put{.kind = StockCommandKind::PUT, .quantity = 5, .name = "The cap"};
    put.price = 30;
    driver_.create_input_topic<std::string, StockCommand>(topics::kProductCommands)
        .pipe("cap", put);
    driver_.create_input_topic<std::string, AccountCommand>(topics::kAccountCommands)
        .pipe("ann", {.kind = AccountCommandKind::DEPOSIT, .amount = 100});
  }
  Topology topology() {
    return build_orders(
        {}, {.charge = [this](ChargeCall call) { charges_.push_back(std::move(call)); },
             .cancel = [this](VoidCall call) { voids_.push_back(std::move(call)); }});
  }
  void order(const std::string& id, std::int64_t quantity) {
    driver_.pipe(topics::kOrderStart, id,
                 R"({"orderId":")" + id + R"(","userId":"ann","items":[{"productId":"cap",)" +
                     R"("quantity":)" + std::to_string(quantity) + "}]}",
                 driver_.wall_clock_time());
  }
  void pass(std::chrono::milliseconds time) { driver_.advance_wall_clock_time(time); }
  void take() { driver_.take_async_answers(); }
  void fail_all_attempts() {
    charges_.back().fail("connecting: Connection refused");
    take();
    for (const auto pause : {1s, 2s, 4s}) {
      pass(pause);
      charges_.back().fail("no answer within 5000 ms");
      take();
    }
  }
  Order order_row(const std::string& id) {
    return *driver_.key_value_store<std::string, Order>(stores::kOrders).get(id);
  }
  std::int64_t balance() {
    return driver_.key_value_store<std::string, Account>(stores::kAccounts).get("ann")->balance;
  }
  std::int64_t available() {
    return driver_.key_value_store<std::string, Stock>(stores::kStock).get("cap")->available;
  }
  std::vector<std::string> written(const std::string& topic) {
    std::vector<std::string> values;
    if (const auto* records = driver_.produced(topic)) {
      for (const auto& record : *records) values.push_back(*record.value);
    }
    return values;
  }

  std::vector<ChargeCall> charges_;
  std::vector<VoidCall> voids_;
  TopologyTestDriver driver_{topology(), {.application_id = "order-service"}, from_millis(1'000)};
};

TEST_F(PaymentsByAProvider, CompleteTheOrderWithTheProvidersId) {
  order("o1", 2);
  ASSERT_THAT(charges_, SizeIs(1));
  EXPECT_EQ(charges_[0].value().order_id, "o1");
  EXPECT_EQ(charges_[0].value().user_id, "ann");
  EXPECT_EQ(charges_[0].value().amount, 60);
  EXPECT_EQ(order_row("o1").status, OrderStatus::PROCESSING);

  charges_[0].succeed("provider-7");
  take();
  EXPECT_EQ(order_row("o1").status, OrderStatus::COMPLETED);
  EXPECT_EQ(order_row("o1").payment_id, "provider-7");
  EXPECT_EQ(balance(), 40);
  EXPECT_THAT(voids_, IsEmpty());
}

TEST_F(PaymentsByAProvider, AreNotAskedForWhenTheBalanceIsTooLow) {
  order("o1", 4);

  EXPECT_THAT(charges_, IsEmpty());
  EXPECT_EQ(order_row("o1").reason, Reason::INSUFFICIENT_BALANCE);
}

TEST_F(PaymentsByAProvider, SucceedAtLastWithOneDebit) {
  order("o1", 2);
  charges_.back().fail("no answer within 5000 ms");
  take();
  pass(1s);
  charges_.back().fail("the provider answered 503");
  take();
  pass(2s);
  charges_.back().succeed("provider-7");
  take();

  EXPECT_EQ(order_row("o1").status, OrderStatus::COMPLETED);
  EXPECT_EQ(balance(), 40);
  EXPECT_THAT(written(topics::kPaymentRetry),
              ElementsAre(AllOf(HasSubstr(R"("orderId":"o1")"), HasSubstr(R"("attempt":1)")),
                          HasSubstr("the provider answered 503")));
}

TEST_F(PaymentsByAProvider, ThatNeverSucceedAreGivenBackAndMadeVoid) {
  order("o1", 2);
  fail_all_attempts();

  EXPECT_THAT(charges_, SizeIs(4));
  EXPECT_EQ(order_row("o1").status, OrderStatus::CANCELLED);
  EXPECT_EQ(order_row("o1").reason, Reason::PAYMENT_FAILED);
  EXPECT_EQ(balance(), 100);
  EXPECT_EQ(available(), 5);
  EXPECT_THAT(written("payment-processing-topic.dlq"), SizeIs(1));
  EXPECT_THAT(written(topics::kAdminAlerts),
              ElementsAre(HasSubstr(R"("source":"payment-processing-topic","key":"o1")")));
  ASSERT_THAT(voids_, SizeIs(1));
  EXPECT_EQ(voids_[0].value().order_id, "o1");
}

TEST_F(PaymentsByAProvider, ThatAreRefusedFailAtOnceAndNeedNoVoid) {
  order("o1", 2);
  charges_[0].refuse("the provider answered 402");
  take();

  EXPECT_EQ(order_row("o1").reason, Reason::PAYMENT_FAILED);
  EXPECT_EQ(balance(), 100);
  EXPECT_EQ(available(), 5);
  EXPECT_THAT(voids_, IsEmpty());
  EXPECT_THAT(written("payment-processing-topic.dlq"), IsEmpty());
}

TEST_F(PaymentsByAProvider, ThatAreRefusedAfterAnAttemptOfUnknownOutcomeAreMadeVoid) {
  order("o1", 2);
  charges_.back().fail("no answer within 5000 ms");  // Though the provider took the money.
  take();
  pass(1s);
  charges_.back().refuse("the provider answered 429");
  take();

  EXPECT_EQ(order_row("o1").reason, Reason::PAYMENT_FAILED);
  EXPECT_EQ(balance(), 100);
  ASSERT_THAT(voids_, SizeIs(1));
  EXPECT_EQ(voids_[0].value().order_id, "o1");
}

TEST_F(PaymentsByAProvider, ThatSucceedAfterTheOrderWasCancelledAreGivenBackAndMadeVoid) {
  order("o1", 2);
  driver_.pipe(topics::kOrderCancel, "o1", R"({"orderId":"o1"})", from_millis(2'000));
  charges_[0].succeed("provider-7");
  take();

  EXPECT_EQ(order_row("o1").status, OrderStatus::CANCELLED);
  EXPECT_EQ(balance(), 100);
  EXPECT_EQ(available(), 5);
  ASSERT_THAT(voids_, SizeIs(1));
}

TEST_F(PaymentsByAProvider, ThatCannotBeMadeVoidRaiseAnAlert) {
  order("o1", 2);
  fail_all_attempts();
  voids_.back().refuse("the provider answered 403");
  take();

  EXPECT_THAT(written(topics::kAdminAlerts), SizeIs(2));
  EXPECT_THAT(written(topics::kAdminAlerts)[1], HasSubstr("the payment may stand"));
}

}  // namespace
}  // namespace thalweg::shop
