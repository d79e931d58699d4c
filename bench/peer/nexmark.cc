#include "peer/nexmark.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>
#include <string>
#include <utility>

#include <thalweg/topology/kgrouped_stream.h>
#include <thalweg/topology/kstream.h>
#include <thalweg/topology/ktable.h>
#include <thalweg/topology/time_windowed_kstream.h>
#include <thalweg/topology/windows.h>

#include "peer/blob.h"
#include "peer/nexmark_records.h"

namespace thalweg::bench {
namespace {

using namespace std::chrono_literals;
using Blob = std::string;
using Id = std::int64_t;

// Records of one key come from several partitions, each read at its own pace: windows behind a
// repartition topic stay open for all of the run, so that every run counts the same.
constexpr auto kWindow = 10s;
constexpr auto kGrace = 24h;
constexpr auto kDay = 24h;
constexpr std::int64_t kOpenCategory = 10;

KStream<Id, Blob> events(StreamsBuilder& builder, const std::string& topic, Progress& progress,
                         Consumed<Id, Blob> consumed = {}) {
  return builder.stream<Id, Blob>(topic, consumed).peek([&progress](const Id&, const Blob&) {
    progress.count_in();
  });
}

Id who(const Id&, const Blob& event) { return read_i64(event, kNexmarkWho); }

/// Prices in another currency.
void currency(StreamsBuilder& builder, const PeerSettings& settings, Progress& progress) {
  events(builder, settings.inputs.at(0), progress)
      .map_values([](const Blob& bid) {
        Blob converted = bid;
        const auto price = static_cast<double>(read_i64(bid, kNexmarkNumber));
        write_i64(converted, kNexmarkNumber, static_cast<std::int64_t>(price * 0.908));
        return converted;
      })
      .to(settings.output);
}

/// The most bids of a window, and the auctions that have as many, in ascending order.
Blob hottest(const Blob& bid_count, Blob so_far) {
  const std::int64_t bids = read_i64(bid_count, 8);
  const std::int64_t most = so_far.empty() ? 0 : read_i64(so_far, 0);
  if (bids < most) return so_far;
  if (bids > most) so_far.assign(8, '\0');
  write_i64(so_far, 0, bids);
  // Ids are not negative, so that their bytes are in their order.
  const std::string auction = bid_count.substr(0, 8);
  std::size_t at = 8;
  while (at < so_far.size() && so_far.compare(at, 8, auction) < 0) at += 8;
  return so_far.insert(at, auction);
}

/// The auctions with the most bids, of ten seconds, every two.
void hot_items(StreamsBuilder& builder, const PeerSettings& settings, Progress& progress) {
  const auto hop = std::chrono::milliseconds(kNexmarkHopMs);
  events(builder, settings.inputs.at(0), progress)
      .group_by_key()
      .windowed_by(TimeWindows::of_size_with_no_grace(hop * kNexmarkHopsPerWindow).advance_by(hop))
      .count({.store = "bids", .caching = false})
      .suppress(Suppressed::until_window_closes({}, "closed"))
      .to_stream()
      .map([](const Windowed<Id>& auction, const std::optional<std::int64_t>& bids) {
        return std::pair(to_millis(auction.window.start), pair_of(auction.key, bids.value_or(0)));
      })
      .group_by_key({.name = "window"})
      .aggregate([] { return Blob(); },
                 [&progress](const Id&, const Blob& bid_count, Blob so_far) {
                   progress.done.add();
                   return hottest(bid_count, std::move(so_far));
                 },
                 {.store = "hottest"})
      .to_stream()
      .to(settings.output);
}

/// Persons who came and opened auctions within the same ten seconds.
void new_sellers(StreamsBuilder& builder, const PeerSettings& settings, Progress& progress) {
  const auto windows = TimeWindows::of_size_and_grace(kWindow, kGrace);
  const auto auctions = events(builder, settings.inputs.at(1), progress)
                            .select_key(who)
                            .group_by_key({.name = "seller"})
                            .windowed_by(windows)
                            .aggregate([] { return std::int64_t{0}; },
                                       [&progress](const Id&, const Blob&, std::int64_t opened) {
                                         progress.done.add();
                                         return opened + 1;
                                       },
                                       {.store = "auctions"});
  events(builder, settings.inputs.at(0), progress)
      .group_by_key()
      .windowed_by(windows)
      .aggregate([] { return Blob(); },
                 [&progress](const Id&, const Blob& person, const Blob&) {
                   progress.done.add();
                   return person;
                 },
                 {.store = "persons"})
      .join(auctions, [](const Blob& person, std::int64_t) { return person; })
      .to_stream()
      .to(settings.output);
}

/// How often a bidder bids before resting for ten seconds.
void bid_sessions(StreamsBuilder& builder, const PeerSettings& settings, Progress& progress) {
  events(builder, settings.inputs.at(0), progress)
      .select_key(who)
      .group_by_key({.name = "bidder"})
      .windowed_by(SessionWindows::of_inactivity_gap_and_grace(kWindow, kGrace))
      .aggregate([] { return std::int64_t{0}; },
                 [&progress](const Id&, const Blob&, std::int64_t bids) {
                   progress.done.add();
                   return bids + 1;
                 },
                 [](const Id&, std::int64_t so_far, std::int64_t next) { return so_far + next; },
                 {.store = "sessions"})
      .to_stream()
      .to(settings.output);
}

/// How often a bidder bids, in windows of ten seconds of the machine's own time.
void bids_by_clock(StreamsBuilder& builder, const PeerSettings& settings, Progress& progress) {
  events(builder, settings.inputs.at(0), progress,
         {.timestamp_extractor = WallclockTimestampExtractor{}})
      .select_key(who)
      .group_by_key({.name = "bidder"})
      .windowed_by(TimeWindows::of_size_and_grace(kWindow, kGrace))
      .aggregate([] { return std::int64_t{0}; },
                 [&progress](const Id&, const Blob&, std::int64_t bids) {
                   progress.done.add();
                   return bids + 1;
                 },
                 {.store = "bids"})
      .to_stream()
      .to(settings.output);
}

// An auction's day: bids; of these low, middle and high; least, greatest and sum of prices.
constexpr std::size_t kBids = 0;
constexpr std::size_t kRank = 8;
constexpr std::size_t kLeast = 32;
constexpr std::size_t kGreatest = 40;
constexpr std::size_t kSum = 48;
constexpr std::size_t kAverage = 56;
constexpr std::size_t kDayBytes = 56;

void add_to(Blob& day, std::size_t at, std::int64_t amount) {
  write_i64(day, at, read_i64(day, at) + amount);
}

Blob with_bid(const Blob& bid, Blob day) {
  const std::int64_t price = read_i64(bid, kNexmarkNumber);
  const bool first = day.empty();
  if (first) day.assign(kDayBytes, '\0');
  add_to(day, kBids, 1);
  add_to(day, kRank + (price < 10'000 ? 0 : price < 1'000'000 ? 8 : 16), 1);
  write_i64(day, kLeast, first ? price : std::min(price, read_i64(day, kLeast)));
  write_i64(day, kGreatest, first ? price : std::max(price, read_i64(day, kGreatest)));
  add_to(day, kSum, price);
  return day;
}

/// Bids and prices of each auction and day.
void auction_days(StreamsBuilder& builder, const PeerSettings& settings, Progress& progress) {
  events(builder, settings.inputs.at(0), progress)
      .group_by_key()
      .windowed_by(TimeWindows::of_size_and_grace(kDay, kGrace))
      .aggregate([] { return Blob(); },
                 [](const Id&, const Blob& bid, Blob day) { return with_bid(bid, std::move(day)); },
                 {.store = "days"})
      .to_stream()
      .map_values([](const std::optional<Blob>& day) {
        Blob told = day.value();
        told.resize(kAverage + 8);
        write_i64(told, kAverage, read_i64(told, kSum) / read_i64(told, kBids));
        return told;
      })
      .to(settings.output);
}

/// The last bid of each bidder on each auction.
void last_bids(StreamsBuilder& builder, const PeerSettings& settings, Progress& progress) {
  events(builder, settings.inputs.at(0), progress)
      .select_key([](const Id&, const Blob& bid) { return bid.substr(kNexmarkId, 16); })
      .group_by_key({.name = "bid"})
      .aggregate([] { return Blob(); },
                 [&progress](const Blob&, const Blob& bid, Blob last) {
                   progress.done.add();
                   const bool later =
                       last.empty() || read_i64(bid, kNexmarkTime) > read_i64(last, kNexmarkTime);
                   return later ? bid : last;
                 },
                 {.store = "last"})
      .to_stream()
      .to(settings.output);
}

/// Every bid on an auction of one category, with the auction: neither side is ever forgotten.
void bids_with_auctions(StreamsBuilder& builder, const PeerSettings& settings, Progress& progress) {
  const auto auctions =
      events(builder, settings.inputs.at(1), progress).filter([](const Id&, const Blob& auction) {
        return read_i64(auction, kNexmarkNumber) == kOpenCategory;
      });
  events(builder, settings.inputs.at(0), progress)
      .join(auctions, [](const Blob& bid, const Blob& auction) { return bid + auction; },
            JoinWindows::of_time_difference_with_no_grace(kDay), {.stores = {.name = "open"}})
      .to(settings.output);
}

}  // namespace

NexmarkQuery nexmark_query(std::string_view workload) {
  if (workload == "nexmark-q1") return currency;
  if (workload == "nexmark-q5") return hot_items;
  if (workload == "nexmark-q8") return new_sellers;
  if (workload == "nexmark-q11") return bid_sessions;
  if (workload == "nexmark-q12") return bids_by_clock;
  if (workload == "nexmark-q17") return auction_days;
  if (workload == "nexmark-q18") return last_bids;
  if (workload == "nexmark-q20") return bids_with_auctions;
  return nullptr;
}

}  // namespace thalweg::bench
