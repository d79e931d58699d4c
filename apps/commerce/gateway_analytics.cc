#include <thalweg/runtime/read_only_window_store.h>

#include "gateway_context.h"
#include "order_funnel.h"
#include "query_fields.h"
#include "sales_model.h"

namespace thalweg::shop {
namespace {

constexpr std::chrono::hours kHour{1};
constexpr std::int64_t kHoursDefault = 24;
constexpr std::int64_t kHoursMax = 10'000;

/// `[{hour, orders, units, amount}]`: the hours with sales that begin within [from, to), the last
/// 24 unless the request says otherwise.
void get_sales(const ContextPtr& context, HttpRequest& request, Responder responder) {
  Faults faults;
  const auto limit = query_number(request, "limit", kHoursMax, 1, kHoursMax, faults);
  const auto to = query_time(request, "to", faults).value_or(context->now() + 1);
  const auto from = query_time(request, "from", faults)
                        .value_or(std::max<std::int64_t>(
                            0, to - std::chrono::milliseconds(kHoursDefault * kHour).count()));
  if (faults.empty() && from > to) faults.push_back("from is later than to");
  if (!faults.empty()) return responder.send(bad_request(faults));
  const auto keeper = context->keeper(stores::kSalesByHour);
  if (!keeper) return responder.send(unavailable(keeper.error()));
  const auto sales = window_store<std::string, Sales>(**keeper, stores::kSalesByHour);
  if (!sales) return responder.send(unavailable(sales.error()));
  const auto hours = sales->fetch(kWholeShop, {.from = from_millis(start_of_period(from, kHour)),
                                               .to = from_millis(to - 1),
                                               .limit = static_cast<std::size_t>(limit)});
  if (!hours) return responder.send(unavailable(hours.error()));
  HttpResponse response;
  append_array(*hours, response.body, [](const WindowValue<Sales>& hour, std::string& json) {
    JsonWriter(json)
        .time("hour", to_millis(hour.window.start))
        .number("orders", hour.value.orders)
        .number("units", hour.value.units)
        .number("amount", hour.value.amount)
        .end();
  });
  context->send_durable(sales->last_commit(), std::move(responder), std::move(response));
}

void get_product_sales(const ContextPtr& context, HttpRequest& request, Responder responder) {
  const std::string id(request.param("id"));
  const auto sales = context->find<ProductSales>(stores::kRevenueByProduct, id);
  if (!sales) return responder.send(unavailable(sales.error()));
  HttpResponse response;
  if (sales->row) {
    JsonWriter(response.body)
        .text("productId", id)
        .number("units", sales->row->units)
        .number("revenue", sales->row->revenue)
        .end();
  } else {
    response = not_found("sale of product", id);
  }
  context->send_durable(sales->commit, std::move(responder), std::move(response));
}

void get_customer(const ContextPtr& context, HttpRequest& request, Responder responder) {
  const std::string id(request.param("id"));
  if (auto refusal = context->refusal(request, id)) {
    return responder.send(*std::move(refusal));
  }
  const auto customer = context->find<Customer>(stores::kCustomers, id);
  if (!customer) return responder.send(unavailable(customer.error()));
  HttpResponse response;
  if (customer->row) {
    const Customer& row = *customer->row;
    JsonWriter json(response.body);
    json.text("userId", id).number("orders", row.orders).number("units", row.units);
    json.number("spend", row.spend);
    json.value("favourite", [&](std::string& out) {
      JsonWriter(out)
          .text("productId", row.favourite.product_id)
          .number("quantity", row.favourite.units)
          .end();
    });
    json.end();
  } else {
    response = not_found("order of customer", id);
  }
  context->send_durable(customer->commit, std::move(responder), std::move(response));
}

struct Funnel {
  std::map<std::string, std::int64_t> steps;
  std::map<std::string, std::int64_t> cancellations;  ///< By reason.
  std::int64_t cancelled = 0;
  CommitSequence commit = 0;

  std::int64_t of(EventType type) const {
    const auto step = steps.find(funnel_row(type));
    return step == steps.end() ? 0 : step->second;
  }
};

/// All events of an order are counted by one task, and each task's rows are read at one moment: so
/// no order is seen completed that is not seen created.
Result<Funnel> read_funnel(const ContextPtr& context) {
  constexpr std::size_t kRowsMax = 1'000;
  const auto views = context->views(stores::kOrderFunnel);
  if (!views) return std::unexpected(views.error());
  Funnel funnel;
  for (const auto& view : *views) {
    if (!view) return failure(ErrorCode::kUnavailable, "a partition is not restored here yet");
    const auto rows = view->scan({.limit = kRowsMax});
    if (!rows) return std::unexpected(rows.error());
    funnel.commit = std::max(funnel.commit, view->last_commit());
    for (const StoredEntry& row : *rows) {
      std::int64_t count = 0;
      Serde<std::int64_t>::deserialize(row.value, count);
      if (row.key.starts_with(kCancelledPrefix)) {
        funnel.cancellations[row.key.substr(std::string_view(kCancelledPrefix).size())] += count;
        funnel.cancelled += count;
      } else {
        funnel.steps[row.key] += count;
      }
    }
  }
  return funnel;
}

/// `{created, completed, cancelled, open, steps: {type: orders}, cancellations: {reason: orders}}`:
/// how far the orders of all time have come.
void get_funnel(const ContextPtr& context, HttpRequest&, Responder responder) {
  const auto funnel = read_funnel(context);
  if (!funnel) return responder.send(unavailable(funnel.error()));
  const std::int64_t created = funnel->of(EventType::ORDER_CREATED);
  const std::int64_t completed = funnel->of(EventType::ORDER_COMPLETED);
  const auto append = [](const std::map<std::string, std::int64_t>& counts) {
    return [&counts](std::string& out) {
      JsonWriter json(out);
      for (const auto& [name, count] : counts) json.number(name, count);
      json.end();
    };
  };
  HttpResponse response;
  JsonWriter(response.body)
      .number("created", created)
      .number("completed", completed)
      .number("cancelled", funnel->cancelled)
      .number("open", created - completed - funnel->cancelled)
      .value("steps", append(funnel->steps))
      .value("cancellations", append(funnel->cancellations))
      .end();
  context->send_durable(funnel->commit, std::move(responder), std::move(response));
}

}  // namespace

void add_analytics_routes(const ContextPtr& context) {
  constexpr const char* kRole = "analytics";
  add_route(context, "GET", "/analytics/funnel", get_funnel, "orders", kForOperators);
  add_route(context, "GET", "/analytics/sales?from&to&limit", get_sales, kRole, kForOperators);
  add_route(context, "GET", "/analytics/products/{id}", get_product_sales, kRole, kForOperators);
  add_route(context, "GET", "/analytics/customers/{id}", get_customer, kRole);
}

}  // namespace thalweg::shop
