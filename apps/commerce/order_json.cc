#include "order_json.h"

#include "public_messages.h"
#include "text.h"

namespace thalweg::shop {
namespace {

/// What each step adds to what was known before it.
void append_details(EventType type, const Order& order, JsonWriter& json) {
  switch (type) {
    case EventType::ORDER_CREATED:
      json.text("userId", order.user_id);
      json.value("items", [&](std::string& out) { append_items(order.items, out); });
      break;
    case EventType::INVENTORY_DEDUCTED:
      json.number("totalAmount", order.total_amount);
      json.value("items", [&](std::string& out) { append_priced_items(order.items, out); });
      break;
    case EventType::COUPON_RESERVED:
      json.text("couponId", order.coupon_id).number("finalAmount", order.final_amount);
      break;
    case EventType::PAYMENT_COMPLETED:
      json.text("paymentId", order.payment_id).number("amount", order.final_amount);
      break;
    case EventType::SHIPMENT_CREATED:
      json.raw("shipment", order.shipment);
      break;
    case EventType::STORAGE_CREATED:
      json.raw("storage", order.storage);
      break;
    case EventType::INVENTORY_INSUFFICIENT:
    case EventType::COUPON_REFUSED:
    case EventType::PAYMENT_FAILED:
    case EventType::ORDER_CANCELLED:
      json.text("reason", fb::EnumNameReason(order.reason));
      break;
    default:
      break;
  }
}

}  // namespace

void append_order(const std::string& order_id, const Order& order, std::string& out) {
  JsonWriter json(out);
  json.text("orderId", order_id).text("userId", order.user_id);
  json.text("status", fb::EnumNameOrderStatus(order.status));
  if (order.reason != Reason::NONE) json.text("reason", fb::EnumNameReason(order.reason));
  json.value("items", [&](std::string& items) { append_priced_items(order.items, items); });
  json.number("totalAmount", order.total_amount).number("finalAmount", order.final_amount);
  json.text_or_null("couponId", order.coupon_id);
  json.raw("shipment", order.shipment.empty() ? "null" : std::string_view(order.shipment));
  json.raw("storage", order.storage.empty() ? "null" : std::string_view(order.storage));
  json.time("createdAt", order.created_at).time("updatedAt", order.updated_at).end();
}

void append_history(const std::string& order_id, const Order& order, std::string& out) {
  append_array(order.history, out, [&](const HistoryEntry& entry, std::string& json) {
    JsonWriter writer(json);
    writer.text("type", fb::EnumNameEventType(entry.type)).text("orderId", order_id);
    writer.time("at", entry.at);
    append_details(entry.type, order, writer);
    writer.end();
  });
}

}  // namespace thalweg::shop
