// Several streams folded into one aggregate.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thalweg/topology/streams_builder.h>

#include "topology/topology_world.h"

namespace thalweg {
namespace {

using ::testing::ElementsAre;
using testing::Out;
using testing::TopologyWorld;
using Text = std::string;
using Texts = Out<Text, Text>;

Text add_item(const Text&, const Text& item, const Text& basket) { return basket + "+" + item; }
Text add_coupon(const Text&, const Text& coupon, const Text& basket) {
  return basket + "-" + coupon;
}

class Cogroups : public ::testing::Test {
 protected:
  KGroupedStream<Text, Text> grouped(const Text& topic) {
    return builder_.stream<Text, Text>(topic).group_by_key();
  }
  TopologyWorld& world() {
    if (!world_) world_ = std::make_unique<TopologyWorld>(builder_.build(), options_);
    return *world_;
  }
  void pipe(const Text& topic, const Text& key, const Text& value, std::int64_t time = 0) {
    world().pipe<Text, Text>(topic, key, value, time);
  }
  Text row_of(const Text& store, const Text& key) {
    const Text* row = world().key_value_store<Text, Text>(store).get(key);
    return row ? *row : "none";
  }
  std::vector<Texts> out() { return world().drain<Text, Text>("out"); }

  StreamsBuilder builder_;
  TopologyWorld::Options options_;
  std::unique_ptr<TopologyWorld> world_;
};

TEST_F(Cogroups, ItemsAndCouponsMeetInOneBasket) {
  grouped("items")
      .cogroup<Text>(add_item)
      .cogroup(grouped("coupons"), add_coupon)
      .aggregate([] { return Text("basket"); }, {.store = "baskets"})
      .to_stream()
      .to("out");

  pipe("items", "ann", "tea", 5);
  pipe("coupons", "ann", "10%", 3);
  pipe("items", "bob", "rum", 7);

  EXPECT_THAT(out(), ElementsAre(Texts{"ann", "basket+tea", 5}, Texts{"ann", "basket+tea-10%", 5},
                                 Texts{"bob", "basket+rum", 7}));
  EXPECT_EQ(row_of("baskets", "ann"), "basket+tea-10%");
}

TEST_F(Cogroups, WithCachingEachKeyIsForwardedOnceForARecord) {
  options_.caching = true;
  auto items = builder_.stream<Text, Text>("items");
  items.group_by_key()
      .cogroup<Text>(add_item)
      .cogroup(items.map_values([](const Text& item) { return item + "!"; }).group_by_key(),
               add_coupon)
      .aggregate([] { return Text(); })
      .to_stream()
      .to("out");

  pipe("items", "ann", "tea");

  EXPECT_THAT(out(), ElementsAre(Texts{"ann", "-tea!+tea", 0}));
}

TEST_F(Cogroups, AnAggregatorMayDeleteTheRowOfTheOthers) {
  grouped("items")
      .cogroup<Text>(add_item)
      .cogroup(grouped("checkouts"),
               [](const Text&, const Text&, const Text&) { return std::optional<Text>(); })
      .aggregate([] { return Text(); })
      .to_stream()
      .to("out");

  pipe("items", "ann", "tea", 9);
  pipe("checkouts", "ann", "cash", 4);
  pipe("items", "ann", "milk", 5);

  EXPECT_THAT(out(), ElementsAre(Texts{"ann", "+tea", 9}, Texts{"ann", std::nullopt, 9},
                                 Texts{"ann", "+milk", 5}));
}

TEST_F(Cogroups, AStreamWhoseKeyChangedIsRepartitionedUnderTheStoresName) {
  auto by_item = builder_.stream<Text, Text>("items").group_by(
      [](const Text&, const Text& item) { return item; });
  by_item.cogroup<Text>(add_item)
      .cogroup(grouped("coupons"), add_coupon)
      .aggregate([] { return Text(); }, {.store = "baskets"})
      .to_stream()
      .to("out");

  pipe("items", "ann", "tea");

  EXPECT_TRUE(world().was_sent_to("app-baskets-repartition"));
  EXPECT_THAT(out(), ElementsAre(Texts{"tea", "+tea", 0}));
}

TEST_F(Cogroups, AStreamAddedAgainGetsTheNewAggregator) {
  auto items = grouped("items");
  items.cogroup<Text>(add_item)
      .cogroup(items, add_coupon)
      .aggregate([] { return Text(); })
      .to_stream()
      .to("out");

  pipe("items", "ann", "tea");

  EXPECT_THAT(out(), ElementsAre(Texts{"ann", "-tea", 0}));
}

TEST_F(Cogroups, TheStreamsNeedEqualPartitionCounts) {
  grouped("items")
      .cogroup<Text>(add_item)
      .cogroup(grouped("coupons"), add_coupon)
      .aggregate([] { return Text(); });

  EXPECT_THAT(builder_.build().copartition_groups(), ElementsAre(ElementsAre("coupons", "items")));
}

TEST_F(Cogroups, NodesAreNamedAfterTheAggregation) {
  grouped("items")
      .cogroup<Text>(add_item)
      .cogroup(grouped("coupons"), add_coupon)
      .aggregate([] { return Text(); }, {.name = "basket"});

  const Text text = builder_.build().describe().to_text();
  EXPECT_NE(text.find("basket-cogroup-agg-0"), Text::npos);
  EXPECT_NE(text.find("basket-cogroup-agg-1"), Text::npos);
  EXPECT_NE(text.find("basket-cogroup-merge"), Text::npos);
}

}  // namespace
}  // namespace thalweg
