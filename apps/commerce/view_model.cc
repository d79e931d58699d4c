#include "view_model.h"

#include <algorithm>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "public_input.h"
#include "table_bytes.h"
#include "text.h"
#include "views_generated.h"

namespace thalweg {
namespace shop {
namespace {

void read_view(JsonFields& fields, View& view) {
  view.product_id = fields.text("productId");
  view.email = fields.optional_text("email").value_or("");
  view.age = static_cast<std::int32_t>(fields.optional_integer("age", 0, kAgeMax).value_or(-1));
  view.gender = fields.optional_text("gender", kGenderLengthMax).value_or("");
  view.at = read_time(fields, "at").value_or(0);
}

bool has(const std::vector<std::string>& products, const std::string& product) {
  return std::ranges::find(products, product) != products.end();
}

}  // namespace

void PublicViewSerde::serialize(const View& view, std::string& out) const {
  JsonWriter json(out);
  json.text("productId", view.product_id).text_or_null("email", view.email);
  if (view.age < 0) {
    json.raw("age", "null");
  } else {
    json.number("age", view.age);
  }
  json.text_or_null("gender", view.gender).time("at", view.at).end();
}

void PublicViewSerde::deserialize(BytesView bytes, View& out) const {
  read_json_object(bytes, [&](JsonFields& fields, Faults&) { read_view(fields, out); });
}

void LateViewSerde::serialize(const View& view, std::string& out) const {
  JsonWriter(out)
      .value("view", [&](std::string& json) { PublicViewSerde().serialize(view, json); })
      .text("window", window)
      .end();
}

void LateViewSerde::deserialize(BytesView bytes, View& out) const {
  read_json_object(bytes, [&](JsonFields& fields, Faults&) {
    const auto view = fields.optional_object("view");
    if (view.empty()) return fields.fault("view", "is missing");
    PublicViewSerde().deserialize(view, out);
  });
}

std::string segment_of(std::int32_t age, const std::string& gender) {
  if (age < 0 || gender.empty()) return {};
  return std::to_string(age / 10 * 10) + "/" + gender;
}

ViewSession with_view(const View& view, ViewSession session) {
  ++session.views;
  auto& products = session.products;
  if (products.size() >= ViewSession::kProductsMax || has(products, view.product_id)) {
    return session;
  }
  for (const auto& other : products) session.met.emplace_back(other, view.product_id);
  products.push_back(view.product_id);
  return session;
}

ViewSession joined(ViewSession session, const ViewSession& next) {
  session.views += next.views;
  const auto before = session.products;
  for (const auto& product : next.products) {
    if (has(before, product) || session.products.size() >= ViewSession::kProductsMax) continue;
    for (const auto& other : before) {
      // Those that were in both sessions have met there already.
      if (!has(next.products, other)) session.met.emplace_back(other, product);
    }
    session.products.push_back(product);
  }
  return session;
}

}  // namespace shop

using namespace shop;

void Serde<View>::serialize(const View& value, std::string& out) {
  auto& builder = cleared_builder();
  const auto product_id = text(builder, value.product_id);
  const auto email = text(builder, value.email);
  const auto gender = text(builder, value.gender);
  finish(builder, fb::CreateView(builder, product_id, email, value.age, gender, value.at), out);
}

void Serde<View>::deserialize(BytesView bytes, View& out) {
  read_table<fb::View>(bytes, [&](const fb::View& table) {
    assign(out.product_id, table.product_id());
    assign(out.email, table.email());
    out.age = table.age();
    assign(out.gender, table.gender());
    out.at = table.at();
  });
}

SchemaPtr Serde<View>::schema() { return internal::table_schema<fb::View>(); }

void Serde<ViewSession>::serialize(const ViewSession& value, std::string& out) {
  auto& builder = cleared_builder();
  thread_local std::vector<TextOffset> offsets;
  offsets.clear();
  for (const auto& product : value.products) offsets.push_back(builder.CreateString(product));
  const auto products = builder.CreateVector(offsets);
  finish(builder, fb::CreateViewSession(builder, value.views, products), out);
}

void Serde<ViewSession>::deserialize(BytesView bytes, ViewSession& out) {
  read_table<fb::ViewSession>(bytes, [&](const fb::ViewSession& table) {
    out.views = table.views();
    const auto* products = table.products();
    out.products.resize(products ? products->size() : 0);
    for (std::size_t i = 0; i < out.products.size(); ++i) {
      assign(out.products[i], products->Get(static_cast<flatbuffers::uoffset_t>(i)));
    }
    out.met.clear();
  });
}

SchemaPtr Serde<ViewSession>::schema() { return internal::table_schema<fb::ViewSession>(); }

void Serde<ViewedProduct>::serialize(const ViewedProduct& value, std::string& out) {
  auto& builder = cleared_builder();
  const auto name = text(builder, value.name);
  finish(builder, fb::CreateViewedProduct(builder, name, value.views), out);
}

void Serde<ViewedProduct>::deserialize(BytesView bytes, ViewedProduct& out) {
  read_table<fb::ViewedProduct>(bytes, [&](const fb::ViewedProduct& table) {
    assign(out.name, table.name());
    out.views = table.views();
  });
}

SchemaPtr Serde<ViewedProduct>::schema() { return internal::table_schema<fb::ViewedProduct>(); }

}  // namespace thalweg
