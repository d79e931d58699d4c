#include "peer/paced_load.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <unordered_map>

#include <fmt/format.h>

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
constexpr auto kQuiet = std::chrono::seconds(1);  // What comes twice has come by then.
constexpr auto kNap = std::chrono::microseconds(500);

using CountsByKey = std::unordered_map<std::string, std::int64_t>;

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
  /// How often each key was sent; only once that is done.
  const CountsByKey& counts() const { return counts_; }
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
      if (const auto failed = writer_.flush(); failed > 0) {
        throw std::runtime_error(
            fmt::format("{}: {} records were not written", load_.input, failed));
      }
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
      ++counts_[record.key.value()];
      ++sent_;
    }
  }

  const PacedLoad& load_;
  TopicWriter writer_;
  const DataSet records_;
  CountsByKey counts_;
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
    if (last != begin_) note(last, now, result);
    last = now;
  }
  /// A partition that was not heard of again until the end was silent until then at least.
  void finish(Clock::time_point end, PacedResult& result) const {
    for (const auto last : last_) note(last, end, result);
  }

 private:
  void note(Clock::time_point from, Clock::time_point to, PacedResult& result) const {
    const double gap = Seconds(to - from).count();
    if (gap <= result.longest_gap_s) return;
    result.longest_gap_s = gap;
    result.gap_began_s = Seconds(from - begin_).count();
  }

  const Clock::time_point begin_;
  std::vector<Clock::time_point> last_;
};

/// What has come out, by its keys.
class Arrivals {
 public:
  explicit Arrivals(bool orders) : orders_(orders) {}

  void add(const TopicReader::Record& record) {
    counts_[std::string(record.key)] = orders_ ? 1 : read_i64(record.value, 0);
  }
  void compare(const CountsByKey& sent, PacedResult& result) const {
    result.lost = 0;
    result.extra = 0;
    for (const auto& [key, count] : sent) {
      const auto found = counts_.find(key);
      const std::int64_t missing = count - (found == counts_.end() ? 0 : found->second);
      (missing > 0 ? result.lost : result.extra) += std::abs(missing);
    }
    for (const auto& [key, count] : counts_) result.extra += sent.contains(key) ? 0 : count;
  }

 private:
  const bool orders_;
  CountsByKey counts_;
};

}  // namespace

PacedResult offer(const std::string& bootstrap, const PacedLoad& load) {
  constexpr int kWaitMs = 1;
  PacedResult result;
  TopicReader reader(bootstrap, load.output, TopicReader::From::kEnd);
  while (!reader.at_end()) reader.read(kWaitMs, [](const TopicReader::Record&) {});
  Arrivals arrivals(load.orders);
  Sender sender(bootstrap, load);
  const auto begin = Clock::now();
  Silence silence(reader.partitions(), begin);
  auto last = begin;
  std::optional<Clock::time_point> all_sent;
  while (true) {
    const auto received = result.received;
    reader.read(kWaitMs, [&](const TopicReader::Record& record) {
      last = Clock::now();
      ++result.received;
      arrivals.add(record);
      silence.heard(record.partition, last, result);
      if (!load.orders || !sender.is_counted(read_i64(record.value, 0))) return;
      const std::int64_t took = wall_clock_ns() - read_i64(record.value, kCreated);
      result.latencies_ms.push_back(static_cast<double>(took) / 1e6);
    });
    if (!sender.is_done()) continue;
    sender.rethrow();
    const auto now = Clock::now();
    const bool is_news = !all_sent || result.received != received;
    if (!all_sent) all_sent = now;
    // As many as went in may be some of them twice; and of amounts fewer tell all, from a cache.
    const bool may_be_all = !load.orders || result.received >= sender.sent();
    if (is_news && may_be_all) arrivals.compare(sender.counts(), result);
    const bool all_came = may_be_all && result.lost == 0;
    if (now - std::max(last, *all_sent) > (all_came ? Clock::duration(kQuiet) : kPatience)) break;
  }
  result.sent = sender.sent();
  arrivals.compare(sender.counts(), result);
  silence.finish(*all_sent, result);
  std::ranges::sort(result.latencies_ms);
  return result;
}

}  // namespace thalweg::bench
