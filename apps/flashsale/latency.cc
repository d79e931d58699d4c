#include "latency.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace thalweg::flashsale {

void Latency::add(std::chrono::nanoseconds latency) {
  constexpr std::int64_t most = std::numeric_limits<std::uint32_t>::max();
  const std::int64_t micros = (latency.count() + 999) / 1000;
  micros_.push_back(static_cast<std::uint32_t>(std::clamp<std::int64_t>(micros, 0, most)));
}

Latency::Summary Latency::summarize() const {
  if (micros_.empty()) return {};
  auto sorted = micros_;
  std::ranges::sort(sorted);
  const auto count = static_cast<double>(sorted.size());
  const auto at = [&](double share) {
    const auto rank = static_cast<std::size_t>(std::ceil(share * count));
    return sorted[std::clamp<std::size_t>(rank, 1, sorted.size()) - 1] / 1000.0;
  };
  const auto sum = std::accumulate(sorted.begin(), sorted.end(), std::uint64_t{0});
  return {.count = sorted.size(),
          .mean_ms = static_cast<double>(sum) / count / 1000.0,
          .p50_ms = at(0.5),
          .p90_ms = at(0.9),
          .p99_ms = at(0.99),
          .p999_ms = at(0.999),
          .max_ms = sorted.back() / 1000.0};
}

}  // namespace thalweg::flashsale
