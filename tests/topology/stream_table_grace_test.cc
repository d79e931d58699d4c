// Joins of a stream with a versioned table that wait for rows which come late.

#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
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
using testing::TopologyWorld;
using Text = std::string;
using MaybeText = std::optional<Text>;
using Texts = Out<Text, Text>;
using namespace std::chrono_literals;

Text both(const Text& question, const Text& row) { return question + "+" + row; }
Text at_least(const Text& question, const Text* row) {
  return question + "+" + (row ? *row : "-");
}

class JoinsWithGrace : public ::testing::Test {
 protected:
  auto questions() { return builder_.stream<Text, Text>("questions"); }
  auto rows() {
    return builder_.table<Text, Text>("rows", {}, {.store = "rows", .history_retention = 100ms});
  }
  TopologyWorld& world() {
    if (!world_) world_ = std::make_unique<TopologyWorld>(builder_.build());
    return *world_;
  }
  void row(const Text& key, MaybeText value, std::int64_t time) {
    world().pipe<Text, Text>("rows", key, value, time);
  }
  void ask(const MaybeText& key, MaybeText value, std::int64_t time, const Headers& headers = {}) {
    world().pipe<Text, Text>("questions", key, value, time, headers);
  }
  std::vector<Texts> out() { return world().drain<Text, Text>("out"); }

  StreamsBuilder builder_;
  std::unique_ptr<TopologyWorld> world_;
};

TEST_F(JoinsWithGrace, ARecordWaitsForTheRowOfItsTime) {
  questions().join(rows(), both, {.grace = 10ms}).to("out");
  row("a", "old", 1);
  ask("a", "q", 20);
  row("a", "late", 15);
  EXPECT_THAT(out(), IsEmpty());

  ask("b", "clock", 30);

  EXPECT_THAT(out(), ElementsAre(Texts{"a", "q+late", 20}));
}

TEST_F(JoinsWithGrace, RecordsComeOutInTheOrderOfTheirTimes) {
  questions().join(rows(), both, {.grace = 10ms}).to("out");
  row("a", "row", 1);
  ask("a", "second", 20);
  ask("a", "first", 15);

  ask("a", "clock", 40);

  EXPECT_THAT(out(), ElementsAre(Texts{"a", "first+row", 15}, Texts{"a", "second+row", 20}));
}

TEST_F(JoinsWithGrace, WhatComesAfterTheGracePeriodIsJoinedAtOnce) {
  questions().join(rows(), both, {.grace = 10ms}).to("out");
  row("a", "row", 1);
  ask("a", "clock", 50);

  ask("a", "late", 39);

  EXPECT_THAT(out(), ElementsAre(Texts{"a", "late+row", 39}));
}

TEST_F(JoinsWithGrace, OnlyTheStreamMovesTheClock) {
  questions().join(rows(), both, {.grace = 10ms}).to("out");
  row("a", "row", 1);
  ask("a", "q", 20);

  row("a", "much later", 500);

  EXPECT_THAT(out(), IsEmpty());
}

TEST_F(JoinsWithGrace, ALeftJoinEmitsRecordsForWhichNoRowCame) {
  questions().left_join(rows(), at_least, {.grace = 10ms}).to("out");
  ask("a", "q", 20);

  ask("b", "clock", 40);

  EXPECT_THAT(out(), ElementsAre(Texts{"a", "q+-", 20}));
}

TEST_F(JoinsWithGrace, ARecordKeepsItsHeadersWhileItWaits) {
  questions().left_join(rows(), at_least, {.grace = 10ms}).to("out");
  Headers headers;
  headers.add("h", "of the record");
  ask("a", "q", 20, headers);

  ask("b", "clock", 40);

  const auto sent = world().drain_raw("out");
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent.front().headers, headers);
}

TEST_F(JoinsWithGrace, RecordsWithoutValueAreDroppedAndDoNotWait) {
  questions().join(rows(), both, {.grace = 10ms}).to("out");

  ask("a", {}, 20);

  EXPECT_EQ(world().drops(), 1u);
}

TEST_F(JoinsWithGrace, ARecordWithoutKeyCannotWait) {
  builder_.stream<MaybeText, Text>("questions")
      .left_join(rows(), at_least, {.grace = 10ms})
      .to("out");

  EXPECT_THROW(ask({}, "q", 20), StreamsError);
}

TEST_F(JoinsWithGrace, TheBufferBearsTheJoinsName) {
  questions().join(rows(), both, {.name = "ask", .grace = 10ms}).to("out");

  EXPECT_THAT(builder_.build().describe().to_text(),
              HasSubstr("Processor: ask (stores: [ask-Buffer, rows])"));
}

TEST_F(JoinsWithGrace, TheTableMustBeVersioned) {
  const auto plain = builder_.table<Text, Text>("plain");

  EXPECT_THROW(questions().join(plain, both, {.grace = 10ms}), std::invalid_argument);
}

TEST_F(JoinsWithGrace, ATableMadeOfOneThatIsNotVersionedIsRefusedWhenItStarts) {
  const auto derived = builder_.table<Text, Text>("rows", {}, {.store = "rows"})
                           .filter([](const Text&, const Text&) { return true; });
  questions().join(derived, both, {.grace = 10ms}).to("out");

  EXPECT_THROW(world(), std::invalid_argument);
}

}  // namespace
}  // namespace thalweg
