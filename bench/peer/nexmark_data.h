#pragma once

#include <cstdint>
#include <unordered_set>

#include "peer/data_sets.h"

namespace thalweg::bench {

// What happens in an auction house, as Nexmark generates it: of fifty events one is a person, three
// are auctions and 46 are bids; 10,000 events a second of event time. Half of the bids are on one
// hot auction, three quarters are made by one bidder of a hundred, and some come before their
// auction. One topic for each kind.

/// "persons", "auctions" or "bids"; null for other names.
///
/// The last 64 bids come an hour after all others: with them windows close in every partition.
DataSet nexmark_data_set(const std::string& name);

/// Counts how many auctions had bids in the windows of q5 that close: so many results its last step
/// gets, in whatever order.
class ClosedWindows {
 public:
  void add(std::int64_t index, std::int64_t count, const DataRecord& bid);
  std::int64_t count() const { return static_cast<std::int64_t>(seen_.size()); }

 private:
  std::unordered_set<std::uint64_t> seen_;
};

}  // namespace thalweg::bench
