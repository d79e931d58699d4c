// Whole applications on the embedded log in RocksDB, exactly once, with a sync for each commit that
// the disk can keep up with.
//
//     embedded_bench --workload count --records 5000000
//
// Loads the input first, then measures from the start of the application until its last commit is
// durable: records per second, CPU seconds of the process per million records, peak memory.

#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <thalweg/runtime/local_environment.h>
#include <thalweg/runtime/streams_application.h>
#include <thalweg/schemas/partitioning.h>
#include <thalweg/topology/kgrouped_stream.h>
#include <thalweg/topology/kstream.h>
#include <thalweg/topology/ktable.h>
#include <thalweg/topology/streams_builder.h>

namespace {

using namespace thalweg;
using namespace std::chrono_literals;

struct Settings {
  std::string workload = "count";
  std::int64_t records = 2'000'000;
  std::int64_t keys = 100'000;
  int threads = 2;
  int partitions = 4;
  std::string directory = "/tmp/thalweg-bench";
};

std::string word(std::uint64_t n) { return fmt::format("word-{:08}", n); }

Topology count() {
  StreamsBuilder builder;
  builder.stream<std::string, std::string>("input").group_by_key().count({.store = "counts"});
  return builder.build();
}

Topology word_count() {
  StreamsBuilder builder;
  builder.stream<std::string, std::string>("input")
      .group_by([](const std::string&, const std::string& value) { return value; })
      .count({.store = "counts"})
      .to_stream()
      .to("output");
  return builder.build();
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double peak_megabytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024.0;
}

void load(Log& log, const Settings& settings) {
  if (auto made = log.create_topic({.name = "input", .partitions = settings.partitions}); !made) {
    throw std::runtime_error(made.error().message);
  }
  auto producer = log.producer({.client_id = "load"});
  producer->init();
  const TopicHandle topic = producer->topic("input");
  std::mt19937_64 random(42);
  const std::string padding(80, 'x');
  for (std::int64_t sent = 0; sent < settings.records;) {
    producer->begin();
    for (int i = 0; i < 20'000 && sent < settings.records; ++i, ++sent) {
      const std::string key = word(random() % static_cast<std::uint64_t>(settings.keys));
      const std::string value = settings.workload == "count" ? padding : key;
      const auto done = producer->send(topic, partition_of(key, settings.partitions), key, value,
                                       from_millis(1'700'000'000'000 + sent), {});
      if (!done) throw std::runtime_error(done.error().message);
    }
    producer->commit();
    ProducerEvent event;
    while (producer->poll(event)) {
      if (event.kind == ProducerEvent::Kind::kAbortRequired) {
        throw std::runtime_error(event.error.message);
      }
    }
  }
}

std::int64_t processed(const StreamsApplication& application, const std::string& topic) {
  std::int64_t sum = 0;
  for (const auto& task : application.tasks()) {
    for (const auto& [input, position] : task.positions) {
      if (input.topic == topic) sum += position;
    }
  }
  return sum;
}

void run(const Settings& settings) {
  std::filesystem::remove_all(settings.directory);
  StreamsConfig config;
  config.application_id = "bench";
  config.client_id = "bench";
  config.state_dir = settings.directory;
  config.num_stream_threads = settings.threads;
  config.log_default_partitions = settings.partitions;
  auto local = LocalEnvironment::open(config);
  if (!local) throw std::runtime_error(local.error().message);
  load((*local)->log(), settings);

  const std::string last_topic =
      settings.workload == "count" ? "input" : "bench-counts-repartition";
  StreamsApplication application(settings.workload == "count" ? count() : word_count(), config,
                                 (*local)->environment());
  const double cpu_before = cpu_seconds();
  const auto began = std::chrono::steady_clock::now();
  if (auto started = application.start(); !started) {
    throw std::runtime_error(started.error().message);
  }
  while (processed(application, last_topic) < settings.records) {
    if (application.failure()) throw std::runtime_error(*application.failure());
    std::this_thread::sleep_for(5ms);
  }
  std::atomic<bool> durable = false;
  auto& durability = (*local)->log().durability();
  durability.when_durable(durability.visible(), [&] {
    durable = true;
    durable.notify_one();
  });
  durable.wait(false);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  const double cpu = cpu_seconds() - cpu_before;
  const auto records = static_cast<double>(settings.records);
  fmt::print(
      "{{\"workload\": \"{}\", \"records\": {}, \"keys\": {}, \"threads\": {}, \"seconds\": "
      "{:.3f}, "
      "\"records_per_s\": {:.0f}, \"cpu_seconds_per_million\": {:.3f}, \"peak_mb\": {:.0f}}}\n",
      settings.workload, settings.records, settings.keys, settings.threads, took.count(),
      records / took.count(), cpu / records * 1e6, peak_megabytes());
  application.close();
}

}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  CLI::App app("Whole applications on the embedded log, exactly once");
  app.add_option("--workload", settings.workload, "count, or word-count (with a repartition hop)")
      ->check(CLI::IsMember({"count", "word-count"}));
  app.add_option("--records", settings.records, "Input records")->check(CLI::PositiveNumber);
  app.add_option("--keys", settings.keys, "Distinct keys")->check(CLI::PositiveNumber);
  app.add_option("--threads", settings.threads, "num.stream.threads")->check(CLI::Range(1, 64));
  app.add_option("--partitions", settings.partitions, "Of the input")->check(CLI::Range(1, 64));
  app.add_option("--dir", settings.directory, "Scratch directory, emptied first");
  CLI11_PARSE(app, argc, argv);
  try {
    run(settings);
  } catch (const std::exception& error) {
    fmt::print(stderr, "embedded_bench: {}\n", error.what());
    return 1;
  }
  return 0;
}
