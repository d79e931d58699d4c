// The shop's order saga through all its hops, on the embedded log in RocksDB, exactly once, with a
// sync for each commit that the disk can keep up with.
//
//     saga_bench --orders 200000
//
// Loads products, users with money, and `order.start` records of one to three items (Zipf 0.99);
// then measures from the start of the applications until every order is COMPLETED or CANCELLED and
// that is durable: orders per second, records read by the applications per second, CPU seconds per
// million of each, peak memory.

#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <thalweg/runtime/local_environment.h>
#include <thalweg/runtime/streams_application.h>
#include <thalweg/schemas/partitioning.h>

#include "model.h"
#include "topics.h"
#include "topologies.h"

namespace {

using namespace thalweg;
using namespace thalweg::shop;
using namespace std::chrono_literals;

struct Settings {
  std::int64_t orders = 200'000;
  std::int64_t products = 10'000;
  std::int64_t users = 100'000;
  double skew = 0.99;
  int threads = 1;
  int partitions = 3;
  bool choreography = true;
  std::string directory = "/tmp/thalweg-bench";
};

/// Draws 0, 1, 2, ... with the weights 1, 1/2^s, 1/3^s, ...
class Zipf {
 public:
  Zipf(std::int64_t size, double skew) {
    double sum = 0;
    for (std::int64_t i = 1; i <= size; ++i) {
      sums_.push_back(sum += std::pow(static_cast<double>(i), -skew));
    }
  }
  std::size_t operator()(std::mt19937_64& random) const {
    const double at = std::uniform_real_distribution<double>(0, sums_.back())(random);
    const auto found = std::ranges::lower_bound(sums_, at);
    return static_cast<std::size_t>(found - sums_.begin());
  }

 private:
  std::vector<double> sums_;
};

/// Writes in large transactions.
class Loader {
 public:
  Loader(Log& log, int partitions)
      : partitions_(partitions), producer_(log.producer({.client_id = "load"})) {
    producer_->init();
    producer_->begin();
  }
  void write(std::string_view topic, const std::string& key, const std::string& value) {
    const auto now = from_millis(1'800'000'000'000 + written_ / 100);
    const auto sent = producer_->send(producer_->topic(topic), partition_of(key, partitions_), key,
                                      value, now, {});
    if (!sent) throw std::runtime_error(sent.error().message);
    if (++written_ % 10'000 == 0) {
      commit();
      producer_->begin();
    }
  }
  template <typename T>
  void write_table(std::string_view topic, const std::string& key, const T& value) {
    bytes_.clear();
    Serde<T>::serialize(value, bytes_);
    write(topic, key, bytes_);
  }
  void commit() {
    producer_->commit();
    ProducerEvent event;
    while (producer_->poll(event)) {
      if (event.kind == ProducerEvent::Kind::kAbortRequired) {
        throw std::runtime_error(event.error.message);
      }
    }
  }

