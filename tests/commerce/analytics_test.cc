// What the shop sells, hour by hour; what each product brings; what each customer buys.

#include <limits>

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
  Customer customer(const std::string& user) {
    const auto* row = driver_.key_value_store<std::string, Customer>(stores::kCustomers).get(user);
    return row ? *row : Customer{};
  }
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

TEST_F(AnalyticsTest, SumsEndAtTheGreatestNumberThereIs) {
  constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
  order("2026-11-21T10:00:00Z", "ann", {{"lamp", 1}}, kMost);
  order("2026-11-21T10:01:00Z", "ann", {{"lamp", 1}}, 1'200'000'000'000);

  EXPECT_EQ(customer("ann").spend, kMost);
  EXPECT_EQ(sales_of_hour("2026-11-21T10"), (Sales{2, 2, kMost}));
}

TEST_F(AnalyticsTest, OfEqualFavouritesTheFirstByIdIsTold) {
  order("2026-11-21T10:00:00Z", "ann", {{"lamp", 2}}, 70);
  order("2026-11-21T10:01:00Z", "ann", {{"cup", 2}}, 70);

  EXPECT_EQ(customer("ann").favourite.product_id, "cup");
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
  EXPECT_EQ(text, build_analytics().describe().to_text()) << "a plan is a pure function";
}

}  // namespace
}  // namespace thalweg::shop
