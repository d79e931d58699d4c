#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "zipf.h"

namespace thalweg::flashsale {

inline constexpr std::size_t kItemsMax = 3;

struct PlannedItem {
  std::uint32_t product = 0;
  std::int32_t quantity = 0;
};

struct PlannedOrder {
  std::uint32_t user = 0;
  std::uint32_t item_count = 0;
  std::array<PlannedItem, kItemsMax> item{};

  std::span<const PlannedItem> items() const { return {item.data(), item_count}; }
};

struct PlanOptions {
  std::uint64_t seed = 1;
  std::uint64_t orders = 0;
  std::uint32_t users = 100'000;
  std::uint32_t products = 10'000;
  double skew = 0.99;
  /// Scarce products and users are given what this share of the orders needs of them.
  double scarce_supply = 0.5;
};

/// What a sale will order, known to the last unit before the first request.
///
/// Orders are not stored: order(i) depends on the seed and i alone. The plan looks at all of them
/// once and gives every product and user what its orders need, except for a few of middling
/// popularity that get less, so that a few orders in a hundred have to be refused.
class OrderPlan {
 public:
  explicit OrderPlan(const PlanOptions& options);

  PlannedOrder order(std::uint64_t index) const;
  std::int64_t total_of(const PlannedOrder& order) const;

  std::uint64_t orders() const { return options_.orders; }
  std::uint32_t users() const { return options_.users; }
  std::uint32_t products() const { return options_.products; }
  const PlanOptions& options() const { return options_; }

  std::int64_t price(std::uint32_t product) const;
  /// The first stock of `product`: at least 1.
  std::int64_t stock(std::uint32_t product) const { return stock_[product]; }
  /// What `user` is given before the sale: at least 1.
  std::int64_t deposit(std::uint32_t user) const { return deposit_[user]; }

  /// Orders that stock and balances allow when they are served one by one in the order of the plan.
  std::uint64_t fillable() const { return fillable_; }

 private:
  void measure_demand();
  void count_fillable();

  PlanOptions options_;
  ZipfDistribution product_ranks_;
  ZipfDistribution user_ranks_;
  std::vector<std::int64_t> stock_;
  std::vector<std::int64_t> deposit_;
  std::uint64_t fillable_ = 0;
};

/// Names for what a run creates. Two runs against one shop never share a name.
struct Names {
  std::string run;

  std::string product(std::uint32_t index) const { return run + "-p" + std::to_string(index); }
  std::string user(std::uint32_t index) const { return run + "-u" + std::to_string(index); }
  std::string order_key(std::uint64_t index) const { return run + "-o" + std::to_string(index); }
};

}  // namespace thalweg::flashsale
