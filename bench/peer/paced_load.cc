#include "peer/paced_load.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <thread>

#include "peer/blob.h"
#include "peer/data_sets.h"
#include "peer/kafka_topics.h"
#include "peer/progress.h"

namespace thalweg::bench {
namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr std::size_t kCreated = 28;  // In an order.
constexpr auto kPatience = std::chrono::seconds(60);
constexpr auto kNap = std::chrono::microseconds(500);

/// Sends each record when it is due; one that is late keeps the time at which it should have gone.
class Sender {
 public:
  Sender(const std::string& bootstrap, const PacedLoad& load)
      : load_(load),
        writer_(bootstrap, load.input, TopicWriter::Pace::kPrompt),
        records_(data_set(load.orders ? "orders" : "kv")),
        thread_([this] { run(); }) {}
  ~Sender() { thread_.join(); }

  std::int64_t sent() const { return sent_.load(); }
  bool is_done() const { return done_.load(); }
  /// Whether the phase that the order belongs to counts.
  bool is_counted(std::int64_t order) const {
    double first = 0;
    for (const auto& phase : load_.phases) {
      first += phase.rate * phase.seconds;
      if (static_cast<double>(order) < first) return phase.counted;
    }
    return false;
  }
  void rethrow() const {
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  void run() {
    try {
      for (const auto& phase : load_.phases) send(phase);
      writer_.flush();
    } catch (...) {
      failure_ = std::current_exception();
    }
    done_ = true;
  }

  void send(const LoadPhase& phase) {
    const std::int64_t begin_ns = wall_clock_ns();
    const auto count = static_cast<std::int64_t>(phase.rate * phase.seconds);
    const double gap_ns = 1e9 / phase.rate;
    DataRecord record;
    for (std::int64_t i = 0; i < count; ++i) {
      const auto due = begin_ns + static_cast<std::int64_t>(gap_ns * static_cast<double>(i));
      while (wall_clock_ns() < due) {
        writer_.poll();
        std::this_thread::sleep_for(kNap);
      }
      records_(sent_.load(), count, due / 1'000'000, record);
      if (load_.orders) write_i64(record.value, kCreated, due);
      writer_.put(record.key, record.value, due / 1'000'000);
      ++sent_;
    }
  }

  const PacedLoad& load_;
  TopicWriter writer_;
  const DataSet records_;
  std::atomic<std::int64_t> sent_ = 0;
  std::atomic<bool> done_ = false;
  std::exception_ptr failure_;
  std::thread thread_;
};

/// When each partition of the output was last heard of.
class Silence {
 public:
  Silence(int partitions, Clock::time_point begin)
      : begin_(begin), last_(static_cast<std::size_t>(partitions), begin) {}

  void heard(int partition, Clock::time_point now, PacedResult& result) {
    auto& last = last_[static_cast<std::size_t>(partition)];
    const double gap = Seconds(now - last).count();
    if (last != begin_ && gap > result.longest_gap_s) {
      result.longest_gap_s = gap;
      result.gap_began_s = Seconds(last - begin_).count();
    }
    last = now;
  }

 private:
  const Clock::time_point begin_;
  std::vector<Clock::time_point> last_;
};

}  // namespace

PacedResult offer(const std::string& bootstrap, const PacedLoad& load) {
  constexpr int kWaitMs = 1;
  PacedResult result;
  TopicReader reader(bootstrap, load.output, TopicReader::From::kEnd);
  while (!reader.at_end()) reader.read(kWaitMs, [](const TopicReader::Record&) {});
  Sender sender(bootstrap, load);
  const auto begin = Clock::now();
  Silence silence(reader.partitions(), begin);
  auto last = begin;
  while (!sender.is_done() || result.received < sender.sent()) {
    reader.read(kWaitMs, [&](const TopicReader::Record& record) {
      last = Clock::now();
      ++result.received;
      silence.heard(record.partition, last, result);
      if (!load.orders || !sender.is_counted(read_i64(record.value, 0))) return;
      const std::int64_t took = wall_clock_ns() - read_i64(record.value, kCreated);
      result.latencies_ms.push_back(static_cast<double>(took) / 1e6);
    });
    if (sender.is_done() && Clock::now() - last > kPatience) break;
  }
  sender.rethrow();
  result.sent = sender.sent();
  std::ranges::sort(result.latencies_ms);
  return result;
}

}  // namespace thalweg::bench
