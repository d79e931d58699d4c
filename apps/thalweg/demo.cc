// thalweg demo: a shop of its own, with orders coming in, in one command.

#include <algorithm>
#include <arpa/inet.h>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <optional>
#include <random>
#include <sys/file.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include <CLI/CLI.hpp>

#include "child_process.h"
#include "context.h"
#include "exit_codes.h"
#include "json_fields.h"
#include "numbers.h"
#include "server.h"

namespace thalweg::cli {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr std::string_view kProducts[] = {"lantern", "kettle", "hammock"};
constexpr std::chrono::milliseconds kPause{200};  // Between two orders.
constexpr int kOrdersPerReport = 5;
constexpr std::chrono::seconds kStartTime{120};
constexpr std::int64_t kForever = 1'000'000'000;  // Seconds.

std::atomic<bool> interrupted = false;

struct DemoArguments {
  std::string shop;
  std::uint16_t port = 8080;
  std::optional<std::int64_t> seconds;
};

/// The shop's program: beside this one where both are installed, or in its place in a build.
std::string find_shop() {
  const auto here = fs::read_symlink("/proc/self/exe").parent_path();
  for (const auto& candidate : {here / "shop", here / ".." / "commerce" / "shop"}) {
    std::error_code ignored;
    if (fs::is_regular_file(candidate, ignored)) return candidate.lexically_normal().string();
  }
  throw CommandError(kUnknownName, "there is no shop beside this program, in " + here.string(),
                     "build it (scripts/build release shop), or name it with --shop");
}

/// Who has the directory open, as its lock says; nobody: nothing.
std::optional<std::string> holder_of(const std::string& data_dir) {
  const int lock = ::open((data_dir + "/lock").c_str(), O_RDONLY | O_CLOEXEC);
  if (lock < 0) return std::nullopt;  // Nobody was ever there.
  const bool held = ::flock(lock, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  char text[32] = {};
  const auto size = held ? ::read(lock, text, sizeof text - 1) : 0;
  ::close(lock);
  if (!held) return std::nullopt;
  const std::string process(text, std::find(text, text + std::max<ssize_t>(size, 0), '\n'));
  return process.empty() ? "another process" : "process " + process;
}

/// The shop must not run on a directory in use, nor its log be written there.
void check_free(const std::string& data_dir) {
  if (const auto holder = holder_of(data_dir)) {
    throw CommandError(kLocked, "directory " + data_dir + " is in use by " + *holder,
                       "stop it first, or take another directory with --data-dir");
  }
}

/// Whether somebody listens there.
bool is_taken(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int reuse = 1;  // As the shop does: connections that have ended take no place.
  ::setsockopt(probe, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof reuse);
  const bool taken = ::bind(probe, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 &&
                     errno == EADDRINUSE;
  ::close(probe);
  return taken;
}

/// The shop beside this program, with what it says in a file.
class Shop {
 public:
  Shop(const std::string& program, std::string data_dir, std::uint16_t port)
      : data_dir_(std::move(data_dir)),
        port_(port),
        process_({program, "--data-dir", data_dir_, "--listen", address(), "--demo"}, log()) {}

  bool is_running() { return process_.is_running(); }
  std::string log() const { return data_dir_ + "/shop.log"; }

  /// Asks nobody but the shop: whoever else listens there has nothing to do with this.
  void wait_until_ready(Server& server) {
    for (const auto end = Clock::now() + kStartTime; Clock::now() < end && !interrupted;) {
      if (!is_running()) throw ended_early();
      if (process_.listens(port_) && is_ready(server)) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    if (!interrupted) throw CommandError(kUnavailable, "the shop is not ready", "see " + log());
  }

 private:
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

  static bool is_ready(Server& server) {
    try {
      server.get(Target({"readyz"}));
      return true;
    } catch (const CommandError& error) {
      if (error.code() != kUnavailable) throw;
      return false;
    }
  }

  CommandError ended_early() const {
    if (is_taken(port_)) {
      return {kFailed, "the shop cannot listen on " + address() + ": address in use",
              "take another with --port; see " + log()};
    }
    check_free(data_dir_);  // Somebody may have been faster.
    return {kFailed, "the shop ended before it was ready", "see " + log()};
  }

  std::string data_dir_;
  std::uint16_t port_;
  ChildProcess process_;
};

/// Orders that a customer places, one after the other.
class Traffic {
 public:
  explicit Traffic(Server& server) : server_(server) {}

  void order() {
    if (placed_ % 50 == 0) {
      post(Target({"users", "demo", "deposit"}), R"({"amount":1000000})", "deposit");
    }
    const auto product = kProducts[random_() % std::size(kProducts)];
    const boost::json::object item{{"productId", product}, {"quantity", 1 + random_() % 2}};
    const boost::json::object order{{"userId", "demo"}, {"items", boost::json::array{item}}};
    post(Target({"orders"}), boost::json::serialize(order), "order");
    ++placed_;
  }
  std::int64_t placed() const { return placed_; }

 private:
  void post(const Target& target, std::string body, const std::string& what) {
    server_.post(target, std::move(body), "application/json",
                 run_ + '-' + what + '-' + std::to_string(placed_));
  }

  Server& server_;
  std::mt19937 random_{std::random_device{}()};
  const std::string run_ = "demo-" + std::to_string(random_());
  std::int64_t placed_ = 0;
};

std::string stock_table(Server& server, const OutputStyle& style) {
  Table table({{"PRODUCT"},
               {"AVAILABLE", Table::Align::kRight},
               {"RESERVED", Table::Align::kRight},
               {"SOLD", Table::Align::kRight}});
  for (const auto product : kProducts) {
    const auto stock = server.get_json(Target({"products", product, "stock"}));
    table.add({std::string(product), count_cell(number_of(stock, "available")),
               count_cell(number_of(stock, "reserved")), count_cell(number_of(stock, "sold"))});
  }
  return table.to_text(style);
}

/// On a terminal each report takes the place of the one before.
std::string report(Server& server, const Traffic& traffic, const OutputStyle& style, bool first) {
  const std::string text =
      count_cell(traffic.placed()) + " orders placed\n" + stock_table(server, style);
  const auto lines = std::ranges::count(text, '\n');
  const std::string back =
      style.terminal && !first ? "\x1b[" + std::to_string(lines) + "A\x1b[J" : "";
  return back + text;
}

/// Whether somebody reads: one who went away has seen enough, as with Ctrl-C.
bool say(const std::string& text) {
  errno = 0;
  try {
    print(text);
  } catch (const CommandError&) {
    if (errno != EPIPE) throw;
    return false;
  }
  return true;
}

void order_until(Clock::time_point end, Shop& shop, Server& server, const OutputStyle& style) {
  Traffic traffic(server);
  while (!interrupted && Clock::now() < end) {
    if (!shop.is_running()) {
      throw CommandError(kFailed, "the shop has ended by itself", "see " + shop.log());
    }
    std::string text;
    try {
      traffic.order();
      const auto placed = traffic.placed();
      if (placed % kOrdersPerReport == 0) {
        text = report(server, traffic, style, placed == kOrdersPerReport);
      }
    } catch (const CommandError& error) {
      throw CommandError(error.code(), error.what(), "see " + shop.log());
    }
    if (!text.empty() && !say(text)) return;
    std::this_thread::sleep_for(kPause);
  }
}

/// What would end this program at once lets it end its shop first.
void await_signals() {
  std::signal(SIGPIPE, SIG_IGN);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    const auto before = std::signal(number, [](int) { interrupted = true; });
    // Under nohup it stays so.
    if (number == SIGHUP && before == SIG_IGN) std::signal(number, SIG_IGN);
  }
}

int demo(Context& context, const DemoArguments& given) {
  const std::string data_dir = context.data_dir.empty() ? "thalweg-demo" : context.data_dir;
  fs::create_directories(data_dir);
  check_free(data_dir);
  const std::string url = "http://127.0.0.1:" + std::to_string(given.port);
  await_signals();
  Shop shop(given.shop.empty() ? find_shop() : given.shop, data_dir, given.port);
  Server server(url, context.token);
  shop.wait_until_ready(server);
  if (interrupted) return kDone;
  const bool heard =
      say("the shop is at " + url + "/, its data in " + data_dir +
          "; Ctrl-C ends it\ntry: thalweg topics tail order-events --follow --url " + url + "\n\n");
  const auto end =
      Clock::now() + std::chrono::seconds(std::min(given.seconds.value_or(kForever), kForever));
  if (heard) order_until(end, shop, server, context.style);
  return kDone;
}

}  // namespace

void add_demo(CLI::App& app, Context& context) {
  const auto given = std::make_shared<DemoArguments>();
  auto* command = app.add_subcommand("demo", "Run the shop with orders coming in");
  command->add_option("--port", given->port, "Where it listens, on 127.0.0.1")
      ->check(whole_number(1, 65'535))
      ->capture_default_str();
  command->add_option("--shop", given->shop, "The shop's program, if it is not beside this one");
  command->add_option("--seconds", given->seconds, "End after so long")->check(whole_number(1));
  command->footer("What it knows stays in --data-dir (thalweg-demo), where a next run goes on.");
  command->callback(
      [&context, given] { context.run = [&context, given] { return demo(context, *given); }; });
}

}  // namespace thalweg::cli
