// What the shop sells, hour by hour; what each product brings; what each customer buys.

#include "order_funnel.h"
#include "sales_fixture.h"

namespace thalweg::shop {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class AnalyticsTest : public SalesTest {
 protected:
  AnalyticsTest() : SalesTest(build_analytics()) {}

  Sales sales_of_hour(const std::string& hour) {
    const auto* row = driver_.window_store<std::string, Sales>(stores::kSalesByHour)
                          .fetch(kWholeShop, at(hour + ":00:00Z"));
    return row ? *row : Sales{};
  }
  ProductSales revenue(const std::string& product) {
    const auto* row =
        driver_.key_value_store<std::string, ProductSales>(stores::kRevenueByProduct).get(product);
    return row ? *row : ProductSales{};
  }
  void step(const std::string& order, EventType type, Reason reason = Reason::NONE) {
    OrderEvent event{.type = type, .order_id = order, .user_id = "ann", .reason = reason};
    steps_.pipe(order, event, at("2026-11-21T10:00:00Z"));
  }
  /// Of all tasks.
  std::int64_t in_funnel(const std::string& row) {
    const auto* count =
        driver_.key_value_store<std::string, std::int64_t>(stores::kOrderFunnel).get(row);
    return count ? *count : 0;
  }
  Customer customer(const std::string& user) {
    const auto* row = driver_.key_value_store<std::string, Customer>(stores::kCustomers).get(user);
    return row ? *row : Customer{};
  }

