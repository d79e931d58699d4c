// Rules of Kafka Streams for windows and suppress() where a fault would go unnoticed: who moves the
// time, bounds on the very millisecond, what order results come in, whose headers they have.

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thalweg/topology/streams_builder.h>

#include "topology/topology_world.h"

namespace thalweg {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::TopologyWorld;
using namespace std::chrono_literals;
using Text = std::string;
using Letter = std::optional<Text>;

constexpr auto kNothing = [] { return Text(); };
constexpr auto kWrite = [](const Text&, const Letter& letter, const Text& so_far) {
  return so_far + letter.value_or("null");
};
constexpr auto kMerge = [](const Text&, const Text& so_far, const Text& next) {
  return so_far + "|" + next;
};

/// Letters come in; words go out, each as `key[start,end]=word@time` and its header.
class WindowRules : public ::testing::Test {
 protected:
  auto letters() { return builder_.stream<Text, Letter>("letters"); }
  auto grouped() { return letters().group_by_key(); }
  template <typename V>
  void send(const KTable<Windowed<Text>, V>& table) {
    table.to_stream()
        .map([](const Windowed<Text>& key, const std::optional<V>& value) {
          return std::pair(key.key + "[" + std::to_string(to_millis(key.window.start)) + "," +
                               std::to_string(to_millis(key.window.end)) + "]",
                           value);
        })
        .to("out");
  }
  TopologyWorld& world() {
    if (!world_) world_ = std::make_unique<TopologyWorld>(builder_.build(), options_);
    return *world_;
  }
  /// A letter comes, with its own name as a header; what goes out because of it is returned.
  std::vector<std::string> letter(const std::optional<Text>& key, const Letter& value,
                                  std::int64_t time) {
    world().pipe<Text, Text>("letters", key, value, time, {{"from", value.value_or("null")}});
    std::vector<std::string> shown;
    for (const auto& record : world().drain_raw("out")) {
      std::string line = *record.key + "=" + record.value.value_or("null") + "@" +
                         std::to_string(to_millis(record.timestamp));
      if (show_headers_) line += " from " + *record.headers.last("from")->value;
      shown.push_back(line);
    }
    return shown;
  }
  std::size_t drops() { return world().drops(); }

