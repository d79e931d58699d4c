// The shop in the words of the choreographed systems: a producer that speaks only their topics
// drives a complete order, and everyone who listens hears the same.

#include "shop_fixture.h"

namespace thalweg::shop {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class Choreography : public ShopTest {
 protected:
  void SetUp() override {
    product("77", 30, 5);
    deposit("ann", 100);
    written(topics::kProductEvents);
  }
};

TEST_F(Choreography, ACompleteOrderIsToldStepByStep) {
  order("o1", "ann", item("77", 2));

  EXPECT_THAT(written(topics::kStockSuccess),
              ElementsAre(R"({"orderId":"o1","userId":"ann",)"
                          R"("items":[{"productId":"77","quantity":2}]})"));
  const std::string created =
      R"({"orderId":"o1","userId":"ann","resultOrderId":"o1","totalAmount":60,)"
      R"("items":[{"productId":"77","quantity":2}]})";
  EXPECT_THAT(written(topics::kOrderCreated), ElementsAre(created));
  EXPECT_THAT(written(topics::kPaymentRequest), ElementsAre(created));
  EXPECT_THAT(written(topics::kPaymentSuccess),
              ElementsAre(AllOf(HasSubstr(R"("totalAmount":60)"), HasSubstr("paymentId"))));
  EXPECT_THAT(written(topics::kOrderCancel), IsEmpty());
}

TEST_F(Choreography, ACompletedOrderReachesEveryListener) {
  order("o1", "ann", item("77", 2));

  EXPECT_THAT(written(topics::kOrderCompleted),
              ElementsAre(R"({"orderId":"o1","userId":"ann",)"
                          R"("products":[{"id":"77","qty":2}],"totalAmount":60})"));
  EXPECT_THAT(written(topics::kOrderProcessed),
              ElementsAre(AllOf(HasSubstr(R"("productOptionId":77,"productName":"The 77")"),
                                HasSubstr(R"("couponId":null)"))));
  EXPECT_THAT(written(topics::kExternalEvents), ElementsAre(HasSubstr(R"("amount":60)")));
  EXPECT_THAT(written(topics::kNotificationEvents), ElementsAre(HasSubstr("ORDER_COMPLETED")));
  EXPECT_THAT(written(topics::kInventoryEvents), ElementsAre(HasSubstr("INVENTORY_DEDUCTED")));
  EXPECT_THAT(written(topics::kPaymentEvents), ElementsAre(HasSubstr("PAYMENT_COMPLETED")));
  EXPECT_THAT(written(topics::kAnalyticsEvents), SizeIs(1));
}

TEST_F(Choreography, IdsOfDigitsAreNumbersInProcessedOrdersAndTextWithALetter) {
  deposit("7", 100);
  coupon("5", {.discount_amount = 10}, {"7"});
  order("12", "7", item("77", 1), R"({"couponId":"5"})");

  EXPECT_THAT(written(topics::kOrderProcessed),
              ElementsAre(AllOf(HasSubstr(R"({"orderId":12,"userId":7,"finalAmount":20,)"),
                                HasSubstr(R"("couponId":5,"items":[{"productOptionId":77,)"))));
  order("o12", "ann", item("77", 1));
  EXPECT_THAT(written(topics::kOrderProcessed),
              ElementsAre(HasSubstr(R"({"orderId":"o12","userId":"ann","finalAmount":30,)")));
}

TEST_F(Choreography, StockThatIsNotThereCancelsWithoutARollback) {
  order("o1", "ann", item("77", 9));

  EXPECT_THAT(written(topics::kOrderCancel),
              ElementsAre(R"({"orderId":"o1","resultOrderId":"o1","userId":"ann",)"
                          R"("reason":"OUT_OF_STOCK"})"));
  EXPECT_THAT(written(topics::kStockRollback), IsEmpty());
}

TEST_F(Choreography, APaymentThatFailsCancelsAndRollsBackOnce) {
  order("o1", "bob", item("77", 2));

  EXPECT_THAT(written(topics::kOrderCancel), ElementsAre(HasSubstr("INSUFFICIENT_BALANCE")));
  EXPECT_THAT(written(topics::kStockRollback), SizeIs(1));
  EXPECT_EQ(stock("77").available, 5);
}

TEST_F(Choreography, AForeignCancelIsAnsweredByTheRollbackOnly) {
  order("o1", "ann", item("77", 2), R"({"payment":"later"})");

  foreign(topics::kOrderCancel, "o1", R"({"orderId":"o1"})");

  EXPECT_THAT(written(topics::kOrderCancel), IsEmpty());
  EXPECT_THAT(written(topics::kStockRollback), SizeIs(1));
}

TEST_F(Choreography, AForeignRollbackIsAnsweredByTheCancelOnly) {
  order("o1", "ann", item("77", 2), R"({"payment":"later"})");

  foreign(topics::kStockRollback, "o1", R"({"orderId":"o1","userId":"ann","items":[]})");

  EXPECT_THAT(written(topics::kOrderCancel), SizeIs(1));
  EXPECT_THAT(written(topics::kStockRollback), IsEmpty());
  EXPECT_EQ(stock("77").available, 5);
}

TEST_F(Choreography, AProductTellsWhenItIsNewChangedFilledUpAndGone) {
  product("cap", 10, 1);
  product("cap", 12, 1);
  restock("cap", 1, "");
  order("o1", "ann", item("cap", 2));

  EXPECT_THAT(written(topics::kProductEvents),
              ElementsAre(HasSubstr("CREATED"), HasSubstr("UPDATED"), HasSubstr("RESTOCKED"),
                          HasSubstr("SOLD_OUT")));
}

}  // namespace
}  // namespace thalweg::shop