 private:
  TestInputTopic<std::string, OrderEvent> steps_ =
      driver_.create_input_topic<std::string, OrderEvent>(topics::kOrderEvents);
};

TEST_F(AnalyticsTest, AnHourAddsUpItsOrders) {
  order("2026-11-21T10:00:00Z", "ann", {{"lamp", 2}, {"cup", 1}}, 110);
  order("2026-11-21T10:59:59.999Z", "bob", {{"cup", 3}}, 30);
  order("2026-11-21T11:00:00Z", "bob", {{"cup", 1}}, 10);

  EXPECT_EQ(sales_of_hour("2026-11-21T10"), (Sales{2, 6, 140}));
  EXPECT_EQ(sales_of_hour("2026-11-21T11"), (Sales{1, 1, 10}));
}

TEST_F(AnalyticsTest, AnOrderOfYesterdayStillCountsInItsHour) {
  order("2026-11-21T10:00:00Z", "ann", {{"lamp", 1}}, 50);
  order("2026-11-20T12:00:00Z", "ann", {{"lamp", 1}}, 40);

  EXPECT_EQ(sales_of_hour("2026-11-20T12"), (Sales{1, 1, 40}));
}

TEST_F(AnalyticsTest, AProductBringsItsPriceOfTheTime) {
  product("lamp", 50);
  order("2026-11-21T10:00:00Z", "ann", {{"lamp", 2}}, 100);
  product("lamp", 60);
  order("2026-11-21T10:01:00Z", "ann", {{"lamp", 1}}, 60);

  EXPECT_EQ(revenue("lamp"), (ProductSales{3, 160}));
}

TEST_F(AnalyticsTest, AProductWithoutAPriceCountsItsUnits) {
  order("2026-11-21T10:00:00Z", "ann", {{"ghost", 2}}, 100);

  EXPECT_EQ(revenue("ghost"), (ProductSales{2, 0}));
}

TEST_F(AnalyticsTest, ACustomerIsKnownByOrdersSpendAndFavourite) {
  order("2026-11-21T10:00:00Z", "ann", {{"lamp", 1}, {"cup", 2}}, 70);
  order("2026-11-21T10:01:00Z", "bob", {{"hat", 9}}, 90);
  order("2026-11-21T10:02:00Z", "ann", {{"lamp", 2}}, 100);

  const Customer ann = customer("ann");
  EXPECT_EQ(ann.orders, 2);
  EXPECT_EQ(ann.units, 5);
  EXPECT_EQ(ann.spend, 170);
  EXPECT_EQ(ann.favourite, (ProductUnits{"lamp", 3}));
}

TEST_F(AnalyticsTest, OfEqualFavouritesTheFirstByIdIsTold) {
  order("2026-11-21T10:00:00Z", "ann", {{"lamp", 2}}, 70);
  order("2026-11-21T10:01:00Z", "ann", {{"cup", 2}}, 70);

  EXPECT_EQ(customer("ann").favourite.product_id, "cup");
}

TEST_F(AnalyticsTest, TheFunnelCountsHowFarOrdersGet) {
  step("o1", EventType::ORDER_CREATED);
  step("o2", EventType::ORDER_CREATED);
  step("o1", EventType::INVENTORY_DEDUCTED);
  step("o2", EventType::INVENTORY_INSUFFICIENT, Reason::OUT_OF_STOCK);
  step("o2", EventType::ORDER_CANCELLED, Reason::OUT_OF_STOCK);
  step("o1", EventType::ORDER_COMPLETED);

  EXPECT_EQ(in_funnel("ORDER_CREATED"), 2);
  EXPECT_EQ(in_funnel("INVENTORY_DEDUCTED"), 1);
  EXPECT_EQ(in_funnel("ORDER_COMPLETED"), 1);
  EXPECT_EQ(in_funnel("ORDER_CANCELLED/OUT_OF_STOCK"), 1);
  EXPECT_EQ(in_funnel("ORDER_CANCELLED/TIMEOUT"), 0);
}

TEST_F(AnalyticsTest, StepsOfALaterVersionStopNobody) {
  step("o1", static_cast<EventType>(200));
  step("o1", EventType::ORDER_CANCELLED, static_cast<Reason>(200));
  step("o2", EventType::ORDER_CREATED);

  EXPECT_EQ(in_funnel("UNKNOWN"), 1);
  EXPECT_EQ(in_funnel("ORDER_CANCELLED/UNKNOWN"), 1);
  EXPECT_EQ(in_funnel("ORDER_CREATED"), 1);
}

TEST(Customers, OfVeryManyProductsThoseBoughtMostAreKept) {
  Customer customer;
  customer = after_purchase({10, {{"mug", 5}}}, std::move(customer));
  for (int i = 0; i < 1000; ++i) {
    customer = after_purchase({10, {{"p" + std::to_string(i), 1}}}, std::move(customer));
  }

  EXPECT_THAT(customer.products, SizeIs(Customer::kProductsMax));
  EXPECT_EQ(customer.favourite, (ProductUnits{"mug", 5}));
  EXPECT_EQ(customer.units, 1005);
  customer = after_purchase({10, {{"mug", 1}}}, std::move(customer));
  EXPECT_EQ(customer.favourite, (ProductUnits{"mug", 6})) << "what is bought most is not forgotten";
}

TEST(Customers, SurviveTheirBytes) {
  const Customer customer = after_purchase({70, {{"lamp", 2}, {"cup", 2}}}, {});
  std::string bytes;
  Serde<Customer>::serialize(customer, bytes);
  Customer read;
  Serde<Customer>::deserialize(bytes, read);

  EXPECT_THAT(read.products, ElementsAre(ProductUnits{"cup", 2}, ProductUnits{"lamp", 2}));
  EXPECT_EQ(read.favourite, (ProductUnits{"cup", 2}));
  EXPECT_EQ(read.spend, 70);
}

TEST(AnalyticsTopology, JoinsUnitsWithProductsAndKeepsWhatIsAsked) {
  const std::string text = build_analytics().describe().to_text();

  EXPECT_THAT(text, HasSubstr("units-with-prices (stores: [product-prices])"));
  EXPECT_THAT(text, HasSubstr("add-up-sales (stores: [sales-by-hour])"));
  EXPECT_THAT(text, HasSubstr("add-up-revenue (stores: [revenue-by-product])"));
  EXPECT_THAT(text, HasSubstr("add-up-purchases (stores: [customers])"));
  EXPECT_THAT(text, HasSubstr("count-steps (stores: [order-funnel])"));
  EXPECT_EQ(text, build_analytics().describe().to_text()) << "a plan is a pure function";
}

}  // namespace
}  // namespace thalweg::shop
