#include "notice.h"

#include <charconv>

#include "public_input.h"
#include "table_bytes.h"
#include "text.h"

namespace thalweg {
namespace shop {

void CouponResultSerde::serialize(const CouponResult& result, std::string& out) const {
  JsonWriter json(out);
  json.text("requestId", result.request_id).text("userId", result.user_id);
  json.text("couponId", result.coupon_id).boolean("success", result.success);
  json.text(result.success ? "couponHistoryId" : "reason", result.history_id_or_reason).end();
}

void CouponResultSerde::deserialize(BytesView bytes, CouponResult& out) const {
  read_json_object(bytes, [&](JsonFields& fields, Faults&) {
    out.request_id = fields.text("requestId");
    out.user_id = fields.text("userId");
    out.coupon_id = fields.text("couponId");
    const auto success = fields.optional_boolean("success");
    if (!success) fields.fault("success", "is missing");
    out.success = success.value_or(false);
    out.history_id_or_reason = fields.text(out.success ? "couponHistoryId" : "reason");
  });
}

void OrderNoticeSerde::deserialize(BytesView bytes, Notice& out) const {
  read_json_object(bytes, [&](JsonFields& fields, Faults&) {
    out.user_id = fields.text("userId");
    out.order_id = fields.text("orderId");
    fields.text("type");
  });
  out.request_id.clear();
  out.body.assign(bytes);
}

namespace {

std::string_view message_of(const CouponResult& result) {
  const std::string& reason = result.history_id_or_reason;
  if (result.success) return "The coupon is yours.";
  if (reason == "OUT_OF_STOCK") return "All coupons are gone.";
  if (reason == "DUPLICATE") return "You have this coupon already.";
  if (reason == "EXPIRED") return "The coupon is no longer offered.";
  if (reason == "NOT_STARTED") return "The coupon is not offered yet.";
  return "There is no such coupon.";
}

}  // namespace

Notice coupon_notice(const CouponResult& result, std::int64_t at) {
  Notice notice{result.user_id, {}, result.request_id, {}};
  JsonWriter json(notice.body);
  json.text("type", "COUPON_RESULT").text("requestId", result.request_id);
  json.text("couponId", result.coupon_id).boolean("success", result.success);
  json.text(result.success ? "couponHistoryId" : "reason", result.history_id_or_reason);
  json.text("title", result.success ? "Coupon issued" : "No coupon");
  json.text("message", message_of(result)).time("timestamp", at).end();
  return notice;
}

std::string inbox_prefix(std::string_view user_id) { return std::string(user_id) + '\n'; }

std::string inbox_key(std::string_view user_id, std::int64_t number) {
  constexpr std::size_t kDigits = 16;
  const std::string digits = std::to_string(number);
  return inbox_prefix(user_id).append(kDigits - std::min(digits.size(), kDigits), '0') + digits;
}

std::string_view user_of_inbox_key(std::string_view key) { return key.substr(0, key.find('\n')); }

std::int64_t number_of_inbox_key(std::string_view key) {
  const auto digits = key.substr(std::min(key.size(), key.find('\n') + 1));
  std::int64_t number = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return number;
}

}  // namespace shop

using namespace shop;

void Serde<Notice>::serialize(const Notice& value, std::string& out) {
  auto& builder = cleared_builder();
  const auto user_id = text(builder, value.user_id);
  const auto order_id = text(builder, value.order_id);
  const auto request_id = text(builder, value.request_id);
  const auto body = text(builder, value.body);
  finish(builder, fb::CreateNotice(builder, user_id, order_id, request_id, body), out);
}

void Serde<Notice>::deserialize(BytesView bytes, Notice& out) {
  read_table<fb::Notice>(bytes, [&](const fb::Notice& table) {
    assign(out.user_id, table.user_id());
    assign(out.order_id, table.order_id());
    assign(out.request_id, table.request_id());
    assign(out.body, table.body());
  });
}

SchemaPtr Serde<Notice>::schema() { return internal::table_schema<fb::Notice>(); }

}  // namespace thalweg
