// What the shop promises about orders, told through its topics and tables.

#include "shop_fixture.h"

namespace thalweg::shop {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using namespace std::chrono_literals;

using Orders = ShopTest;

TEST_F(Orders, AnOrderThatCanBeFilledAndPaidIsCompleted) {
  product("shoe", 30, 5);
  deposit("ann", 100);

  order("o1", "ann", item("shoe", 2));

  EXPECT_EQ(order_row("o1").status, OrderStatus::COMPLETED);
  EXPECT_EQ(order_row("o1").final_amount, 60);
  EXPECT_THAT(history("o1"),
              ElementsAre(EventType::ORDER_CREATED, EventType::INVENTORY_DEDUCTED,
                          EventType::PAYMENT_COMPLETED, EventType::SHIPMENT_CREATED,
                          EventType::ORDER_COMPLETED));
}

TEST_F(Orders, ACompletedOrderMovesStockAndMoney) {
  product("shoe", 30, 5);
  deposit("ann", 100);

  order("o1", "ann", item("shoe", 2));

  EXPECT_EQ(stock("shoe").available, 3);
  EXPECT_EQ(stock("shoe").reserved, 0);
  EXPECT_EQ(stock("shoe").sold, 2);
  EXPECT_EQ(account("ann").balance, 40);
  EXPECT_EQ(account("ann").paid, 60);
}

TEST_F(Orders, PaymentShipmentAndStatusAreInOneRow) {
  product("shoe", 30, 5);
  deposit("ann", 100);

  order("o1", "ann", item("shoe", 1), R"({"shipment":{"city":"Ulm"},"warehouseStorage":true})");

  const Order row = order_row("o1");
  EXPECT_THAT(row.payment_id, SizeIs(36));
  EXPECT_THAT(row.shipment, HasSubstr(R"("request":{"city":"Ulm"})"));
  EXPECT_THAT(row.storage, HasSubstr("storageId"));
}

TEST_F(Orders, AnOrderForMoreThanThereIsIsCancelledAndTakesNothing) {
  product("shoe", 30, 1);
  deposit("ann", 100);

  order("o1", "ann", item("shoe", 2));

  EXPECT_EQ(order_row("o1").status, OrderStatus::CANCELLED);
  EXPECT_EQ(order_row("o1").reason, Reason::OUT_OF_STOCK);
  EXPECT_EQ(stock("shoe").available, 1);
  EXPECT_EQ(account("ann").balance, 100);
}

TEST_F(Orders, WhenOneItemIsRefusedTheOthersAreReleased) {
  product("shoe", 30, 5);
  product("sock", 2, 0);
  deposit("ann", 100);

  order("o1", "ann", item("shoe", 2) + "," + item("sock", 1));

  EXPECT_EQ(order_row("o1").reason, Reason::OUT_OF_STOCK);
  EXPECT_EQ(stock("shoe").available, 5);
  EXPECT_EQ(stock("shoe").reserved, 0);
}

TEST_F(Orders, AnOrderThatCannotBeFilledShowsThePricesThatAreKnown) {
  product("shoe", 30, 5);
  product("sock", 2, 0);

  order("o1", "ann", item("shoe", 2) + "," + item("sock", 1));
  order("o2", "ann", item("shoe", 2) + "," + item("ghost", 1));

  EXPECT_EQ(order_row("o1").items[0].price, 30);
  EXPECT_EQ(order_row("o1").items[1].price, 2);
  EXPECT_EQ(order_row("o1").total_amount, 62);
  EXPECT_EQ(order_row("o2").items[0].price, 30);
  EXPECT_EQ(order_row("o2").items[1].price, 0);
  EXPECT_EQ(order_row("o2").total_amount, 0) << "nobody knows";
  EXPECT_EQ(stock("shoe").available, 5);
}

TEST_F(Orders, AnUnknownProductCancelsTheOrder) {
  order("o1", "ann", item("ghost", 1));

  EXPECT_EQ(order_row("o1").reason, Reason::UNKNOWN_PRODUCT);
}

TEST_F(Orders, ALowBalanceCancelsTheOrderAndReleasesItsStock) {
  product("shoe", 30, 5);
  deposit("ann", 10);

  order("o1", "ann", item("shoe", 2));

  EXPECT_EQ(order_row("o1").reason, Reason::INSUFFICIENT_BALANCE);
  EXPECT_EQ(stock("shoe").available, 5);
  EXPECT_EQ(account("ann").balance, 10);
  EXPECT_THAT(history("o1"),
              ElementsAre(EventType::ORDER_CREATED, EventType::INVENTORY_DEDUCTED,
                          EventType::PAYMENT_FAILED, EventType::ORDER_CANCELLED));
}

TEST_F(Orders, AnOrderDeliveredTwiceIsOneOrder) {
  product("shoe", 30, 5);
  deposit("ann", 100);

  order("o1", "ann", item("shoe", 1));
  order("o1", "ann", item("shoe", 1));

  EXPECT_EQ(stock("shoe").sold, 1);
  EXPECT_EQ(account("ann").paid, 30);
}

TEST_F(Orders, TheSameProductTwiceInOneOrderIsOneItem) {
  product("shoe", 30, 5);
  deposit("ann", 500);

  order("o1", "ann", item("shoe", 1) + "," + item("shoe", 2));

  EXPECT_EQ(stock("shoe").sold, 3);
  EXPECT_THAT(order_row("o1").items, SizeIs(1));
}

TEST_F(Orders, ACommandIdCountsOnce) {
  product("shoe", 30, 5);

  restock("shoe", 3, "k1");
  restock("shoe", 3, "k1");
  restock("shoe", 3, "k2");
  deposit("ann", 10, "k1");
  deposit("ann", 10, "k1");

  EXPECT_EQ(stock("shoe").stocked, 11);
  EXPECT_EQ(account("ann").deposited, 10);
}

TEST_F(Orders, ALaterPutChangesNameAndPriceButNotTheStock) {
  product("shoe", 30, 5);

  product("shoe", 40, 5);
  product("shoe", 50, 7);

  EXPECT_EQ(stock("shoe").price, 40);
  EXPECT_EQ(stock("shoe").stocked, 5);
}

// --- payment: "later" -----------------------------------------------------------------------

TEST_F(Orders, AnOrderToBePaidLaterWaitsWithItsStockReserved) {
  product("shoe", 30, 5);
  deposit("ann", 100);

  order("o1", "ann", item("shoe", 2), R"({"payment":"later"})");

  EXPECT_EQ(order_row("o1").status, OrderStatus::PENDING);
  EXPECT_EQ(stock("shoe").reserved, 2);
  EXPECT_EQ(account("ann").balance, 100);
}

TEST_F(Orders, APaymentRecordCompletesTheWaitingOrderOnce) {
  product("shoe", 30, 5);
  deposit("ann", 100);
  order("o1", "ann", item("shoe", 2), R"({"payment":"later"})");

  foreign(topics::kPaymentProcessing, "o1", R"({"orderId":"o1","userId":"ann"})");
  foreign(topics::kPaymentProcessing, "o1", R"({"orderId":"o1","userId":"ann"})");

  EXPECT_EQ(order_row("o1").status, OrderStatus::COMPLETED);
  EXPECT_EQ(account("ann").paid, 60);
}

TEST_F(Orders, AProcessingRecordBringsTheShipment) {
  product("shoe", 30, 5);
  deposit("ann", 100);
  order("o1", "ann", item("shoe", 2), R"({"payment":"later"})");

  foreign(topics::kOrderProcessing, "o1",
          R"({"orderId":"o1","userId":"ann","request":{"shipment":{"city":"Ulm"}}})");

  EXPECT_EQ(order_row("o1").status, OrderStatus::COMPLETED);
  EXPECT_THAT(order_row("o1").shipment, HasSubstr("Ulm"));
}

// --- Cancellations and time -----------------------------------------------------------------

TEST_F(Orders, AWaitingOrderCanBeCancelledAndReleasesItsStockOnce) {
  product("shoe", 30, 5);
  order("o1", "ann", item("shoe", 2), R"({"payment":"later"})");

  foreign(topics::kOrderCencel, "o1", R"({"orderId":"o1","reason":"changed my mind"})");
  foreign(topics::kOrderCancel, "o1", R"({"orderId":"o1"})");
  foreign(topics::kStockRollback, "o1", R"({"orderId":"o1"})");

  EXPECT_EQ(order_row("o1").status, OrderStatus::CANCELLED);
  EXPECT_EQ(stock("shoe").available, 5);
  EXPECT_EQ(stock("shoe").stocked, 5);
}

TEST_F(Orders, ACompletedOrderCannotBeCancelled) {
  product("shoe", 30, 5);
  deposit("ann", 100);
  order("o1", "ann", item("shoe", 2));

  foreign(topics::kOrderCancel, "o1", R"({"orderId":"o1"})");
  foreign(topics::kStockRollback, "o1", R"({"orderId":"o1"})");

  EXPECT_EQ(order_row("o1").status, OrderStatus::COMPLETED);
  EXPECT_EQ(stock("shoe").sold, 2);
}

TEST_F(Orders, ACancellationThatOvertakesItsOrderStillCounts) {
  product("shoe", 30, 5);
  deposit("ann", 100);

  foreign(topics::kOrderCancel, "o1", R"({"orderId":"o1","reason":"PAYMENT_FAILED"})");
  EXPECT_FALSE(order_exists("o1"));
  order("o1", "ann", item("shoe", 2));

  EXPECT_EQ(order_row("o1").status, OrderStatus::CANCELLED);
  EXPECT_EQ(stock("shoe").available, 5);
  EXPECT_EQ(account("ann").balance, 100);
}

TEST_F(Orders, OnlyWhoseOrderItIsCanPayOrCancelIt) {
  product("shoe", 30, 5);
  deposit("ann", 100);
  order("o1", "ann", item("shoe", 2), R"({"payment":"later"})");

  const std::string of_bob = R"({"orderId":"o1","userId":"bob"})";
  for (const char* topic : {topics::kOrderProcessing, topics::kPaymentProcessing,
                            topics::kOrderCancel, topics::kOrderCencel, topics::kStockRollback}) {
    foreign(topic, "o1", of_bob);
    EXPECT_EQ(order_row("o1").status, OrderStatus::PENDING) << topic;
    EXPECT_THAT(written(std::string(topic) + ".dlq"), ElementsAre(of_bob));
  }
  EXPECT_EQ(account("ann").balance, 100);

  foreign(topics::kPaymentProcessing, "o1", R"({"orderId":"o1","userId":"ann"})");
  EXPECT_EQ(order_row("o1").status, OrderStatus::COMPLETED);
}

TEST_F(Orders, ACancellationOfAnotherUserDoesNotWaitForTheOrder) {
  product("shoe", 30, 5);
  deposit("ann", 100);

  foreign(topics::kOrderCancel, "o1", R"({"orderId":"o1","userId":"bob"})");
  order("o1", "ann", item("shoe", 2));
  foreign(topics::kOrderCancel, "o2", R"({"orderId":"o2","userId":"ann"})");
  order("o2", "ann", item("shoe", 1));

  EXPECT_EQ(order_row("o1").status, OrderStatus::COMPLETED);
  EXPECT_EQ(order_row("o2").status, OrderStatus::CANCELLED);
}

TEST_F(Orders, AnOrderThatIsNotFinishedInTimeIsCancelled) {
  product("shoe", 30, 5);
  order("o1", "ann", item("shoe", 2), R"({"payment":"later"})");

  time_passes(59s);
  EXPECT_EQ(order_row("o1").status, OrderStatus::PENDING);
  time_passes(2s);

  EXPECT_EQ(order_row("o1").status, OrderStatus::CANCELLED);
  EXPECT_EQ(order_row("o1").reason, Reason::TIMEOUT);
  EXPECT_EQ(stock("shoe").available, 5);
}

TEST_F(Orders, TheTimerOfAFinishedOrderIsGone) {
  product("shoe", 30, 5);
  deposit("ann", 100);
  order("o1", "ann", item("shoe", 2));

  time_passes(120s);

  EXPECT_EQ(order_row("o1").status, OrderStatus::COMPLETED);
  EXPECT_THAT(written(topics::kSagaTimeouts), IsEmpty());
}

// --- Records that cannot be read ------------------------------------------------------------

TEST_F(Orders, WhatIsNotAnOrderGoesToTheDeadLettersAndStopsNothing) {
  product("shoe", 30, 5);
  deposit("ann", 100);

  foreign(topics::kOrderStart, "o0", "{broken");
  foreign(topics::kOrderStart, "o0", R"({"orderId":"o0","userId":"ann","items":[]})");
  order("o1", "ann", item("shoe", 1));

  EXPECT_THAT(written("order.start.dlq"), SizeIs(2));
  EXPECT_EQ(order_row("o1").status, OrderStatus::COMPLETED);
}

TEST_F(Orders, ADeadLetterKeepsItsBytesAndSaysWhatIsWrong) {
  const std::string bytes = R"({"orderId":"o9","userId":"","items":[{"productId":"a"}]})";

  foreign(topics::kOrderStart, "o9", bytes);

  auto* letters = orders_.produced("order.start.dlq");
  ASSERT_NE(letters, nullptr);
  EXPECT_EQ(letters->front().value, bytes);
  const Header* message = letters->front().headers.last("__streams.errors.message");
  ASSERT_NE(message, nullptr);
  EXPECT_THAT(*message->value, AllOf(HasSubstr("userId"), HasSubstr("items[0].quantity")));
}

// Taken for none, they made an order to be paid later one that was paid at once.
TEST_F(Orders, OptionsThatCannotBeReadAreNotTakenForNone) {
  product("shoe", 30, 5);
  deposit("ann", 100);

  order("o1", "ann", item("shoe", 1), R"({"payment":"later")");
  order("o2", "ann", item("shoe", 1), R"({"payment":"later","shipment":{"weight":1e400}})");
  order("o3", "ann", item("shoe", 1), R"({"payment":"never"})");
  order("o4", "ann", item("shoe", 1), R"(["later"])");

  for (const char* id : {"o1", "o2", "o3", "o4"}) EXPECT_FALSE(order_exists(id)) << id;
  EXPECT_EQ(account("ann").balance, 100);
  auto* letters = orders_.produced("order.start.dlq");
  ASSERT_NE(letters, nullptr);
  ASSERT_THAT(*letters, SizeIs(4));
  const Header* message = (*letters)[2].headers.last("__streams.errors.message");
  ASSERT_NE(message, nullptr);
  EXPECT_EQ(message->value, "the header order-options: payment is neither auto nor later");
}

TEST_F(Orders, WhatIsAskedOfAnOrderThatWaitsIsNotTakenForNothing) {
  product("shoe", 30, 5);
  deposit("ann", 100);
  order("o1", "ann", item("shoe", 1), R"({"payment":"later"})");

  foreign(topics::kOrderProcessing, "o1",
          R"({"orderId":"o1","userId":"ann","request":{"shipment":{"weight":-1e400}}})");

  EXPECT_EQ(order_row("o1").status, OrderStatus::PENDING);
  EXPECT_THAT(written("order-processing-topic.dlq"), SizeIs(1));
}

TEST_F(Orders, AnOrderUnderAnotherKeyIsADeadLetter) {
  foreign(topics::kOrderCancel, "o1", R"({"orderId":"o2"})");

  EXPECT_THAT(written("order.cancel.dlq"), SizeIs(1));
}

// --- Coupons --------------------------------------------------------------------------------

TEST_F(Orders, ACouponMakesAnOrderCheaperAndIsUsed) {
  product("shoe", 30, 5);
  deposit("ann", 100);
  coupon("ten-off", {.discount_percent = 10}, {"ann"});

  order("o1", "ann", item("shoe", 2), R"({"couponId":"ten-off"})");

  EXPECT_EQ(order_row("o1").status, OrderStatus::COMPLETED);
  EXPECT_EQ(order_row("o1").total_amount, 60);
  EXPECT_EQ(order_row("o1").final_amount, 54);
  EXPECT_EQ(account("ann").paid, 54);
  EXPECT_THAT(history("o1"),
              ElementsAre(EventType::ORDER_CREATED, EventType::INVENTORY_DEDUCTED,
                          EventType::COUPON_RESERVED, EventType::PAYMENT_COMPLETED,
                          EventType::SHIPMENT_CREATED, EventType::ORDER_COMPLETED));
  EXPECT_EQ(coupon_counts("ten-off").used, 1);
}

TEST_F(Orders, ADiscountNeverPaysMoreThanThePrice) {
  product("shoe", 30, 5);
  deposit("ann", 1);
  coupon("gift", {.discount_amount = 1'000}, {"ann"});

  order("o1", "ann", item("shoe", 1), R"({"couponId":"gift"})");

  EXPECT_EQ(order_row("o1").status, OrderStatus::COMPLETED);
  EXPECT_EQ(order_row("o1").final_amount, 0);
  EXPECT_EQ(account("ann").balance, 1);
}

TEST_F(Orders, AnOrderWithACouponThatItsUserDoesNotHaveIsCancelled) {
  product("shoe", 30, 5);
  deposit("ann", 100);
  coupon("ten-off", {.discount_percent = 10}, {"bob"});

  order("o1", "ann", item("shoe", 1), R"({"couponId":"ten-off"})");

  EXPECT_EQ(order_row("o1").reason, Reason::COUPON_INVALID);
  EXPECT_THAT(history("o1"), ElementsAre(EventType::ORDER_CREATED, EventType::INVENTORY_DEDUCTED,
                                         EventType::COUPON_REFUSED, EventType::ORDER_CANCELLED));
  EXPECT_EQ(stock("shoe").available, 5);
  EXPECT_EQ(coupon_counts("ten-off").unused, 1);
}

TEST_F(Orders, ACouponOfAFailedPaymentIsFreeForTheNextOrder) {
  product("shoe", 30, 5);
  coupon("ten-off", {.discount_percent = 10}, {"ann"});

  order("o1", "ann", item("shoe", 1), R"({"couponId":"ten-off"})");
  EXPECT_EQ(order_row("o1").reason, Reason::INSUFFICIENT_BALANCE);
  EXPECT_EQ(coupon_counts("ten-off").unused, 1);

  deposit("ann", 100);
  order("o2", "ann", item("shoe", 1), R"({"couponId":"ten-off"})");
  order("o3", "ann", item("shoe", 1), R"({"couponId":"ten-off"})");

  EXPECT_EQ(order_row("o2").status, OrderStatus::COMPLETED);
  EXPECT_EQ(order_row("o3").reason, Reason::COUPON_INVALID);
  EXPECT_EQ(coupon_counts("ten-off").used, 1);
}

TEST_F(Orders, ACouponThatComesAfterTheTimeoutGoesBack) {
  product("shoe", 30, 5);
  deposit("ann", 100);
  coupon("ten-off", {.discount_percent = 10}, {"ann"});
  coupons_answer_ = false;

  order("o1", "ann", item("shoe", 1), R"({"couponId":"ten-off"})");
  EXPECT_EQ(coupon_counts("ten-off").reserved, 1);
  time_passes(2min);
  EXPECT_EQ(order_row("o1").reason, Reason::TIMEOUT);
  coupons_answer_ = true;
  time_passes(1s);

  EXPECT_EQ(coupon_counts("ten-off").unused, 1);
  EXPECT_EQ(coupon_counts("ten-off").reserved, 0);
  EXPECT_EQ(stock("shoe").available, 5);
  EXPECT_EQ(account("ann").balance, 100);
}

TEST_F(Orders, AnOrderToBePaidLaterHoldsItsCouponUntilItIsPaid) {
  product("shoe", 30, 5);
  deposit("ann", 100);
  coupon("ten-off", {.discount_percent = 10}, {"ann"});

  order("o1", "ann", item("shoe", 1), R"({"couponId":"ten-off","payment":"later"})");
  EXPECT_EQ(order_row("o1").status, OrderStatus::PENDING);
  EXPECT_EQ(coupon_counts("ten-off").reserved, 1);
  foreign(topics::kPaymentProcessing, "o1", R"({"orderId":"o1","userId":"ann"})");

  EXPECT_EQ(order_row("o1").status, OrderStatus::COMPLETED);
  EXPECT_EQ(account("ann").paid, 27);
  EXPECT_EQ(coupon_counts("ten-off").used, 1);
}

}  // namespace
}  // namespace thalweg::shop