 private:
  int partitions_;
  std::unique_ptr<LogProducer> producer_;
  std::int64_t written_ = 0;
  std::string bytes_;
};

void load(Log& log, const Settings& settings) {
  for (const TopicPlan& topic : topics::kAll) {
    const auto made = log.create_topic({.name = topic.name, .partitions = settings.partitions});
    if (!made) {
      throw std::runtime_error(made.error().message);
    }
  }
  Loader loader(log, settings.partitions);
  for (std::int64_t i = 0; i < settings.products; ++i) {
    StockCommand put{.kind = StockCommandKind::PUT, .quantity = 1'000'000, .name = "Article"};
    put.price = 100 + i % 1'000;
    loader.write_table(topics::kProductCommands, fmt::format("p{}", i), put);
  }
  for (std::int64_t i = 0; i < settings.users; ++i) {
    AccountCommand deposit;
    deposit.amount = 1'000'000'000;
    loader.write_table(topics::kAccountCommands, fmt::format("u{}", i), deposit);
  }
  std::mt19937_64 random(42);
  const Zipf product(settings.products, settings.skew);
  const Zipf user(settings.users, settings.skew);
  for (std::int64_t i = 0; i < settings.orders; ++i) {
    const std::string id = fmt::format("{:08x}-0000-4000-8000-{:012x}", random() >> 32, i);
    std::string json =
        fmt::format(R"({{"orderId":"{}","userId":"u{}","items":[)", id, user(random));
    for (std::uint64_t left = 1 + random() % 3; left > 0; --left) {
      json += fmt::format(R"({{"productId":"p{}","quantity":{}}}{})", product(random),
                          1 + random() % 2, left > 1 ? "," : "]}");
    }
    loader.write(topics::kOrderStart, id, json);
  }
  loader.commit();
}

std::int64_t records_in(Log& log, const std::string& topic, int partitions) {
  std::int64_t sum = 0;
  for (int partition = 0; partition < partitions; ++partition) {
    if (const auto range = log.range({topic, partition})) sum += range->end;
  }
  return sum;
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

std::uint64_t processed(const StreamsApplication& application) {
  std::uint64_t sum = 0;
  for (const auto& task : application.tasks()) sum += task.processed;
  return sum;
}

void wait_until_durable(Log& log) {
  std::atomic<bool> durable = false;
  log.durability().when_durable(log.durability().visible(), [&] {
    durable = true;
    durable.notify_one();
  });
  durable.wait(false);
}

void run(const Settings& settings) {
  std::filesystem::remove_all(settings.directory);
  StreamsConfig config;
  config.application_id = "order-service";
  config.client_id = "bench";
  config.state_dir = settings.directory;
  config.num_stream_threads = settings.threads;
  config.log_default_partitions = settings.partitions;
  auto local = LocalEnvironment::open(config);
  if (!local) throw std::runtime_error(local.error().message);
  Log& log = (*local)->log();
  load(log, settings);

  StreamsApplication orders(build_orders({}), config, (*local)->environment());
  config.application_id = "choreography";
  config.num_stream_threads = 1;
  StreamsApplication choreography(build_choreography(), config, (*local)->environment());
  const double cpu_before = cpu_seconds();
  const auto began = std::chrono::steady_clock::now();
  if (auto started = orders.start(); !started) throw std::runtime_error(started.error().message);
  if (settings.choreography) {
    if (auto started = choreography.start(); !started) {
      throw std::runtime_error(started.error().message);
    }
  }
  // One notification for every order that has ended.
  while (records_in(log, topics::kNotificationEvents, settings.partitions) < settings.orders) {
    if (orders.failure()) throw std::runtime_error(*orders.failure());
    std::this_thread::sleep_for(5ms);
  }
  wait_until_durable(log);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  const double cpu = cpu_seconds() - cpu_before;
  const auto count = static_cast<double>(settings.orders);
  const auto read = static_cast<double>(processed(orders) + processed(choreography));
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  fmt::print(
      "{{\"workload\": \"saga\", \"orders\": {}, \"completed\": {}, \"threads\": {}, "
      "\"seconds\": {:.3f}, \"orders_per_s\": {:.0f}, \"records_per_s\": {:.0f}, "
      "\"cpu_seconds_per_million_orders\": {:.1f}, \"cpu_seconds_per_million_records\": {:.2f}, "
      "\"peak_mb\": {}}}\n",
      settings.orders, records_in(log, topics::kOrderCompleted, settings.partitions),
      settings.threads, took.count(), count / took.count(), read / took.count(),
      cpu / count * 1e6, cpu / read * 1e6, usage.ru_maxrss / 1024);
  orders.close();
  choreography.close();
}

}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  CLI::App app("The order saga on the embedded log, exactly once");
  app.add_option("--orders", settings.orders, "Orders")->check(CLI::PositiveNumber);
  app.add_option("--products", settings.products, "Products")->check(CLI::PositiveNumber);
  app.add_option("--users", settings.users, "Users")->check(CLI::PositiveNumber);
  app.add_option("--skew", settings.skew, "Of the Zipf distribution")->check(CLI::Range(0.0, 2.0));
  app.add_option("--threads", settings.threads, "num.stream.threads")->check(CLI::Range(1, 64));
  app.add_option("--partitions", settings.partitions, "Of every topic")->check(CLI::Range(1, 64));
  app.add_option("--choreography", settings.choreography, "Whether that application runs too");
  app.add_option("--dir", settings.directory, "Scratch directory, emptied first");
  CLI11_PARSE(app, argc, argv);
  try {
    run(settings);
  } catch (const std::exception& error) {
    fmt::print(stderr, "saga_bench: {}\n", error.what());
    return 1;
  }
  return 0;
}
