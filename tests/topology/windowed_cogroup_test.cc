// Several streams folded into one aggregate per window.

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

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using testing::Out;
using testing::TopologyWorld;
using Text = std::string;
using MaybeText = std::optional<Text>;
using Texts = Out<Text, Text>;

Text add_item(const Text&, const Text& item, const Text& basket) { return basket + "+" + item; }
Text add_coupon(const Text&, const Text& coupon, const Text& basket) {
  return basket + "-" + coupon;
}
/// `ann@10-20`: the key and its window.
Text windowed_text(const Windowed<Text>& key, const MaybeText&) {
  return key.key + "@" + std::to_string(to_millis(key.window.start)) + "-" +
         std::to_string(to_millis(key.window.end));
}

class WindowedCogroups : public ::testing::Test {
 protected:
  CogroupedKStream<Text, Text> baskets() {
    return builder_.stream<Text, Text>("items").group_by_key().cogroup<Text>(add_item).cogroup(
        builder_.stream<Text, Text>("coupons").group_by_key(), add_coupon);
  }
  void show(const KTable<Windowed<Text>, Text>& table) {
    table.to_stream().select_key(windowed_text).to("out");
  }
  TopologyWorld& world() {
    if (!world_) world_ = std::make_unique<TopologyWorld>(builder_.build(), options_);
    return *world_;
  }
  void pipe(const Text& topic, const Text& key, const Text& value, std::int64_t time) {
    world().pipe<Text, Text>(topic, key, value, time);
  }
  std::vector<Texts> out() { return world().drain<Text, Text>("out"); }

  StreamsBuilder builder_;
  TopologyWorld::Options options_;
  std::unique_ptr<TopologyWorld> world_;
};

TEST_F(WindowedCogroups, EachWindowHasABasketOfItsOwn) {
  show(baskets()
           .windowed_by(TimeWindows::of_size_with_no_grace(milliseconds(10)))
           .aggregate([] { return Text("basket"); }, {.store = "baskets"}));

  pipe("items", "ann", "tea", 5);
  pipe("coupons", "ann", "10%", 3);
  pipe("items", "ann", "rum", 12);

  EXPECT_THAT(
      out(), ElementsAre(Texts{"ann@0-10", "basket+tea", 5}, Texts{"ann@0-10", "basket+tea-10%", 5},
                         Texts{"ann@10-20", "basket+rum", 12}));
}

TEST_F(WindowedCogroups, WithCachingAWindowIsForwardedOnceForARecord) {
  options_.caching = true;
  auto items = builder_.stream<Text, Text>("items");
  show(items.group_by_key()
           .cogroup<Text>(add_item)
           .cogroup(items.map_values([](const Text& item) { return item + "!"; }).group_by_key(),
                    add_coupon)
           .windowed_by(TimeWindows::of_size_with_no_grace(milliseconds(10)))
           .aggregate([] { return Text(); }));

  pipe("items", "ann", "tea", 5);

  EXPECT_THAT(out(), ElementsAre(Texts{"ann@0-10", "-tea!+tea", 5}));
}

TEST_F(WindowedCogroups, EachStreamsOwnTimeDecidesWhatIsLate) {
  show(baskets()
           .windowed_by(TimeWindows::of_size_with_no_grace(milliseconds(10)))
           .aggregate([] { return Text(); }, {.retention = milliseconds(100)}));

  pipe("items", "ann", "tea", 25);
  pipe("coupons", "ann", "10%", 5);
  pipe("items", "ann", "rum", 5);

  EXPECT_THAT(out(), ElementsAre(Texts{"ann@20-30", "+tea", 25}, Texts{"ann@0-10", "-10%", 5}));
}

TEST_F(WindowedCogroups, SlidingWindowsHoldWhatIsCloseTogether) {
  show(baskets()
           .windowed_by(SlidingWindows::of_time_difference_with_no_grace(milliseconds(10)))
           .aggregate([] { return Text(); }));

  pipe("items", "ann", "tea", 20);
  pipe("coupons", "ann", "10%", 25);

  EXPECT_THAT(out(), ElementsAre(Texts{"ann@10-20", "+tea", 20}, Texts{"ann@21-31", "-10%", 25},
                                 Texts{"ann@15-25", "+tea-10%", 25}));
}

TEST_F(WindowedCogroups, OneWindowWithoutEndHoldsEverything) {
  show(baskets().windowed_by(UnlimitedWindows::of()).aggregate([] { return Text(); }));

  pipe("items", "ann", "tea", 5);
  pipe("coupons", "ann", "10%", 5'000'000);

  const Text window = "ann@0-" + std::to_string(to_millis(kEndOfTime));
  EXPECT_THAT(out(), ElementsAre(Texts{window, "+tea", 5}, Texts{window, "+tea-10%", 5'000'000}));
}

TEST_F(WindowedCogroups, ACouponJoinsTheSessionsOfTwoItems) {
  show(baskets()
           .windowed_by(SessionWindows::of_inactivity_gap_with_no_grace(milliseconds(10)))
           .aggregate([] { return Text(); },
                      [](const Text&, const Text& a, const Text& b) { return a + b; },
                      {.retention = milliseconds(100)}));

  pipe("items", "ann", "tea", 0);
  pipe("items", "ann", "rum", 20);
  pipe("coupons", "ann", "10%", 10);

  EXPECT_THAT(out(),
              ElementsAre(Texts{"ann@0-0", "+tea", 0}, Texts{"ann@20-20", "+rum", 20},
                          Texts{"ann@0-0", std::nullopt, 0}, Texts{"ann@20-20", std::nullopt, 20},
                          Texts{"ann@0-20", "+tea+rum-10%", 20}));
}

TEST_F(WindowedCogroups, OnlyAnAggregatorThatTakesNullGetsIt) {
  auto keep = [](const Text&, const MaybeText& value, const Text& so_far) {
    return so_far + value.value_or("?");
  };
  show(builder_.stream<Text, MaybeText>("items")
           .group_by_key()
           .cogroup<Text>(add_item)
           .cogroup(builder_.stream<Text, MaybeText>("coupons").group_by_key(), keep)
           .windowed_by(TimeWindows::of_size_with_no_grace(milliseconds(10)))
           .aggregate([] { return Text(); }));

  world().pipe<Text, Text>("items", "ann", std::nullopt, 1);
  world().pipe<Text, Text>("coupons", "ann", std::nullopt, 2);

  EXPECT_THAT(out(), ElementsAre(Texts{"ann@0-10", "?", 2}));
}

}  // namespace
}  // namespace thalweg
