// Tables grouped by another key: what moves between groups, and how it travels.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thalweg/topology/internal/change_serde.h>
#include <thalweg/topology/streams_builder.h>

#include "topology/topology_world.h"

namespace thalweg {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using testing::Out;
using testing::TopologyWorld;
using Text = std::string;
using Number = std::int64_t;
using Numbers = Out<Text, Number>;

constexpr auto kGone = std::nullopt;

/// Rows are numbers; a number's group is its first digit, its value the rest.
std::pair<Text, Number> by_first_digit(const Text&, Number n) {
  return {std::to_string(n / 10), n % 10};
}

class GroupedTables : public ::testing::Test {
 protected:
  KGroupedTable<Text, Number> grouped(const Text& name = {}) {
    return builder_.table<Text, Number>("rows").group_by(by_first_digit, {.name = name});
  }
  KTable<Text, Number> summed(const KGroupedTable<Text, Number>& group) {
    return group.aggregate([] { return Number{100}; },
                           [](const Text&, Number value, Number sum) { return sum + value; },
                           [](const Text&, Number value, Number sum) { return sum - value; },
                           {.store = "sums"});
  }
  TopologyWorld& world() {
    if (!world_) world_ = std::make_unique<TopologyWorld>(builder_.build(), options_);
    return *world_;
  }
  void row(const Text& key, std::optional<Number> value, std::int64_t time = 0) {
    world().pipe<Text, Number>("rows", key, value, time);
  }
  std::vector<Numbers> out() { return world().drain<Text, Number>("out"); }
  /// The values that went through the repartition topic, their bytes in hexadecimal.
  std::vector<Text> travelled(const Text& topic) {
    std::vector<Text> all;
    for (const auto& sent : world().drain_raw(topic)) {
      Text hex;
      for (const char c : *sent.value) {
        constexpr std::string_view kDigits = "0123456789abcdef";
        hex += kDigits[static_cast<unsigned char>(c) >> 4];
        hex += kDigits[static_cast<unsigned char>(c) & 15];
      }
      all.push_back(*sent.key + ":" + hex);
    }
    return all;
  }

