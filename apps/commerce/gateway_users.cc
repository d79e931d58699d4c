#include <algorithm>
#include <optional>
#include <string>

#include <boost/json/object.hpp>

#include "command_ids.h"
#include "gateway_command_ids.h"
#include "order_json.h"
#include "topics.h"

namespace thalweg::shop {
namespace {

HttpResponse user_json(const std::string& id, const User& user) {
  HttpResponse response;
  JsonWriter json(response.body);
  json.text("userId", id).text_or_null("email", user.email);
  if (user.age < 0) {
    json.raw("age", "null");
  } else {
    json.number("age", user.age);
  }
  json.text_or_null("gender", user.gender).end();
  return response;
}

void put_user(const ContextPtr& context, HttpRequest& request, Responder responder) {
  const std::string id(request.param("id"));
  if (auto refusal = context->refusal(request, id)) {
    return responder.send(*std::move(refusal));
  }
  const Body body(request);
  if (!body.is_object()) return responder.send(bad_request({body.fault()}));
  Faults faults;
  JsonFields fields(body.object(), faults);
  if (!is_id(id)) faults.push_back("the user id " + id_fault());
  User user{fields.optional_text("email").value_or(""),
            static_cast<std::int32_t>(fields.optional_integer("age", 0, kAgeMax).value_or(-1)),
            fields.optional_text("gender", kGenderLengthMax).value_or("")};
  if (!faults.empty()) return responder.send(bad_request(faults));
  context->command({topics::kUsers, id, bytes_of(user)}, std::move(responder),
                   user_json(id, user));
}

void get_user(const ContextPtr& context, HttpRequest& request, Responder responder) {
  const std::string id(request.param("id"));
  if (auto refusal = context->refusal(request, id)) {
    return responder.send(*std::move(refusal));
  }
  const auto user = context->find<User>(stores::kUsers, id);
  if (!user) return responder.send(unavailable(user.error()));
  context->send_durable(user->commit, std::move(responder),
                        user->row ? user_json(id, *user->row) : not_found("user", id));
}

void get_balance(const ContextPtr& context, HttpRequest& request, Responder responder) {
  const std::string id(request.param("id"));
  if (auto refusal = context->refusal(request, id)) {
    return responder.send(*std::move(refusal));
  }
  const auto account = context->find<Account>(stores::kAccounts, id);
  if (!account) return responder.send(unavailable(account.error()));
  const auto user = context->find<User>(stores::kUsers, id);
  if (!user) return responder.send(unavailable(user.error()));
  const auto commit = std::max(account->commit, user->commit);
  if (!account->row && !user->row) {
    return context->send_durable(commit, std::move(responder), not_found("user", id));
  }
  const Account row = account->row.value_or(Account{});
  HttpResponse response;
  JsonWriter(response.body)
      .number("deposited", row.deposited)
      .number("balance", row.balance)
      .number("paid", row.paid)
      .number("refunded", row.refunded)
      .end();
  context->send_durable(commit, std::move(responder), std::move(response));
}

void post_deposit(const ContextPtr& context, HttpRequest& request, Responder responder) {
  const std::string id(request.param("id"));
  if (auto refusal = context->refusal(request, id)) {
    return responder.send(*std::move(refusal));
  }
  const Body body(request);
  if (!body.is_object()) return responder.send(bad_request({body.fault()}));
  Faults faults;
  JsonFields fields(body.object(), faults);
  if (!is_id(id)) faults.push_back("the user id " + id_fault());
  AccountCommand deposit{.amount = fields.integer("amount", 1, kAmountMax),
                         .order_id = {},
                         .command_id = std::string(request.header("Idempotency-Key").value_or(""))};
  if (!faults.empty()) return responder.send(bad_request(faults));
  context->command({topics::kAccountCommands, id, bytes_of(deposit)}, std::move(responder),
                   [context, id, deposit] {
                     HttpResponse response;
                     JsonWriter json(response.body);
                     json.text("userId", id).number("amount", deposit.amount).end();
                     return answer_of_command(context, stores::kAccountCommandIds, id,
                                              deposit.command_id, deposit.amount,
                                              std::move(response));
                   });
}

/// What is known of somebody without orders: whether they are a user at all.
Result<GatewayContext::Found<bool>> find_user(const ContextPtr& context, const std::string& id) {
  const auto user = context->find<User>(stores::kUsers, id);
  if (!user) return std::unexpected(user.error());
  const auto account = context->find<Account>(stores::kAccounts, id);
  if (!account) return std::unexpected(account.error());
  GatewayContext::Found<bool> found;
  if (user->row || account->row) found.row = true;
  found.commit = std::max(user->commit, account->commit);
  return found;
}

/// A page of the user's orders: `limit` of them, behind the cursor if there is one.
void list_orders(const ContextPtr& context, const std::string& user, std::size_t limit,
                 const std::optional<std::string>& cursor, Responder responder) {
  const auto view = context->partition_view(stores::kOrdersByUser, user);
  if (!view) return responder.send(unavailable(view.error()));
  const std::string prefix = order_by_user_prefix(user);
  StoreView::Scan scan{.from = prefix, .to = prefix, .reverse = true, .limit = limit};
  if (cursor) {
    scan.to->append(*cursor);
  } else {
    scan.to->back() = '\n' + 1;
  }
  const auto page = (*view)->scan(scan);
  if (!page) return responder.send(unavailable(page.error()));
  CommitSequence commit = (*view)->last_commit();
  if (page->empty() && !cursor) {
    const auto known = find_user(context, user);
    if (!known) return responder.send(unavailable(known.error()));
    commit = std::max(commit, known->commit);
    if (!known->row) {
      return context->send_durable(commit, std::move(responder), not_found("user", user));
    }
  }
  HttpResponse response{.body = "["};
  for (const auto& entry : *page) {
    const std::string order_id(order_id_of(entry.key));
    const auto order = context->find<Order>(stores::kOrders, order_id);
    if (!order) return responder.send(unavailable(order.error()));
    commit = std::max(commit, order->commit);
    if (!order->row) continue;
    if (response.body.size() > 1) response.body += ',';
    append_order(order_id, *order->row, response.body);
  }
  response.body += ']';
  if (page->size() == limit) {
    response.headers.emplace_back("Next-Cursor",
                                  percent_encoded(page->back().key.substr(prefix.size())));
  }
  context->send_durable(commit, std::move(responder), std::move(response));
}

/// An array, newest first; the header `Next-Cursor` says where the next page begins. It waits for
/// orders that are on their way, as requests about one order do.
void get_orders(const ContextPtr& context, HttpRequest& request, Responder responder) {
  const std::string user(request.param("id"));
  if (auto refusal = context->refusal(request, user)) {
    return responder.send(*std::move(refusal));
  }
  const std::size_t limit = page_limit(request);
  if (limit == 0) {
    return responder.send(bad_request({limit_fault()}));
  }
  std::optional<std::string> cursor;
  if (const auto given = request.query("cursor")) cursor.emplace(*given);
  context->when_listed(user, std::move(responder),
                       [context, user, limit, cursor = std::move(cursor)](Responder waiting) {
                         list_orders(context, user, limit, cursor, std::move(waiting));
                       });
}

}  // namespace

void add_user_routes(const ContextPtr& context) {
  add_route(context, "PUT", "/users/{id}", put_user);
  add_route(context, "GET", "/users/{id}", get_user);
  add_route(context, "GET", "/users/{id}/balance", get_balance);
  add_route(context, "GET", "/users/{id}/orders?limit&cursor", get_orders);
  add_route(context, "POST", "/users/{id}/deposit", post_deposit);
}

}  // namespace thalweg::shop
