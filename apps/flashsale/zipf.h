#pragma once

#include <cstdint>
#include <vector>

namespace thalweg::flashsale {

/// Draws ranks 0 .. size-1 with a probability proportional to 1 / (rank + 1)^skew.
///
/// Built once in O(size) (an alias table), then O(1) per draw whatever the skew; skew 0 is uniform.
/// Immutable, so any thread may draw.
class ZipfDistribution {
 public:
  /// Throws std::invalid_argument if `size` is 0 or `skew` is negative or not a number.
  ZipfDistribution(std::uint32_t size, double skew);

  /// The rank that belongs to one uniformly distributed 64-bit number.
  std::uint32_t rank_of(std::uint64_t random) const {
    const auto column = static_cast<std::uint32_t>(((random >> 32) * columns_.size()) >> 32);
    const Column& entry = columns_[column];
    return static_cast<std::uint32_t>(random) < entry.threshold ? column : entry.alias;
  }

  std::uint32_t size() const { return static_cast<std::uint32_t>(columns_.size()); }

 private:
  struct Column {
    std::uint32_t threshold;  // Out of 2^32: below it the column itself is drawn, else its alias.
    std::uint32_t alias;
  };
  std::vector<Column> columns_;
};

}  // namespace thalweg::flashsale
