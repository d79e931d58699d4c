#include "coupon_model.h"

#include "table_bytes.h"

namespace thalweg {

using namespace shop;

void Serde<Coupon>::serialize(const Coupon& value, std::string& out) {
  auto& builder = cleared_builder();
  finish(builder,
         fb::CreateCoupon(builder, value.quantity, value.valid_from, value.valid_until,
                          value.discount_amount, value.discount_percent),
         out);
}

void Serde<Coupon>::deserialize(BytesView bytes, Coupon& out) {
  read_table<fb::Coupon>(bytes, [&](const fb::Coupon& table) {
    out = {table.quantity(), table.valid_from(), table.valid_until(), table.discount_amount(),
           table.discount_percent()};
  });
}

SchemaPtr Serde<Coupon>::schema() { return internal::table_schema<fb::Coupon>(); }

void Serde<CouponCommand>::serialize(const CouponCommand& value, std::string& out) {
  auto& builder = cleared_builder();
  const auto user_id = text(builder, value.user_id);
  const auto request_id = text(builder, value.request_id);
  const auto order_id = text(builder, value.order_id);
  finish(builder, fb::CreateCouponCommand(builder, value.kind, user_id, request_id, order_id),
         out);
}

void Serde<CouponCommand>::deserialize(BytesView bytes, CouponCommand& out) {
  read_table<fb::CouponCommand>(bytes, [&](const fb::CouponCommand& table) {
    out.kind = table.kind();
    assign(out.user_id, table.user_id());
    assign(out.request_id, table.request_id());
    assign(out.order_id, table.order_id());
  });
}

SchemaPtr Serde<CouponCommand>::schema() { return internal::table_schema<fb::CouponCommand>(); }

void Serde<CouponEvent>::serialize(const CouponEvent& value, std::string& out) {
  auto& builder = cleared_builder();
  const auto coupon_id = text(builder, value.coupon_id);
  const auto user_id = text(builder, value.user_id);
  const auto request_id = text(builder, value.request_id);
  const auto order_id = text(builder, value.order_id);
  const auto history_id = text(builder, value.history_id);
  finish(builder,
         fb::CreateCouponEvent(builder, value.type, coupon_id, user_id, request_id, order_id,
                               history_id, value.reason, value.at, value.discount_amount,
                               value.discount_percent),
         out);
}

void Serde<CouponEvent>::deserialize(BytesView bytes, CouponEvent& out) {
  read_table<fb::CouponEvent>(bytes, [&](const fb::CouponEvent& table) {
    out.type = table.type();
    assign(out.coupon_id, table.coupon_id());
    assign(out.user_id, table.user_id());
    assign(out.request_id, table.request_id());
    assign(out.order_id, table.order_id());
    assign(out.history_id, table.history_id());
    out.reason = table.reason();
    out.at = table.at();
    out.discount_amount = table.discount_amount();
    out.discount_percent = table.discount_percent();
  });
}

SchemaPtr Serde<CouponEvent>::schema() { return internal::table_schema<fb::CouponEvent>(); }

void Serde<HeldCoupon>::serialize(const HeldCoupon& value, std::string& out) {
  auto& builder = cleared_builder();
  const auto history_id = text(builder, value.history_id);
  const auto order_id = text(builder, value.order_id);
  finish(builder,
         fb::CreateHeldCoupon(builder, history_id, value.state, order_id, value.issued_at), out);
}

void Serde<HeldCoupon>::deserialize(BytesView bytes, HeldCoupon& out) {
  read_table<fb::HeldCoupon>(bytes, [&](const fb::HeldCoupon& table) {
    assign(out.history_id, table.history_id());
    out.state = table.state();
    assign(out.order_id, table.order_id());
    out.issued_at = table.issued_at();
  });
}

SchemaPtr Serde<HeldCoupon>::schema() { return internal::table_schema<fb::HeldCoupon>(); }

void Serde<CouponCounts>::serialize(const CouponCounts& value, std::string& out) {
  auto& builder = cleared_builder();
  finish(builder,
         fb::CreateCouponCounts(builder, value.issued, value.unused, value.reserved, value.used),
         out);
}

void Serde<CouponCounts>::deserialize(BytesView bytes, CouponCounts& out) {
  read_table<fb::CouponCounts>(bytes, [&](const fb::CouponCounts& table) {
    out = {table.issued(), table.unused(), table.reserved(), table.used()};
  });
}

SchemaPtr Serde<CouponCounts>::schema() { return internal::table_schema<fb::CouponCounts>(); }

void Serde<CouponRequestRow>::serialize(const CouponRequestRow& value, std::string& out) {
  auto& builder = cleared_builder();
  const auto user_id = text(builder, value.user_id);
  const auto coupon_id = text(builder, value.coupon_id);
  const auto history_id = text(builder, value.history_id);
  finish(builder,
         fb::CreateCouponRequestRow(builder, user_id, coupon_id, value.status, history_id,
                                    value.reason, value.requested_at),
         out);
}

void Serde<CouponRequestRow>::deserialize(BytesView bytes, CouponRequestRow& out) {
  read_table<fb::CouponRequestRow>(bytes, [&](const fb::CouponRequestRow& table) {
    assign(out.user_id, table.user_id());
    assign(out.coupon_id, table.coupon_id());
    out.status = table.status();
    assign(out.history_id, table.history_id());
    out.reason = table.reason();
    out.requested_at = table.requested_at();
  });
}

SchemaPtr Serde<CouponRequestRow>::schema() {
  return internal::table_schema<fb::CouponRequestRow>();
}

void Serde<CouponReply>::serialize(const CouponReply& value, std::string& out) {
  auto& builder = cleared_builder();
  finish(builder,
         fb::CreateCouponReply(builder, value.granted, value.discount_amount,
                               value.discount_percent),
         out);
}

void Serde<CouponReply>::deserialize(BytesView bytes, CouponReply& out) {
  read_table<fb::CouponReply>(bytes, [&](const fb::CouponReply& table) {
    out = {table.granted(), table.discount_amount(), table.discount_percent()};
  });
}

SchemaPtr Serde<CouponReply>::schema() { return internal::table_schema<fb::CouponReply>(); }

}  // namespace thalweg
