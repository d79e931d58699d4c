// What topology.optimization changes, and what the plan checks before it is run.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include <thalweg/topology/streams_builder.h>

#include "topology/topology_world.h"

namespace thalweg {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::ThrowsMessage;
using testing::Out;
using testing::TopologyWorld;
using Text = std::string;
using Count = Out<Text, std::int64_t>;

const auto kFirst = [](const Text&, const Text& value) { return value.substr(0, 1); };

class Optimization : public ::testing::Test {
 protected:
  auto texts(const Text& topic = "in") { return builder_.stream<Text, Text>(topic); }
  void count_and_reduce_by_first_letter() {
    const auto by_letter = texts().select_key(kFirst);
    by_letter.group_by_key().count().to_stream().to("counts");
    by_letter.group_by_key().reduce([](const Text& a, const Text& b) { return a + b; })
        .to_stream()
        .to("texts");
  }
  std::vector<Text> repartition_topics(const Topology& topology) {
    std::vector<Text> names;
    for (const auto& topic : topology.repartition_topics()) names.push_back(topic.name);
    return names;
  }

  StreamsBuilder builder_;
};

TEST_F(Optimization, WithoutItEachGroupingHasItsRepartitionTopic) {
  count_and_reduce_by_first_letter();

  EXPECT_THAT(repartition_topics(builder_.build()),
              ElementsAre("KSTREAM-AGGREGATE-STATE-STORE-0000000002-repartition",
                          "KSTREAM-REDUCE-STATE-STORE-0000000009-repartition"));
}

TEST_F(Optimization, MergesTheRepartitionTopicsOfOneChangeOfKey) {
  count_and_reduce_by_first_letter();
  const Topology topology = builder_.build({.optimization = "merge.repartition.topics"});

  EXPECT_THAT(repartition_topics(topology),
              ElementsAre("KSTREAM-AGGREGATE-STATE-STORE-0000000002-repartition"));
  EXPECT_THAT(topology.describe().to_text(),
              HasSubstr("Source: KSTREAM-AGGREGATE-STATE-STORE-0000000002-repartition-source"));
}

TEST_F(Optimization, AMergedTopicFeedsAllAggregations) {
  count_and_reduce_by_first_letter();
  TopologyWorld world(builder_.build({.optimization = "all"}));

  world.pipe<Text, Text>("in", "k", "ab", 0);
  world.pipe<Text, Text>("in", "k", "ac", 0);

  EXPECT_THAT((world.drain<Text, std::int64_t>("counts")),
              ElementsAre(Count{"a", 1, 0}, Count{"a", 2, 0}));
  EXPECT_EQ((world.drain<Text, Text>("texts").back()), (Out<Text, Text>{"a", "abac", 0}));
}

TEST_F(Optimization, AFilterBetweenMovesBehindTheMergedTopic) {
  const auto by_letter = texts().select_key(kFirst).filter(
      [](const Text& key, const Text&) { return key != "x"; });
  by_letter.group_by_key().count().to_stream().to("counts");
  by_letter.group_by_key().count().to_stream().to("again");
  TopologyWorld world(builder_.build({.optimization = "all"}));

  world.pipe<Text, Text>("in", "k", "x", 0);
  world.pipe<Text, Text>("in", "k", "a", 0);

  EXPECT_THAT((world.drain<Text, std::int64_t>("counts")), ElementsAre(Count{"a", 1, 0}));
  EXPECT_THAT((world.drain<Text, std::int64_t>("again")), ElementsAre(Count{"a", 1, 0}));
}

TEST_F(Optimization, ATableUsesItsSourceTopicAsChangelog) {
  builder_.table<Text, Text>("users", {}, {.store = "s"});
  const Topology topology = builder_.build({.optimization = "reuse.ktable.source.topics"});

  const auto changelog = topology.changelog("s");
  ASSERT_TRUE(changelog);
  EXPECT_EQ(changelog->topic, "users");
  EXPECT_FALSE(changelog->internal);
  EXPECT_FALSE(topology.store_builder("s").logging());
}

TEST_F(Optimization, WithoutItATableHasAChangelogOfItsOwn) {
  builder_.table<Text, Text>("users", {}, {.store = "s"});
  const Topology topology = builder_.build();

  EXPECT_EQ(topology.changelog("s")->topic, "s-changelog");
  EXPECT_TRUE(topology.changelog("s")->internal);
}

TEST_F(Optimization, AStoreWithoutLoggingHasNoChangelog) {
  builder_.table<Text, Text>("users", {}, {.store = "s", .logging = false});

  EXPECT_EQ(builder_.build().changelog("s"), std::nullopt);
}

TEST_F(Optimization, RulesThatDoNotExistAreRefused) {
  EXPECT_THAT([this] { builder_.build({.optimization = "everything"}); },
              ThrowsMessage<TopologyError>(HasSubstr("has no rule \"everything\"")));
}

class Plan : public Optimization {};

TEST_F(Plan, TwoStreamsOfATopicShareItsSource) {
  texts().to("first");
  texts().to("second");
  const Topology topology = builder_.build();

  EXPECT_THAT(topology.subtopologies(), SizeIs(1));
  EXPECT_THAT(topology.describe().subtopologies.at(0).nodes, SizeIs(3));
}

TEST_F(Plan, TwoStreamsOfATopicMustAgreeOnItsTypes) {
  texts().to("first");
  builder_.stream<Text, std::int64_t>("in").to("second");

  EXPECT_THAT([this] { builder_.build(); },
              ThrowsMessage<TopologyError>(HasSubstr("takes (std::string, long), but its parent")));
}

TEST_F(Plan, TopicsThatOverlapWithoutBeingEqualAreRefused) {
  texts("in").to("first");
  builder_.stream<Text, Text>({"in", "more"}).to("second");

  EXPECT_THAT([this] { builder_.build(); },
              ThrowsMessage<TopologyError>(HasSubstr(
                  "Two source nodes are subscribed to overlapping but not equal input topics")));
}

TEST_F(Plan, ATopicIsReadAsStreamOrAsTableButNotBoth) {
  texts("in").to("first");
  builder_.table<Text, Text>("in");

  EXPECT_THAT([this] { builder_.build(); },
              ThrowsMessage<TopologyError>(HasSubstr("Topic in has already been registered")));
}

TEST_F(Plan, NamesHaveKafkasLetters) {
  const auto name_filter = [this](const Text& name) {
    return [this, name] { texts().filter([](const auto&, const auto&) { return true; }, {name}); };
  };

  EXPECT_THAT(name_filter("bad name"),
              ThrowsMessage<TopologyError>(
                  "Name \"bad name\" is illegal, it contains a character other than ASCII "
                  "alphanumerics, '.', '_' and '-'"));
  EXPECT_THAT(name_filter(".."), ThrowsMessage<TopologyError>("Name cannot be \".\" or \"..\""));
  EXPECT_NO_THROW(name_filter("ok_Name-1.x")());
}

TEST_F(Plan, NamesFromStoreSuppliersAreNotLookedAtBeforeThereIsATopic) {
  const Materialized<Text, Text> named{.store = "bad name"};
  Materialized<Text, Text> supplied = named;
  supplied.store_supplier = true;
  const Materialized<Text, Text> nameless{.store_supplier = true};

  EXPECT_THROW((builder_.table<Text, Text>("a", {}, named)), TopologyError);
  builder_.table<Text, Text>("b", {}, supplied);
  EXPECT_EQ((builder_.table<Text, Text>("c", {}, nameless).queryable_store_name()), "");
  builder_.add_state_store(key_value_store_builder<Text, Text>("of one's own"));

  const Topology topology = builder_.build();
  EXPECT_NO_THROW(topology.store_builder("bad name"));
  EXPECT_NO_THROW(topology.store_builder(""));
}

TEST_F(Plan, RepartitionTopicsThatAreJoinedMustAgreeOnPartitions) {
  const auto left = texts("l").repartition({.name = "left", .partitions = 3});
  const auto right = texts("r").repartition({.name = "right", .partitions = 4}).to_table();
  left.join(right, [](const Text& a, const Text& b) { return a + b; });

  EXPECT_THAT([this] { builder_.build(); },
              ThrowsMessage<TopologyError>(
                  HasSubstr("do not have the same number of partitions: left-repartition=3, "
                            "right-repartition=4")));
}

TEST_F(Plan, SubTopologiesKnowTheirTopics) {
  texts().select_key(kFirst).repartition({.name = "r", .partitions = 7}).to("out");
  const Topology topology = builder_.build();

  const auto& subs = topology.subtopologies();
  ASSERT_THAT(subs, SizeIs(2));
  EXPECT_THAT(subs[0].source_topics, ElementsAre("in"));
  EXPECT_THAT(subs[0].repartition_sinks, ElementsAre("r-repartition"));
  EXPECT_THAT(subs[0].sink_topics, IsEmpty());
  EXPECT_THAT(subs[1].repartition_sources, ElementsAre("r-repartition"));
  EXPECT_THAT(subs[1].sink_topics, ElementsAre("out"));
  EXPECT_EQ(topology.repartition_topics().at(0).partitions, 7);
}

TEST_F(Plan, SchemasOfTopicsAreKnown) {
  texts().group_by_key().count().to_stream().to("counts");

  const auto schemas = builder_.build().topic_schemas();
  EXPECT_EQ(schemas.at("in").value->name(), "string");
  EXPECT_EQ(schemas.at("counts").value->name(), "i64");
}

TEST_F(Plan, ABuilderBuildsOnce) {
  texts().to("out");
  builder_.build();

  EXPECT_THROW(builder_.build(), TopologyError);
}

}  // namespace
}  // namespace thalweg
