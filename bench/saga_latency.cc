// How long an order takes through the benchmarks' saga on the embedded log in RocksDB, exactly
// once, while orders come at a steady pace whatever comes out.
//
//     saga_latency --rate 50000 --seconds 10
//
// An order takes from the time at which it was due to be sent until a reader has it out of the
// last topic and no crash can take that back: three hops, three stores, the commits on the way, and
// the sync. Each order must come out, and once.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <exception>
#include <filesystem>
#include <memory>
#include <mutex>
#include <semaphore>
#include <stdexcept>
#include <string>
#include <sys/resource.h>
#include <thread>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <thalweg/runtime/local_environment.h>
#include <thalweg/runtime/streams_application.h>
#include <thalweg/schemas/partitioning.h>
#include <thalweg/topology/streams_builder.h>

#include "peer/blob.h"
#include "peer/data_sets.h"
#include "peer/progress.h"
#include "peer/saga.h"
#include "peer/settings.h"

namespace {

using namespace thalweg;
using namespace thalweg::bench;
using namespace std::chrono_literals;

constexpr std::size_t kOrder = 0;     // In an order, its number.
constexpr std::size_t kCreated = 28;  // In an order, when it was due.
constexpr const char* kInput = "orders";
constexpr const char* kOutput = "completed";

struct Settings {
  double rate = 50'000;
  double seconds = 10;
  double warm_seconds = 3;
  int threads = 1;
  int partitions = 4;
  int commit_ms = 2;
  std::string directory = "/tmp/thalweg-bench";

  std::int64_t warm_orders() const { return static_cast<std::int64_t>(rate * warm_seconds); }
  std::int64_t orders() const { return warm_orders() + static_cast<std::int64_t>(rate * seconds); }
};

/// Sends each order when it is due; one that is late keeps the time at which it should have gone.
class Sender {
 public:
  Sender(Log& log, const Settings& settings)
      : settings_(settings),
        producer_(log.producer({.client_id = "orders"})),
        orders_(data_set("orders")) {
    producer_->init();
    topic_ = producer_->topic(kInput);
    thread_ = std::jthread([this](const std::stop_token& asked) { run(asked); });
  }

  /// Why it has stopped, if not because everything was sent.
  std::exception_ptr failure() const {
    return has_failed_.load(std::memory_order_acquire) ? failure_ : nullptr;
  }

 private:
  static constexpr auto kNap = 200us;

  void run(const std::stop_token& asked) {
    try {
      const std::int64_t began_ns = wall_clock_ns();
      const double per_ns = settings_.rate * 1e-9;
      for (std::int64_t sent = 0; sent < settings_.orders() && !asked.stop_requested();) {
        const auto passed_ns = static_cast<double>(wall_clock_ns() - began_ns);
        const auto due = static_cast<std::int64_t>(passed_ns * per_ns);
        if (due <= sent) {
          std::this_thread::sleep_for(kNap);
          continue;
        }
        const std::int64_t end = std::min(due, settings_.orders());
        producer_->begin();
        for (; sent < end; ++sent) {
          send(sent, began_ns + static_cast<std::int64_t>(static_cast<double>(sent) / per_ns));
        }
        commit();
      }
    } catch (...) {
      failure_ = std::current_exception();
      has_failed_.store(true, std::memory_order_release);
    }
  }

  void send(std::int64_t order, std::int64_t due_ns) {
    orders_(order, settings_.orders(), due_ns / 1'000'000, record_);
    write_i64(record_.value, kCreated, due_ns);
    const auto partition = partition_of(*record_.key, settings_.partitions);
    const auto sent = producer_->send(topic_, partition, *record_.key, record_.value,
                                      from_millis(due_ns / 1'000'000), {});
    if (!sent) throw std::runtime_error(sent.error().message);
  }

  void commit() {
    producer_->commit();
    ProducerEvent event;
    while (producer_->poll(event)) {
      if (event.kind == ProducerEvent::Kind::kCommitted) continue;
      if (!event.error.message.empty()) throw std::runtime_error(event.error.message);
    }
  }

  const Settings& settings_;
  std::unique_ptr<LogProducer> producer_;
  const DataSet orders_;
  TopicHandle topic_{};
  DataRecord record_;
  std::exception_ptr failure_;
  std::atomic<bool> has_failed_ = false;
  std::jthread thread_;
};

/// What has come out, and how long it took.
class Receiver {
 public:
  Receiver(Log& log, const Settings& settings)
      : settings_(settings),
        durability_(log.durability()),
        consumer_(log.consumer({.client_id = "completed"})),
        seen_(static_cast<std::size_t>(settings.orders())) {
    consumer_->set_wakeup([this] { news_.release(); });
    for (std::int32_t partition = 0; partition < settings.partitions; ++partition) {
      consumer_->assign({kOutput, partition}, 0, static_cast<std::uint32_t>(partition));
    }
  }

