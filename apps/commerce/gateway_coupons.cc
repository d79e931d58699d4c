#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "coupon_model.h"
#include "coupon_request.h"
#include "gateway_context.h"
#include "public_input.h"
#include "topics.h"

namespace thalweg::shop {
namespace {

void append_discount(const Coupon& coupon, JsonWriter& json) {
  if (coupon.discount_percent > 0) {
    json.value("discount", [&](std::string& out) {
      JsonWriter(out).number("percent", coupon.discount_percent).end();
    });
  } else if (coupon.discount_amount > 0) {
    json.value("discount", [&](std::string& out) {
      JsonWriter(out).number("amount", coupon.discount_amount).end();
    });
  } else {
    json.raw("discount", "null");
  }
}

void append_coupon(const std::string& id, const Coupon& coupon, const CouponCounts& counts,
                   std::string& out) {
  JsonWriter json(out);
  json.text("couponId", id).number("quantity", coupon.quantity);
  json.number("issued", counts.issued).number("left", coupon.quantity - counts.issued);
  json.number("unused", counts.unused).number("reserved", counts.reserved);
  json.number("used", counts.used);
  json.time("validFrom", coupon.valid_from).time("validUntil", coupon.valid_until);
  append_discount(coupon, json);
  json.end();
}

HttpResponse coupon_json(const std::string& id, const Coupon& coupon, const CouponCounts& counts,
                         int status = 200) {
  HttpResponse response{.status = status};
  append_coupon(id, coupon, counts, response.body);
  return response;
}

/// `discount:{amount|percent}`
void read_discount(const boost::json::object& body, Coupon& coupon, Faults& faults) {
  const auto* value = body.if_contains("discount");
  if (!value || value->is_null()) return;
  if (!value->is_object()) {
    faults.push_back("discount is not an object");
    return;
  }
  JsonFields fields(value->get_object(), faults, "discount.");
  const auto amount = fields.optional_integer("amount", 1, kAmountMax);
  const auto percent = fields.optional_integer("percent", 1, 100);
  if (fields.has("amount") == fields.has("percent")) {
    faults.push_back("discount does not have one of amount and percent");
  }
  coupon.discount_amount = amount.value_or(0);
  coupon.discount_percent = static_cast<std::int32_t>(percent.value_or(0));
}

std::int64_t required_time(JsonFields& fields, std::string_view name, Faults& faults) {
  const auto faults_before = faults.size();
  const auto time = read_time(fields, name);
  if (!time && faults.size() == faults_before) fields.fault(name, "is missing");
  return time.value_or(0);
}

Coupon read_coupon(const boost::json::object& body, JsonFields& fields, Faults& faults) {
  Coupon coupon;
  coupon.quantity = fields.integer("quantity", 1, kAmountMax);
  const auto faults_before = faults.size();
  coupon.valid_from = required_time(fields, "validFrom", faults);
  coupon.valid_until = required_time(fields, "validUntil", faults);
  if (faults.size() == faults_before && coupon.valid_until < coupon.valid_from) {
    faults.push_back("validUntil is before validFrom");
  }
  read_discount(body, coupon, faults);
  return coupon;
}

/// What the coupon's task made of a POST: the first definition of an id holds.
HttpResponse post_answer(const ContextPtr& context, const std::string& id, const Coupon& asked,
                         int status) {
  const auto coupon = context->find<Coupon>(stores::kCoupons, id);
  if (!coupon) return unavailable(coupon.error());
  const auto counts = context->find<CouponCounts>(stores::kCouponCounts, id);
  if (!counts) return unavailable(counts.error());
  if (coupon->row != asked) {
    return conflict("coupon_exists", "coupon " + id + " exists and is another one");
  }
  return coupon_json(id, asked, counts->row.value_or(CouponCounts{}), status);
}

void post_coupon(const ContextPtr& context, HttpRequest& request, Responder responder) {
  if (auto refusal = context->stranger(request)) return responder.send(*std::move(refusal));
  const Body body(request);
  if (!body.is_object()) return responder.send(bad_request({body.fault()}));
  Faults faults;
  JsonFields fields(body.object(), faults);
  const std::string id = fields.text("couponId");
  const Coupon coupon = read_coupon(body.object(), fields, faults);
  if (!faults.empty()) return responder.send(bad_request(faults));
  const auto known = context->find<Coupon>(stores::kCoupons, id);
  if (!known) return responder.send(unavailable(known.error()));
  if (known->row) {
    return context->send_durable(known->commit, std::move(responder),
                                 post_answer(context, id, coupon, 200));
  }
  context->command({topics::kCoupons, id, bytes_of(coupon)}, std::move(responder),
                   [context, id, coupon] { return post_answer(context, id, coupon, 201); });
}

HttpResponse request_accepted(const std::string& request_id) {
  HttpResponse response{.status = 202};
  JsonWriter(response.body).text("requestId", request_id).end();
  return response;
}

void post_issue(const ContextPtr& context, HttpRequest& request, Responder responder) {
  const Body body(request);
  if (!body.is_object()) return responder.send(bad_request({body.fault()}));
  auto caller = context->caller(request);
  if (!caller) return responder.send(std::move(caller.error()));
  Faults faults;
  JsonFields fields(body.object(), faults);
  const std::string user = user_of(*std::move(caller), fields, faults);
  const std::string coupon = fields.text("couponId");
  if (!faults.empty()) return responder.send(bad_request(faults));
  std::string id;
  if (const auto key = request.header("Idempotency-Key"); key && !key->empty()) {
    id = derived_id("coupon-request", user + "\n" + std::string(*key));
    const auto found = context->find_in_all<CouponRequestRow>(stores::kCouponRequests, id);
    if (!found) return responder.send(unavailable(found.error()));
    if (found->row) {
      const bool same = found->row->coupon_id == coupon;
      return context->send_durable(found->commit, std::move(responder),
                                   same ? request_accepted(id)
                                        : conflict("idempotency_key_reused",
                                                   "the Idempotency-Key belongs to a request for "
                                                   "another coupon"));
    }
  } else {
    id = random_id();
  }
  context->command({topics::kCouponRequests, coupon_user_key(user),
                    coupon_request_json(id, user, coupon, context->now())},
                   std::move(responder), request_accepted(id));
}

void get_coupon(const ContextPtr& context, HttpRequest& request, Responder responder) {
  const std::string id(request.param("id"));
  const auto coupon = context->find<Coupon>(stores::kCoupons, id);
  if (!coupon) return responder.send(unavailable(coupon.error()));
  const auto counts = context->find<CouponCounts>(stores::kCouponCounts, id);
  if (!counts) return responder.send(unavailable(counts.error()));
  context->send_durable(
      std::max(coupon->commit, counts->commit), std::move(responder),
      coupon->row ? coupon_json(id, *coupon->row, counts->row.value_or(CouponCounts{}))
                  : not_found("coupon", id));
}

/// An array, sorted by id; the header `Next-Cursor` says where the next page begins.
void get_coupons(const ContextPtr& context, HttpRequest& request, Responder responder) {
  const std::size_t limit = page_limit(request);
  if (limit == 0) return responder.send(bad_request({limit_fault()}));
  const auto rows =
      context->rows(stores::kCoupons, std::string(request.query("cursor").value_or("")), limit);
  if (!rows) return responder.send(unavailable(rows.error()));
  CommitSequence commit = rows->commit;
  std::vector<CouponCounts> all;
  for (const StoredEntry& entry : rows->entries) {
    const auto counts = context->find<CouponCounts>(stores::kCouponCounts, entry.key);
    if (!counts) return responder.send(unavailable(counts.error()));
    commit = std::max(commit, counts->commit);
    all.push_back(counts->row.value_or(CouponCounts{}));
  }
  HttpResponse response;
  auto counts = all.begin();
  append_array(rows->entries, response.body, [&](const StoredEntry& entry, std::string& out) {
    Coupon coupon;
    Serde<Coupon>::deserialize(entry.value, coupon);
    append_coupon(entry.key, coupon, *counts++, out);
  });
  if (rows->entries.size() == limit) {
    response.headers.emplace_back("Next-Cursor", percent_encoded(rows->entries.back().key));
  }
  context->send_durable(commit, std::move(responder), std::move(response));
}

HttpResponse request_json(const std::string& id, const CouponRequestRow& row) {
  HttpResponse response;
  JsonWriter json(response.body);
  json.text("requestId", id).text("userId", row.user_id).text("couponId", row.coupon_id);
  json.text("status", fb::EnumNameCouponEventType(row.status));
  if (row.status == CouponEventType::PENDING) {
    json.raw("success", "null");
  } else if (row.reason == CouponReason::NONE) {
    json.boolean("success", true).text("couponHistoryId", row.history_id);
  } else {
    json.boolean("success", false).text("reason", fb::EnumNameCouponReason(row.reason));
  }
  json.time("requestedAt", row.requested_at).end();
  return response;
}

void get_request(const ContextPtr& context, HttpRequest& request, Responder responder) {
  const std::string id(request.param("id"));
  const auto found = context->find_in_all<CouponRequestRow>(stores::kCouponRequests, id);
  if (!found) return responder.send(unavailable(found.error()));
  if (!found->row) {
    return context->send_durable(found->commit, std::move(responder),
                                 not_found("coupon request", id));
  }
  if (auto refusal = context->refusal(request, found->row->user_id)) {
    return responder.send(*std::move(refusal));
  }
  context->send_durable(found->commit, std::move(responder), request_json(id, *found->row));
}

void append_held(std::string_view coupon_id, const HeldCoupon& held, std::string& out) {
  JsonWriter(out)
      .text("couponId", coupon_id)
      .text("couponHistoryId", held.history_id)
      .text("status", fb::EnumNameCouponState(held.state))
      .text_or_null("orderId", held.order_id)
      .time("issuedAt", held.issued_at)
      .end();
}

/// An array, sorted by coupon; the header `Next-Cursor` says where the next page begins.
void get_user_coupons(const ContextPtr& context, HttpRequest& request, Responder responder) {
  const std::string user(request.param("id"));
  if (auto refusal = context->refusal(request, user)) {
    return responder.send(*std::move(refusal));
  }
  const std::size_t limit = page_limit(request);
  if (limit == 0) return responder.send(bad_request({limit_fault()}));
  const auto view = context->partition_view(stores::kCouponsByUser, coupon_user_key(user));
  if (!view) return responder.send(unavailable(view.error()));
  const std::string prefix = coupon_by_user_prefix(user);
  StoreView::Scan scan{.from = prefix, .to = prefix, .limit = limit};
  scan.to->back() = '\n' + 1;
  if (const auto cursor = request.query("cursor")) scan.from->append(*cursor).append(1, '\0');
  const auto page = (*view)->scan(scan);
  if (!page) return responder.send(unavailable(page.error()));
  HttpResponse response;
  append_array(*page, response.body, [&](const auto& entry, std::string& out) {
    HeldCoupon held;
    Serde<HeldCoupon>::deserialize(entry.value, held);
    append_held(std::string_view(entry.key).substr(prefix.size()), held, out);
  });
  if (page->size() == limit) {
    response.headers.emplace_back("Next-Cursor",
                                  percent_encoded(page->back().key.substr(prefix.size())));
  }
  context->send_durable((*view)->last_commit(), std::move(responder), std::move(response));
}

}  // namespace

void add_coupon_routes(const ContextPtr& context) {
  constexpr const char* kRole = "coupons";
  add_route(context, "POST", "/coupons", post_coupon, kRole, kForOperators);
  add_route(context, "GET", "/coupons?limit&cursor", get_coupons, kRole);
  add_route(context, "POST", "/coupons/issue", post_issue, kRole);
  add_route(context, "GET", "/coupons/{id}", get_coupon, kRole);
  add_route(context, "GET", "/coupons/requests/{id}", get_request, kRole);
  add_route(context, "GET", "/users/{id}/coupons?limit&cursor", get_user_coupons, kRole);
}

}  // namespace thalweg::shop
