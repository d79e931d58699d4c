#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include <thalweg/topology/topology.h>

#include "shop_config.h"

namespace thalweg::shop {

// Each topology is a pure function of the settings; its stores are named here for queries.

namespace stores {
inline constexpr const char* kSagas = "sagas";        ///< order id -> Saga
inline constexpr const char* kOrders = "orders";      ///< order id -> Order
inline constexpr const char* kStock = "stock";        ///< product id -> Stock
inline constexpr const char* kAccounts = "accounts";  ///< user id -> Account
inline constexpr const char* kUsers = "users";        ///< user id -> User
/// order_by_user_key() -> when it was created
inline constexpr const char* kOrdersByUser = "orders-by-user";
inline constexpr const char* kOrderFunnel = "order-funnel";  ///< funnel_row() -> how many, by task
inline constexpr const char* kCoupons = "coupons";               ///< coupon id -> Coupon
inline constexpr const char* kCouponCounts = "coupon-counts";    ///< coupon id -> CouponCounts
/// request id -> CouponRequestRow, in the partition of `user:{userId}`; a further user's under that
/// id: request id, line end, user id
inline constexpr const char* kCouponRequests = "coupon-requests";
/// coupon_by_user_key() -> HeldCoupon, in the partition of `user:{userId}`
inline constexpr const char* kCouponsByUser = "coupons-by-user";
inline constexpr const char* kDeliveries = "deliveries";       ///< delivery id -> Delivery
inline constexpr const char* kDeadLetters = "dead-letters";    ///< the same, those given up
inline constexpr const char* kProcessedOrders = "data-order-processed";  ///< order id -> JSON
inline constexpr const char* kDeliveryOutbox = "delivery-outbox";
inline constexpr const char* kDeliveriesByOrder = "deliveries-by-order";  ///< -> DeliveryIds

// Of `ranking` and `analytics`.
inline constexpr const char* kProducts = "products";         ///< product id -> ProductInfo
inline constexpr const char* kProductPrices = "product-prices";  ///< The same, for `analytics`.
inline constexpr const char* kSoldProducts = "sold-products";  ///< product id -> SoldProduct
// Sorted lists of products by units sold: see rank_index.h.
inline constexpr const char* kRankingOfAllTime = "ranking-of-all-time";  ///< One list, kAllTime.
inline constexpr const char* kRankingByDay = "ranking-by-day";
inline constexpr const char* kRankingByHour = "ranking-by-hour";
inline constexpr const char* kSalesByHour = "sales-by-hour";  ///< kWholeShop by hour -> Sales
inline constexpr const char* kRevenueByProduct = "revenue-by-product";  ///< id -> ProductSales
inline constexpr const char* kCustomers = "customers";                  ///< user id -> Customer
inline constexpr const char* kInbox = "inbox";  ///< inbox_key() -> Notice
}  // namespace stores

/// The list of what was sold ever.
inline constexpr const char* kAllTime = "all";
/// The key of what is added up over all of the shop.
inline constexpr const char* kWholeShop = "shop";
/// How long after its end an hour's sales may still come, and how long they can be asked for.
inline constexpr std::chrono::hours kSalesGrace{24};
inline constexpr std::chrono::hours kSalesRetention{400 * 24};

/// Key of `orders-by-user`: sorts by user, then by time; its partition is that of the user's id.
std::string order_by_user_key(std::string_view user_id, std::int64_t created_at,
                              std::string_view order_id);
/// The order id in such a key.
std::string_view order_id_of(std::string_view order_by_user_key);
/// Where the keys of one user begin.
std::string order_by_user_prefix(std::string_view user_id);
/// The topic by which orders come to that store, in the partition of their users.
std::string orders_by_user_topic(std::string_view application_id);

/// `order-service`: the saga, products with their stock, accounts, and what queries read.
Topology build_orders(const ShopConfig& config);

/// Key of `coupons-by-user`.
std::string coupon_by_user_key(std::string_view user_id, std::string_view coupon_id);
/// Where the keys of one user begin.
std::string coupon_by_user_prefix(std::string_view user_id);

/// `coupon-request-group`: coupons, who gets them, and what orders do with them.
Topology build_coupons(const ShopConfig& config = {});
/// `ranking`: products by units of completed orders: of all time, by day and by hour.
Topology build_ranking(const ShopConfig& config = {});

/// `analytics`: sales per hour, revenue per product, what each customer buys.
Topology build_analytics(const ShopConfig& config = {});

/// `notifications`: what users are told, kept for those who are not there.
Topology build_notifications(const ShopConfig& config = {});

/// `choreography`: the history of orders in the words of the choreographed shops.
Topology build_choreography(const ShopConfig& config = {});

/// `external-platform-redis-group`: deliveries to the outside, if there is a receiver; processed
/// orders of the last hour.
Topology build_delivery(const ShopConfig& config);

}  // namespace thalweg::shop
