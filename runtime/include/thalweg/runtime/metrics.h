#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace thalweg {

/// A count that only grows. One thread writes, any reads.
class Counter {
 public:
  void add(std::uint64_t n = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_ = 0;
};

/// A level. Any thread writes, any reads.
class Gauge {
 public:
  void set(double value) { value_.store(value, std::memory_order_relaxed); }
  double value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_ = 0;
};

/// Durations in log-linear buckets: 8 per power of two from 1 us to over an hour, so within 12.5 %
/// of the truth. One thread writes, any reads.
class LatencyHistogram {
 public:
  static constexpr int kBuckets = 256;

  void record(std::chrono::nanoseconds duration);
  std::uint64_t count() const { return count_.load(std::memory_order_relaxed); }
  double sum_seconds() const {
    return static_cast<double>(sum_ns_.load(std::memory_order_relaxed)) * 1e-9;
  }
  /// The upper bound, in seconds, below which the share `q` (0..1) of all durations lies.
  double quantile_seconds(double q) const;
  /// How many durations are in bucket `i` alone, not cumulative.
  std::uint64_t bucket(int i) const {
    return buckets_[static_cast<std::size_t>(i)].load(std::memory_order_relaxed);
  }
  static double upper_bound_seconds(int i);

 private:
  std::array<std::atomic<std::uint64_t>, kBuckets> buckets_{};
  std::atomic<std::uint64_t> count_ = 0;
  std::atomic<std::uint64_t> sum_ns_ = 0;
};

/// The metrics of a process. Instruments live as long as the registry; asking twice for the same
/// name and labels gives the same one; asking for it as another kind throws std::invalid_argument.
/// Thread-safe.
///
/// Names follow Prometheus: snake case, base units, counters ending in `_total`. Characters that it
/// does not know are written as underscores.
class MetricsRegistry {
 public:
  using Labels = std::vector<std::pair<std::string, std::string>>;

  MetricsRegistry();
  ~MetricsRegistry();
  Counter& counter(std::string_view name, std::string_view help, Labels labels = {});
  Gauge& gauge(std::string_view name, std::string_view help, Labels labels = {});
  LatencyHistogram& histogram(std::string_view name, std::string_view help, Labels labels = {});

  /// The Prometheus text exposition, version 0.0.4; OpenMetrics 1.0.0 when asked.
  std::string expose(bool openmetrics = false) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace thalweg
