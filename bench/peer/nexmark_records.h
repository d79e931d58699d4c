#pragma once

#include <cstddef>
#include <cstdint>

namespace thalweg::bench {

// Where the persons (200 bytes), auctions (500) and bids (100) of Nexmark keep what; noise fills
// the rest. Each topic is keyed by the id at the beginning of its values.
constexpr std::size_t kNexmarkId = 0;       ///< Of the person, the auction, or the bid's auction.
constexpr std::size_t kNexmarkWho = 8;      ///< The auction's seller, the bidder.
constexpr std::size_t kNexmarkNumber = 16;  ///< The auction's category, the bid's price.
constexpr std::size_t kNexmarkTime = 24;    ///< Event time in microseconds; no two bids share one.
constexpr std::size_t kNexmarkFields = 32;

constexpr std::int64_t kNexmarkHopMs = 2'000;      ///< From one window of q5 to the next.
constexpr std::int64_t kNexmarkHopsPerWindow = 5;  ///< In how many of them a bid is.

}  // namespace thalweg::bench
