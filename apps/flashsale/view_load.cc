// What something costs those who look: GET /products/{id} at a fixed rate from two shops in turns,
// one with it and one without, and then whether the first counted each look that was answered with
// 200, once. bench/views and bench/stalled-reader start the shops.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>

#include "http_client.h"
#include "json_text.h"
#include "latency.h"

namespace thalweg::flashsale {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

struct Arguments {
  std::string what;
  std::string url_with;
  std::string url_without;
  std::string product = "lamp";
  double rate = 5'000;
  int seconds = 2;
  int turns = 15;  // Many and short, so that a disturbance spoils a few of them only.
  std::size_t connections = 16;
};

/// One shop and what those who looked there saw.
struct Side {
  Side(boost::asio::io_context& io, const std::string& url, std::size_t connections)
      : address(resolve(io, url)),
        client(io, address.endpoint, {.connections_max = connections}),
        writer(address.host) {}

  ServerAddress address;
  HttpClient client;
  RequestWriter writer;
  Latency latency;
  std::vector<double> p99_of_turns;
  std::int64_t answered = 0;  ///< With 200.
  std::int64_t failed = 0;
};

/// An open loop: each look is due at its time whatever became of those before it, and its latency
/// begins there.
class Turn {
 public:
  Turn(boost::asio::io_context& io, Side& side, const Arguments& arguments)
      : io_(io),
        side_(side),
        request_(side.writer.get("/products/" + arguments.product)),
        gap_(static_cast<std::int64_t>(1e9 / arguments.rate)),
        looks_(static_cast<std::int64_t>(arguments.rate * arguments.seconds)),
        timer_(io) {}

  void run() {
    start_ = Clock::now() + 1ms;
    tick();
    while (next_ < looks_ || open_ > 0) io_.run_one();
    timer_.cancel();
    io_.restart();
    io_.poll();  // The cancelled timer's call.
    side_.p99_of_turns.push_back(seen_.summarize().p99_ms);
  }

 private:
  void tick() {
    timer_.expires_after(1ms);
    timer_.async_wait([this](boost::system::error_code error) {
      if (error) return;
      for (const auto now = Clock::now(); next_ < looks_ && due(next_) <= now; ++next_) look();
      if (next_ < looks_) tick();
    });
  }
  Clock::time_point due(std::int64_t look) const { return start_ + gap_ * look; }
  void look() {
    ++open_;
    side_.client.submit(HttpClient::Lane::kCommands, request_,
                        [this, due = due(next_)](const Answer& answer) {
                          --open_;
                          answer.status == 200 ? ++side_.answered : ++side_.failed;
                          seen_.add(Clock::now() - due);
                          side_.latency.add(Clock::now() - due);
                        });
  }

  boost::asio::io_context& io_;
  Side& side_;
  const std::string request_;
  const std::chrono::nanoseconds gap_;
  const std::int64_t looks_;
  boost::asio::steady_timer timer_;
  Clock::time_point start_;
  std::int64_t next_ = 0;
  std::int64_t open_ = 0;
  Latency seen_;
};

std::string get(boost::asio::io_context& io, Side& side, const std::string& path) {
  std::string body;
  bool is_answered = false;
  side.client.submit(HttpClient::Lane::kCommands, side.writer.get(path), [&](const Answer& answer) {
    body = answer.body;
    is_answered = true;
  });
  while (!is_answered) io.run_one();
  return body;
}

/// Views of the product by minute, as soon as there are `expected`; what there is after a minute.
std::int64_t views(boost::asio::io_context& io, Side& side, const Arguments& arguments,
                   std::int64_t expected) {
  const auto path = "/products/" + arguments.product + "/views?window=1m&from=0";
  for (const auto end = Clock::now() + 60s;;) {
    const auto counted = json_integer_member(get(io, side, path), "views").value_or(-1);
    if (counted == expected || Clock::now() > end) return counted;
    std::this_thread::sleep_for(100ms);
  }
}

void show(const char* with, const std::string& what, const Side& side) {
  const auto all = side.latency.summarize();
  fmt::print("{:7} {}: {} looks answered with 200, {} otherwise; p50 {:.2f}, p99 {:.2f}, ", with,
             what, side.answered, side.failed, all.p50_ms, all.p99_ms);
  fmt::print("p99.9 {:.2f} ms; p99 of each turn:", all.p999_ms);
  for (const double p99 : side.p99_of_turns) fmt::print(" {:.2f}", p99);
  fmt::print("\n");
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return (values[(values.size() - 1) / 2] + values[values.size() / 2]) / 2;
}

int run(const Arguments& arguments) {
  boost::asio::io_context io(1);
  Side with(io, arguments.url_with, arguments.connections);
  Side without(io, arguments.url_without, arguments.connections);
  const std::int64_t before = views(io, with, arguments, 0);
  for (int turn = 0; turn < arguments.turns; ++turn) {
    const bool is_with_first = turn % 2 == 0;
    Turn(io, is_with_first ? with : without, arguments).run();
    Turn(io, is_with_first ? without : with, arguments).run();
  }
  show("with", arguments.what, with);
  show("without", arguments.what, without);
  const std::int64_t counted = views(io, with, arguments, before + with.answered) - before;
  fmt::print("views counted by minute: {} of {}\n", counted, with.answered);
  fmt::print(R"({{"rate":{},"p99_with_ms":{:.3f},"p99_without_ms":{:.3f},"p99_ratio":{:.3f},)",
             arguments.rate, median(with.p99_of_turns), median(without.p99_of_turns),
             median(with.p99_of_turns) / median(without.p99_of_turns));
  fmt::print(R"("looks":{},"counted":{}}})"
             "\n",
             with.answered, counted);
  return counted == with.answered && with.failed == 0 && without.failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace thalweg::flashsale

int main(int argc, char** argv) {
  CLI::App app("Looks at a product of two shops in turns, and compares what that took.");
  thalweg::flashsale::Arguments arguments;
  app.add_option("--what", arguments.what, "What one of the shops has")->required();
  app.add_option("--with", arguments.url_with, "The shop that has it: http://HOST:PORT")
      ->required();
  app.add_option("--without", arguments.url_without, "The other shop")->required();
  app.add_option("--product", arguments.product, "What is looked at")->capture_default_str();
  app.add_option("--rate", arguments.rate, "Looks per second")
      ->check(CLI::Range(1.0, 1e6))
      ->capture_default_str();
  app.add_option("--seconds", arguments.seconds, "Of one turn")
      ->check(CLI::Range(1, 3'600))
      ->capture_default_str();
  app.add_option("--turns", arguments.turns, "Of each shop")
      ->check(CLI::Range(1, 1'000))
      ->capture_default_str();
  app.add_option("--connections", arguments.connections, "Most connections to each")
      ->check(CLI::Range(1, 1'000))
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  try {
    return thalweg::flashsale::run(arguments);
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << '\n';
    return 2;
  }
}
