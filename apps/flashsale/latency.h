#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace thalweg::flashsale {

/// Every latency measured, in microseconds, so that percentiles are exact.
class Latency {
 public:
  struct Summary {
    std::size_t count = 0;
    double mean_ms = 0;
    double p50_ms = 0;
    double p90_ms = 0;
    double p99_ms = 0;
    double p999_ms = 0;
    double max_ms = 0;
  };

  void reserve(std::size_t count) { micros_.reserve(count); }
  void add(std::chrono::nanoseconds latency);
  std::size_t count() const { return micros_.size(); }

  /// Percentiles by nearest rank: the smallest value with at least that share at or below it.
  /// All zero when nothing was measured.
  Summary summarize() const;

 private:
  std::vector<std::uint32_t> micros_;
};

}  // namespace thalweg::flashsale
