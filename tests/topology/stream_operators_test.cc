// Operators on streams, each told by what comes out at the other end of a small topology.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <thalweg/topology/streams_builder.h>

#include "topology/topology_world.h"

namespace thalweg {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::Out;
using testing::TopologyWorld;
using Text = std::string;
using Number = std::int64_t;
using Numbers = Out<Text, Number>;

class StreamOperators : public ::testing::Test {
 protected:
  KStream<Text, Number> numbers() { return builder_.stream<Text, Number>("numbers"); }

  TopologyWorld& world() {
    if (!world_) world_ = std::make_unique<TopologyWorld>(builder_.build(), options_);
    return *world_;
  }
  void number(const Text& key, Number value, std::int64_t time = 0) {
    world().pipe<Text, Number>("numbers", key, value, time);
  }
  std::vector<Numbers> out() { return world().drain<Text, Number>("out"); }

  StreamsBuilder builder_;
  TopologyWorld::Options options_;
  std::unique_ptr<TopologyWorld> world_;
};

bool is_even(const Text&, Number number) { return number % 2 == 0; }

TEST_F(StreamOperators, FilterKeepsWhatThePredicateAccepts) {
  numbers().filter(is_even).to("out");

  number("a", 1);
  number("b", 2);

  EXPECT_THAT(out(), ElementsAre(Numbers{"b", 2, 0}));
}

TEST_F(StreamOperators, FilterNotKeepsTheRest) {
  numbers().filter_not(is_even).to("out");

  number("a", 1);
  number("b", 2);

  EXPECT_THAT(out(), ElementsAre(Numbers{"a", 1, 0}));
}

TEST_F(StreamOperators, MapReplacesKeyAndValueAndKeepsTheTime) {
  numbers()
      .map([](const Text& key, Number n) { return std::pair(key + "!", n * 10); })
      .to("out");

  number("a", 1, 77);

  EXPECT_THAT(out(), ElementsAre(Numbers{"a!", 10, 77}));
}

TEST_F(StreamOperators, MapValuesTakesTheValueAloneOrWithItsKey) {
  numbers().map_values([](Number n) { return n + 1; }).to("out");
  numbers()
      .map_values([](const Text& key, Number n) { return n + static_cast<Number>(key.size()); })
      .to("out");

  number("abc", 1);

  EXPECT_THAT(out(), ElementsAre(Numbers{"abc", 2, 0}, Numbers{"abc", 4, 0}));
}

TEST_F(StreamOperators, FlatMapMakesAnyNumberOfRecords) {
  numbers()
      .flat_map([](const Text& key, Number n) {
        std::vector<std::pair<Text, Number>> records;
        for (Number i = 0; i < n; ++i) records.emplace_back(key + std::to_string(i), i);
        return records;
      })
      .to("out");

  number("a", 2);
  number("b", 0);

  EXPECT_THAT(out(), ElementsAre(Numbers{"a0", 0, 0}, Numbers{"a1", 1, 0}));
}

TEST_F(StreamOperators, FlatMapValuesKeepsTheKey) {
  numbers().flat_map_values([](Number n) { return std::vector<Number>{n, -n}; }).to("out");

  number("a", 3);

  EXPECT_THAT(out(), ElementsAre(Numbers{"a", 3, 0}, Numbers{"a", -3, 0}));
}

TEST_F(StreamOperators, SelectKeyReplacesTheKey) {
  numbers().select_key([](const Text&, Number n) { return std::to_string(n); }).to("out");

  number("a", 3);

  EXPECT_THAT(out(), ElementsAre(Numbers{"3", 3, 0}));
}

TEST_F(StreamOperators, PeekAndForEachSeeWhatPasses) {
  auto seen = std::make_shared<std::vector<Number>>();
  numbers()
      .peek([seen](const Text&, Number n) { seen->push_back(n); })
      .for_each([seen](const Text&, Number n) { seen->push_back(n * 100); });

  number("a", 1);

  EXPECT_THAT(*seen, ElementsAre(1, 100));
}

TEST_F(StreamOperators, SplitSendsEachRecordToItsFirstMatch) {
  auto branches = numbers()
                      .split({.name = "by-size-"})
                      .branch([](const Text&, Number n) { return n > 100; }, {.name = "huge"})
                      .branch([](const Text&, Number n) { return n > 10; }, {.name = "large"})
                      .default_branch();
  branches.at("by-size-huge").to("huge");
  branches.at("by-size-large").to("large");
  branches.at("by-size-0").to("out");

  number("a", 1);
  number("b", 1000);
  number("c", 50);

  EXPECT_THAT(out(), ElementsAre(Numbers{"a", 1, 0}));
  EXPECT_THAT((world().drain<Text, Number>("huge")), ElementsAre(Numbers{"b", 1000, 0}));
  EXPECT_THAT((world().drain<Text, Number>("large")), ElementsAre(Numbers{"c", 50, 0}));
}

TEST_F(StreamOperators, SplitWithoutDefaultDropsTheRest) {
  auto branches = numbers().split().branch(is_even).no_default_branch();
  branches.begin()->second.to("out");

  number("a", 1);
  number("b", 2);

  EXPECT_THAT(out(), ElementsAre(Numbers{"b", 2, 0}));
}

TEST_F(StreamOperators, ASplitThatHasEndedTakesNoMoreBranches) {
  auto split = numbers().split({.name = "s"});
  split.branch(is_even).no_default_branch();

  EXPECT_THROW(split.branch(is_even), TopologyError);
}

TEST_F(StreamOperators, MergeInterleavesAsRecordsArrive) {
  numbers().merge(builder_.stream<Text, Number>("others")).to("out");

  number("a", 1);
  world().pipe<Text, Number>("others", "b", 2, 1);

  EXPECT_THAT(out(), ElementsAre(Numbers{"a", 1, 0}, Numbers{"b", 2, 1}));
}

TEST_F(StreamOperators, SeveralTopicsAreOneStream) {
  builder_.stream<Text, Number>({"numbers", "others"}).to("out");

  number("a", 1);
  world().pipe<Text, Number>("others", "b", 2, 1);

  EXPECT_THAT(out(), ElementsAre(Numbers{"a", 1, 0}, Numbers{"b", 2, 1}));
}

TEST_F(StreamOperators, ChildrenRunDepthFirstInTheOrderTheyWereAdded) {
  auto order = std::make_shared<std::vector<Text>>();
  const auto log = [order](Text name) {
    return [order, name](const Text&, Number) { order->push_back(name); };
  };
  auto source = numbers();
  source.peek(log("first")).for_each(log("below first"));
  source.for_each(log("second"));

  number("a", 1);

  EXPECT_THAT(*order, ElementsAre("first", "below first", "second"));
}

TEST_F(StreamOperators, NullPayloadsAreDroppedWhereTheTypeHasNoNull) {
  numbers().to("out");

  world().pipe<Text, Number>("numbers", std::nullopt, 1, 0);
  world().pipe<Text, Number>("numbers", "a", std::nullopt, 0);

  EXPECT_THAT(out(), IsEmpty());
  EXPECT_EQ(world().drops(), 2);
}

TEST_F(StreamOperators, NullPayloadsPassWhereTheTypeHasNull) {
  builder_.stream<std::optional<Text>, std::optional<Number>>("numbers").to("out");

  world().pipe<Text, Number>("numbers", std::nullopt, std::nullopt, 3);
  number("a", 1);

  EXPECT_THAT(out(), ElementsAre(Numbers{std::nullopt, std::nullopt, 3}, Numbers{"a", 1, 0}));
}

TEST_F(StreamOperators, TheTimeMayComeFromTheContent) {
  builder_
      .stream<Text, Number>("numbers", {.timestamp_extractor = [](const Text&, Number n, Timestamp,
                                                                  Timestamp) {
        return from_millis(n);
      }})
      .to("out");

  number("a", 500, 3);
  number("b", -5, 3);

  EXPECT_THAT(out(), ElementsAre(Numbers{"a", 500, 500}));
  EXPECT_EQ(world().drops(), 1);
}

TEST_F(StreamOperators, HeadersTravelWithTheRecord) {
  numbers().map_values([](Number n) { return n; }).to("out");

  world().pipe<Text, Number>("numbers", "a", 1, 0, {{"trace", "t-1"}});

  const auto records = world().drain_raw("out");
  ASSERT_EQ(records.size(), 1);
  EXPECT_EQ(records[0].headers, (Headers{{"trace", "t-1"}}));
}

TEST_F(StreamOperators, RepartitionDropsNullKeysWithoutCountingThem) {
  builder_.stream<std::optional<Text>, Number>("numbers").repartition({.name = "r"}).to("out");

  world().pipe<Text, Number>("numbers", std::nullopt, 1, 0);
  number("a", 2);

  EXPECT_THAT(out(), ElementsAre(Numbers{"a", 2, 0}));
  EXPECT_THAT((world().drain<Text, Number>("app-r-repartition")),
              ElementsAre(Numbers{"a", 2, 0}));
  EXPECT_EQ(world().drops(), 0);
}

TEST_F(StreamOperators, KeysChooseThePartitionAsJavaDoes) {
  options_.partitions = 12;
  numbers().to("out");

  number("order-1", 1);
  number("order-2", 1);

  for (const auto& record : world().drain_raw("out")) {
    EXPECT_EQ(record.partition, partition_of(*record.key, 12));
  }
}

TEST_F(StreamOperators, RecordsWithoutKeyTakePartitionsInTurn) {
  options_.partitions = 2;
  builder_.stream<std::optional<Text>, Number>("numbers").to("out");

  for (int i = 0; i < 3; ++i) world().pipe<Text, Number>("numbers", std::nullopt, 1, 0);

  std::vector<std::int32_t> partitions;
  for (const auto& record : world().drain_raw("out")) partitions.push_back(record.partition);
  EXPECT_THAT(partitions, ElementsAre(0, 1, 0));
}

TEST_F(StreamOperators, APartitionerChoosesThePartition) {
  options_.partitions = 5;
  numbers().to("out", {.partitioner = [](const Text&, Number n, std::int32_t partitions) {
                 return static_cast<std::int32_t>(n) % partitions;
               }});

  number("a", 8);

  EXPECT_EQ(world().drain_raw("out").at(0).partition, 3);
}

TEST_F(StreamOperators, APartitionThatDoesNotExistIsRefused) {
  options_.partitions = 5;
  numbers().to("out", {.name = "the-sink",
                       .partitioner = [](const Text&, Number, std::int32_t n) { return n; }});

  try {
    number("a", 8);
    FAIL() << "partition 5 of 5 was accepted";
  } catch (const ProcessorError& error) {
    EXPECT_EQ(error.processor(), "the-sink");
    EXPECT_THAT(error.what(), ::testing::HasSubstr("partition 5 of topic out, which has 5"));
  }
}

TEST_F(StreamOperators, WhatUserCodeThrowsNamesTheInnermostNode) {
  numbers()
      .peek([](const Text&, Number) {}, {.name = "outer"})
      .map_values([](Number n) -> Number { return n ? n : throw std::domain_error("zero"); },
                  {.name = "inverse"})
      .to("out");

  try {
    number("a", 0);
    FAIL() << "nothing was thrown";
  } catch (const ProcessorError& error) {
    EXPECT_EQ(error.processor(), "inverse");
    EXPECT_STREQ(error.what(), "processor=inverse: zero");
    EXPECT_THROW(std::rethrow_if_nested(error), std::domain_error);
  }
}

}  // namespace
}  // namespace thalweg
