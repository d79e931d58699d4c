#include "order_plan.h"

#include <algorithm>

#include "random.h"

namespace thalweg::flashsale {
namespace {

// Of all orders, the share that touches something scarce, and how popular the scarce things are:
// the hottest few stay well stocked, because they are in too many orders.
constexpr double kScarceShareWanted = 0.03;
constexpr double kScarceShareMax = 0.05;
constexpr std::size_t kScarceRankFirst = 5;
constexpr int kDrawsMax = 32;

// Cuts the supply of some entries such that at most kScarceShareMax of the orders touch one.
void make_some_scarce(std::vector<std::int64_t>& supply, const std::vector<std::uint64_t>& touching,
                      const PlanOptions& options) {
  const auto orders = static_cast<double>(options.orders);
  const auto wanted = static_cast<std::uint64_t>(kScarceShareWanted * orders);
  const auto most = static_cast<std::uint64_t>(kScarceShareMax * orders);
  std::uint64_t touched = 0;
  for (std::size_t rank = kScarceRankFirst; rank < supply.size() && touched < wanted; ++rank) {
    if (touching[rank] < 2 || touched + touching[rank] > most) continue;
    touched += touching[rank];
    supply[rank] = static_cast<std::int64_t>(static_cast<double>(supply[rank]) *
                                             options.scarce_supply);
  }
}

}  // namespace

OrderPlan::OrderPlan(const PlanOptions& options)
    : options_(options),
      product_ranks_(options.products, options.skew),
      user_ranks_(options.users, options.skew) {
  measure_demand();
  count_fillable();
}

PlannedOrder OrderPlan::order(std::uint64_t index) const {
  Draws draws(options_.seed, index);
  PlannedOrder order;
  order.user = user_ranks_.rank_of(draws.next());
  const std::uint32_t wanted = 1 + draws.below(kItemsMax);
  // A steep skew or a tiny shop may offer nothing new for a long time: then the order stays small.
  for (int draw = 0; draw < kDrawsMax && order.item_count < wanted; ++draw) {
    const std::uint32_t product = product_ranks_.rank_of(draws.next());
    const auto quantity = static_cast<std::int32_t>(1 + draws.below(4) / 3);  // One, seldom two.
    const auto same = [product](const PlannedItem& item) { return item.product == product; };
    if (std::ranges::any_of(order.items(), same)) continue;
    order.item[order.item_count++] = {product, quantity};
  }
  return order;
}

std::int64_t OrderPlan::price(std::uint32_t product) const {
  return 100 + static_cast<std::int64_t>(mix(options_.seed ^ (product * kStride + 7)) % 9900);
}

std::int64_t OrderPlan::total_of(const PlannedOrder& order) const {
  std::int64_t total = 0;
  for (const PlannedItem& item : order.items()) total += item.quantity * price(item.product);
  return total;
}

void OrderPlan::measure_demand() {
  stock_.assign(options_.products, 0);
  deposit_.assign(options_.users, 0);
  std::vector<std::uint64_t> with_product(options_.products, 0);
  std::vector<std::uint64_t> of_user(options_.users, 0);
  for (std::uint64_t index = 0; index < options_.orders; ++index) {
    const PlannedOrder planned = order(index);
    for (const PlannedItem& item : planned.items()) {
      stock_[item.product] += item.quantity;
      ++with_product[item.product];
    }
    deposit_[planned.user] += total_of(planned);
    ++of_user[planned.user];
  }
  make_some_scarce(stock_, with_product, options_);
  make_some_scarce(deposit_, of_user, options_);
  for (auto& units : stock_) units = std::max<std::int64_t>(units, 1);
  for (auto& amount : deposit_) amount = std::max<std::int64_t>(amount, 1);
}

void OrderPlan::count_fillable() {
  auto stock = stock_;
  auto balance = deposit_;
  for (std::uint64_t index = 0; index < options_.orders; ++index) {
    const PlannedOrder planned = order(index);
    const std::int64_t total = total_of(planned);
    const auto in_stock = [&](const PlannedItem& item) {
      return stock[item.product] >= item.quantity;
    };
    if (balance[planned.user] < total || !std::ranges::all_of(planned.items(), in_stock)) continue;
    for (const PlannedItem& item : planned.items()) stock[item.product] -= item.quantity;
    balance[planned.user] -= total;
    ++fillable_;
  }
}

}  // namespace thalweg::flashsale
