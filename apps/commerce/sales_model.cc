#include "sales_model.h"

#include <algorithm>
#include <limits>

#include "public_input.h"
#include "sales_generated.h"
#include "table_bytes.h"
#include "text.h"

namespace thalweg {
namespace shop {
namespace {

using flatbuffers::FlatBufferBuilder;
/// What the shop itself adds up may come to as much.
constexpr auto kSumMax = std::numeric_limits<std::int64_t>::max();

using ProductsOffset =
    flatbuffers::Offset<flatbuffers::Vector<flatbuffers::Offset<fb::ProductUnits>>>;

ProductsOffset write_products(FlatBufferBuilder& builder,
                              const std::vector<ProductUnits>& products) {
  if (products.empty()) return {};
  thread_local std::vector<flatbuffers::Offset<fb::ProductUnits>> offsets;
  offsets.clear();
  for (const auto& product : products) {
    const auto id = text(builder, product.product_id);
    offsets.push_back(fb::CreateProductUnits(builder, id, product.units));
  }
  return builder.CreateVector(offsets);
}

void read_products(const flatbuffers::Vector<flatbuffers::Offset<fb::ProductUnits>>* from,
                   std::vector<ProductUnits>& to) {
  to.resize(from ? from->size() : 0);
  for (std::size_t i = 0; i < to.size(); ++i) {
    const auto& product = *from->Get(static_cast<flatbuffers::uoffset_t>(i));
    assign(to[i].product_id, product.product_id());
    to[i].units = product.units();
  }
}

/// Makes room for one more product: of the least bought the one whose id sorts last goes.
void forget_one(std::vector<ProductUnits>& products) {
  const auto least = std::ranges::min_element(products, [](const auto& a, const auto& b) {
    return a.units != b.units ? a.units < b.units : a.product_id > b.product_id;
  });
  products.erase(least);
}

}  // namespace

std::int64_t sum(std::int64_t a, std::int64_t b) {
  return a > kSumMax - b ? kSumMax : a + b;
}

std::int64_t CompletedOrder::units() const {
  std::int64_t units = 0;
  for (const auto& product : products) units = sum(units, product.units);
  return units;
}

std::vector<std::pair<std::string, std::int64_t>> units_by_product(const std::string&,
                                                                   const CompletedOrder& order) {
  std::vector<std::pair<std::string, std::int64_t>> units;
  units.reserve(order.products.size());
  for (const auto& product : order.products) {
    units.emplace_back(product.product_id, product.units);
  }
  return units;
}

Customer after_purchase(const Purchase& purchase, Customer customer) {
  ++customer.orders;
  customer.spend = sum(customer.spend, purchase.amount);
  for (const auto& bought : purchase.products) {
    customer.units = sum(customer.units, bought.units);
    auto& products = customer.products;
    auto at = std::ranges::lower_bound(products, bought.product_id, {}, &ProductUnits::product_id);
    if (at == products.end() || at->product_id != bought.product_id) {
      if (products.size() == Customer::kProductsMax) forget_one(products);
      at = std::ranges::lower_bound(products, bought.product_id, {}, &ProductUnits::product_id);
      at = products.insert(at, {bought.product_id, 0});
    }
    at->units = sum(at->units, bought.units);
    auto& favourite = customer.favourite;
    if (at->units > favourite.units ||
        (at->units == favourite.units && at->product_id < favourite.product_id)) {
      favourite = *at;
    }
  }
  return customer;
}

}  // namespace shop

using namespace shop;

// --- Public JSON ----------------------------------------------------------------------------

void Serde<CompletedOrder>::serialize(const CompletedOrder& value, std::string& out) {
  JsonWriter writer(out);
  writer.text("orderId", value.order_id).text("userId", value.user_id);
  writer.value("products", [&](std::string& json) {
    append_array(value.products, json, [](const ProductUnits& product, std::string& element) {
      JsonWriter(element).text("id", product.product_id).number("qty", product.units).end();
    });
  });
  writer.number("totalAmount", value.total_amount).end();
}

void Serde<CompletedOrder>::deserialize(BytesView bytes, CompletedOrder& out) {
  read_json_object(bytes, [&](JsonFields& fields, Faults& faults) {
    out.order_id = fields.text("orderId");
    out.user_id = fields.text("userId");
    out.total_amount = fields.integer("totalAmount", 0, kSumMax);
    out.products.clear();
    const auto* products = fields.array("products", kItemsMax);
    if (!products) return;
    for_each_object(*products, "products", faults, [&](JsonFields& product) {
      out.products.push_back({product.text("id"), product.integer("qty", 1, kQuantityMax)});
    });
  });
}

SchemaPtr Serde<CompletedOrder>::schema() { return Serde<JsonText>::schema(); }

void Serde<ProductEvent>::serialize(const ProductEvent& value, std::string& out) {
  JsonWriter writer(out);
  writer.text("type", value.type).text("productId", value.product_id).text("name", value.name);
  writer.number("price", value.price).number("stock", value.stock).time("at", value.at).end();
}

void Serde<ProductEvent>::deserialize(BytesView bytes, ProductEvent& out) {
  read_json_object(bytes, [&](JsonFields& fields, Faults&) {
    out.type = fields.text("type");
    if (out.type != "CREATED" && out.type != "UPDATED" && out.type != "RESTOCKED" &&
        out.type != "SOLD_OUT") {
      fields.fault("type", "is none of CREATED, UPDATED, RESTOCKED, SOLD_OUT");
    }
    out.product_id = fields.text("productId");
    out.name = fields.text("name");
    out.price = fields.integer("price", 0, kAmountMax);
    out.stock = fields.integer("stock", 0, kSumMax);
    out.at = read_time(fields, "at").value_or(0);
  });
}

SchemaPtr Serde<ProductEvent>::schema() { return Serde<JsonText>::schema(); }

// --- Our own --------------------------------------------------------------------------------

void Serde<ProductInfo>::serialize(const ProductInfo& value, std::string& out) {
  auto& builder = cleared_builder();
  const auto name = text(builder, value.name);
  finish(builder, fb::CreateProductInfo(builder, name, value.price), out);
}

void Serde<ProductInfo>::deserialize(BytesView bytes, ProductInfo& out) {
  read_table<fb::ProductInfo>(bytes, [&](const fb::ProductInfo& table) {
    assign(out.name, table.name());
    out.price = table.price();
  });
}

SchemaPtr Serde<ProductInfo>::schema() { return internal::table_schema<fb::ProductInfo>(); }

void Serde<Purchase>::serialize(const Purchase& value, std::string& out) {
  auto& builder = cleared_builder();
  const auto products = write_products(builder, value.products);
  finish(builder, fb::CreatePurchase(builder, value.amount, products), out);
}

void Serde<Purchase>::deserialize(BytesView bytes, Purchase& out) {
  read_table<fb::Purchase>(bytes, [&](const fb::Purchase& table) {
    out.amount = table.amount();
    read_products(table.products(), out.products);
  });
}

SchemaPtr Serde<Purchase>::schema() { return internal::table_schema<fb::Purchase>(); }

void Serde<Sales>::serialize(const Sales& value, std::string& out) {
  auto& builder = cleared_builder();
  finish(builder, fb::CreateSales(builder, value.orders, value.units, value.amount), out);
}

void Serde<Sales>::deserialize(BytesView bytes, Sales& out) {
  read_table<fb::Sales>(bytes, [&](const fb::Sales& table) {
    out = {table.orders(), table.units(), table.amount()};
  });
}

SchemaPtr Serde<Sales>::schema() { return internal::table_schema<fb::Sales>(); }

void Serde<ProductSales>::serialize(const ProductSales& value, std::string& out) {
  auto& builder = cleared_builder();
  finish(builder, fb::CreateProductSales(builder, value.units, value.revenue), out);
}

void Serde<ProductSales>::deserialize(BytesView bytes, ProductSales& out) {
  read_table<fb::ProductSales>(bytes, [&](const fb::ProductSales& table) {
    out = {table.units(), table.revenue()};
  });
}

SchemaPtr Serde<ProductSales>::schema() { return internal::table_schema<fb::ProductSales>(); }

void Serde<SoldProduct>::serialize(const SoldProduct& value, std::string& out) {
  auto& builder = cleared_builder();
  const auto name = text(builder, value.name);
  finish(builder, fb::CreateSoldProduct(builder, name, value.units), out);
}

void Serde<SoldProduct>::deserialize(BytesView bytes, SoldProduct& out) {
  read_table<fb::SoldProduct>(bytes, [&](const fb::SoldProduct& table) {
    assign(out.name, table.name());
    out.units = table.units();
  });
}

SchemaPtr Serde<SoldProduct>::schema() { return internal::table_schema<fb::SoldProduct>(); }

void Serde<Customer>::serialize(const Customer& value, std::string& out) {
  auto& builder = cleared_builder();
  const auto favourite = text(builder, value.favourite.product_id);
  const auto products = write_products(builder, value.products);
  finish(builder,
         fb::CreateCustomer(builder, value.orders, value.units, value.spend, favourite,
                            value.favourite.units, products),
         out);
}

void Serde<Customer>::deserialize(BytesView bytes, Customer& out) {
  read_table<fb::Customer>(bytes, [&](const fb::Customer& table) {
    out.orders = table.orders();
    out.units = table.units();
    out.spend = table.spend();
    assign(out.favourite.product_id, table.favourite());
    out.favourite.units = table.favourite_units();
    read_products(table.products(), out.products);
  });
}

SchemaPtr Serde<Customer>::schema() { return internal::table_schema<fb::Customer>(); }

}  // namespace thalweg
