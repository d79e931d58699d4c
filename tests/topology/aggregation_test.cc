// Counting, reducing and aggregating: what the tables hold and what they send on.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>

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

class Aggregation : public ::testing::Test {
 protected:
  auto numbers() { return builder_.stream<Text, Number>("numbers"); }
  TopologyWorld& world() {
    if (!world_) world_ = std::make_unique<TopologyWorld>(builder_.build(), options_);
    return *world_;
  }
  void number(const Text& key, Number value, std::int64_t time = 0, Headers headers = {}) {
    world().pipe<Text, Number>("numbers", key, value, time, headers);
  }
  std::vector<Numbers> out() { return world().drain<Text, Number>("out"); }

  StreamsBuilder builder_;
  TopologyWorld::Options options_;
  std::unique_ptr<TopologyWorld> world_;
};

TEST_F(Aggregation, CountCountsTheRecordsOfEachKey) {
  numbers().group_by_key().count().to_stream().to("out");

  number("a", 7);
  number("b", 7);
  number("a", 7);

  EXPECT_THAT(out(), ElementsAre(Numbers{"a", 1, 0}, Numbers{"b", 1, 0}, Numbers{"a", 2, 0}));
}

TEST_F(Aggregation, AResultsTimeIsTheLatestOfRecordAndRow) {
  numbers().group_by_key().count().to_stream().to("out");

  number("a", 7, 50);
  number("a", 7, 20);

  EXPECT_THAT(out(), ElementsAre(Numbers{"a", 1, 50}, Numbers{"a", 2, 50}));
}

TEST_F(Aggregation, ReduceTakesTheFirstValueAsItIs) {
  numbers()
      .group_by_key()
      .reduce([](Number so_far, Number n) { return so_far * n; })
      .to_stream()
      .to("out");

  number("a", 7);
  number("a", 3);

  EXPECT_THAT(out(), ElementsAre(Numbers{"a", 7, 0}, Numbers{"a", 21, 0}));
}

TEST_F(Aggregation, AggregateBeginsWithTheInitializer) {
  numbers()
      .group_by_key()
      .aggregate([] { return Text("sum"); },
                 [](const Text& key, Number n, Text so_far) {
                   return so_far + "+" + key + std::to_string(n);
                 },
                 {.store = "sums"})
      .to_stream()
      .to("out");

  number("a", 1);
  number("a", 2);

  EXPECT_THAT((world().drain<Text, Text>("out")),
              ElementsAre(Out<Text, Text>{"a", "sum+a1", 0}, Out<Text, Text>{"a", "sum+a1+a2", 0}));
  EXPECT_EQ(*(world().key_value_store<Text, Text>("sums").get("a")), "sum+a1+a2");
}

TEST_F(Aggregation, AnAggregateThatBecomesNullIsDeletedAndBeginsAnew) {
  numbers()
      .group_by_key()
      .aggregate([] { return Number{100}; },
                 [](const Text&, Number n, Number so_far) {
                   return n == 0 ? std::nullopt : std::optional(so_far + n);
                 })
      .to_stream()
      .to("out");

  number("a", 1, 1);
  number("a", 0, 2);
  number("a", 5, 3);

  EXPECT_THAT(out(), ElementsAre(Numbers{"a", 101, 1}, Numbers{"a", std::nullopt, 2},
                                 Numbers{"a", 105, 3}));
}

TEST_F(Aggregation, NullKeysAndValuesAreDroppedAndCounted) {
  builder_.stream<std::optional<Text>, std::optional<Number>>("numbers")
      .group_by_key()
      .count()
      .to_stream()
      .to("out");

  world().pipe<Text, Number>("numbers", std::nullopt, 1, 0);
  world().pipe<Text, Number>("numbers", "a", std::nullopt, 0);

  EXPECT_THAT(out(), IsEmpty());
  EXPECT_EQ(world().drops(), 2);
}

TEST_F(Aggregation, GroupByGoesThroughARepartitionTopic) {
  numbers()
      .group_by([](const Text&, Number n) { return std::to_string(n % 2); }, {.name = "parity"})
      .count()
      .to_stream()
      .to("out");

  number("a", 1);
  number("b", 3);

  EXPECT_THAT(out(), ElementsAre(Numbers{"1", 1, 0}, Numbers{"1", 2, 0}));
  EXPECT_THAT((world().drain<Text, Number>("app-parity-repartition")),
              ElementsAre(Numbers{"1", 1, 0}, Numbers{"1", 3, 0}));
}

TEST_F(Aggregation, ANamedGroupingIsRepartitionedOnceForAllItsAggregations) {
  const auto grouped = numbers().group_by(
      [](const Text&, Number n) { return std::to_string(n % 2); }, {.name = "parity"});
  grouped.count().to_stream().to("counts");
  grouped.reduce([](Number a, Number b) { return a + b; }).to_stream().to("sums");

  number("a", 3);

  EXPECT_EQ((world().drain_raw("app-parity-repartition").size()), 1);
  EXPECT_THAT((world().drain<Text, Number>("counts")), ElementsAre(Numbers{"1", 1, 0}));
  EXPECT_THAT((world().drain<Text, Number>("sums")), ElementsAre(Numbers{"1", 3, 0}));
}

TEST_F(Aggregation, WithACacheOnlyTheLastUpdateOfACommitGoesOn) {
  options_.caching = true;
  numbers()
      .flat_map_values([](Number n) { return std::vector<Number>(static_cast<std::size_t>(n), 1); })
      .group_by_key()
      .count()
      .to_stream()
      .to("out");

  number("a", 3);

  EXPECT_THAT(out(), ElementsAre(Numbers{"a", 3, 0}));
}

TEST_F(Aggregation, WithoutCachingInItsOptionsEveryUpdateGoesOn) {
  options_.caching = true;
  numbers()
      .flat_map_values([](Number n) { return std::vector<Number>(static_cast<std::size_t>(n), 1); })
      .group_by_key()
      .count({.caching = false})
      .to_stream()
      .to("out");

  number("a", 3);

  EXPECT_THAT(out(), ElementsAre(Numbers{"a", 1, 0}, Numbers{"a", 2, 0}, Numbers{"a", 3, 0}));
}

TEST_F(Aggregation, AResultHasTheHeadersOfTheRecordThatCausedIt) {
  for (const bool caching : {false, true}) {
    StreamsBuilder builder;
    builder.stream<Text, Number>("numbers").group_by_key().count().to_stream().to("out");
    TopologyWorld world(builder.build(), {.caching = caching});

    world.pipe<Text, Number>("numbers", "a", 1, 0, {{"h", "1"}});
    world.pipe<Text, Number>("numbers", "a", 1, 0, {{"h", "2"}});

    const auto records = world.drain_raw("out");
    ASSERT_EQ(records.size(), 2);
    EXPECT_EQ(records[1].headers, (Headers{{"h", "2"}})) << "caching " << caching;
  }
}

TEST_F(Aggregation, AStoreNameTakenTwiceIsRefused) {
  numbers().group_by_key().count({.store = "s"});
  numbers().group_by_key().count({.store = "s"});

  EXPECT_THAT([this] { builder_.build(); },
              ::testing::ThrowsMessage<TopologyError>(::testing::HasSubstr(
                  "A different StateStore has already been added with the name s")));
}

}  // namespace
}  // namespace thalweg
