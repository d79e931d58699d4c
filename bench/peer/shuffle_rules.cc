#include "peer/shuffle_rules.h"

#include <bit>
#include <cmath>

#include "peer/blob.h"

namespace thalweg::bench {

std::uint64_t mix(std::uint64_t value) {
  value += 0x9e3779b97f4a7c15;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
  return value ^ (value >> 31);
}

ShuffleRules::ShuffleRules(std::uint32_t rules, double selectivity)
    : width_(rules == 0 ? 0 : static_cast<std::uint64_t>(std::ldexp(selectivity / rules, 63))),
      begins_(rules),
      slots_(kSlots) {
  for (std::uint32_t rule = 0; rule < rules; ++rule) {
    begins_[rule] = mix(0x2e3fac4f58fc98b4 + rule) & kMask;
    const std::uint64_t first = begins_[rule] >> kSlotShift;
    const std::uint64_t last = ((begins_[rule] + width_) & kMask) >> kSlotShift;
    slots_[first].push_back(rule);
    if (last != first) slots_[last].push_back(rule);
  }
}

std::uint64_t ShuffleRules::hash_of(BytesView record) {
  const auto first = static_cast<std::uint64_t>(read_i64(record, 0));
  const auto second = static_cast<std::uint64_t>(read_i64(record, 8));
  return mix(first ^ std::rotl(second, 32)) & kMask;
}

}  // namespace thalweg::bench
