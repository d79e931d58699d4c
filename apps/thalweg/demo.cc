// thalweg demo: a shop of its own, with orders coming in, in one command.

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <optional>
#include <random>
#include <spawn.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include <CLI/CLI.hpp>

#include "context.h"
#include "exit_codes.h"
#include "json_fields.h"
#include "server.h"

namespace thalweg::cli {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr std::string_view kProducts[] = {"lantern", "kettle", "hammock"};
constexpr std::chrono::milliseconds kPause{200};  // Between two orders.
constexpr int kOrdersPerReport = 5;
constexpr std::chrono::seconds kStartTime{120};

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

/// The shop as a process of its own, with what it says in a file. Ends with this object.
class Shop {
 public:
  Shop(const std::string& program, const std::string& data_dir, std::uint16_t port)
      : log_(data_dir + "/shop.log") {
    const std::string listen = "127.0.0.1:" + std::to_string(port);
    const char* arguments[] = {program.c_str(), "--data-dir", data_dir.c_str(), "--listen",
                               listen.c_str(),  "--demo",     nullptr};
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 1, log_.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
    posix_spawn_file_actions_adddup2(&files, 1, 2);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    // A group of its own: Ctrl-C comes here, and is passed on once.
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    const int error = ::posix_spawn(&pid_, program.c_str(), &files, &attributes,
                                    const_cast<char* const*>(arguments), environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    if (error != 0) {
      throw CommandError(kFailed, "cannot start " + program + ": " + std::strerror(error));
    }
  }
  ~Shop() {
    if (!is_running()) return;
    ::kill(pid_, SIGTERM);
    ::waitpid(pid_, nullptr, 0);
  }
  Shop(const Shop&) = delete;
  Shop& operator=(const Shop&) = delete;

  bool is_running() {
    if (!ended_) ended_ = ::waitpid(pid_, nullptr, WNOHANG) == pid_;
    return !ended_;
  }
  const std::string& log() const { return log_; }

 private:
  std::string log_;
  pid_t pid_ = -1;
  bool ended_ = false;
};

void wait_until_ready(Shop& shop, Server& server) {
  for (const auto end = Clock::now() + kStartTime; Clock::now() < end && !interrupted;) {
    if (!shop.is_running()) {
      throw CommandError(kFailed, "the shop ended before it was ready", "see " + shop.log());
    }
    try {
      server.get(Target({"readyz"}));
      return;
    } catch (const CommandError& error) {
      if (error.code() != kUnavailable) throw;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  if (!interrupted) throw CommandError(kUnavailable, "the shop is not ready", "see " + shop.log());
}

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
void report(Server& server, const Traffic& traffic, const OutputStyle& style, bool first) {
  const std::string text =
      count_cell(traffic.placed()) + " orders placed\n" + stock_table(server, style);
  const auto lines = std::ranges::count(text, '\n');
  const std::string back =
      style.terminal && !first ? "\x1b[" + std::to_string(lines) + "A\x1b[J" : "";
  print(back + text);
}

int demo(Context& context, const DemoArguments& given) {
  const std::string data_dir = context.data_dir.empty() ? "thalweg-demo" : context.data_dir;
  fs::create_directories(data_dir);
  const std::string url = "http://127.0.0.1:" + std::to_string(given.port);
  std::signal(SIGINT, [](int) { interrupted = true; });
  std::signal(SIGTERM, [](int) { interrupted = true; });
  Shop shop(given.shop.empty() ? find_shop() : given.shop, data_dir, given.port);
  Server server(url, context.token);
  wait_until_ready(shop, server);
  print("the shop is at " + url + "/, its data in " + data_dir +
        "; Ctrl-C ends it\ntry: thalweg topics tail order-events --follow --url " + url + "\n\n");
  Traffic traffic(server);
  const auto end = Clock::now() + std::chrono::seconds(given.seconds.value_or(1'000'000'000));
  while (!interrupted && Clock::now() < end) {
    traffic.order();
    if (traffic.placed() % kOrdersPerReport == 0) {
      report(server, traffic, context.style, traffic.placed() == kOrdersPerReport);
    }
    std::this_thread::sleep_for(kPause);
  }
  return kDone;
}

}  // namespace

void add_demo(CLI::App& app, Context& context) {
  const auto given = std::make_shared<DemoArguments>();
  auto* command = app.add_subcommand("demo", "Run the shop with orders coming in");
  command->add_option("--port", given->port, "Where it listens, on 127.0.0.1")
      ->check(CLI::Range(1, 65535))
      ->capture_default_str();
  command->add_option("--shop", given->shop, "The shop's program, if it is not beside this one");
  command->add_option("--seconds", given->seconds, "End after so long")->check(CLI::PositiveNumber);
  command->footer("What it knows stays in --data-dir (thalweg-demo), where a next run goes on.");
  command->callback(
      [&context, given] { context.run = [&context, given] { return demo(context, *given); }; });
}

}  // namespace thalweg::cli
