// The embedded log alone, on RocksDB, each commit synced as fast as the disk can.
//
//     log_bench --records 5000000 --bytes 100 --per-commit 2000
//
// Tells how fast records are written while another thread reads them, how fast a new reader gets
// the same from disk, how long opening takes, how long a commit of one record takes until it is
// visible and until it is durable, and what commits cost by the partitions they write to.

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <iostream>
#include <random>
#include <string>
#include <sys/resource.h>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <thalweg/runtime/embedded_log.h>

namespace {

using namespace thalweg;
using Seconds = std::chrono::duration<double>;
using BenchClock = std::chrono::steady_clock;

struct Settings {
  std::int64_t records = 5'000'000;
  std::size_t bytes = 100;
  std::int64_t per_commit = 2'000;
  int partitions = 4;
  int commits = 2'000;
  bool compress = true;
  std::string directory = "/tmp/thalweg-log-bench";
};

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

class Stopwatch {
 public:
  void report(const char* what, std::int64_t records) const {
    const double wall = Seconds(BenchClock::now() - start_).count();
    const double cpu = cpu_seconds() - cpu_;
    const auto count = static_cast<double>(records);
    fmt::print("{:<28} {:>10.0f} records/s  {:>6.3f} s  {:>5.0f} ns CPU/record\n", what,
               count / wall, wall, cpu / count * 1e9);
  }

