#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "simulation/simulated_process.h"

namespace thalweg::simulation {

/// Counts words by their first letter (through a repartition topic, every update, and what came
/// through it is written as it is) and sums values by word (cached, so one update per commit).
Topology word_statistics();

/// Random words, each with a number that no other record has.
class WordSource {
 public:
  explicit WordSource(Random& random) : random_(random) {}
  std::vector<std::pair<std::string, std::string>> next();
  /// The numbers of the last next().
  const std::vector<std::int64_t>& ids() const { return ids_; }

 private:
  Random& random_;
  std::int64_t last_id_ = 0;
  std::vector<std::int64_t> ids_;
};

/// Checks what word_statistics() wrote against its input, as both are in the log now: for each
/// letter the counts are exactly 1, 2, 3, ..., the last sum of each word is that of its records,
/// and a word's records kept their order on the way to their letter. Every number in `acknowledged`
/// is in the input, once.
void expect_each_record_counted_once(Log& log, ManualClock& clock,
                                     const std::set<std::int64_t>& acknowledged);

}  // namespace thalweg::simulation
