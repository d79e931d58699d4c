#include <thalweg/topology/streams_builder.h>
#include <thalweg/topology/time_windowed_kstream.h>

#include "product_table.h"
#include "public_input.h"
#include "topics.h"
#include "topologies.h"

namespace thalweg::shop {
namespace {

using Id = std::string;
using Orders = KStream<Id, CompletedOrder>;
using std::chrono::hours;

/// All of the shop, hour by hour.
void keep_sales_per_hour(const Orders& orders) {
  orders
      .map(
          [](const Id&, const CompletedOrder& order) {
            return std::pair(Id(kWholeShop), Sales{1, order.units(), order.total_amount});
          },
          {.name = "sales-of-the-shop"})
      .repartition({.name = "sales"})
      .group_by_key()
      .windowed_by(TimeWindows::of_size_and_grace(hours(1), kSalesGrace))
      .reduce(
          [](const Sales& a, const Sales& b) {
            return Sales{a.orders + b.orders, sum(a.units, b.units), sum(a.amount, b.amount)};
          },
          {.name = "add-up-sales", .store = stores::kSalesByHour, .retention = kSalesRetention});
}

/// At the price that each product has when its units are sold.
void keep_revenue(const Orders& orders, const KTable<Id, ProductInfo>& products) {
  orders.flat_map(units_by_product, {.name = "units-by-product"})
      .repartition({.name = "units-by-product"})
      .left_join(products,
                 [](std::int64_t units, const ProductInfo* product) {
                   return ProductSales{units, product ? units * product->price : 0};
                 },
                 {.name = "units-with-prices"})
      .group_by_key()
      .reduce(
          [](const ProductSales& a, const ProductSales& b) {
            return ProductSales{sum(a.units, b.units), sum(a.revenue, b.revenue)};
          },
          {.name = "add-up-revenue", .store = stores::kRevenueByProduct});
}

void keep_customers(const Orders& orders) {
  orders
      .map(
          [](const Id&, const CompletedOrder& order) {
            return std::pair(order.user_id, Purchase{order.total_amount, order.products});
          },
          {.name = "purchases-by-customer"})
      .repartition({.name = "purchases"})
      .group_by_key()
      .aggregate([] { return Customer{}; },
                 [](const Id&, const Purchase& purchase, Customer customer) {
                   return after_purchase(purchase, std::move(customer));
                 },
                 {.name = "add-up-purchases", .store = stores::kCustomers});
}

}  // namespace

Topology build_analytics(const ShopConfig& config) {
  StreamsBuilder builder;
  const auto products = product_table(builder, stores::kProductPrices, config);
  const auto orders = builder.stream<Id, CompletedOrder>(
      topics::kOrderCompleted, {.timestamp_extractor = TimeOfOthers(config)});
  keep_sales_per_hour(orders);
  keep_revenue(orders, products);
  keep_customers(orders);
  return builder.build();
}

}  // namespace thalweg::shop
