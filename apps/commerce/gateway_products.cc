#include <algorithm>
#include <iterator>
#include <string_view>

#include <boost/json/object.hpp>

#include "command_ids.h"
#include "gateway_command_ids.h"
#include "topics.h"

namespace thalweg::shop {
namespace {

constexpr std::int64_t kStockMax = 1'000'000'000'000;

/// Where lists are, no product can be.
constexpr std::string_view kLists[] = {"popular", "trending"};

void append_product(const std::string& id, const Stock& stock, std::string& out) {
  JsonWriter(out)
      .text("productId", id)
      .text("name", stock.name)
      .number("price", stock.price)
      .number("stock", stock.available)
      .end();
}

HttpResponse product_json(const std::string& id, const Stock& stock, int status = 200) {
  HttpResponse response{.status = status};
  append_product(id, stock, response.body);
  return response;
}

HttpResponse stock_differs(const Stock& stock) {
  return bad_request({"stock is not the product's first stock of " +
                      std::to_string(stock.first_stock) +
                      ": POST /products/{id}/restock adds to it"});
}

/// What the product's task made of a PUT. Two first PUTs may have come at once: one of them won.
HttpResponse put_answer(const ContextPtr& context, const std::string& id,
                        const StockCommand& put, int status) {
  const auto product = context->find<Stock>(stores::kStock, id);
  if (!product) return unavailable(product.error());
  if (product->row && product->row->first_stock != put.quantity) {
    return stock_differs(*product->row);
  }
  return product_json(id, product->row.value_or(Stock{}), status);
}

void put_product(const ContextPtr& context, HttpRequest& request, Responder responder) {
  const std::string id(request.param("id"));
  if (auto refusal = context->stranger(request)) return responder.send(*std::move(refusal));
  const Body body(request);
  if (!body.is_object()) return responder.send(bad_request({body.fault()}));
  const auto known = context->find<Stock>(stores::kStock, id);
  if (!known) return responder.send(unavailable(known.error()));
  Faults faults;
  JsonFields fields(body.object(), faults);
  if (!is_id(id)) faults.push_back("the product id " + id_fault());
  if (std::ranges::find(kLists, id) != std::end(kLists)) {
    faults.push_back("the product id is that of the list GET /products/" + id);
  }
  StockCommand put{.kind = StockCommandKind::PUT};
  put.name = fields.text("name");
  put.price = fields.integer("price", 0, kAmountMax);
  const auto stock = fields.optional_integer("stock", 0, kStockMax);
  if (!fields.has("stock") && !known->row) fields.fault("stock", "is missing");
  if (!faults.empty()) return responder.send(bad_request(faults));
  put.quantity = stock.value_or(known->row ? known->row->first_stock : 0);
  if (known->row && put.quantity != known->row->first_stock) {
    return responder.send(stock_differs(*known->row));
  }
  put.at = context->now();
  const int status = known->row ? 200 : 201;
  context->command({topics::kProductCommands, id, bytes_of(put)}, std::move(responder),
                   [context, id, put, status] { return put_answer(context, id, put, status); });
}

/// Calls `show(product)` for the product of the path, and sends what it gives.
template <typename Show>
void show_product(const ContextPtr& context, HttpRequest& request, Responder responder,
                  Show show) {
  const std::string id(request.param("id"));
  const auto product = context->find<Stock>(stores::kStock, id);
  if (!product) return responder.send(unavailable(product.error()));
  context->send_durable(product->commit, std::move(responder),
                        product->row ? show(id, *product->row) : not_found("product", id));
}

void get_product(const ContextPtr& context, HttpRequest& request, Responder responder) {
  show_product(context, request, std::move(responder),
               [&](const std::string& id, const Stock& stock) {
                 publish_view(context, request, id);
                 return product_json(id, stock);
               });
}

/// An array, sorted by id; the header `Next-Cursor` says where the next page begins.
void get_products(const ContextPtr& context, HttpRequest& request, Responder responder) {
  const std::size_t limit = page_limit(request);
  if (limit == 0) return responder.send(bad_request({limit_fault()}));
  const auto rows =
      context->rows(stores::kStock, std::string(request.query("cursor").value_or("")), limit);
  if (!rows) return responder.send(unavailable(rows.error()));
  HttpResponse response;
  append_array(rows->entries, response.body, [](const StoredEntry& entry, std::string& out) {
    Stock stock;
    Serde<Stock>::deserialize(entry.value, stock);
    append_product(entry.key, stock, out);
  });
  if (rows->entries.size() == limit) {
    response.headers.emplace_back("Next-Cursor", percent_encoded(rows->entries.back().key));
  }
  context->send_durable(rows->commit, std::move(responder), std::move(response));
}

void get_stock(const ContextPtr& context, HttpRequest& request, Responder responder) {
  show_product(context, request, std::move(responder),
               [](const std::string& id, const Stock& stock) {
                 HttpResponse response;
                 JsonWriter(response.body)
                     .text("productId", id)
                     .text("name", stock.name)
                     .number("price", stock.price)
                     .number("stocked", stock.stocked)
                     .number("available", stock.available)
                     .number("reserved", stock.reserved)
                     .number("sold", stock.sold)
                     .end();
                 return response;
               });
}

void post_restock(const ContextPtr& context, HttpRequest& request, Responder responder) {
  const std::string id(request.param("id"));
  if (auto refusal = context->stranger(request)) return responder.send(*std::move(refusal));
  const Body body(request);
  if (!body.is_object()) return responder.send(bad_request({body.fault()}));
  Faults faults;
  JsonFields fields(body.object(), faults);
  StockCommand restock{.kind = StockCommandKind::RESTOCK};
  restock.quantity = fields.integer("quantity", 1, kStockMax);
  restock.command_id = std::string(request.header("Idempotency-Key").value_or(""));
  restock.at = context->now();
  if (!faults.empty()) return responder.send(bad_request(faults));
  const auto product = context->find<Stock>(stores::kStock, id);
  if (!product) return responder.send(unavailable(product.error()));
  if (!product->row) return responder.send(not_found("product", id));
  context->command({topics::kProductCommands, id, bytes_of(restock)}, std::move(responder),
                   [context, id, restock] {
                     HttpResponse response;
                     JsonWriter json(response.body);
                     json.text("productId", id).number("quantity", restock.quantity).end();
                     return answer_of_command(context, stores::kProductCommandIds, id,
                                              restock.command_id, restock.quantity,
                                              std::move(response));
                   });
}

}  // namespace

void add_product_routes(const ContextPtr& context) {
  constexpr const char* kRole = "orders";
  add_route(context, "PUT", "/products/{id}", put_product, kRole, kForOperators);
  add_route(context, "GET", "/products?limit&cursor", get_products, kRole);
  add_route(context, "GET", "/products/{id}", get_product, kRole);
  add_route(context, "GET", "/products/{id}/stock", get_stock, kRole);
  add_route(context, "POST", "/products/{id}/restock", post_restock, kRole, kForOperators);
}

}  // namespace thalweg::shop
