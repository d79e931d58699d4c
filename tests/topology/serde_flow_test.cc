// Where serdes come from: options, upstream, or the type; and what happens where there is none.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include <thalweg/topology/streams_builder.h>

#include "topology/topology_world.h"

namespace thalweg {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;
using testing::TopologyWorld;
using Text = std::string;

/// Text between brackets: to be told from the plain form.
struct Bracketed {
  void serialize(const Text& value, std::string& out) const { out += "[" + value + "]"; }
  void deserialize(BytesView bytes, Text& out) const {
    if (bytes.size() < 2) throw SerdeError("no brackets");
    out = bytes.substr(1, bytes.size() - 2);
  }
  SchemaPtr schema() const { return Serde<Text>::schema(); }
};

/// A type that never leaves the topology.
struct Parsed {
  Text text;
};

class SerdeFlow : public ::testing::Test {
 protected:
  auto bracketed() {
    return builder_.stream<Text, Text>("in", {.key_serde = AnySerde<Text>(Bracketed()),
                                              .value_serde = AnySerde<Text>(Bracketed())});
  }
  auto parsed() {
    return bracketed().map_values([](const Text& text) { return Parsed{text}; });
  }
  /// The bytes of what `topic` got for key k and value v.
  std::pair<Text, Text> written(const Text& topic) {
    TopologyWorld world(builder_.build());
    world.pipe<Text, Text>("in", "[k]", "[v]", 0);
    const auto records = world.drain_raw(topic);
    EXPECT_EQ(records.size(), 1) << topic;
    return {records.at(0).key.value(), records.at(0).value.value()};
  }

  StreamsBuilder builder_;
};

TEST_F(SerdeFlow, ASinkWritesWithTheSerdesOfTheSource) {
  bracketed().filter([](const Text&, const Text&) { return true; }).to("out");

  EXPECT_EQ(written("out"), std::pair(Text("[k]"), Text("[v]")));
}

TEST_F(SerdeFlow, ANewValueHasItsTypesOwnSerde) {
  bracketed().map_values([](const Text& text) { return text + "!"; }).to("out");

  EXPECT_EQ(written("out"), std::pair(Text("[k]"), Text("v!")));
}

TEST_F(SerdeFlow, ANewKeyHasItsTypesOwnSerde) {
  bracketed().select_key([](const Text& key, const Text&) { return key + "!"; }).to("out");

  EXPECT_EQ(written("out"), std::pair(Text("k!"), Text("[v]")));
}

TEST_F(SerdeFlow, OptionsComeFirst) {
  bracketed().to("out", {.value_serde = AnySerde<Text>()});

  EXPECT_EQ(written("out"), std::pair(Text("[k]"), Text("v")));
}

TEST_F(SerdeFlow, ARepartitionTopicAndWhatFollowsItInherit) {
  bracketed().repartition({.name = "r"}).to("out");

  EXPECT_EQ(written("app-r-repartition"), std::pair(Text("[k]"), Text("[v]")));
}

TEST_F(SerdeFlow, TablesOfAGroupingInheritTheKeys) {
  bracketed().group_by_key().count({.store = "counts"}).to_stream().map_values([](const auto&) {
    return Text("n");
  }).to("out");

  EXPECT_EQ(written("out").first, "[k]");
}

TEST_F(SerdeFlow, TypesWithoutSerdeMayPassBetweenOperators) {
  parsed().map_values([](const Parsed& value) { return value.text; }).to("out");

  EXPECT_EQ(written("out").second, "v");
}

TEST_F(SerdeFlow, TypesWithoutSerdeMayBeGroupedAndCountedUnderTheirKey) {
  parsed().group_by_key().count().to_stream().to("out");

  EXPECT_NO_THROW(builder_.build());
}

TEST_F(SerdeFlow, ASinkWithoutSerdeIsRefusedByName) {
  EXPECT_THAT([this] { parsed().to("out", {.name = "end"}); },
              ThrowsMessage<TopologyError>(
                  HasSubstr("sink end to topic out needs a serde for its value")));
}

TEST_F(SerdeFlow, ARepartitionWithoutSerdeIsRefusedByName) {
  EXPECT_THAT(
      [this] {
        parsed()
            .group_by([](const Text& key, const Parsed&) { return key; }, {.name = "by-key"})
            .count();
      },
      ThrowsMessage<TopologyError>(HasSubstr("repartition topic by-key needs a serde for its "
                                             "value, but thalweg::")));
}

TEST_F(SerdeFlow, AStoreWithoutSerdeIsRefusedByName) {
  parsed().group_by_key().reduce([](Parsed a, const Parsed&) { return a; }, {.store = "s"});

  EXPECT_THAT([this] { builder_.build(); },
              ThrowsMessage<TopologyError>(HasSubstr("store s needs a serde for its value")));
}

}  // namespace
}  // namespace thalweg
