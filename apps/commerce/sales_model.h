#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <thalweg/schemas/serde.h>

#include "table_serde.h"

// What rankings and analytics are made of: their two inputs, which are public JSON, and their own
// records, whose bytes are the FlatBuffers tables of schemas/sales.fbs.
namespace thalweg::shop {

/// a + b, neither negative; the greatest number there is when it would be more.
std::int64_t sum(std::int64_t a, std::int64_t b);

struct ProductUnits {
  std::string product_id;
  std::int64_t units = 0;

  friend bool operator==(const ProductUnits&, const ProductUnits&) = default;
};

/// A record of `order-completed`, keyed by the order's id.
struct CompletedOrder {
  std::string order_id;
  std::string user_id;
  std::vector<ProductUnits> products;
  std::int64_t total_amount = 0;

  std::int64_t units() const;
};

/// The units of an order, by product.
std::vector<std::pair<std::string, std::int64_t>> units_by_product(const std::string& order_id,
                                                                   const CompletedOrder& order);

/// A record of `product-events`, keyed by the product's id.
struct ProductEvent {
  std::string type;  ///< CREATED, UPDATED, RESTOCKED or SOLD_OUT.
  std::string product_id;
  std::string name;
  std::int64_t price = 0;
  std::int64_t stock = 0;
  std::int64_t at = 0;
};

struct ProductInfo {
  std::string name;
  std::int64_t price = 0;
};

struct Purchase {
  std::int64_t amount = 0;
  std::vector<ProductUnits> products;
};

struct Sales {
  std::int64_t orders = 0;
  std::int64_t units = 0;
  std::int64_t amount = 0;

  friend bool operator==(const Sales&, const Sales&) = default;
};

struct ProductSales {
  std::int64_t units = 0;
  std::int64_t revenue = 0;

  friend bool operator==(const ProductSales&, const ProductSales&) = default;
};

struct SoldProduct {
  std::string name;  ///< Empty: of a product that no event has told of.
  std::int64_t units = 0;
};

struct Customer {
  std::int64_t orders = 0;
  std::int64_t units = 0;
  std::int64_t spend = 0;
  ProductUnits favourite;
  std::vector<ProductUnits> products;  ///< By id, at most kProductsMax.

  static constexpr std::size_t kProductsMax = 256;
};

/// What `purchase` makes of its customer.
Customer after_purchase(const Purchase& purchase, Customer customer);

}  // namespace thalweg::shop

THALWEG_SHOP_SERDE(CompletedOrder);
THALWEG_SHOP_SERDE(ProductEvent);
THALWEG_SHOP_SERDE(ProductInfo);
THALWEG_SHOP_SERDE(Purchase);
THALWEG_SHOP_SERDE(Sales);
THALWEG_SHOP_SERDE(ProductSales);
THALWEG_SHOP_SERDE(SoldProduct);
THALWEG_SHOP_SERDE(Customer);