  StreamsBuilder builder_;
  TopologyWorld::Options options_;
  std::unique_ptr<TopologyWorld> world_;
};

TEST_F(GroupedTables, ARowIsCountedInItsGroup) {
  grouped().count().to_stream().to("out");

  row("a", 11, 1);
  row("b", 12, 2);
  row("a", 21, 3);
  row("b", kGone, 4);

  EXPECT_THAT(out(), ElementsAre(Numbers{"1", 1, 1}, Numbers{"1", 2, 2}, Numbers{"1", 1, 3},
                                 Numbers{"2", 1, 3}, Numbers{"1", 0, 4}));
}

TEST_F(GroupedTables, AChangeWithinAGroupIsOneUpdate) {
  summed(grouped()).to_stream().to("out");

  row("a", 11, 5);
  row("a", 15, 3);

  EXPECT_THAT(out(), ElementsAre(Numbers{"1", 101, 5}, Numbers{"1", 105, 5}));
}

TEST_F(GroupedTables, AnAggregateThatIsGoneBeginsAnew) {
  const auto drop_at_zero = [](Number sum) {
    return sum == 0 ? std::optional<Number>() : std::optional<Number>(sum);
  };
  grouped()
      .aggregate([] { return Number{0}; },
                 [](const Text&, Number value, Number sum) { return sum + value; },
                 [drop_at_zero](const Text&, Number value, Number sum) {
                   return drop_at_zero(sum - value);
                 })
      .to_stream()
      .to("out");

  row("a", 11);
  row("a", 14);
  row("a", kGone);
  row("a", 12);

  EXPECT_THAT(out(), ElementsAre(Numbers{"1", 1, 0}, Numbers{"1", 4, 0}, Numbers{"1", kGone, 0},
                                 Numbers{"1", 2, 0}));
}

TEST_F(GroupedTables, ReduceTakesTheFirstValueAsItIs) {
  grouped()
      .reduce([](Number sum, Number value) { return sum + value; },
              [](Number sum, Number value) { return sum - value; })
      .to_stream()
      .to("out");

  row("a", 11);
  row("b", 12);
  row("a", 21);

  EXPECT_THAT(out(), ElementsAre(Numbers{"1", 1, 0}, Numbers{"1", 3, 0}, Numbers{"1", 2, 0},
                                 Numbers{"2", 1, 0}));
}

TEST_F(GroupedTables, ARowWithoutAGroupIsInNone) {
  builder_.table<Text, Number>("rows")
      .group_by([](const Text&, Number n) {
        return std::pair(n > 9 ? std::optional<Text>("large") : std::optional<Text>(), n);
      })
      .count()
      .to_stream()
      .to("out");

  row("a", 5);
  row("a", 50);
  row("a", 6);

  EXPECT_THAT(out(), ElementsAre(Numbers{"large", 1, 0}, Numbers{"large", 0, 0}));
}

TEST_F(GroupedTables, ChangesTravelInKafkaStreamsBytes) {
  grouped("by-digit").count();

  row("a", 11);
  row("a", 12);
  row("a", 21);

  EXPECT_THAT(travelled("app-by-digit-repartition"),
              ElementsAre("1:000000000000000101", "1:100000000000000002000000000000000102",
                          "1:000000000000000200", "2:000000000000000101"));
}

TEST_F(GroupedTables, ANamedGroupingHasOneRepartitionTopicForAll) {
  auto group = grouped("by-digit");
  group.count();
  summed(group);

  EXPECT_THAT(builder_.build().repartition_topics(), SizeIs(1));
}

TEST_F(GroupedTables, AnUnnamedGroupingHasOneForEachAggregation) {
  auto group = grouped();
  group.count();
  summed(group);

  EXPECT_THAT(builder_.build().repartition_topics(), SizeIs(2));
}

TEST_F(GroupedTables, AGroupedFilterWorksOnWhatItLetThroughBefore) {
  builder_.table<Text, Number>("rows")
      .filter([](const Text&, Number n) { return n % 2 == 1; })
      .group_by(by_first_digit)
      .count()
      .to_stream()
      .to("out");

  row("a", 11);
  row("a", 12);
  row("a", 12);

  EXPECT_THAT(out(), ElementsAre(Numbers{"1", 1, 0}, Numbers{"1", 0, 0}));
}

TEST_F(GroupedTables, TheFirstCountOfAKeyReplacesTheSeedItBeganWith) {
  builder_.table<Text, Number>("rows").to_stream().map_values(
      [](const std::optional<Number>& n) { return n.value_or(0); })
      .group_by_key()
      .count()
      .group_by([](const Text&, Number count) { return std::pair(Text("all"), count); })
      .count()
      .to_stream()
      .to("out");

  row("a", 1);

  // As in Kafka Streams: one row more, and none less, though the seed never was a row.
  EXPECT_THAT(out(), ElementsAre(Numbers{"all", 1, 0}));
}

// --- The bytes of a change ------------------------------------------------------------------

using Change = internal::RepartitionedChange<Text>;

class ChangeBytesOf : public ::testing::Test {
 protected:
  Text written(std::optional<Text> new_value, std::optional<Text> old_value) {
    Text bytes = "before";
    serde_.serialize({std::move(new_value), std::move(old_value)}, bytes);
    return bytes.substr(Text("before").size());
  }
  Change read(const Text& bytes) {
    Change change;
    serde_.deserialize(bytes, change);
    return change;
  }

  internal::ChangeSerde<Text> serde_{AnySerde<Text>{}};
};

TEST_F(ChangeBytesOf, EachKindComesBackAsItWas) {
  const Text long_value(300, 'x');
  for (const auto& [new_value, old_value] :
       std::vector<std::pair<std::optional<Text>, std::optional<Text>>>{
           {"n", kGone}, {kGone, "o"}, {"n", "o"}, {"", ""}, {long_value, "o"}}) {
    const Change change = read(written(new_value, old_value));
    EXPECT_EQ(change.new_value, new_value);
    EXPECT_EQ(change.old_value, old_value);
  }
}

TEST_F(ChangeBytesOf, FormatsWithAFlagAreReadToo) {
  EXPECT_EQ(read(Text("n\1\4", 3)).new_value, "n");
  EXPECT_EQ(read(Text("o\1\3", 3)).old_value, "o");
  EXPECT_EQ(read(Text("\2no\1\5", 5)).old_value, "o");
}

TEST_F(ChangeBytesOf, DamagedBytesAreRefused) {
  for (const Text& bytes : {Text(), Text("x\7"), Text("\10ab\2"), Text("\1ab\2"), Text("\3"),
                            Text("\377\377\377\377\377\377\2")}) {
    EXPECT_THROW(read(bytes), SerdeError);
  }
}

}  // namespace
}  // namespace thalweg