  /// Waits for news and takes what is there.
  void receive() {
    if (!news_.try_acquire_for(10ms)) return;
    std::vector<RecordBatch> batches;
    while (consumer_->fetch(batches, 10'000)) {
      for (const RecordBatch& batch : batches) take(batch);
      batches.clear();
    }
  }
  bool has_all() const {
    const std::lock_guard lock(durable_->mutex);
    return durable_->orders == settings_.orders();
  }
  std::int64_t repeated() const { return repeated_; }
  /// Of all counted orders, ascending. Once has_all().
  std::vector<double> latencies_ms() const {
    std::vector<double> sorted = durable_->latencies_ms;
    std::ranges::sort(sorted);
    return sorted;
  }

 private:
  /// Filled by the log's thread, perhaps when the receiver is gone.
  struct Durable {
    std::mutex mutex;
    std::int64_t orders = 0;
    std::vector<double> latencies_ms;
  };

  void take(const RecordBatch& batch) {
    std::vector<std::int64_t> due;
    std::int64_t orders = 0;
    for (const RecordView& record : batch.records) {
      const std::int64_t order = read_i64(record.value.value(), kOrder);
      auto&& seen = seen_.at(static_cast<std::size_t>(order));
      if (seen) {
        ++repeated_;
        continue;
      }
      seen = true;
      ++orders;
      if (order >= settings_.warm_orders()) due.push_back(read_i64(*record.value, kCreated));
    }
    if (orders == 0) return;
    durability_.when_durable(batch.commit, [durable = durable_, orders, due = std::move(due)] {
      const std::int64_t now = wall_clock_ns();
      const std::lock_guard lock(durable->mutex);
      durable->orders += orders;
      for (const std::int64_t at : due) {
        durable->latencies_ms.push_back(static_cast<double>(now - at) * 1e-6);
      }
    });
  }

  const Settings& settings_;
  Durability& durability_;
  std::unique_ptr<LogConsumer> consumer_;
  std::counting_semaphore<> news_{1};
  std::vector<bool> seen_;
  std::int64_t repeated_ = 0;
  const std::shared_ptr<Durable> durable_ = std::make_shared<Durable>();
};

Topology saga_topology(Progress& progress) {
  PeerSettings settings;
  settings.profile = "tuned";
  settings.inputs = {kInput};
  settings.output = kOutput;
  StreamsBuilder builder;
  saga(builder, settings, progress);
  return builder.build();
}

void make_topics(Log& log, int partitions) {
  for (const char* name : {kInput, kOutput}) {
    if (auto made = log.create_topic({.name = name, .partitions = partitions}); !made) {
      throw std::runtime_error(made.error().message);
    }
  }
}

void print(const Settings& settings, const Receiver& receiver, double cpu_s) {
  const std::vector<double> latencies = receiver.latencies_ms();
  const auto percentile = [&latencies](double part) {
    const auto rank = std::ceil(part * static_cast<double>(latencies.size()));
    return latencies.at(std::max<std::size_t>(static_cast<std::size_t>(rank), 1) - 1);
  };
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  fmt::print(
      "{{\"workload\": \"saga-latency\", \"orders_per_s\": {:.0f}, \"orders\": {}, "
      "\"threads\": {}, \"p50_ms\": {:.2f}, \"p99_ms\": {:.2f}, \"p999_ms\": {:.2f}, "
      "\"max_ms\": {:.2f}, \"cpu_us_per_order\": {:.2f}, \"peak_mb\": {}}}\n",
      settings.rate, settings.orders(), settings.threads, percentile(0.5), percentile(0.99),
      percentile(0.999), latencies.back(), cpu_s * 1e6 / static_cast<double>(settings.orders()),
      usage.ru_maxrss / 1024);
}

void run(const Settings& settings) {
  if (settings.orders() == settings.warm_orders()) {
    throw std::runtime_error("--rate times --seconds is no order at all");
  }
  std::filesystem::remove_all(settings.directory);
  StreamsConfig config;
  config.application_id = "saga-latency";
  config.client_id = "bench";
  config.state_dir = settings.directory;
  config.num_stream_threads = settings.threads;
  config.commit_interval_min = std::chrono::milliseconds(settings.commit_ms);
  auto local = LocalEnvironment::open(config);
  if (!local) throw std::runtime_error(local.error().message);
  Log& log = (*local)->log();
  make_topics(log, settings.partitions);
  Progress progress;
  StreamsApplication application(saga_topology(progress), config, (*local)->environment());
  if (auto started = application.start(); !started) {
    throw std::runtime_error(started.error().message);
  }
  const double cpu_before = cpu_seconds();
  Receiver receiver(log, settings);
  const auto patience = std::chrono::duration<double>(settings.warm_seconds + settings.seconds);
  const auto limit = std::chrono::steady_clock::now() + 2 * patience + 60s;
  {
    const Sender sender(log, settings);
    while (!receiver.has_all()) {
      receiver.receive();
      if (const auto failure = sender.failure()) std::rethrow_exception(failure);
      if (application.failure()) throw std::runtime_error(*application.failure());
      if (std::chrono::steady_clock::now() > limit) throw std::runtime_error("orders are missing");
    }
  }
  print(settings, receiver, cpu_seconds() - cpu_before);
  application.close();
  if (receiver.repeated() > 0) {
    throw std::runtime_error(fmt::format("{} orders came out again", receiver.repeated()));
  }
}

}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  CLI::App app("How long an order takes on the embedded log, exactly once, at a steady pace");
  app.add_option("--rate", settings.rate, "Orders per second")->check(CLI::PositiveNumber);
  app.add_option("--seconds", settings.seconds, "How long they are counted")
      ->check(CLI::PositiveNumber);
  app.add_option("--warm-seconds", settings.warm_seconds, "How long orders come before that")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--threads", settings.threads, "num.stream.threads")->check(CLI::Range(1, 64));
  app.add_option("--partitions", settings.partitions, "Of every topic")->check(CLI::Range(1, 64));
  app.add_option("--commit-ms", settings.commit_ms, "commit.interval.min.ms")
      ->check(CLI::Range(0, 1'000));
  app.add_option("--dir", settings.directory, "Scratch directory, emptied first");
  CLI11_PARSE(app, argc, argv);
  try {
    run(settings);
  } catch (const std::exception& error) {
    fmt::print(stderr, "saga_latency: {}\n", error.what());
    return 1;
  }
  return 0;
}
