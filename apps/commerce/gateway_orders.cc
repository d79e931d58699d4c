#include <algorithm>

#include <boost/json/object.hpp>

#include "gateway_context.h"
#include "order_json.h"
#include "query_fields.h"
#include "saga_command.h"
#include "topics.h"

namespace thalweg::shop {
namespace {

/// How deep bodies about orders may be nested: what is written of one, and the list that shows it,
/// nest it two deeper, and readers of either go no deeper than kJsonDepthMax.
constexpr std::size_t kBodyDepthMax = kJsonDepthMax - 2;

struct NewOrder {
  std::string order_id;
  std::string user_id;
  std::vector<ItemRequest> items;
  OrderOptions options;
};

HttpResponse accepted(const std::string& order_id, std::string_view message) {
  HttpResponse response{.status = 202};
  response.body.reserve(200);
  JsonWriter(response.body)
      .text("orderId", order_id)
      .text("status", "PROCESSING")
      .text("message", message)
      .text("websocketTopic", "/topic/order/" + order_id)
      .end();
  return response;
}

HttpResponse order_accepted(const std::string& order_id) {
  return accepted(order_id, "Your order is being processed.");
}

/// The header of `order.start` with the options; empty when there are none.
std::string options_header(const OrderOptions& options) {
  if (!options.pay_later && options.shipment.empty() && !options.storage_wanted &&
      options.coupon_id.empty()) {
    return {};
  }
  std::string header;
  JsonWriter json(header);
  if (options.pay_later) json.text("payment", "later");
  if (!options.shipment.empty()) json.raw("shipment", options.shipment);
  if (options.storage_wanted) json.boolean("warehouseStorage", true);
  if (!options.coupon_id.empty()) json.text("couponId", options.coupon_id);
  json.end();
  return header;
}

CommandRecord order_start(const NewOrder& order) {
  CommandRecord record{topics::kOrderStart, order.order_id, {}};
  JsonWriter json(record.value);
  json.text("orderId", order.order_id).text("userId", order.user_id);
  json.value("items", [&](std::string& out) {
    append_array(order.items, out, [](const ItemRequest& item, std::string& row) {
      JsonWriter(row).text("productId", item.product_id).number("quantity", item.quantity).end();
    });
  });
  json.end();
  std::string options = options_header(order.options);
  if (options.empty()) return record;
  record.headers.add(std::string(kOrderOptionsHeader), std::move(options));
  return record;
}

bool same_items(const std::vector<ItemRequest>& asked, const std::vector<Item>& kept) {
  return std::ranges::equal(asked, kept, [](const ItemRequest& a, const Item& b) {
    return a.product_id == b.product_id && a.quantity == b.quantity;
  });
}

/// Answers a request whose order exists already: a retry under the same key, or a key used twice.
void answer_retry(const ContextPtr& context, const NewOrder& order,
                  const GatewayContext::Found<Order>& found, Responder responder) {
  const bool same = found.row->user_id == order.user_id &&
                    same_items(order.items, found.row->items) &&
                    found.row->options_digest == options_digest(options_header(order.options));
  context->send_durable(
      found.commit, std::move(responder),
      same ? order_accepted(order.order_id)
           : conflict("idempotency_key_reused", "the Idempotency-Key belongs to another order"));
}

/// Accepts the order, unless it exists already.
void offer(const ContextPtr& context, NewOrder order, bool is_retry_possible, Responder responder) {
  auto& on_the_way = context->orders_on_the_way();
  auto mark = on_the_way.begin(order.order_id, order.user_id);
  if (!mark) {
    const std::string id = order.order_id;
    return on_the_way.when_arrived(id, [context, order = std::move(order), is_retry_possible,
                                        responder = std::move(responder)]() mutable {
      offer(context, std::move(order), is_retry_possible, std::move(responder));
    });
  }
  if (is_retry_possible) {
    const auto found = context->find<Order>(stores::kOrders, order.order_id);
    if (!found) return responder.send(unavailable(found.error()));
    if (found->row) return answer_retry(context, order, *found, std::move(responder));
  }
  context->accept(order_start(order), std::move(mark), std::move(responder),
                  order_accepted(order.order_id));
}

void post_order(const ContextPtr& context, HttpRequest& request, Responder responder) {
  const Body body(request, kBodyDepthMax);
  if (!body.is_object()) return responder.send(bad_request({body.fault()}));
  Faults faults;
  JsonFields fields(body.object(), faults);
  auto caller = context->caller(request);
  if (!caller) return responder.send(std::move(caller.error()));
  NewOrder order;
  order.user_id = user_of(*std::move(caller), fields, faults);
  order.items = read_items(fields, faults);
  order.options = read_options(fields);
  if (!faults.empty()) return responder.send(bad_request(faults));

  for (const auto& item : order.items) {
    const auto product = context->find<Stock>(stores::kStock, item.product_id);
    if (!product) return responder.send(unavailable(product.error()));
    if (!product->row) return responder.send(not_found("product", item.product_id));
  }
  const auto key = request.header("Idempotency-Key");
  const bool is_retry_possible = key && !key->empty();
  order.order_id = is_retry_possible ? derived_id("order", order.user_id + "\n" + std::string(*key))
                                     : random_id();
  offer(context, std::move(order), is_retry_possible, std::move(responder));
}

/// The order of the path, or nothing when it was answered that there is none.
std::optional<GatewayContext::Found<Order>> order_of(const ContextPtr& context,
                                                     const HttpRequest& request,
                                                     const std::string& id, Responder& responder) {
  auto found = context->find<Order>(stores::kOrders, id);
  if (!found) {
    responder.send(unavailable(found.error()));
    return {};
  }
  if (!found->row) {
    responder.send(not_found("order", id));
    return {};
  }
  if (auto refusal = context->refusal(request, found->row->user_id)) {
    responder.send(*std::move(refusal));
    return {};
  }
  return *std::move(found);
}

constexpr std::int64_t kWaitMax = 25'000;  // Below the server's limit for an answer.

/// The order, once it is decided; with `is_over` as it is.
HttpResponse order_when_decided(const std::string& id, const Order& order, bool is_over) {
  if (!is_over && !is_final(order.status)) return {.status = 0};
  HttpResponse response;
  append_order(id, order, response.body);
  return response;
}

/// With `wait` (in milliseconds) the answer waits that long for the order to be decided.
void get_order(const ContextPtr& context, HttpRequest& request, Responder responder) {
  const std::string id(request.param("id"));
  Faults faults;
  const std::chrono::milliseconds wait(query_number(request, "wait", 0, 0, kWaitMax, faults));
  if (!faults.empty()) return responder.send(bad_request(faults));
  const auto found = order_of(context, request, id, responder);
  if (!found) return;
  auto response = order_when_decided(id, *found->row, wait.count() == 0);
  if (response.status == 0) {
    return context->watch().answer_when_decided(id, wait, order_when_decided, std::move(responder));
  }
  context->send_durable(found->commit, std::move(responder), std::move(response));
}

void get_events(const ContextPtr& context, HttpRequest& request, Responder responder) {
  const std::string id(request.param("id"));
  const auto found = order_of(context, request, id, responder);
  if (!found) return;
  HttpResponse response;
  append_history(id, *found->row, response.body);
  context->send_durable(found->commit, std::move(responder), std::move(response));
}

/// A record of `order-processing-topic` or `payment-processing-topic`.
CommandRecord processing_record(const ContextPtr& context, const char* topic,
                                const std::string& order_id, const Order& order,
                                const std::string& request) {
  CommandRecord record{topic, order_id, {}};
  const auto user = context->find<User>(stores::kUsers, order.user_id);
  JsonWriter json(record.value);
  json.text("orderId", order_id).text("userId", order.user_id);
  json.text_or_null("userEmail", user && user->row ? user->row->email : std::string());
  json.raw("request", request).end();
  return record;
}

/// Reads the body of a request about a waiting order; empty text when a fault was answered.
std::string processing_request(const HttpRequest& request, Responder& responder) {
  if (request.body().empty()) return "{}";
  const Body body(request, kBodyDepthMax);
  Faults faults;
  if (!body.is_object()) {
    faults.push_back(body.fault());
  } else {
    JsonFields fields(body.object(), faults);
    read_options(fields);
  }
  if (faults.empty()) return request.body();
  responder.send(bad_request(faults));
  return {};
}

HttpResponse cancelled_conflict(const std::string& id) {
  return conflict("order_cancelled", "order " + id + " is cancelled");
}

void post_process(const ContextPtr& context, HttpRequest& request, Responder responder) {
  const std::string id(request.param("id"));
  const std::string body = processing_request(request, responder);
  if (body.empty()) return;
  const auto found = order_of(context, request, id, responder);
  if (!found) return;
  if (found->row->status == OrderStatus::CANCELLED) {
    return responder.send(cancelled_conflict(id));
  }
  context->command(processing_record(context, topics::kOrderProcessing, id, *found->row, body),
                   std::move(responder), accepted(id, "Your order is being processed."));
}

void post_payment(const ContextPtr& context, HttpRequest& request, Responder responder) {
  const std::string id(request.param("id"));
  const std::string body = processing_request(request, responder);
  if (body.empty()) return;
  const auto found = order_of(context, request, id, responder);
  if (!found) return;
  if (found->row->status == OrderStatus::CANCELLED) {
    return responder.send(cancelled_conflict(id));
  }
  HttpResponse response{.status = 202};
  JsonWriter(response.body)
      .text("orderId", id)
      .text("status", "PROCESSING")
      .text("message", "Your payment is being processed.")
      .end();
  context->command(processing_record(context, topics::kPaymentProcessing, id, *found->row, body),
                   std::move(responder), std::move(response));
}

constexpr std::chrono::milliseconds kPaymentPatience{5'000};

HttpResponse payment_when_decided(const std::string& id, const Order& order, bool is_over) {
  auto response = payment_answer(id, order);
  if (response.status != 0 || !is_over) return response;
  response.status = 202;
  JsonWriter(response.body)
      .text("orderId", id)
      .text("status", "PROCESSING")
      .text("message", "The payment is not decided yet.")
      .end();
  return response;
}

void post_pay(const ContextPtr& context, HttpRequest& request, Responder responder) {
  const std::string id(request.param("id"));
  const std::string body = processing_request(request, responder);
  if (body.empty()) return;
  const auto found = order_of(context, request, id, responder);
  if (!found) return;
  if (auto decided = payment_answer(id, *found->row); decided.status != 0) {
    return context->send_durable(found->commit, std::move(responder), std::move(decided));
  }
  auto record = processing_record(context, topics::kPaymentProcessing, id, *found->row, body);
  context->command_then(std::move(record), std::move(responder), [context, id](Responder waiting) {
    context->watch().answer_when_decided(id, kPaymentPatience, payment_when_decided,
                                         std::move(waiting));
  });
}

/// Adds a route about the order of its path: a request for one that is on its way waits for it.
template <typename Handle>
void add_route_of_order(const ContextPtr& of, std::string_view method, std::string_view pattern,
                        Handle handle) {
  add_route(of, method, pattern,
            [handle](const ContextPtr& context, HttpRequest& request, Responder responder) {
              const std::string id(request.param("id"));
              if (!context->orders_on_the_way().knows(id)) {
                return handle(context, request, std::move(responder));
              }
              context->orders_on_the_way().when_arrived(
                  id, [context, handle, held = std::move(request),
                       responder = std::move(responder)]() mutable {
                    handle(context, held, std::move(responder));
                  });
            });
}

}  // namespace

void add_order_routes(const ContextPtr& context) {
  add_route(context, "POST", "/orders", post_order);
  add_route_of_order(context, "GET", "/orders/{id}?wait", get_order);
  add_route_of_order(context, "GET", "/orders/{id}/events", get_events);
  add_route_of_order(context, "POST", "/orders/{id}/process", post_process);
  add_route_of_order(context, "POST", "/orders/{id}/payment", post_payment);
  add_route_of_order(context, "POST", "/orders/{id}/pay", post_pay);
}

}  // namespace thalweg::shop