  StreamsBuilder builder_;
  TopologyWorld::Options options_;
  bool show_headers_ = false;
  std::unique_ptr<TopologyWorld> world_;
};

// --- Time is each operator's own ----------------------------------------------------------------

TEST_F(WindowRules, ARecordThatAFilterKeepsAwayDoesNotMoveTheTime) {
  send(letters()
           .filter([](const Text& key, const Letter&) { return key != "ignored"; })
           .group_by_key()
           .windowed_by(TimeWindows::of_size_with_no_grace(10ms))
           .aggregate(kNothing, kWrite));

  letter("k", "a", 1);
  EXPECT_THAT(letter("ignored", "x", 500), IsEmpty());

  EXPECT_THAT(letter("k", "b", 2), ElementsAre("k[0,10]=ab@2"));
}

TEST_F(WindowRules, WhatSuppressLetsGoIsSeenByItsOwnJoinAsItWasBefore) {
  const auto held =
      builder_.table<Text, Text>("letters").suppress(Suppressed::until_time_limit(10ms));
  held.join(held, [](const Text& here, const Text& there) { return here + "+" + there; })
      .to_stream()
      .to("out");

  letter("k", "a", 0);
  EXPECT_THAT(letter("z", "x", 20), IsEmpty()) << "before a there was nothing";
  letter("k", "b", 30);
  EXPECT_THAT(letter("z", "y", 50), ElementsAre("k=b+a@30", "k=a+b@30"));
}

TEST_F(WindowRules, SuppressWaitsForRecordsThatReachIt) {
  auto windows = grouped().windowed_by(TimeWindows::of_size_with_no_grace(10ms));
  send(windows.aggregate(kNothing, kWrite)
           .filter([](const Windowed<Text>& key, const Text&) { return key.key != "ignored"; })
           .to_stream()
           .filter([](const Windowed<Text>&, const std::optional<Text>& word) {
             return word.has_value();
           })
           .to_table({.store = "words",
                      .key_serde = AnySerde<Windowed<Text>>(TimeWindowedSerde<Text>({}, 10ms))})
           .suppress(Suppressed::until_time_limit(10ms)));

  letter("k", "a", 1);
  EXPECT_THAT(letter("ignored", "x", 500), IsEmpty());

  EXPECT_THAT(letter("z", "b", 501), ElementsAre("k[0,10]=a@1"));
}

// --- Lateness -----------------------------------------------------------------------------------

TEST_F(WindowRules, ARecordMayBeLateForOneOfItsWindowsOnly) {
  send(grouped()
           .windowed_by(TimeWindows::of_size_and_grace(10ms, 0ms).advance_by(5ms))
           .aggregate(kNothing, kWrite));

  letter("k", "a", 12);

  EXPECT_THAT(letter("k", "b", 7), ElementsAre("k[5,15]=ab@12"));
  EXPECT_EQ(drops(), 1u);
}

TEST_F(WindowRules, ASlidingWindowIsLateOnceItsEndIsBeforeTheGrace) {
  send(grouped()
           .windowed_by(SlidingWindows::of_time_difference_and_grace(10ms, 5ms))
           .aggregate(kNothing, kWrite));

  letter("z", "x", 50);
  EXPECT_THAT(letter("k", "a", 34), IsEmpty());
  EXPECT_EQ(drops(), 1u);

  EXPECT_THAT(letter("k", "b", 45), ElementsAre("k[35,45]=b@45"));
}

TEST_F(WindowRules, ASessionIsLateOnceItsGapAndGraceHavePassed) {
  send(grouped()
           .windowed_by(SessionWindows::of_inactivity_gap_and_grace(10ms, 5ms))
           .aggregate(kNothing, kWrite, kMerge, {.store = "sessions", .retention = 1s}));

  letter("z", "x", 115);

  EXPECT_THAT(letter("k", "a", 100), ElementsAre("k[100,100]=a@100"));
  EXPECT_THAT(letter("j", "b", 99), IsEmpty());
  EXPECT_EQ(drops(), 1u);
  // Late alone, but not as a part of a session that is still open.
  EXPECT_THAT(letter("k", "c", 99), ElementsAre("k[100,100]=null@100", "k[99,100]=|ac@100"));
}

// --- Sessions -----------------------------------------------------------------------------------

TEST_F(WindowRules, AGapBelongsToTheSession) {
  send(grouped()
           .windowed_by(SessionWindows::of_inactivity_gap_with_no_grace(10ms))
           .aggregate(kNothing, kWrite, kMerge));

  letter("k", "a", 0);
  EXPECT_THAT(letter("k", "b", 10), ElementsAre("k[0,0]=null@0", "k[0,10]=|ab@10"));

  EXPECT_THAT(letter("k", "c", 21), ElementsAre("k[21,21]=c@21"));
}

TEST_F(WindowRules, WithoutAGapASessionHoldsWhatComesAtOneTime) {
  send(grouped()
           .windowed_by(SessionWindows::of_inactivity_gap_and_grace(0ms, 5ms))
           .aggregate(kNothing, kWrite, kMerge));

  letter("k", "a", 3);
  EXPECT_THAT(letter("k", "b", 3), ElementsAre("k[3,3]=|ab@3"));

  EXPECT_THAT(letter("k", "c", 4), ElementsAre("k[4,4]=c@4"));
}

TEST_F(WindowRules, ANullValueIsPartOfItsSession) {
  send(grouped()
           .windowed_by(SessionWindows::of_inactivity_gap_with_no_grace(10ms))
           .aggregate(kNothing, kWrite, kMerge));

  EXPECT_THAT(letter("k", std::nullopt, 1), ElementsAre("k[1,1]=null@1"));
  EXPECT_THAT(letter(std::nullopt, "a", 2), IsEmpty());
  EXPECT_EQ(drops(), 1u);
}

TEST_F(WindowRules, SessionsAreMergedInTheOrderOfTheirTimesBeforeTheRecordIsAdded) {
  send(grouped()
           .windowed_by(SessionWindows::of_inactivity_gap_and_grace(10ms, 50ms))
           .aggregate(kNothing, kWrite, kMerge));

  letter("k", "a", 0);
  letter("k", "b", 20);

  EXPECT_THAT(letter("k", "c", 10),
              ElementsAre("k[0,0]=null@0", "k[20,20]=null@20", "k[0,20]=|a|bc@20"));
}

TEST_F(WindowRules, ASessionThatSuppressLetGoMayComeOnceMore) {
  send(grouped()
           .windowed_by(SessionWindows::of_inactivity_gap_with_no_grace(10ms))
           .aggregate(kNothing, kWrite, kMerge)
           .suppress(Suppressed::until_window_closes()));

  letter("k", "a", 0);

  EXPECT_THAT(letter("z", "x", 10), ElementsAre("k[0,0]=a@0"));
  EXPECT_THAT(letter("k", "b", 0), ElementsAre("k[0,0]=b@0"));
  EXPECT_THAT(letter("z", "y", 11), IsEmpty());
}

// --- Sliding windows ----------------------------------------------------------------------------

TEST_F(WindowRules, ASlidingWindowKnowsNoNullValues) {
  send(grouped()
           .windowed_by(SlidingWindows::of_time_difference_with_no_grace(10ms))
           .aggregate(kNothing, kWrite));

  EXPECT_THAT(letter("k", std::nullopt, 15), IsEmpty());
  EXPECT_EQ(drops(), 1u);
}

TEST_F(WindowRules, ARecordOutOfOrderChangesTheLatestSlidingWindowsFirst) {
  send(grouped()
           .windowed_by(SlidingWindows::of_time_difference_and_grace(10ms, 100ms))
           .aggregate(kNothing, kWrite));

  EXPECT_THAT(letter("k", "a", 15), ElementsAre("k[5,15]=a@15"));
  EXPECT_THAT(letter("k", "b", 20), ElementsAre("k[16,26]=b@20", "k[10,20]=ab@20"));
  EXPECT_THAT(letter("k", "c", 30), ElementsAre("k[21,31]=c@30", "k[20,30]=bc@30"));

  EXPECT_THAT(letter("k", "d", 18),
              ElementsAre("k[16,26]=bd@20", "k[10,20]=abd@20", "k[8,18]=ad@18", "k[19,29]=b@20"));
}

TEST_F(WindowRules, ASlidingWindowBeginsAtTheEpochAtTheEarliest) {
  send(grouped()
           .windowed_by(SlidingWindows::of_time_difference_and_grace(10ms, 100ms))
           .aggregate(kNothing, kWrite));

  letter("k", "a", 15);

  EXPECT_THAT(letter("k", "e", 5), ElementsAre("k[5,15]=ae@15", "k[6,16]=a@15", "k[0,10]=e@5"));
}

TEST_F(WindowRules, ASlidingWindowWithoutALengthFailsWithItsFirstRecord) {
  send(grouped()
           .windowed_by(SlidingWindows::of_time_difference_with_no_grace(0ms))
           .aggregate(kNothing, kWrite));

  EXPECT_THAT([this] { letter("k", "a", 5); },
              ::testing::ThrowsMessage<std::exception>(
                  ::testing::HasSubstr("Window endMs must be greater than window startMs.")));
}

TEST_F(WindowRules, ARecordAtTheEndOfTimeHasNoWindow) {
  constexpr auto kLast = std::numeric_limits<std::int64_t>::max();
  send(grouped()
           .windowed_by(TimeWindows::of_size_with_no_grace(10ms).advance_by(5ms))
           .aggregate(kNothing, kWrite));

  EXPECT_THAT([this] { letter("k", "a", kLast); },
              ::testing::ThrowsMessage<std::exception>(::testing::HasSubstr(
                  "Window endMs time cannot be smaller than window startMs time.")));
}

// --- Whose headers, whose time ------------------------------------------------------------------

TEST_F(WindowRules, AFinalResultHasTheHeadersOfTheRecordThatClosedItsWindow) {
  show_headers_ = true;
  send(grouped()
           .windowed_by(TimeWindows::of_size_with_no_grace(10ms))
           .emit_strategy(EmitStrategy::kOnWindowClose)
           .aggregate(kNothing, kWrite));

  letter("k", "a", 5);
  letter("k", "b", 3);

  EXPECT_THAT(letter("z", "x", 10), ElementsAre("k[0,10]=ab@5 from x"));
}

TEST_F(WindowRules, FinalResultsAreLookedForOnceInTheEmitInterval) {
  options_.emit_interval = 1s;
  send(grouped()
           .windowed_by(TimeWindows::of_size_with_no_grace(10ms))
           .emit_strategy(EmitStrategy::kOnWindowClose)
           .aggregate(kNothing, kWrite, {.retention = 1s}));

  letter("k", "a", 5);
  EXPECT_THAT(letter("k", "b", 15), IsEmpty()) << "the first record looked, in vain";
  world().advance_wall_clock(999ms);
  EXPECT_THAT(letter("k", "c", 25), IsEmpty());
  world().advance_wall_clock(1ms);
  EXPECT_THAT(letter("k", "d", 26), ElementsAre("k[0,10]=a@5", "k[10,20]=b@15"));
}

/// Two windows of different keys, the later one of the key that comes first, and what closes both.
class ClosingWindows : public WindowRules {
 protected:
  std::vector<std::string> close(Materialized<Text, Text> options) {
    options.retention = 200ms;
    send(grouped()
             .windowed_by(TimeWindows::of_size_and_grace(10ms, 20ms))
             .emit_strategy(EmitStrategy::kOnWindowClose)
             .aggregate(kNothing, kWrite, options));
    letter("b", "1", 5);
    letter("a", "2", 12);
    return letter("z", "3", 60);
  }
};

TEST_F(ClosingWindows, ComeByTheirTimes) {
  EXPECT_THAT(close({.store = "windows"}), ElementsAre("b[0,10]=1@5", "a[10,20]=2@12"));
}

TEST_F(ClosingWindows, ComeByTheirKeysFromASuppliersStore) {
  EXPECT_THAT(close({.store = "windows", .store_supplier = true}),
              ElementsAre("a[10,20]=2@12", "b[0,10]=1@5"));
}

TEST_F(ClosingWindows, NeedTheTimestampsOfTheirStore) {
  EXPECT_THAT([this] { close({.store = "windows", .timestamps = false, .store_supplier = true}); },
              ::testing::ThrowsMessage<StreamsError>(
                  ::testing::HasSubstr("Timestamp may not be negative")));
}

TEST_F(WindowRules, SessionsFromASuppliersStoreOnDiskCannotBeEmittedOnClose) {
  send(grouped()
           .windowed_by(SessionWindows::of_inactivity_gap_with_no_grace(10ms))
           .emit_strategy(EmitStrategy::kOnWindowClose)
           .aggregate(kNothing, kWrite, kMerge, {.store = "sessions", .store_supplier = true}));

  EXPECT_THAT([this] { letter("k", "a", 50); },
              ::testing::ThrowsMessage<StreamsError>(::testing::HasSubstr("store sessions")));
}

TEST_F(WindowRules, AResultHasItsRecordsTimeWhereTheStoreKeepsNone) {
  send(grouped()
           .windowed_by(TimeWindows::of_size_with_no_grace(10ms))
           .aggregate(kNothing, kWrite, {.store = "plain", .timestamps = false}));

  EXPECT_THAT(letter("k", "a", 5), ElementsAre("k[0,10]=a@5"));
  EXPECT_THAT(letter("k", "b", 3), ElementsAre("k[0,10]=ab@3"));
}

TEST_F(WindowRules, WhatSuppressLetsGoHasTheHeadersOfTheRecordThatChangedItLast) {
  show_headers_ = true;
  send(grouped()
           .windowed_by(TimeWindows::of_size_with_no_grace(10ms))
           .aggregate(kNothing, kWrite)
           .suppress(Suppressed::until_window_closes()));

  letter("k", "a", 5);
  letter("k", "b", 3);

  EXPECT_THAT(letter("z", "x", 10), ElementsAre("k[0,10]=ab@5 from b"));
}

// --- Deletions ----------------------------------------------------------------------------------

TEST_F(WindowRules, SuppressKeepsDeletionsBackFromFinalResultsOnly) {
  builder_.table<Text, Text>("letters", {}, {.store = "rows"})
      .suppress(Suppressed::until_time_limit(10ms))
      .to_stream()
      .to("out");
  EXPECT_THAT(letter("k", "a", 0), IsEmpty());
  EXPECT_THAT(letter("k", std::nullopt, 1), IsEmpty());
  EXPECT_THAT(letter("z", "x", 11), ElementsAre("k=null@1"));
}

TEST_F(WindowRules, AWindowThatIsEmptyAgainWhenItClosesHasNoFinalResult) {
  send(grouped()
           .windowed_by(TimeWindows::of_size_with_no_grace(10ms))
           .aggregate(kNothing, kWrite)
           .filter([](const Windowed<Text>&, const Text& word) { return word.size() < 2; })
           .suppress(Suppressed::until_window_closes()));

  letter("k", "a", 0);
  letter("k", "b", 1);
  letter("j", "c", 2);

  EXPECT_THAT(letter("z", "x", 10), ElementsAre("j[0,10]=c@2"));
}

}  // namespace
}  // namespace thalweg
