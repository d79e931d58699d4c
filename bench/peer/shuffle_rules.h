#pragma once

#include <cstdint>
#include <vector>

#include <thalweg/schemas/bytes.h>

namespace thalweg::bench {

std::uint64_t mix(std::uint64_t value);  ///< splitmix64.

constexpr std::uint32_t kShuffleRules = 1'000'000;
constexpr double kShuffleSelectivity = 0.2;  ///< How many rules want a record, on average.

/// ShuffleBench's rules: each selects the records whose hash is in its range. (ShuffleBench hashes
/// with komihash; here and on the other side it is splitmix64.)
class ShuffleRules {
 public:
  ShuffleRules(std::uint32_t rules, double selectivity);

  /// Calls `matched(rule)` for every rule that wants the record.
  template <typename Matched>
  void match(BytesView record, Matched&& matched) const {
    const std::uint64_t hash = hash_of(record);
    for (const std::uint32_t rule : slots_[hash >> kSlotShift]) {
      if (((hash - begins_[rule]) & kMask) < width_) matched(rule);
    }
  }

 private:
  static constexpr std::uint64_t kMask = ~std::uint64_t{0} >> 1;
  static constexpr int kSlotShift = 47;
  static constexpr std::size_t kSlots = 65'536;

  static std::uint64_t hash_of(BytesView record);

  std::uint64_t width_;
  std::vector<std::uint64_t> begins_;
  std::vector<std::vector<std::uint32_t>> slots_;
};

}  // namespace thalweg::bench
