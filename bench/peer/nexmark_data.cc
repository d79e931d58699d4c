#include "peer/nexmark_data.h"

#include <algorithm>
#include <cmath>

#include "peer/blob.h"
#include "peer/nexmark_records.h"
#include "peer/noise.h"
#include "peer/shuffle_rules.h"

namespace thalweg::bench {
namespace {

constexpr std::int64_t kEpoch = 50;  ///< Events of which one is a person.
constexpr std::int64_t kAuctionsPerEpoch = 3;
constexpr std::int64_t kBidsPerEpoch = kEpoch - 1 - kAuctionsPerEpoch;
constexpr std::int64_t kMicrosPerEvent = 100;

constexpr std::int64_t kFirstId = 1'000;
constexpr std::int64_t kFirstCategory = 10;
constexpr std::int64_t kCategories = 5;
constexpr std::int64_t kOpenAuctions = 100;
constexpr std::int64_t kActivePersons = 1'000;
constexpr std::int64_t kAhead = 10;  ///< How many of those to come are spoken of already.
constexpr std::int64_t kHotEvery = 100;

constexpr std::size_t kPersonBytes = 200;
constexpr std::size_t kAuctionBytes = 500;
constexpr std::size_t kBidBytes = 100;

constexpr std::int64_t kClosingBids = 64;
constexpr std::int64_t kClosingMicros = 3'600'000'000;

/// Chances of one event, one after the other.
class Dice {
 public:
  Dice(std::int64_t event, std::uint64_t salt)
      : state_(mix(static_cast<std::uint64_t>(event) * 2'654'435'761 + salt)) {}
  std::uint64_t next() { return state_ = mix(state_); }
  std::int64_t below(std::int64_t limit) {
    return static_cast<std::int64_t>(next() % static_cast<std::uint64_t>(limit));
  }
  double part() { return static_cast<double>(next() >> 11) * 0x1p-53; }

 private:
  std::uint64_t state_;
};

/// One of the latest `window` that were there up to `last`, or of those to come.
std::int64_t recent(Dice& dice, std::int64_t last, std::int64_t window) {
  const std::int64_t first = std::max<std::int64_t>(0, last - window);
  return kFirstId + first + dice.below(last - first + 1 + kAhead);
}

std::int64_t hot(std::int64_t last) { return kFirstId + last / kHotEvery * kHotEvery; }

void fill(DataRecord& record, std::size_t bytes, std::int64_t event, std::int64_t base_ms,
          std::int64_t later_micros, std::int64_t id, std::int64_t who, std::int64_t number) {
  const std::int64_t micros = event * kMicrosPerEvent + later_micros;
  record.key.emplace(sizeof id, '\0');
  write_i64(*record.key, 0, id);
  record.value.resize(bytes);
  write_i64(record.value, kNexmarkId, id);
  write_i64(record.value, kNexmarkWho, who);
  write_i64(record.value, kNexmarkNumber, number);
  write_i64(record.value, kNexmarkTime, base_ms * 1'000 + micros);
  fill_noise(record.value, kNexmarkFields, static_cast<std::uint64_t>(event) * 97);
  record.timestamp_ms = base_ms + micros / 1'000;
}

void person(std::int64_t index, std::int64_t, std::int64_t base_ms, DataRecord& record) {
  fill(record, kPersonBytes, index * kEpoch, base_ms, 0, kFirstId + index, 0, 0);
}

void auction(std::int64_t index, std::int64_t, std::int64_t base_ms, DataRecord& record) {
  const std::int64_t epoch = index / kAuctionsPerEpoch;
  const std::int64_t event = epoch * kEpoch + 1 + index % kAuctionsPerEpoch;
  Dice dice(event, 1);
  const std::int64_t seller = dice.below(4) == 0 ? recent(dice, epoch, kActivePersons) : hot(epoch);
  fill(record, kAuctionBytes, event, base_ms, 0, kFirstId + index, seller,
       kFirstCategory + dice.below(kCategories));
}

bool closes_windows(std::int64_t index, std::int64_t count) {
  return index >= count - kClosingBids;
}

void bid(std::int64_t index, std::int64_t count, std::int64_t base_ms, DataRecord& record) {
  const std::int64_t epoch = index / kBidsPerEpoch;
  const std::int64_t event = epoch * kEpoch + 1 + kAuctionsPerEpoch + index % kBidsPerEpoch;
  const std::int64_t last_auction = epoch * kAuctionsPerEpoch + kAuctionsPerEpoch - 1;
  Dice dice(event, 2);
  const std::int64_t auction =
      dice.below(2) == 0 ? recent(dice, last_auction, kOpenAuctions) : hot(last_auction);
  const std::int64_t bidder =
      dice.below(4) == 0 ? recent(dice, epoch, kActivePersons) : hot(epoch) + 1;
  const auto price = static_cast<std::int64_t>(std::round(100 * std::pow(10, 6 * dice.part())));
  fill(record, kBidBytes, event, base_ms, closes_windows(index, count) ? kClosingMicros : 0,
       auction, bidder, price);
}

}  // namespace

DataSet nexmark_data_set(const std::string& name) {
  if (name == "persons") return person;
  if (name == "auctions") return auction;
  if (name == "bids") return bid;
  return nullptr;
}

void ClosedWindows::add(std::int64_t index, std::int64_t count, const DataRecord& bid) {
  if (closes_windows(index, count)) return;
  const auto auction = static_cast<std::uint64_t>(read_i64(bid.value, kNexmarkId));
  const std::int64_t last = bid.timestamp_ms / kNexmarkHopMs;
  for (std::int64_t hop = 0; hop < kNexmarkHopsPerWindow; ++hop) {
    // An auction's number and a window's, of which no two together are the same as others.
    seen_.insert(auction << 40 ^ static_cast<std::uint64_t>(last - hop));
  }
}

}  // namespace thalweg::bench
