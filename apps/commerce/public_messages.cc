#include "public_messages.h"

#include <algorithm>

#include "text.h"

namespace thalweg::shop {
namespace {

std::string_view name_of(EventType type) { return fb::EnumNameEventType(type); }
std::string_view name_of(Reason reason) { return fb::EnumNameReason(reason); }

void append_item_list(const std::vector<Item>& items, bool priced, std::string& out) {
  append_array(items, out, [priced](const Item& item, std::string& json) {
    JsonWriter writer(json);
    writer.text("productId", item.product_id).number("quantity", item.quantity);
    if (priced) writer.number("price", item.price);
    writer.end();
  });
}

/// A message with room for what usually follows.
JsonText message() {
  JsonText json{{}};
  json.text.reserve(256);
  return json;
}

/// Ids made of digits only are numbers in `order.processed`, as long as a number can hold them.
bool is_number(const std::string& id) {
  return !id.empty() && id.size() <= 18 && (id[0] != '0' || id.size() == 1) &&
         std::ranges::all_of(id, [](char c) { return c >= '0' && c <= '9'; });
}

void append_id(std::string_view name, const std::string& id, JsonWriter& json) {
  if (is_number(id)) {
    json.raw(name, id);
  } else {
    json.text(name, id);
  }
}

std::string cancelled_message(Reason reason) {
  switch (reason) {
    case Reason::OUT_OF_STOCK: return "Something you ordered is sold out.";
    case Reason::INSUFFICIENT_BALANCE: return "Your balance is too low for this order.";
    case Reason::UNKNOWN_PRODUCT: return "Something you ordered does not exist.";
    case Reason::COUPON_INVALID: return "Your coupon cannot be used for this order.";
    case Reason::TIMEOUT: return "Your order could not be finished in time.";
    case Reason::PAYMENT_FAILED:
    case Reason::NONE: break;
  }
  return "The payment of your order failed.";
}

}  // namespace

void append_items(const std::vector<Item>& items, std::string& out) {
  append_item_list(items, false, out);
}

void append_priced_items(const std::vector<Item>& items, std::string& out) {
  append_item_list(items, true, out);
}

JsonText inventory_event(const OrderEvent& event) {
  auto json = message();
  JsonWriter writer(json.text);
  writer.text("type", name_of(event.type)).text("orderId", event.order_id);
  writer.text("userId", event.user_id);
  writer.value("items", [&](std::string& out) { append_priced_items(event.items, out); });
  if (event.reason != Reason::NONE) writer.text("reason", name_of(event.reason));
  writer.time("timestamp", event.at).end();
  return json;
}

JsonText payment_event(const OrderEvent& event) {
  auto json = message();
  JsonWriter writer(json.text);
  writer.text("type", name_of(event.type)).text("orderId", event.order_id);
  writer.text("userId", event.user_id).text_or_null("paymentId", event.payment_id);
  writer.number("amount", event.final_amount);
  if (event.reason != Reason::NONE) writer.text("reason", name_of(event.reason));
  writer.time("timestamp", event.at).end();
  return json;
}

JsonText notification_event(const OrderEvent& event) {
  const bool completed = event.type == EventType::ORDER_COMPLETED;
  auto json = message();
  JsonWriter writer(json.text);
  writer.text("type", name_of(event.type)).text("orderId", event.order_id);
  writer.text("userId", event.user_id);
  writer.text("title", completed ? "Order completed" : "Order cancelled");
  if (completed) {
    writer.text("message", "Your order is paid and on its way.");
  } else {
    writer.text("message", cancelled_message(event.reason));
  }
  writer.time("timestamp", event.at).end();
  return json;
}

JsonText analytics_event(const OrderEvent& event) {
  auto json = message();
  JsonWriter writer(json.text);
  writer.text("type", name_of(event.type)).text("orderId", event.order_id);
  writer.text("userId", event.user_id).number("totalAmount", event.total_amount);
  writer.number("finalAmount", event.final_amount);
  writer.value("items", [&](std::string& out) { append_priced_items(event.items, out); });
  if (event.reason != Reason::NONE) writer.text("reason", name_of(event.reason));
  writer.time("timestamp", event.at).end();
  return json;
}

JsonText order_completed(const OrderEvent& event) {
  auto json = message();
  JsonWriter writer(json.text);
  writer.text("orderId", event.order_id).text("userId", event.user_id);
  writer.value("products", [&](std::string& out) {
    append_array(event.items, out, [](const Item& item, std::string& product) {
      JsonWriter(product).text("id", item.product_id).number("qty", item.quantity).end();
    });
  });
  writer.number("totalAmount", event.total_amount).end();
  return json;
}

JsonText order_processed(const OrderEvent& event) {
  auto json = message();
  JsonWriter writer(json.text);
  append_id("orderId", event.order_id, writer);
  append_id("userId", event.user_id, writer);
  writer.number("finalAmount", event.final_amount);
  if (event.coupon_id.empty()) {
    writer.raw("couponId", "null");
  } else {
    append_id("couponId", event.coupon_id, writer);
  }
  writer.value("items", [&](std::string& out) {
    append_array(event.items, out, [](const Item& item, std::string& product) {
      JsonWriter row(product);
      append_id("productOptionId", item.product_id, row);
      row.text("productName", item.name).number("quantity", item.quantity);
      row.number("price", item.price).end();
    });
  });
  writer.time("processedAt", event.at).end();
  return json;
}

JsonText external_payment_event(const OrderEvent& event) {
  auto json = message();
  JsonWriter writer(json.text);
  writer.text("paymentId", event.payment_id).text("orderId", event.order_id);
  writer.number("amount", event.final_amount).time("timestamp", event.at).end();
  return json;
}

JsonText stock_success(const OrderEvent& event) {
  auto json = message();
  JsonWriter writer(json.text);
  writer.text("orderId", event.order_id).text("userId", event.user_id);
  writer.value("items", [&](std::string& out) { append_items(event.items, out); }).end();
  return json;
}

JsonText order_created(const OrderEvent& event) {
  auto json = message();
  JsonWriter writer(json.text);
  writer.text("orderId", event.order_id).text("userId", event.user_id);
  writer.text("resultOrderId", event.order_id).number("totalAmount", event.total_amount);
  writer.value("items", [&](std::string& out) { append_items(event.items, out); }).end();
  return json;
}

JsonText payment_success(const OrderEvent& event) {
  auto json = message();
  JsonWriter writer(json.text);
  writer.text("orderId", event.order_id).text("userId", event.user_id);
  writer.number("totalAmount", event.final_amount).text("paymentId", event.payment_id).end();
  return json;
}

JsonText order_cancel(const OrderEvent& event) {
  auto json = message();
  JsonWriter writer(json.text);
  writer.text("orderId", event.order_id).text("resultOrderId", event.order_id);
  writer.text("userId", event.user_id).text("reason", name_of(event.reason)).end();
  return json;
}

JsonText stock_rollback(const OrderEvent& event) { return stock_success(event); }

JsonText product_event(std::string_view type, const std::string& product_id, const Stock& stock,
                       std::int64_t at) {
  auto json = message();
  JsonWriter writer(json.text);
  writer.text("type", type).text("productId", product_id).text("name", stock.name);
  writer.number("price", stock.price).number("stock", stock.available).time("at", at).end();
  return json;
}

}  // namespace thalweg::shop
