#pragma once

#include <cstdint>
#include <string>

#include "peer/data_sets.h"
#include "peer/nexmark_data.h"
#include "peer/shuffle_rules.h"

namespace thalweg::bench {

/// What there is to count in a data set for a workload's last step, as it is loaded.
class DataCounts {
 public:
  explicit DataCounts(const std::string& data_set)
      : matches_rules_(data_set == "shuffle"),
        has_windows_(data_set == "bids"),
        rules_(matches_rules_ ? kShuffleRules : 0, kShuffleSelectivity) {}

  void add(std::int64_t index, std::int64_t count, const DataRecord& record) {
    if (matches_rules_) rules_.match(record.value, [this](std::uint32_t) { ++matches_; });
    if (has_windows_) windows_.add(index, count, record);
  }
  /// Consumers that ShuffleBench's rules chose.
  std::int64_t matches() const { return matches_; }
  /// Auctions in the windows of q5.
  std::int64_t windows() const { return windows_.count(); }

 private:
  const bool matches_rules_;
  const bool has_windows_;
  const ShuffleRules rules_;
  ClosedWindows windows_;
  std::int64_t matches_ = 0;
};

}  // namespace thalweg::bench
