#include "order_fold.h"

namespace thalweg::shop {

Order fold(const OrderEvent& event, Order order) {
  switch (event.type) {
    case EventType::ORDER_CREATED:
      order.user_id = event.user_id;
      order.status = event.pay_now ? OrderStatus::PROCESSING : OrderStatus::PENDING;
      order.items = event.items;
      order.coupon_id = event.coupon_id;
      order.options_digest = event.options_digest;
      order.created_at = event.at;
      break;
    case EventType::INVENTORY_DEDUCTED:
    case EventType::INVENTORY_INSUFFICIENT:  // Without the prices of products that are unknown.
      order.items = event.items;
      order.total_amount = event.total_amount;
      order.final_amount = event.final_amount;
      break;
    case EventType::COUPON_RESERVED:
      order.final_amount = event.final_amount;
      break;
    case EventType::PAYMENT_REQUESTED:
      order.status = OrderStatus::PROCESSING;
      break;
    case EventType::PAYMENT_COMPLETED:
      order.payment_id = event.payment_id;
      break;
    case EventType::SHIPMENT_CREATED:
      order.shipment = event.shipment;
      break;
    case EventType::STORAGE_CREATED:
      order.storage = event.storage;
      break;
    case EventType::ORDER_COMPLETED:
      order.status = OrderStatus::COMPLETED;
      break;
    case EventType::ORDER_CANCELLED:
      order.status = OrderStatus::CANCELLED;
      order.reason = event.reason;
      break;
    case EventType::COUPON_REFUSED:
    case EventType::COUPON_RELEASED:
    case EventType::PAYMENT_FAILED:
    case EventType::INVENTORY_RELEASED:
    case EventType::PAYMENT_REFUNDED:
      break;
  }
  order.updated_at = event.at;
  if (in_history(event.type)) order.history.push_back({event.at, event.type});
  return order;
}

}  // namespace thalweg::shop
