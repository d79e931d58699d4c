// Rules of Kafka Streams for the plan: what needs a repartition topic, how nodes and topics are
// named, what branches become, where topics are read from, what keeps state on disk.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thalweg/state/simulated_storage.h>
#include <thalweg/topology/streams_builder.h>

#include "topology/topology_world.h"

namespace thalweg {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Out;
using ::testing::Pair;
using ::testing::ThrowsMessage;
using testing::TopologyWorld;
using namespace std::chrono_literals;
using Text = std::string;
using Texts = Out<Text, Text>;

/// What a plan has, once `operators` have been applied to a stream.
std::size_t repartition_topics_behind(
    const std::function<KStream<Text, Text>(KStream<Text, Text>)>& operators) {
  StreamsBuilder builder;
  operators(builder.stream<Text, Text>("in")).group_by_key().count();
  return builder.build().repartition_topics().size();
}

const auto kPair = [](const Text& key, const Text& value) { return std::pair(key, value); };

/// Passes on what it gets.
struct Same final : Processor<Text, Text> {
  void process(const RecordRef<Text, Text>& record) override {
    context().forward(record.key, record.value);
  }
};
struct SameValue final : FixedKeyProcessor<Text, Text> {
  void process(const RecordRef<Text, Text>& record) override { context().forward(record.value); }
};

TEST(RepartitionTopics, AreNeededBehindWhatMayChangeAKey) {
  using Stream = KStream<Text, Text>;
  const auto all = [](const Text& key, const Text& value) {
    return std::vector<std::pair<Text, Text>>{{key, value}};
  };
  EXPECT_EQ(repartition_topics_behind([](Stream s) { return s.map(kPair); }), 1u);
  EXPECT_EQ(repartition_topics_behind([&](Stream s) { return s.flat_map(all); }), 1u);
  EXPECT_EQ(repartition_topics_behind([](Stream s) {
              return s.select_key([](const Text&, const Text& value) { return value; });
            }),
            1u);
  EXPECT_EQ(repartition_topics_behind(
                [](Stream s) { return s.process([] { return std::make_unique<Same>(); }); }),
            1u);
  EXPECT_EQ(repartition_topics_behind([](Stream s) { return s.merge(s.map(kPair)); }), 1u);
}

TEST(RepartitionTopics, AreNotNeededBehindWhatKeepsIt) {
  using Stream = KStream<Text, Text>;
  const auto true_for_all = [](const Text&, const Text&) { return true; };
  const auto same = [](const Text& value) { return value; };
  const auto twice = [](const Text& value) { return std::vector{value, value}; };
  EXPECT_EQ(repartition_topics_behind([](Stream s) { return s; }), 0u);
  EXPECT_EQ(repartition_topics_behind([&](Stream s) { return s.filter(true_for_all); }), 0u);
  EXPECT_EQ(repartition_topics_behind([&](Stream s) { return s.map_values(same); }), 0u);
  EXPECT_EQ(repartition_topics_behind([&](Stream s) { return s.flat_map_values(twice); }), 0u);
  EXPECT_EQ(
      repartition_topics_behind([](Stream s) { return s.peek([](const Text&, const Text&) {}); }),
      0u);
  EXPECT_EQ(repartition_topics_behind([](Stream s) {
              return s.process_values([] { return std::make_unique<SameValue>(); });
            }),
            0u);
  EXPECT_EQ(repartition_topics_behind([&](Stream s) { return s.merge(s.filter(true_for_all)); }),
            0u);
}

TEST(RepartitionTopics, OfOnesOwnKeepNullKeysForALeftJoinOnly) {
  const auto joined = [](bool left) {
    StreamsBuilder builder;
    using Key = std::optional<Text>;
    const auto rows = builder.table<Text, Text>("rows");
    const auto stream = builder.stream<Key, Text>("in").repartition({.name = "own"});
    if (left) {
      stream.left_join(rows, [](const Text& value, const Text*) { return value; }).to("out");
    } else {
      stream.join(rows, [](const Text& value, const Text&) { return value; }).to("out");
    }
    TopologyWorld world(builder.build());
    world.pipe<Text, Text>("in", std::nullopt, "a", 0);
    return world.drain<Text, Text>("out");
  };

  EXPECT_THAT(joined(true), ElementsAre(Texts{std::nullopt, "a", 0}));
  EXPECT_THAT(joined(false), ::testing::IsEmpty());
}

TEST(Names, OfOnesOwnTakeANumberToo) {
  StreamsBuilder builder;
  builder.stream<Text, Text>("in", {.name = "source"})
      .filter([](const Text&, const Text&) { return true; }, {.name = "mine"})
      .map_values([](const Text& value) { return value; })
      .to("out");

  EXPECT_THAT(builder.build().describe().to_text(), HasSubstr("KSTREAM-MAPVALUES-0000000002"));
}

TEST(Names, OfAGroupingAreThoseOfItsRepartition) {
  StreamsBuilder builder;
  builder.stream<Text, Text>("in")
      .group_by([](const Text&, const Text& value) { return value; }, {.name = "by-value"})
      .count();
  const Text plan = builder.build().describe().to_text();

  for (const char* node : {"by-value-repartition-sink", "by-value-repartition-filter",
                           "by-value-repartition-source", "(topic: by-value-repartition)"}) {
    EXPECT_THAT(plan, HasSubstr(node));
  }
}

TEST(Names, OfAForeignKeyJoinsTopicsEndInTopic) {
  StreamsBuilder builder;
  const auto left = builder.table<Text, Text>("l");
  const auto right = builder.table<Text, Text>("r");
  left.join(
      right, [](const Text& value) { return value; },
      [](const Text& a, const Text& b) { return a + b; });
  const Text plan = builder.build().describe().to_text();

  EXPECT_THAT(plan, HasSubstr("KTABLE-FK-JOIN-SUBSCRIPTION-REGISTRATION-0000000006-topic"));
  EXPECT_THAT(plan, HasSubstr("KTABLE-FK-JOIN-SUBSCRIPTION-RESPONSE-0000000014-topic"));
}

// --- Branches -----------------------------------------------------------------------------------

TEST(Branches, MayBeContinuedOrTakenWhereTheyAreMade) {
  StreamsBuilder builder;
  const auto begins_with = [](const char* letter) {
    return [letter](const Text&, const Text& value) { return value.starts_with(letter); };
  };
  const auto branches =
      builder.stream<Text, Text>("in")
          .split({.name = "in-"})
          .branch(begins_with("a"),
                  {.name = "a",
                   .chain =
                       [](KStream<Text, Text> branch) {
                         return branch.map_values([](const Text& value) { return value + "!"; });
                       }})
          .branch(begins_with("b"),
                  {.name = "b", .consumer = [](KStream<Text, Text> branch) { branch.to("bs"); }})
          .default_branch({.name = "rest"});
  EXPECT_THAT(branches, ElementsAre(Pair("in-a", ::testing::_), Pair("in-rest", ::testing::_)));
  branches.at("in-a").to("as");

  TopologyWorld world(builder.build());
  for (const char* value : {"apple", "bread", "cake"}) world.pipe<Text, Text>("in", "k", value, 0);

  EXPECT_THAT((world.drain<Text, Text>("as")), ElementsAre(Texts{"k", "apple!", 0}));
  EXPECT_THAT((world.drain<Text, Text>("bs")), ElementsAre(Texts{"k", "bread", 0}));
}

TEST(Branches, AreContinuedOrTakenButNotBoth) {
  StreamsBuilder builder;
  auto split = builder.stream<Text, Text>("in").split({.name = "in-"});
  EXPECT_THAT(
      [&] {
        split.default_branch({.name = "rest",
                              .chain = [](KStream<Text, Text> branch) { return branch; },
                              .consumer = [](KStream<Text, Text>) {}});
      },
      ThrowsMessage<TopologyError>(HasSubstr("branch in-rest can be chained or consumed")));
}

// --- Where topics are read from, where state is kept --------------------------------------------

TEST(Resets, OfTwoStreamsOfATopicMustBeTheSame) {
  StreamsBuilder builder;
  builder.stream<Text, Text>("in").to("a");
  builder.stream<Text, Text>("in", {.auto_offset_reset = AutoOffsetReset::earliest()}).to("b");

  EXPECT_THAT([&] { builder.build(); },
              ThrowsMessage<TopologyError>(HasSubstr("different offset reset policies")));
}

TEST(Resets, MayBeADurationThatIsNotNegative) {
  EXPECT_EQ(AutoOffsetReset::by_duration(5min), AutoOffsetReset::by_duration(300s));
  EXPECT_THROW(AutoOffsetReset::by_duration(-1ms), std::invalid_argument);
}

TEST(DslStores, AreWhatTheBuilderWasToldUnlessTheirOptionsSayOtherwise) {
  StreamsBuilder builder(DslStore::kInMemory);
  const auto grouped = builder.stream<Text, Text>("in").group_by_key();
  grouped.count({.store = "counts"});
  grouped.windowed_by(TimeWindows::of_size_with_no_grace(10ms)).count({.store = "windows"});
  grouped.count({.store = "kept", .persistent = true});
  const Topology topology = builder.build();

  SimulatedStorage disk;
  const auto is_kept = [&](const char* name) {
    const auto store = topology.store_builder(name).build();
    EXPECT_TRUE(store->open({.storage = &disk, .family = name}));
    return store->persistent();
  };
  EXPECT_FALSE(is_kept("counts"));
  EXPECT_FALSE(is_kept("windows"));
  EXPECT_TRUE(is_kept("kept"));
}

}  // namespace
}  // namespace thalweg
