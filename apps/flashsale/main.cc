// flashsale: offers a shop the load of a flash sale and proves afterwards that it kept its books.

#include <cstdio>
#include <exception>
#include <iostream>
#include <random>
#include <sys/resource.h>

#include <CLI/CLI.hpp>

#include "report.h"

namespace thalweg::flashsale {
namespace {

constexpr int kExitHolds = 0;
constexpr int kExitViolated = 1;
constexpr int kExitFailed = 2;

struct Arguments {
  std::string url;
  std::string ledger_path;
  std::string run;
  std::string token;
  double seconds = 10;
  std::size_t connections = 800;
  std::int64_t timeout_ms = 10'000;
  std::int64_t drain_seconds = 90;
  std::int64_t retry_ms = 1000;
  bool json = false;
  bool check_only = false;
  bool reread = false;
  bool quiet = false;
  PlanOptions plan;
  SaleOptions sale;
};

void declare(CLI::App& app, Arguments& arguments) {
  app.add_option("--url", arguments.url, "The shop: http://HOST:PORT")->required();
  app.add_option("--rate", arguments.sale.rate, "Orders per second offered")
      ->check(CLI::Range(0.001, 1e7))
      ->capture_default_str();
  app.add_option("--seconds", arguments.seconds, "How long orders are offered")
      ->check(CLI::Range(0.001, 1e6))
      ->capture_default_str();
  app.add_option("--users", arguments.plan.users, "Users of the sale")
      ->check(CLI::Range(1u, 100'000'000u))
      ->capture_default_str();
  app.add_option("--products", arguments.plan.products, "Products on sale")
      ->check(CLI::Range(1u, 100'000'000u))
      ->capture_default_str();
  app.add_option("--skew", arguments.plan.skew, "Zipf exponent over products and users")
      ->check(CLI::Range(0.0, 10.0))
      ->capture_default_str();
  app.add_option("--seed", arguments.plan.seed, "Seed of the plan of orders")
      ->capture_default_str();
  app.add_option("--run", arguments.run, "Prefix of all ids (default: random)");
  app.add_option("--connections", arguments.connections, "Most connections to open")
      ->check(CLI::Range(1, 20'000))
      ->capture_default_str();
  app.add_option("--timeout-ms", arguments.timeout_ms, "How long one request may take")
      ->check(CLI::Range(1, 600'000))
      ->capture_default_str();
  app.add_option("--drain-seconds", arguments.drain_seconds, "How long to wait for the last orders")
      ->check(CLI::Range(1, 3600))
      ->capture_default_str();
  app.add_option("--side-rate", arguments.sale.side_rate, "Restocks and deposits per second")
      ->check(CLI::Range(0.0, 1e6))
      ->capture_default_str();
  app.add_option("--token", arguments.token, "Bearer token sent with every request");
  app.add_option("--ledger", arguments.ledger_path, "Append all that was accepted to this file");
  app.add_flag("--retry", arguments.sale.retries, "Repeat a failed order once, with its key");
  app.add_option("--retry-ms", arguments.retry_ms, "How long to wait before that")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_flag("--check-only", arguments.check_only, "No load: check the shop against --ledger");
  app.add_flag("--reread", arguments.reread, "Read every order again for the check");
  app.add_flag("--quiet", arguments.quiet, "No progress on stderr");
  app.add_flag("--json", arguments.json, "One JSON object as the last line of output");
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

std::string random_run() {
  std::random_device device;
  char text[16];
  std::snprintf(text, sizeof text, "sale-%06x", device() & 0xffffffu);
  return text;
}

int fail(const std::string& why) {
  std::cerr << "flashsale: " << why << '\n';
  return kExitFailed;
}

int check_only(const Arguments& arguments, const Shop& shop) {
  if (arguments.ledger_path.empty()) return fail("--check-only needs --ledger FILE");
  auto ledger = Ledger::load(arguments.ledger_path);
  if (!ledger) return fail(ledger.error());
  Journal journal(std::move(*ledger), arguments.ledger_path);
  const std::chrono::seconds patience(arguments.drain_seconds);
  if (auto ready = wait_until_ready(shop, patience); !ready) return fail(ready.error());
  settle(shop, journal, patience);
  const auto verification = verify(shop, journal.ledger(), {}, patience);
  std::cout << to_text(verification, journal.ledger());
  if (arguments.json) std::cout << to_json(verification, journal.ledger()) << '\n';
  return verification.violations.empty() ? kExitHolds : kExitViolated;
}

int run_sale(const Arguments& arguments, const Shop& shop) {
  const OrderPlan plan(arguments.plan);
  const Names names{arguments.run.empty() ? random_run() : arguments.run};
  std::cerr << "run " << names.run << ", seed " << arguments.plan.seed << ": " << plan.orders()
            << " orders, " << plan.fillable() << " of them fillable\n";
  Journal journal(arguments.ledger_path);
  const std::chrono::seconds patience(arguments.drain_seconds);
  if (auto ready = wait_until_ready(shop, patience); !ready) return fail(ready.error());

  Report report;
  report.plan = &plan;
  report.ledger = &journal.ledger();
  report.options = arguments.sale;
  const auto before_seeding = std::chrono::steady_clock::now();
  if (auto seeded = seed(shop, plan, names, journal); !seeded) return fail(seeded.error());
  journal.flush();
  report.seed_seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - before_seeding).count();

  const double cpu_before = cpu_seconds();
  Sale sale(shop, plan, names, journal, arguments.sale);
  report.sale = sale.run();
  report.client_cpu_seconds = cpu_seconds() - cpu_before;
  report.connections = shop.client.statistics();

  auto known = arguments.reread ? std::vector<Observed::Order>() : report.sale.orders;
  report.verification = verify(shop, journal.ledger(), std::move(known), std::chrono::seconds(15));
  std::cout << to_text(report);
  if (arguments.json) std::cout << to_json(report) << '\n';
  return report.holds() ? kExitHolds : kExitViolated;
}

int run(Arguments& arguments) {
  boost::asio::io_context io(1);
  const ServerAddress server = resolve(io, arguments.url);
  HttpClient client(io, server.endpoint,
                    {.connections_max = arguments.connections,
                     .timeout = std::chrono::milliseconds(arguments.timeout_ms)});
  const RequestWriter writer(server.host, arguments.token);
  const Shop shop{io, client, writer, !arguments.quiet};
  arguments.plan.orders = static_cast<std::uint64_t>(arguments.sale.rate * arguments.seconds + 0.5);
  arguments.sale.retry_pause = std::chrono::milliseconds(arguments.retry_ms);
  arguments.sale.drain = std::chrono::seconds(arguments.drain_seconds);
  arguments.sale.shows_progress = !arguments.quiet;
  return arguments.check_only ? check_only(arguments, shop) : run_sale(arguments, shop);
}

}  // namespace
}  // namespace thalweg::flashsale

int main(int argc, char** argv) {
  CLI::App app("Offers a shop the load of a flash sale, measures it and checks its books.");
  thalweg::flashsale::Arguments arguments;
  thalweg::flashsale::declare(app, arguments);
  CLI11_PARSE(app, argc, argv);
  try {
    return thalweg::flashsale::run(arguments);
  } catch (const std::exception& error) {
    return thalweg::flashsale::fail(error.what());
  }
}
