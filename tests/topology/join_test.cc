// Joins of a stream with a table: which records find which rows.

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
using Texts = Out<Text, Text>;
using MaybeText = std::optional<Text>;

class StreamTableJoin : public ::testing::Test {
 protected:
  auto orders() { return builder_.stream<Text, Text>("orders"); }
  auto users() { return builder_.table<Text, Text>("users"); }

  TopologyWorld& world() {
    if (!world_) world_ = std::make_unique<TopologyWorld>(builder_.build());
    return *world_;
  }
  void user(const Text& key, MaybeText name, std::int64_t time = 0) {
    world().pipe<Text, Text>("users", key, name, time);
  }
  void order(const MaybeText& key, MaybeText item, std::int64_t time = 0) {
    world().pipe<Text, Text>("orders", key, item, time);
  }
  std::vector<Texts> out() { return world().drain<Text, Text>("out"); }

  StreamsBuilder builder_;
  std::unique_ptr<TopologyWorld> world_;
};

Text both(const Text& item, const Text& user) { return item + " for " + user; }

TEST_F(StreamTableJoin, ARecordFindsTheRowAsItIsNow) {
  orders().join(users(), both).to("out");

  order("u1", "tea");
  user("u1", "Ada");
  order("u1", "milk");
  user("u1", "Grace");
  order("u1", "bread");

  EXPECT_THAT(out(), ElementsAre(Texts{"u1", "milk for Ada", 0},
                                 Texts{"u1", "bread for Grace", 0}));
}

TEST_F(StreamTableJoin, TheTimeIsTheRecordsEvenIfTheRowIsLater) {
  orders().join(users(), both).to("out");

  user("u1", "Ada", 900);
  order("u1", "tea", 5);

  EXPECT_THAT(out(), ElementsAre(Texts{"u1", "tea for Ada", 5}));
}

TEST_F(StreamTableJoin, TheJoinerMayAskForTheKey) {
  orders()
      .join(users(), [](const Text& key, const Text& item, const Text& user) {
        return key + ":" + both(item, user);
      })
      .to("out");

  user("u1", "Ada");
  order("u1", "tea");

  EXPECT_THAT(out(), ElementsAre(Texts{"u1", "u1:tea for Ada", 0}));
}

TEST_F(StreamTableJoin, ALeftJoinEmitsRecordsWithoutARow) {
  orders()
      .left_join(users(), [](const Text& item, const Text* user) {
        return item + " for " + (user ? *user : "nobody");
      })
      .to("out");

  order("u1", "tea");
  user("u1", "Ada");
  order("u1", "milk");

  EXPECT_THAT(out(),
              ElementsAre(Texts{"u1", "tea for nobody", 0}, Texts{"u1", "milk for Ada", 0}));
}

TEST_F(StreamTableJoin, ALeftJoinerMayTakeAnOptional) {
  orders()
      .left_join(users(),
                 [](const Text& item, std::optional<Text> user) {
                   return item + " for " + user.value_or("nobody");
                 })
      .to("out");

  order("u1", "tea");

  EXPECT_THAT(out(), ElementsAre(Texts{"u1", "tea for nobody", 0}));
}

TEST_F(StreamTableJoin, NullKeysAndValuesDropOutOfAnInnerJoin) {
  builder_.stream<MaybeText, MaybeText>("orders").join(users(), both).to("out");

  order(std::nullopt, "tea");
  order("u1", std::nullopt);

  EXPECT_THAT(out(), IsEmpty());
  EXPECT_EQ(world().drops(), 2);
}

TEST_F(StreamTableJoin, ANullKeyHasNoRowInALeftJoin) {
  builder_.stream<MaybeText, MaybeText>("orders")
      .left_join(users(), [](const Text& item, const Text* user) {
        return item + (user ? "+" : "-");
      })
      .to("out");

  order(std::nullopt, "tea");
  order("u1", std::nullopt);

  EXPECT_THAT(out(), ElementsAre(Texts{std::nullopt, "tea-", 0}));
  EXPECT_EQ(world().drops(), 1);
}

TEST_F(StreamTableJoin, ANewKeyIsRepartitionedFirst) {
  orders()
      .select_key([](const Text&, const Text& item) { return item; })
      .join(users(), both, {.name = "by-item"})
      .to("out");

  user("tea", "Ada");
  order("o1", "tea");

  EXPECT_THAT(out(), ElementsAre(Texts{"tea", "tea for Ada", 0}));
  EXPECT_THAT((world().drain<Text, Text>("app-by-item-repartition")),
              ElementsAre(Texts{"tea", "tea", 0}));
}

TEST_F(StreamTableJoin, NullKeysReachALeftJoinThroughItsRepartitionTopic) {
  orders()
      .select_key([](const Text&, const Text& item) {
        return item == "tea" ? std::nullopt : std::optional(item);
      })
      .left_join(users(), [](const Text& item, const Text*) { return item; })
      .to("out");

  order("o1", "tea");

  EXPECT_THAT(out(), ElementsAre(Texts{std::nullopt, "tea", 0}));
}

TEST_F(StreamTableJoin, NullKeysDoNotReachAnInnerJoinAtAll) {
  orders()
      .select_key([](const Text&, const Text&) { return MaybeText(); })
      .join(users(), both)
      .to("out");

  order("o1", "tea");

  EXPECT_THAT(out(), IsEmpty());
  EXPECT_EQ(world().drops(), 0) << "a null key before a repartition topic is not counted";
}

TEST_F(StreamTableJoin, RowsOfAFilteredTableAreComputed) {
  orders()
      .join(users()
                .filter([](const Text&, const Text& name) { return name != "Eve"; })
                .map_values([](const Text& name) { return "Dr. " + name; }),
            both)
      .to("out");

  user("u1", "Ada");
  user("u2", "Eve");
  order("u1", "tea");
  order("u2", "tea");

  EXPECT_THAT(out(), ElementsAre(Texts{"u1", "tea for Dr. Ada", 0}));
}

TEST_F(StreamTableJoin, ATableThatIsLookedUpIsKeptUnderAGeneratedName) {
  orders().join(users(), both);
  const Topology topology = builder_.build();

  EXPECT_THAT(topology.subtopologies().at(0).stores, ElementsAre("users-STATE-STORE-0000000001"));
  EXPECT_EQ(topology.changelog("users-STATE-STORE-0000000001")->topic,
            "users-STATE-STORE-0000000001-changelog");
}

TEST_F(StreamTableJoin, BothInputsAreCopartitioned) {
  orders().join(users(), both);

  EXPECT_THAT(builder_.build().copartition_groups(),
              ElementsAre(ElementsAre("orders", "users")));
}

}  // namespace
}  // namespace thalweg
