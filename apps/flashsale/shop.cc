#include "shop.h"

#include <algorithm>

#include <boost/asio/steady_timer.hpp>

#include "batch.h"
#include "json_text.h"

namespace thalweg::flashsale {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using Outcome = std::expected<void, std::string>;

constexpr milliseconds kSeedPatience{300'000};
constexpr milliseconds kReadPatience{300'000};
constexpr milliseconds kRecheckPause{200};

std::string path_of(std::string_view collection, std::string_view id, std::string_view part = {}) {
  std::string path = "/";
  path.append(collection).append("/").append(id);
  if (!part.empty()) path.append("/").append(part);
  return path;
}

BatchOptions options(const Shop& shop, std::string what, milliseconds patience) {
  return {.what = std::move(what), .patience = patience, .shows_progress = shop.shows_progress};
}

Outcome outcome_of(const BatchResult& result) {
  if (!result.is_complete) return std::unexpected(result.error);
  return {};
}

Outcome seed_products(const Shop& shop, const OrderPlan& plan, const Names& names,
                      Journal& journal) {
  const auto request = [&](std::size_t index) {
    const auto product = static_cast<std::uint32_t>(index);
    std::string body = "{\"name\":\"Flash sale article " + std::to_string(index) + "\",\"price\":";
    body += std::to_string(plan.price(product)) + ",\"stock\":";
    body += std::to_string(plan.stock(product)) + "}";
    return shop.writer.put(path_of("products", names.product(product)), body);
  };
  const auto judge = [](std::size_t, const Answer& answer) { return expect_success(answer); };
  const auto result = run_batch(shop.io, shop.client, plan.products(), request, judge,
                                options(shop, "PUT /products", kSeedPatience));
  if (!result.is_complete) return outcome_of(result);
  for (std::uint32_t product = 0; product < plan.products(); ++product) {
    journal.note(product_line(names.product(product), plan.price(product), plan.stock(product)));
  }
  return {};
}

Outcome seed_users(const Shop& shop, const OrderPlan& plan, const Names& names, Journal& journal) {
  static constexpr const char* kGenders[] = {"female", "male", "other"};
  const auto request = [&](std::size_t index) {
    const std::string id = names.user(static_cast<std::uint32_t>(index));
    std::string body = "{\"email\":\"" + id + "@example.org\",\"age\":";
    body += std::to_string(18 + index * 7 % 60) + ",\"gender\":\"";
    body += std::string(kGenders[index % 3]) + "\"}";
    return shop.writer.put(path_of("users", id), body);
  };
  const auto judge = [](std::size_t, const Answer& answer) { return expect_success(answer); };
  const auto result = run_batch(shop.io, shop.client, plan.users(), request, judge,
                                options(shop, "PUT /users", kSeedPatience));
  if (!result.is_complete) return outcome_of(result);
  for (std::uint32_t user = 0; user < plan.users(); ++user) {
    journal.note(user_line(names.user(user)));
  }
  return {};
}

Outcome seed_deposits(const Shop& shop, const OrderPlan& plan, const Names& names,
                      Journal& journal) {
  const auto path = [&](std::size_t index) {
    return path_of("users", names.user(static_cast<std::uint32_t>(index)), "deposit");
  };
  const auto body = [&](std::size_t index) {
    return "{\"amount\":" + std::to_string(plan.deposit(static_cast<std::uint32_t>(index))) + "}";
  };
  const auto key = [&](std::size_t index) { return names.run + "-d" + std::to_string(index); };
  const auto request = [&](std::size_t index) {
    return shop.writer.post(path(index), body(index), key(index));
  };
  const auto judge = [](std::size_t, const Answer& answer) { return expect_success(answer); };
  const auto result = run_batch(shop.io, shop.client, plan.users(), request, judge,
                                options(shop, "POST deposits", kSeedPatience));
  if (!result.is_complete) return outcome_of(result);
  for (std::size_t index = 0; index < plan.users(); ++index) {
    journal.note(accepted_line(path(index), body(index), key(index), {}));
  }
  return {};
}

// Reads each order that is not known to be finished, once.
void observe_orders(const Shop& shop, const Ledger& ledger, Observed& observed) {
  std::vector<std::size_t> open;
  for (std::size_t index = 0; index < observed.orders.size(); ++index) {
    if (!is_final(observed.orders[index].status)) open.push_back(index);
  }
  const auto request = [&](std::size_t at) {
    return shop.writer.get(path_of("orders", ledger.orders()[open[at]].id));
  };
  const auto judge = [&](std::size_t at, const Answer& answer) {
    Observed::Order& order = observed.orders[open[at]];
    if (answer.status == 404) order = {OrderStatus::kNotFound, 0};
    if (answer.status == 200) order = parse_order(answer.body);
    return answer.status == 404 || answer.status == 200 ? Verdict::kDone : Verdict::kAgain;
  };
  run_batch(shop.io, shop.client, open.size(), request, judge,
            options(shop, "GET /orders", kReadPatience));
}

// Reads one thing per index into `into`, as far as patience goes.
template <typename T, typename Path, typename Parse>
void observe_each(const Shop& shop, std::string what, std::vector<std::optional<T>>& into,
                  Path path, Parse parse) {
  const auto request = [&](std::size_t index) { return shop.writer.get(path(index)); };
  const auto judge = [&](std::size_t index, const Answer& answer) {
    if (answer.status == 200) into[index] = parse(answer.body);
    if (answer.status == 404) return Verdict::kDone;  // Stays unread, which is a violation.
    return into[index] ? Verdict::kDone : Verdict::kAgain;
  };
  run_batch(shop.io, shop.client, into.size(), request, judge,
            options(shop, std::move(what), kReadPatience));
}

void observe_totals(const Shop& shop, const Ledger& ledger, Observed& observed) {
  observed.stocks.assign(ledger.products().size(), std::nullopt);
  observed.balances.assign(ledger.users().size(), std::nullopt);
  const auto stock_path = [&](std::size_t index) {
    return path_of("products", ledger.products()[index].id, "stock");
  };
  const auto balance_path = [&](std::size_t index) {
    return path_of("users", ledger.users()[index].id, "balance");
  };
  observe_each(shop, "GET stock", observed.stocks, stock_path, parse_stock);
  observe_each(shop, "GET balance", observed.balances, balance_path, parse_balance);
  const auto request = [&](std::size_t) { return shop.writer.get("/audit"); };
  const auto judge = [&](std::size_t, const Answer& answer) {
    observed.audit_status = answer.status;
    observed.audit = std::string(answer.body);
    return answer.status == 200 || answer.status == 500 ? Verdict::kDone : Verdict::kAgain;
  };
  run_batch(shop.io, shop.client, 1, request, judge, options(shop, "GET /audit", kReadPatience));
}

void pause(boost::asio::io_context& io, milliseconds duration) {
  boost::asio::steady_timer timer(io, duration);
  bool is_over = false;
  timer.async_wait([&](boost::system::error_code) { is_over = true; });
  while (!is_over) io.run_one();
}

}  // namespace

std::string order_body(const PlannedOrder& order, const Names& names) {
  std::string body = "{\"userId\":\"" + names.user(order.user) + "\",\"items\":[";
  for (const PlannedItem& item : order.items()) {
    if (body.back() == '}') body += ',';
    body += "{\"productId\":\"" + names.product(item.product) + "\",\"quantity\":";
    body += std::to_string(item.quantity) + "}";
  }
  return body + "]}";
}

Outcome wait_until_ready(const Shop& shop, milliseconds patience) {
  const auto request = [&](std::size_t) { return shop.writer.get("/readyz"); };
  const auto judge = [](std::size_t, const Answer& answer) {
    return answer.status == 200 ? Verdict::kDone : Verdict::kAgain;
  };
  return outcome_of(run_batch(shop.io, shop.client, 1, request, judge,
                              options(shop, "GET /readyz", patience)));
}

Outcome seed(const Shop& shop, const OrderPlan& plan, const Names& names, Journal& journal) {
  if (auto products = seed_products(shop, plan, names, journal); !products) return products;
  if (auto users = seed_users(shop, plan, names, journal); !users) return users;
  return seed_deposits(shop, plan, names, journal);
}

void settle(const Shop& shop, Journal& journal, milliseconds patience) {
  std::vector<Ledger::Unresolved> commands;
  for (const auto& [key, command] : journal.ledger().unresolved()) commands.push_back(command);
  const auto request = [&](std::size_t index) {
    const Ledger::Unresolved& command = commands[index];
    return shop.writer.post(command.path, command.body, command.key);
  };
  const auto judge = [&](std::size_t index, const Answer& answer) {
    const Ledger::Unresolved& command = commands[index];
    const Verdict verdict = expect_success(answer);
    if (verdict == Verdict::kDone) {
      // An order without an id would be an answer that says nothing.
      const auto order_id = json_string_member(answer.body, "orderId").value_or("");
      if (command.path == "/orders" && order_id.empty()) return Verdict::kAgain;
      journal.note(accepted_line(command.path, command.body, command.key, order_id));
    }
    if (verdict == Verdict::kGiveUp) journal.note(refused_line(command.key));
    return verdict == Verdict::kAgain ? Verdict::kAgain : Verdict::kDone;
  };
  run_batch(shop.io, shop.client, commands.size(), request, judge,
            options(shop, "commands without an answer", patience));
  journal.flush();
}

Verification verify(const Shop& shop, const Ledger& ledger, std::vector<Observed::Order> known,
                    milliseconds patience) {
  const auto deadline = Clock::now() + patience;
  Verification verification;
  Observed& observed = verification.observed;
  observed.orders = std::move(known);
  observed.orders.resize(ledger.orders().size());
  for (;;) {
    observe_orders(shop, ledger, observed);
    const bool is_late = Clock::now() >= deadline;
    const auto ended = [](const Observed::Order& order) { return is_final(order.status); };
    if (is_late || std::ranges::all_of(observed.orders, ended)) {
      observe_totals(shop, ledger, observed);
      verification.violations = find_violations(ledger, observed);
      verification.fillable = count_fillable(ledger, observed);
      if (is_late || verification.violations.empty()) return verification;
    }
    pause(shop.io, kRecheckPause);
  }
}

}  // namespace thalweg::flashsale