 private:
  BenchClock::time_point start_ = BenchClock::now();
  double cpu_ = cpu_seconds();
};

template <typename T>
T checked(Result<T> result) {
  if (result) return *std::move(result);
  std::cerr << result.error().message << '\n';
  std::exit(1);
}

/// Values that compress about as well as real ones: words, with a number in between.
std::vector<std::string> make_values(std::size_t bytes) {
  std::mt19937_64 random(1);
  std::vector<std::string> values(1'024);
  for (std::string& value : values) {
    while (value.size() < bytes) value += fmt::format("\"quantity\":{},", random() % 100'000);
    value.resize(bytes);
  }
  return values;
}

void read_all(Log& log, const Settings& settings) {
  const auto reader = log.consumer({});
  for (int p = 0; p < settings.partitions; ++p) reader->assign({"records", p}, 0, 0);
  std::vector<RecordBatch> batches;
  std::size_t bytes = 0;
  for (std::int64_t seen = 0; seen < settings.records;) {
    batches.clear();
    if (!reader->fetch(batches, 5'000)) std::this_thread::yield();
    for (const auto& batch : batches) {
      seen += static_cast<std::int64_t>(batch.records.size());
      for (const auto& record : batch.records) bytes += record.value->size();
    }
  }
  if (bytes != static_cast<std::size_t>(settings.records) * settings.bytes) std::exit(1);
}

void write_all(Log& log, const Settings& settings) {
  const auto values = make_values(settings.bytes);
  const auto producer = log.producer({.transactional_id = "bench"});
  producer->init();
  const TopicHandle topic = producer->topic("records");
  ProducerEvent event;
  for (std::int64_t i = 0; i < settings.records;) {
    producer->begin();
    const auto end = std::min(settings.records, i + settings.per_commit);
    for (; i < end; ++i) {
      const auto n = static_cast<std::uint64_t>(i);
      char key[8];
      std::copy_n(reinterpret_cast<const char*>(&n), 8, key);
      static_cast<void>(producer->send(topic, static_cast<std::int32_t>(i % settings.partitions),
                                       BytesView(key, 8), values[n % values.size()], from_millis(i),
                                       {}));
    }
    producer->commit();
    while (producer->poll(event)) {
      if (event.kind == ProducerEvent::Kind::kAbortRequired) std::exit(1);
    }
  }
}

void print_percentiles(const char* what, std::vector<double>& micros) {
  std::ranges::sort(micros);
  const auto at = [&](double share) {
    return micros[static_cast<std::size_t>(share * static_cast<double>(micros.size() - 1))];
  };
  fmt::print("{:<28} p50 {:>7.1f} us  p99 {:>7.1f} us  max {:>7.1f} us\n", what, at(0.5), at(0.99),
             at(1));
}

void measure_latency(Log& log, const Settings& settings) {
  const auto producer = log.producer({.transactional_id = "latency"});
  producer->init();
  const TopicHandle topic = producer->topic("latency");
  const std::string value(settings.bytes, 'x');
  std::vector<double> visible;
  std::vector<double> durable;
  ProducerEvent event;
  for (int i = 0; i < settings.commits; ++i) {
    const auto start = BenchClock::now();
    producer->begin();
    static_cast<void>(producer->send(topic, 0, "key", value, from_millis(i), {}));
    producer->commit();
    while (producer->poll(event)) {
    }
    visible.push_back(Seconds(BenchClock::now() - start).count() * 1e6);
    std::atomic<bool> done = false;
    log.durability().when_durable(event.commit, [&] {
      done = true;
      done.notify_one();
    });
    done.wait(false);
    durable.push_back(Seconds(BenchClock::now() - start).count() * 1e6);
  }
  print_percentiles("one record, visible", visible);
  print_percentiles("one record, durable", durable);
}

/// What a commit costs whatever is in it, and what each partition that it writes to adds.
void measure_spread(Log& log, const Settings& settings) {
  constexpr int kPartitions = 60;
  if (!log.create_topic({.name = "spread", .partitions = kPartitions})) std::exit(1);
  const auto producer = log.producer({.transactional_id = "spread"});
  producer->init();
  const TopicHandle topic = producer->topic("spread");
  ProducerEvent event;
  for (const int partitions : {1, 10, kPartitions}) {
    const double before = cpu_seconds();
    for (int i = 0; i < settings.commits; ++i) {
      producer->begin();
      for (std::int32_t partition = 0; partition < partitions; ++partition) {
        static_cast<void>(producer->send(topic, partition, "key", "value", from_millis(i), {}));
      }
      producer->commit();
      while (producer->poll(event)) {
      }
    }
    fmt::print("{:<28} {:>7.1f} us CPU each\n",
               fmt::format("commits of {} partition{}", partitions, partitions > 1 ? "s" : ""),
               (cpu_seconds() - before) / settings.commits * 1e6);
  }
}

std::unique_ptr<EmbeddedLog> open(Storage& storage, const Settings& settings) {
  return checked(EmbeddedLog::open(storage, system_clock(), {.compress = settings.compress}));
}

void run(const Settings& settings) {
  std::filesystem::remove_all(settings.directory);
  {
    const auto storage = checked(open_rocksdb_storage(settings.directory));
    const auto log = open(*storage, settings);
    if (!log->create_topic({.name = "records", .partitions = settings.partitions})) std::exit(1);
    {
      const Stopwatch watch;
      std::thread reader([&] { read_all(*log, settings); });
      write_all(*log, settings);
      reader.join();
      std::atomic<bool> done = false;
      log->durability().when_durable(log->durability().visible(), [&] {
        done = true;
        done.notify_one();
      });
      done.wait(false);
      watch.report("write, read and sync", settings.records);
    }
    measure_latency(*log, settings);
    measure_spread(*log, settings);
  }
  const auto start = BenchClock::now();
  const auto storage = checked(open_rocksdb_storage(settings.directory));
  const double storage_open = Seconds(BenchClock::now() - start).count();
  const auto log = open(*storage, settings);
  fmt::print("{:<28} {:.3f} s, {:.3f} s of it RocksDB\n", "open",
             Seconds(BenchClock::now() - start).count(), storage_open);
  const Stopwatch watch;
  read_all(*log, settings);
  watch.report("read from disk", settings.records);
}

}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  CLI::App app("Measures the embedded log.");
  app.add_option("--records", settings.records, "Records to write");
  app.add_option("--bytes", settings.bytes, "Bytes of a value");
  app.add_option("--per-commit", settings.per_commit, "Records in a transaction");
  app.add_option("--partitions", settings.partitions, "Partitions of the topic");
  app.add_option("--commits", settings.commits, "Commits of one record to time");
  app.add_flag("--compress,!--no-compress", settings.compress, "LZ4");
  app.add_option("--directory", settings.directory, "Emptied first, and afterwards");
  CLI11_PARSE(app, argc, argv);
  run(settings);
  std::filesystem::remove_all(settings.directory);
  return 0;
}
