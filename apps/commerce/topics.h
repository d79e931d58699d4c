#pragma once

#include <array>
#include <string_view>

namespace thalweg::shop {

/// A topic as the shop makes it.
struct TopicPlan {
  enum Kind {
    kEvents,   ///< Kept as long as the log keeps anything.
    kForeign,  ///< Outside producers write to it too; what is no record goes to `<topic>.dlq`.
    kTable,    ///< Compacted.
    kReplies,  ///< On their way to the saga, which may be down for long: kept for a month.
    kInbox,    ///< Of use for a day.
    kViews,    ///< As kForeign, kept for a week.
  };
  const char* name;
  Kind kind = kEvents;
};

namespace topics {

// Public: JSON, a contract with other programs.
inline constexpr const char* kOrderStart = "order.start";
inline constexpr const char* kStockSuccess = "stock.success";
inline constexpr const char* kOrderCreated = "order.created";
inline constexpr const char* kPaymentRequest = "payment.request";
inline constexpr const char* kPaymentSuccess = "payment.success";
inline constexpr const char* kOrderCancel = "order.cancel";
inline constexpr const char* kOrderCencel = "order.cencel";  // Old producers spell it so.
inline constexpr const char* kStockRollback = "stock.rollback";
inline constexpr const char* kOrderProcessing = "order-processing-topic";
inline constexpr const char* kPaymentProcessing = "payment-processing-topic";
inline constexpr const char* kInventoryEvents = "inventory-events";
inline constexpr const char* kPaymentEvents = "payment-events";
inline constexpr const char* kNotificationEvents = "notification-events";
inline constexpr const char* kAnalyticsEvents = "analytics-events";
inline constexpr const char* kOrderCompleted = "order-completed";
inline constexpr const char* kOrderProcessed = "order.processed";
inline constexpr const char* kExternalEvents = "external-events";
inline constexpr const char* kProductEvents = "product-events";
inline constexpr const char* kCouponRequests = "coupon-requests";
inline constexpr const char* kCouponResults = "coupon-results";
inline constexpr const char* kViewLog = "view-log-topic";
inline constexpr const char* kViewLogLate = "view-log-late";
inline constexpr const char* kPaymentRetry = "payment-processing-topic.retry";
inline constexpr const char* kAdminAlerts = "admin-alerts";

// Our own: FlatBuffers.
inline constexpr const char* kDeliveryEvents = "delivery-events";
inline constexpr const char* kOrderEvents = "order-events";
inline constexpr const char* kUsers = "users";
inline constexpr const char* kProductCommands = "product-commands";
inline constexpr const char* kAccountCommands = "account-commands";
// Answers on their way back to the saga, and its timeouts: a plan has no loops of its own, so these
// go through topics that are named, as do those of the coupons (kCouponReplies).
inline constexpr const char* kStockReplies = "stock-replies";
inline constexpr const char* kPaymentReplies = "payment-replies";
inline constexpr const char* kSagaTimeouts = "saga-timeouts";
inline constexpr const char* kCoupons = "coupons";
inline constexpr const char* kCouponEvents = "coupon-events";
inline constexpr const char* kCouponHolds = "coupon-holds";
inline constexpr const char* kCouponReplies = "coupon-replies";
inline constexpr const char* kInbox = "inbox";

/// Every topic that the applications read or write, dead letters aside.
inline constexpr auto kAll = std::to_array<TopicPlan>({
    // Orders and their choreography.
    {kOrderStart, TopicPlan::kForeign},
    {kStockSuccess},
    {kOrderCreated},
    {kPaymentRequest},
    {kPaymentSuccess},
    {kOrderCancel, TopicPlan::kForeign},
    {kOrderCencel, TopicPlan::kForeign},
    {kStockRollback, TopicPlan::kForeign},
    {kOrderProcessing, TopicPlan::kForeign},
    {kPaymentProcessing, TopicPlan::kForeign},
    {kInventoryEvents},
    {kPaymentEvents},
    {kNotificationEvents, TopicPlan::kForeign},
    {kAnalyticsEvents},
    {kOrderCompleted, TopicPlan::kForeign},
    {kOrderProcessed, TopicPlan::kForeign},
    {kExternalEvents, TopicPlan::kForeign},
    {kProductEvents, TopicPlan::kForeign},
    {kOrderEvents},
    {kUsers, TopicPlan::kTable},
    {kProductCommands},
    {kAccountCommands},
    {kStockReplies, TopicPlan::kReplies},
    {kPaymentReplies, TopicPlan::kReplies},
    {kSagaTimeouts, TopicPlan::kReplies},
    // Coupons.
    {kCouponRequests, TopicPlan::kForeign},
    {kCouponResults, TopicPlan::kForeign},
    {kCoupons},
    {kCouponEvents},
    {kCouponHolds},
    {kCouponReplies, TopicPlan::kReplies},
    // Deliveries.
    {kDeliveryEvents},
    {kPaymentRetry},
    {kAdminAlerts},
    {kInbox, TopicPlan::kInbox},
    // Views.
    {kViewLog, TopicPlan::kViews},
    {kViewLogLate},
});

/// Whether outside producers write to the topic too, so that not each record need be readable.
constexpr bool is_foreign(std::string_view topic) {
  for (const TopicPlan& plan : kAll) {
    if (topic != plan.name) continue;
    return plan.kind == TopicPlan::kForeign || plan.kind == TopicPlan::kViews;
  }
  return false;
}

/// Those with JSON: other programs read and write them.
inline constexpr auto kPublic = std::to_array<const char*>(
    {kOrderStart,        kStockSuccess,      kOrderCreated,       kPaymentRequest,
     kPaymentSuccess,    kOrderCancel,       kOrderCencel,        kStockRollback,
     kOrderProcessing,   kPaymentProcessing, kInventoryEvents,    kPaymentEvents,
     kNotificationEvents, kAnalyticsEvents,  kOrderCompleted,     kOrderProcessed,
     kExternalEvents,    kProductEvents,     kCouponRequests,     kCouponResults,
     kViewLog,           kViewLogLate,       kPaymentRetry,       kAdminAlerts});

}  // namespace topics
}  // namespace thalweg::shop
