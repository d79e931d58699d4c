#include <algorithm>
#include <charconv>

#include "delivery_model.h"
#include "gateway_context.h"
#include "topics.h"

namespace thalweg::shop {
namespace {

/// How many rows one request looks at for those it wants; the next goes on from there.
constexpr std::size_t kRowsMax = 20'000;

std::string_view name_of(DeliveryStatus status) { return fb::EnumNameDeliveryStatus(status); }

void append_delivery(const std::string& id, const Delivery& row, bool with_event,
                     std::string& out) {
  JsonWriter json(out);
  json.text("id", id).text_or_null("orderId", row.order_id).text("status", name_of(row.status));
  json.text("receiver", fb::EnumNameReceiver(row.receiver));
  json.number("attempts", row.attempts).text_or_null("lastError", row.last_error);
  if (row.next_attempt_at > 0) {
    json.time("nextAttemptAt", row.next_attempt_at);
  } else {
    json.raw("nextAttemptAt", "null");
  }
  json.time("publishedAt", row.published_at).time("updatedAt", row.updated_at);
  if (with_event) {
    json.text("source", row.source).text("path", row.path).raw("event", row.payload);
  }
  json.end();
}

/// What a list is asked for.
struct ListQuery {
  std::optional<DeliveryStatus> status;
  std::string order_id;
  std::size_t limit = 0;
  std::int32_t partition = 0;  // Where to go on, and behind which id.
  std::string after;
};

template <typename T>
bool read_number(std::string_view text, T& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

/// Which page of a list.
ListQuery read_page(const HttpRequest& request, Faults& faults) {
  ListQuery query;
  query.limit = page_limit(request);
  if (query.limit == 0) faults.push_back(limit_fault());
  if (const auto cursor = request.query("cursor")) {
    const auto dot = cursor->find('.');
    if (dot == cursor->npos || !read_number(cursor->substr(0, dot), query.partition) ||
        query.partition < 0) {
      faults.push_back("cursor is none that a list gave");
    } else {
      query.after = cursor->substr(dot + 1);
    }
  }
  return query;
}

/// Which deliveries, and which page of them.
ListQuery read_query(const HttpRequest& request, Faults& faults) {
  ListQuery query = read_page(request, faults);
  if (const auto status = request.query("status")) {
    for (const DeliveryStatus known : fb::EnumValuesDeliveryStatus()) {
      if (name_of(known) == *status) query.status = known;
    }
    if (!query.status) faults.push_back("status is none of a delivery: " + std::string(*status));
  }
  query.order_id = request.query("orderId").value_or("");
  return query;
}

/// Nothing is, without receivers.
bool is_delivered(const ContextPtr& context) { return context->keeps(stores::kDeliveries); }

/// An answer in the making.
struct List {
  HttpResponse response{.body = "["};
  CommitSequence commit = 0;
  std::size_t size = 0;

  void add(const std::string& id, const Delivery& row, bool with_event) {
    if (size++ > 0) response.body += ',';
    append_delivery(id, row, with_event, response.body);
  }
};

/// Walks over the store's partitions, one after the other.
Status list_store(const ContextPtr& context, const char* store, const ListQuery& query,
                  bool with_events, List& list) {
  if (!is_delivered(context)) return {};
  const auto views = context->views(store);
  if (!views) return std::unexpected(views.error());
  std::size_t looked_at = 0;
  std::string after = query.after;
  for (auto number = static_cast<std::size_t>(query.partition); number < views->size(); ++number) {
    const auto& view = (*views)[number];
    if (!view) return failure(ErrorCode::kUnavailable, "a partition is not restored here yet");
    StoreView::Scan scan{.limit = kPageMax};
    for (;;) {
      if (!after.empty()) scan.from = after + '\0';
      const auto page = view->scan(scan);
      if (!page) return std::unexpected(page.error());
      list.commit = std::max(list.commit, view->last_commit());
      for (const auto& entry : *page) {
        after = entry.key;
        ++looked_at;
        Delivery row;
        Serde<Delivery>::deserialize(entry.value, row);
        if (!query.status || row.status == *query.status) list.add(entry.key, row, with_events);
        if (list.size < query.limit && looked_at < kRowsMax) continue;
        list.response.headers.emplace_back(
            "Next-Cursor", percent_encoded(std::to_string(number) + '.' + after));
        return {};
      }
      if (page->size() < scan.limit) break;
    }
    after.clear();
  }
  return {};
}

Status list_order(const ContextPtr& context, const ListQuery& query, List& list) {
  if (!is_delivered(context)) return {};
  const auto ids = context->find<DeliveryIds>(stores::kDeliveriesByOrder, query.order_id);
  if (!ids) return std::unexpected(ids.error());
  list.commit = ids->commit;
  if (!ids->row) return {};
  const auto& all = ids->row->ids;
  auto next = query.after.empty() ? all.begin() : std::ranges::find(all, query.after);
  if (!query.after.empty() && next != all.end()) ++next;
  for (; next != all.end() && list.size < query.limit; ++next) {
    const std::string& id = *next;
    const auto delivery = context->find<Delivery>(stores::kDeliveries, id);
    if (!delivery) return std::unexpected(delivery.error());
    list.commit = std::max(list.commit, delivery->commit);
    if (!delivery->row || (query.status && delivery->row->status != *query.status)) continue;
    list.add(id, *delivery->row, false);
  }
  if (next != all.end()) {
    list.response.headers.emplace_back("Next-Cursor", percent_encoded("0." + *std::prev(next)));
  }
  return {};
}

void send_list(const ContextPtr& context, const Status& status, List list, Responder responder) {
  if (!status) return responder.send(unavailable(status.error()));
  list.response.body += ']';
  context->send_durable(list.commit, std::move(responder), std::move(list.response));
}

/// An array; the header `Next-Cursor`, if there is one, says where the next page begins.
void get_deliveries(const ContextPtr& context, HttpRequest& request, Responder responder) {
  Faults faults;
  const ListQuery query = read_query(request, faults);
  if (!faults.empty()) return responder.send(bad_request(faults));
  List list;
  Status status;
  if (!query.order_id.empty()) {
    status = list_order(context, query, list);
  } else if (query.status == DeliveryStatus::DEAD_LETTER) {
    status = list_store(context, stores::kDeadLetters, query, false, list);
  } else {
    status = list_store(context, stores::kDeliveries, query, false, list);
  }
  send_list(context, status, std::move(list), std::move(responder));
}

void get_dead_letters(const ContextPtr& context, HttpRequest& request, Responder responder) {
  Faults faults;
  const ListQuery query = read_page(request, faults);
  if (!faults.empty()) return responder.send(bad_request(faults));
  List list;
  const Status status = list_store(context, stores::kDeadLetters, query, true, list);
  send_list(context, status, std::move(list), std::move(responder));
}

void get_dead_letter(const ContextPtr& context, HttpRequest& request, Responder responder) {
  const std::string id(request.param("id"));
  if (!is_delivered(context)) return responder.send(not_found("dead letter", id));
  const auto delivery = context->find<Delivery>(stores::kDeadLetters, id);
  if (!delivery) return responder.send(unavailable(delivery.error()));
  HttpResponse response;
  if (delivery->row) {
    append_delivery(id, *delivery->row, true, response.body);
  } else {
    response = not_found("dead letter", id);
  }
  context->send_durable(delivery->commit, std::move(responder), std::move(response));
}

/// Sends the dead letter again, or forgets it: 202 once that is durable and lists show it.
void post_command(const ContextPtr& context, const HttpRequest& request, Responder responder,
                  DeliveryStep step, DeliveryStatus becomes) {
  const std::string id(request.param("id"));
  if (!is_delivered(context)) return responder.send(not_found("dead letter", id));
  DeliveryEvent command;
  command.step = step;
  command.at = context->now();
  command.command_id = std::string(request.header("Idempotency-Key").value_or(""));
  const auto delivery = context->find<Delivery>(stores::kDeliveries, id);
  if (!delivery) return responder.send(unavailable(delivery.error()));
  HttpResponse done{.status = 202};
  JsonWriter(done.body).text("id", id).text("status", name_of(becomes)).end();
  if (!delivery->row) {
    done = not_found("dead letter", id);
  } else if (was_obeyed(*delivery->row, command)) {
    // The same request again: the same answer.
  } else if (delivery->row->status == DeliveryStatus::DEAD_LETTER) {
    return context->command({topics::kDeliveryEvents, id, bytes_of(command)}, std::move(responder),
                            std::move(done));
  } else {
    done = conflict("not_a_dead_letter", "the delivery " + id + " is " +
                                             std::string(name_of(delivery->row->status)));
  }
  context->send_durable(delivery->commit, std::move(responder), std::move(done));
}

void post_retry(const ContextPtr& context, HttpRequest& request, Responder responder) {
  post_command(context, request, std::move(responder), DeliveryStep::RETRY,
               DeliveryStatus::PUBLISHED);
}

void post_discard(const ContextPtr& context, HttpRequest& request, Responder responder) {
  post_command(context, request, std::move(responder), DeliveryStep::DISCARD,
               DeliveryStatus::DISCARDED);
}

}  // namespace

void add_delivery_routes(const ContextPtr& context) {
  constexpr std::string_view kRole = "delivery";
  add_route(context, "GET", "/deliveries?status&orderId&limit&cursor", get_deliveries, kRole,
            kForOperators);
  add_route(context, "GET", "/dlq?limit&cursor", get_dead_letters, kRole, kForOperators);
  add_route(context, "GET", "/dlq/{id}", get_dead_letter, kRole, kForOperators);
  add_route(context, "POST", "/dlq/{id}/retry", post_retry, kRole, kForOperators);
  add_route(context, "POST", "/dlq/{id}/discard", post_discard, kRole, kForOperators);
}

}  // namespace thalweg::shop
