#include "zipf.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace thalweg::flashsale {

ZipfDistribution::ZipfDistribution(std::uint32_t size, double skew) {
  if (size == 0) throw std::invalid_argument("a Zipf distribution needs at least one rank");
  if (!(skew >= 0) || !std::isfinite(skew)) {
    throw std::invalid_argument("the skew of a Zipf distribution is a number >= 0");
  }
  // Vose's method: every column holds a share of exactly 1/size, filled from at most two ranks.
  std::vector<double> share(size);
  double sum = 0;
  for (std::uint32_t rank = 0; rank < size; ++rank) {
    share[rank] = std::pow(static_cast<double>(rank) + 1, -skew);
    sum += share[rank];
  }
  std::vector<std::uint32_t> small;
  std::vector<std::uint32_t> large;
  for (std::uint32_t rank = 0; rank < size; ++rank) {
    share[rank] *= size / sum;
    (share[rank] < 1 ? small : large).push_back(rank);
  }
  columns_.resize(size);
  const auto fill = [this](std::uint32_t rank, double own, std::uint32_t alias) {
    const double scaled = std::clamp(own * 4294967296.0, 0.0, 4294967295.0);
    columns_[rank] = {static_cast<std::uint32_t>(scaled), alias};
  };
  while (!small.empty() && !large.empty()) {
    const std::uint32_t poor = small.back();
    const std::uint32_t rich = large.back();
    small.pop_back();
    fill(poor, share[poor], rich);
    share[rich] -= 1 - share[poor];
    if (share[rich] < 1) {
      large.pop_back();
      small.push_back(rich);
    }
  }
  for (const std::uint32_t rank : large) fill(rank, 1, rank);
  for (const std::uint32_t rank : small) fill(rank, 1, rank);  // Left over by rounding alone.
}

}  // namespace thalweg::flashsale
