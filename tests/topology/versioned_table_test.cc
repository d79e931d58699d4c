// Versioned tables: what they tell those downstream, and what a stream finds in them.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thalweg/topology/streams_builder.h>

#include "topology/topology_world.h"

namespace thalweg {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Out;
using ::testing::ThrowsMessage;
using testing::TopologyWorld;
using Text = std::string;
using Number = std::int64_t;
using Texts = Out<Text, Text>;
using Numbers = Out<Text, Number>;
using namespace std::chrono_literals;

class VersionedTables : public ::testing::Test {
 protected:
  /// Knows 100 ms of its past.
  KTable<Text, Text> versioned(const Text& topic = "rows") {
    return builder_.table<Text, Text>(topic, {}, {.store = topic, .history_retention = 100ms});
  }
  TopologyWorld& world() {
    if (!world_) world_ = std::make_unique<TopologyWorld>(builder_.build());
    return *world_;
  }
  void row(const Text& key, std::optional<Text> value, std::int64_t time,
           const Text& topic = "rows") {
    world().pipe<Text, Text>(topic, key, value, time);
  }
  void ask(const Text& key, const Text& value, std::int64_t time) {
    world().pipe<Text, Text>("questions", key, value, time);
  }
  std::vector<Texts> out() { return world().drain<Text, Text>("out"); }
  static Text both(const Text& left, const Text& right) { return left + "+" + right; }

  StreamsBuilder builder_;
  std::unique_ptr<TopologyWorld> world_;
};

TEST_F(VersionedTables, AStreamFindsTheRowAsItWasAtItsOwnTime) {
  builder_.stream<Text, Text>("questions").join(versioned(), both).to("out");
  row("a", "old", 10);
  row("a", "new", 50);

  ask("a", "q", 60);
  ask("a", "q", 49);
  ask("a", "q", 9);

  EXPECT_THAT(out(), ElementsAre(Texts{"a", "q+new", 60}, Texts{"a", "q+old", 49}));
}

TEST_F(VersionedTables, SoItDoesThroughAFilterAndAMapping) {
  auto table = versioned()
                   .filter([](const Text&, const Text& value) { return value != "hidden"; })
                   .map_values([](const Text& value) { return value + "!"; });
  builder_.stream<Text, Text>("questions").join(table, both).to("out");
  row("a", "old", 10);
  row("a", "hidden", 50);

  ask("a", "q", 60);
  ask("a", "q", 40);

  EXPECT_THAT(out(), ElementsAre(Texts{"a", "q+old!", 40}));
}

TEST_F(VersionedTables, WhatComesLateIsPassedOnUnlessItIsTooLate) {
  versioned().to_stream().to("out");

  row("a", "now", 200);
  row("a", "late", 150);
  row("a", "too late", 99);

  EXPECT_THAT(out(), ElementsAre(Texts{"a", "now", 200}, Texts{"a", "late", 150}));
}

TEST_F(VersionedTables, AggregationsAreMadeOfTheLatestRows) {
  versioned()
      .group_by([](const Text& key, const Text& value) { return std::pair(value, key); })
      .count()
      .to_stream()
      .to("out");

  row("a", "red", 100);
  row("a", "blue", 50);
  row("a", "green", 120);

  const auto counts = world().drain<Text, Number>("out");
  EXPECT_THAT(counts, ElementsAre(Numbers{"red", 1, 100}, Numbers{"red", 0, 120},
                                  Numbers{"green", 1, 120}));
}

TEST_F(VersionedTables, JoinsOfTablesLeaveOutWhatIsNotTheLatest) {
  versioned("left").join(versioned("right"), both).to_stream().to("out");
  row("a", "L", 100, "left");
  row("a", "R", 100, "right");

  row("a", "older L", 50, "left");

  EXPECT_THAT(out(), ElementsAre(Texts{"a", "L+R", 100}));
  EXPECT_EQ(world().drops(), 1);
}

TEST_F(VersionedTables, OfATableThatIsNotVersionedWhatComesLateIsTheLatest) {
  builder_.table<Text, Text>("left").join(versioned("right"), both).to_stream().to("out");
  row("a", "L", 100, "left");
  row("a", "R", 100, "right");

  row("a", "older L", 50, "left");

  EXPECT_THAT(out(), ElementsAre(Texts{"a", "L+R", 100}, Texts{"a", "older L+R", 100}));
}

TEST_F(VersionedTables, BeyondTheirHistoryThereIsNoRowButOneThatStillHolds) {
  builder_.stream<Text, Text>("questions").join(versioned(), both).to("out");
  row("still", "old", 10);
  row("a", "old", 10);
  row("a", "new", 250);

  ask("a", "q", 149);
  ask("still", "q", 20);

  EXPECT_THAT(out(), ElementsAre(Texts{"still", "q+old", 20}));
}

TEST_F(VersionedTables, AJoinOfThemIsNotVersioned) {
  auto joined = versioned("left").join(versioned("right"), both);
  builder_.stream<Text, Text>("questions").join(joined, both).to("out");
  row("a", "L", 100, "left");
  row("a", "R", 100, "right");

  ask("a", "q", 50);

  EXPECT_THAT(out(), ElementsAre(Texts{"a", "q+L+R", 50}));
}

TEST_F(VersionedTables, AForeignKeyJoinLeavesOutWhatIsNotTheLatest) {
  versioned("left")
      .join(versioned("right"), [](const Text& value) { return value; }, both)
      .to_stream()
      .to("out");
  row("R1", "one", 100, "right");
  row("R2", "two", 100, "right");
  row("a", "R1", 100, "left");

  row("a", "R2", 50, "left");
  row("R1", "older", 50, "right");

  EXPECT_THAT(out(), ElementsAre(Texts{"a", "R1+one", 100}));
}

TEST_F(VersionedTables, AFilterPassesOnWhatComesLateAsSuch) {
  versioned()
      .filter([](const Text&, const Text& value) { return value != "hidden"; })
      .group_by([](const Text& key, const Text& value) { return std::pair(value, key); })
      .count()
      .to_stream()
      .to("out");
  row("a", "red", 100);

  row("a", "blue", 50);

  EXPECT_THAT((world().drain<Text, Number>("out")), ElementsAre(Numbers{"red", 1, 100}));
}

TEST_F(VersionedTables, AStreamMayBecomeOne) {
  auto table = builder_.stream<Text, Text>("rows").to_table(
      {.store = "rows", .history_retention = 100ms});
  builder_.stream<Text, Text>("questions").join(table, both).to("out");
  row("a", "old", 10);
  row("a", "new", 50);

  ask("a", "q", 20);

  EXPECT_THAT(out(), ElementsAre(Texts{"a", "q+old", 20}));
}

TEST_F(VersionedTables, TheirChangesCannotBeHeldBack) {
  const auto hold = Suppressed::until_time_limit(10ms);
  const auto kept = [](const Text&, const Text&) { return true; };

  EXPECT_THAT([&] { versioned().suppress(hold); },
              ThrowsMessage<TopologyError>(HasSubstr("only supported for non-versioned KTables")));
  versioned("others").filter(kept).suppress(hold).to_stream().to("out");
  EXPECT_THAT([&] { builder_.build(); },
              ThrowsMessage<TopologyError>(HasSubstr("inherited from upstream")));
}

TEST_F(VersionedTables, TheyNeedANameForTheirStore) {
  EXPECT_THROW((builder_.table<Text, Text>("rows", {}, {.history_retention = 100ms})),
               TopologyError);
}

}  // namespace
}  // namespace thalweg
