// Tables: sources, filters, mappings, and when they are kept.

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

constexpr auto kGone = std::nullopt;

class Tables : public ::testing::Test {
 protected:
  TopologyWorld& world() {
    if (!world_) world_ = std::make_unique<TopologyWorld>(builder_.build(), options_);
    return *world_;
  }
  void row(const Text& key, std::optional<Number> value, std::int64_t time = 0) {
    world().pipe<Text, Number>("rows", key, value, time);
  }
  std::vector<Numbers> out() { return world().drain<Text, Number>("out"); }

  StreamsBuilder builder_;
  TopologyWorld::Options options_;
  std::unique_ptr<TopologyWorld> world_;
};

bool is_large(const Text&, Number n) { return n > 10; }

TEST_F(Tables, ATableNobodyNeedsIsNotKept) {
  builder_.table<Text, Number>("rows").to_stream().to("out");
  const Topology topology = builder_.build();

  EXPECT_THAT(topology.subtopologies().at(0).stores, IsEmpty());
}

TEST_F(Tables, ATableThatIsNotKeptPassesChangesOn) {
  builder_.table<Text, Number>("rows").to_stream().to("out");

  row("a", 1);
  row("a", kGone);

  EXPECT_THAT(out(), ElementsAre(Numbers{"a", 1, 0}, Numbers{"a", kGone, 0}));
}

TEST_F(Tables, ANamedTableIsKeptAndCanBeQueried) {
  auto table = builder_.table<Text, Number>("rows", {}, {.store = "s"});

  row("a", 1);
  row("b", 2);
  row("a", kGone);

  EXPECT_EQ(table.queryable_store_name(), "s");
  auto& store = world().key_value_store<Text, Number>("s");
  EXPECT_EQ(store.get("a"), nullptr);
  EXPECT_EQ(*store.get("b"), 2);
}

TEST_F(Tables, AnEarlierRecordThatArrivesLateOverwrites) {
  builder_.table<Text, Number>("rows", {}, {.store = "s"}).to_stream().to("out");

  row("a", 1, 50);
  row("a", 2, 20);

  EXPECT_THAT(out(), ElementsAre(Numbers{"a", 1, 50}, Numbers{"a", 2, 20}));
}

TEST_F(Tables, ANullKeyIsDropped) {
  builder_.table<Text, Number>("rows").to_stream().to("out");

  world().pipe<Text, Number>("rows", std::nullopt, 1, 0);

  EXPECT_THAT(out(), IsEmpty());
  EXPECT_EQ(world().drops(), 1);
}

TEST_F(Tables, AFilterDeletesWhatItDoesNotKeepEvenIfItNeverWasThere) {
  builder_.table<Text, Number>("rows").filter(is_large).to_stream().to("out");

  row("a", 1);
  row("a", 50);
  row("a", 2);

  EXPECT_THAT(out(), ElementsAre(Numbers{"a", kGone, 0}, Numbers{"a", 50, 0},
                                 Numbers{"a", kGone, 0}));
}

TEST_F(Tables, AFilterOfAKeptTableKnowsWhatNeverWasThere) {
  builder_.table<Text, Number>("rows", {}, {.store = "s"}).filter(is_large).to_stream().to("out");

  row("a", 1);
  row("a", 50);
  row("a", 2);
  row("a", 3);

  EXPECT_THAT(out(), ElementsAre(Numbers{"a", 50, 0}, Numbers{"a", kGone, 0}));
}

TEST_F(Tables, FilterNotKeepsTheRest) {
  builder_.table<Text, Number>("rows").filter_not(is_large).to_stream().to("out");

  row("a", 1);
  row("b", 50);

  EXPECT_THAT(out(), ElementsAre(Numbers{"a", 1, 0}, Numbers{"b", kGone, 0}));
}

TEST_F(Tables, AFilterWithANamedStoreIsKept) {
  builder_.table<Text, Number>("rows").filter(is_large, {.store = "large"});

  row("a", 50);
  row("b", 1);

  auto& store = world().key_value_store<Text, Number>("large");
  EXPECT_EQ(*store.get("a"), 50);
  EXPECT_EQ(store.get("b"), nullptr);
}

TEST_F(Tables, MapValuesDoesNotSeeDeletions) {
  builder_.table<Text, Number>("rows").map_values([](Number n) { return n * 2; }).to_stream().to(
      "out");

  row("a", 4);
  row("a", kGone);

  EXPECT_THAT(out(), ElementsAre(Numbers{"a", 8, 0}, Numbers{"a", kGone, 0}));
}

TEST_F(Tables, MapValuesMayDelete) {
  builder_.table<Text, Number>("rows")
      .map_values([](const Text&, Number n) { return n < 0 ? std::nullopt : std::optional(n); },
                  {.store = "positive"})
      .to_stream()
      .to("out");

  row("a", 4);
  row("a", -4);

  EXPECT_THAT(out(), ElementsAre(Numbers{"a", 4, 0}, Numbers{"a", kGone, 0}));
  EXPECT_EQ((world().key_value_store<Text, Number>("positive").get("a")), nullptr);
}

TEST_F(Tables, AStreamBecomesATable) {
  builder_.stream<std::optional<Text>, std::optional<Number>>("rows")
      .to_table({.store = "s"})
      .to_stream()
      .to("out");

  row("a", 1);
  row("a", kGone);
  world().pipe<Text, Number>("rows", std::nullopt, 1, 0);

  EXPECT_THAT(out(), ElementsAre(Numbers{"a", 1, 0}, Numbers{"a", kGone, 0}));
  EXPECT_EQ(world().drops(), 1);
}

TEST_F(Tables, TheExtractorSeesTombstones) {
  builder_
      .table<Text, Number>("rows", {.timestamp_extractor = [](const Text&, std::optional<Number> n,
                                                              Timestamp time, Timestamp) {
        return n ? from_millis(*n) : time;
      }})
      .to_stream()
      .to("out");

  row("a", 500, 3);
  row("a", kGone, 4);

  EXPECT_THAT(out(), ElementsAre(Numbers{"a", 500, 500}, Numbers{"a", kGone, 4}));
}

TEST_F(Tables, WithACacheARowThatComesAndGoesInOneCommitIsNotSeen) {
  options_.caching = true;
  builder_.stream<Text, Number>("rows")
      .flat_map_values([](Number n) {
        return std::vector<std::optional<Number>>{n, std::nullopt};
      })
      .to_table({.store = "s"})
      .to_stream()
      .to("out");

  row("a", 1);

  EXPECT_THAT(out(), IsEmpty());
}

}  // namespace
}  // namespace thalweg
