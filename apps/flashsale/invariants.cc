#include "invariants.h"

#include <algorithm>
#include <unordered_set>

#include "json_text.h"

namespace thalweg::flashsale {
namespace {

class Findings {
 public:
  void expect_equal(std::string_view invariant, const std::string& key, std::int64_t left,
                    std::int64_t right) {
    if (left != right) add(invariant, key, left, right);
  }
  void expect_at_most(std::string_view invariant, const std::string& key, std::int64_t left,
                      std::int64_t right) {
    if (left > right) add(invariant, key, left, right);
  }
  void add(std::string_view invariant, const std::string& key, std::int64_t left = 0,
           std::int64_t right = 0) {
    found_.push_back({std::string(invariant), key, left, right});
  }
  std::vector<Violation> take() { return std::move(found_); }

 private:
  std::vector<Violation> found_;
};

// What the accepted orders come to, per product and per user.
struct Totals {
  std::vector<std::int64_t> units;
  std::vector<std::int64_t> amounts;
};

template <typename Counts>
Totals total_orders(const Ledger& ledger, Counts counts) {
  Totals totals{std::vector<std::int64_t>(ledger.products().size(), 0),
                std::vector<std::int64_t>(ledger.users().size(), 0)};
  for (std::size_t index = 0; index < ledger.orders().size(); ++index) {
    if (!counts(index)) continue;
    const Ledger::Order& order = ledger.orders()[index];
    for (const auto& item : order.items) totals.units[item.product] += item.quantity;
    totals.amounts[order.user] += ledger.total_of(order);
  }
  return totals;
}

void check_orders(const Ledger& ledger, const Observed& observed, Findings& findings) {
  std::unordered_set<std::string_view> ids;
  for (std::size_t index = 0; index < ledger.orders().size(); ++index) {
    const Ledger::Order& order = ledger.orders()[index];
    const Observed::Order& seen = observed.orders[index];
    if (!ids.insert(order.id).second) findings.add("two requests, one order id", order.id);
    if (!is_final(seen.status)) {
      findings.add("an accepted order is " + std::string(name_of(seen.status)), order.id);
    }
    if (seen.status == OrderStatus::kCompleted) {
      findings.expect_equal("finalAmount = price of the items", order.id, seen.final_amount,
                            ledger.total_of(order));
    }
  }
}

void check_stock(const Ledger::Product& product, const Observed::Stock& stock, std::int64_t sold,
                 Findings& findings) {
  findings.expect_at_most("units of completed orders <= stocked", product.id, sold,
                          product.stocked);
  findings.expect_equal("sold = units of completed orders", product.id, stock.sold, sold);
  findings.expect_equal("stocked = what was stocked", product.id, stock.stocked, product.stocked);
  findings.expect_equal("stocked = available + reserved + sold", product.id, stock.stocked,
                        stock.available + stock.reserved + stock.sold);
  findings.expect_equal("nothing stays reserved", product.id, stock.reserved, 0);
  findings.expect_at_most("available is not negative", product.id, 0, stock.available);
}

void check_balance(const Ledger::User& user, const Observed::Balance& balance, std::int64_t spent,
                   Findings& findings) {
  findings.expect_equal("deposited = what was deposited", user.id, balance.deposited,
                        user.deposited);
  findings.expect_equal("balance = deposited - completed orders", user.id, balance.balance,
                        user.deposited - spent);
  findings.expect_equal("deposited = balance + paid - refunded", user.id, balance.deposited,
                        balance.balance + balance.paid - balance.refunded);
  findings.expect_at_most("balance is not negative", user.id, 0, balance.balance);
}

// The shop's own comparison: it answers 200 only when all agrees, and both sides of each invariant
// that it shows must be the same number.
void check_audit(const Observed& observed, Findings& findings) {
  findings.expect_equal("GET /audit answers 200", "audit", observed.audit_status, 200);
  const auto shown = json_member(observed.audit, "invariants").value_or("");
  for (const auto invariant : json_elements(shown)) {
    const auto left = json_integer_member(invariant, "left");
    const auto right = json_integer_member(invariant, "right");
    const auto name = json_string_member(invariant, "invariant").value_or("unnamed");
    findings.expect_equal("the two sides of an audited invariant", name, left.value_or(0),
                          right.value_or(-1));
  }
}

}  // namespace

std::string_view name_of(OrderStatus status) {
  switch (status) {
    case OrderStatus::kUnread: return "UNREAD";
    case OrderStatus::kPending: return "PENDING";
    case OrderStatus::kProcessing: return "PROCESSING";
    case OrderStatus::kCompleted: return "COMPLETED";
    case OrderStatus::kCancelled: return "CANCELLED";
    case OrderStatus::kNotFound: return "NOT_FOUND";
    case OrderStatus::kUnreadable: return "UNREADABLE";
  }
  return "UNKNOWN";
}

Observed::Order parse_order(std::string_view body) {
  const auto status = json_member(body, "status").value_or("");
  const auto amount = json_integer_member(body, "finalAmount").value_or(0);
  if (status == "\"COMPLETED\"") return {OrderStatus::kCompleted, amount};
  if (status == "\"CANCELLED\"") return {OrderStatus::kCancelled, amount};
  if (status == "\"PROCESSING\"") return {OrderStatus::kProcessing, amount};
  if (status == "\"PENDING\"") return {OrderStatus::kPending, amount};
  return {OrderStatus::kUnreadable, 0};
}

std::optional<Observed::Stock> parse_stock(std::string_view body) {
  const auto stocked = json_integer_member(body, "stocked");
  const auto available = json_integer_member(body, "available");
  const auto reserved = json_integer_member(body, "reserved");
  const auto sold = json_integer_member(body, "sold");
  if (!stocked || !available || !reserved || !sold) return std::nullopt;
  return Observed::Stock{*stocked, *available, *reserved, *sold};
}

std::optional<Observed::Balance> parse_balance(std::string_view body) {
  const auto deposited = json_integer_member(body, "deposited");
  const auto balance = json_integer_member(body, "balance");
  const auto paid = json_integer_member(body, "paid");
  const auto refunded = json_integer_member(body, "refunded");
  if (!deposited || !balance || !paid || !refunded) return std::nullopt;
  return Observed::Balance{*deposited, *balance, *paid, *refunded};
}

std::string to_string(const Violation& violation) {
  return violation.invariant + " [" + violation.key + "]: " + std::to_string(violation.left) +
         " against " + std::to_string(violation.right);
}

std::vector<Violation> find_violations(const Ledger& ledger, const Observed& observed) {
  Findings findings;
  if (observed.orders.size() != ledger.orders().size() ||
      observed.stocks.size() != ledger.products().size() ||
      observed.balances.size() != ledger.users().size()) {
    findings.add("everything accepted is looked at", "orders, products, users");
    return findings.take();
  }
  check_orders(ledger, observed, findings);
  const Totals completed = total_orders(ledger, [&](std::size_t index) {
    return observed.orders[index].status == OrderStatus::kCompleted;
  });
  for (std::size_t index = 0; index < ledger.products().size(); ++index) {
    const Ledger::Product& product = ledger.products()[index];
    if (const auto& stock = observed.stocks[index]) {
      check_stock(product, *stock, completed.units[index], findings);
    } else {
      findings.add("the stock of a product can be read", product.id);
    }
  }
  for (std::size_t index = 0; index < ledger.users().size(); ++index) {
    const Ledger::User& user = ledger.users()[index];
    if (const auto& balance = observed.balances[index]) {
      check_balance(user, *balance, completed.amounts[index], findings);
    } else {
      findings.add("the balance of a user can be read", user.id);
    }
  }
  for (const auto& [key, command] : ledger.unresolved()) {
    findings.add("every command is answered in the end", command.path + " " + key);
  }
  check_audit(observed, findings);
  return findings.take();
}

Fillable count_fillable(const Ledger& ledger, const Observed& observed) {
  const Totals asked = total_orders(ledger, [](std::size_t) { return true; });
  Fillable fillable;
  for (std::size_t index = 0; index < ledger.orders().size(); ++index) {
    const Ledger::Order& order = ledger.orders()[index];
    const auto in_stock = [&](const Ledger::Item& item) {
      return asked.units[item.product] <= ledger.products()[item.product].stocked;
    };
    if (!std::ranges::all_of(order.items, in_stock)) continue;
    if (asked.amounts[order.user] > ledger.users()[order.user].deposited) continue;
    ++fillable.orders;
    if (observed.orders[index].status == OrderStatus::kCompleted) ++fillable.completed;
  }
  return fillable;
}

}  // namespace thalweg::flashsale
