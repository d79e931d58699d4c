// Joins of two tables: when a row appears, changes and goes, on either side.

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
using ::testing::IsEmpty;
using testing::Out;
using testing::TopologyWorld;
using Text = std::string;
using Number = std::int64_t;
using Texts = Out<Text, Text>;

constexpr auto kGone = std::nullopt;

Text both(const Text& left, const Text& right) { return left + "+" + right; }
Text left_at_least(const Text& left, const Text* right) {
  return left + "+" + (right ? *right : "-");
}
Text either_one(const std::optional<Text>& left, const std::optional<Text>& right) {
  return left.value_or("-") + "+" + right.value_or("-");
}

class TableJoins : public ::testing::Test {
 protected:
  KTable<Text, Text> left() { return builder_.table<Text, Text>("left"); }
  KTable<Text, Text> right() { return builder_.table<Text, Text>("right"); }
  TopologyWorld& world() {
    if (!world_) world_ = std::make_unique<TopologyWorld>(builder_.build(), options_);
    return *world_;
  }
  void on_left(const Text& key, std::optional<Text> value, std::int64_t time = 0) {
    world().pipe<Text, Text>("left", key, value, time);
  }
  void on_right(const Text& key, std::optional<Text> value, std::int64_t time = 0) {
    world().pipe<Text, Text>("right", key, value, time);
  }
  std::vector<Texts> out() { return world().drain<Text, Text>("out"); }

  StreamsBuilder builder_;
  TopologyWorld::Options options_;
  std::unique_ptr<TopologyWorld> world_;
};

TEST_F(TableJoins, AnInnerJoinWaitsForBothSides) {
  left().join(right(), both).to_stream().to("out");

  on_left("a", "L1", 10);
  EXPECT_THAT(out(), IsEmpty());
  on_right("a", "R1", 5);
  on_left("a", "L2", 7);

  EXPECT_THAT(out(), ElementsAre(Texts{"a", "L1+R1", 10}, Texts{"a", "L2+R1", 7}));
}

TEST_F(TableJoins, AnInnerJoinForgetsARowWhenEitherSideLosesIt) {
  left().join(right(), both).to_stream().to("out");
  on_left("a", "L1");
  on_right("a", "R1");
  out();

  on_right("a", kGone, 3);
  on_right("a", kGone, 4);
  on_left("a", kGone, 5);

  EXPECT_THAT(out(), ElementsAre(Texts{"a", kGone, 3}, Texts{"a", kGone, 4}));
}

TEST_F(TableJoins, ALeftJoinGoesOnWithoutTheRight) {
  left().left_join(right(), left_at_least).to_stream().to("out");

  on_right("a", "R1", 1);
  on_left("a", "L1", 2);
  on_right("a", kGone, 3);
  on_left("a", kGone, 4);
  on_left("a", kGone, 5);

  EXPECT_THAT(out(), ElementsAre(Texts{"a", "L1+R1", 2}, Texts{"a", "L1+-", 3},
                                 Texts{"a", kGone, 4}));
}

TEST_F(TableJoins, AnOuterJoinGoesOnWithoutEither) {
  left().outer_join(right(), either_one).to_stream().to("out");

  on_right("a", "R1", 1);
  on_left("a", "L1", 2);
  on_right("a", kGone, 3);
  on_left("a", kGone, 4);
  on_left("a", kGone, 5);

  EXPECT_THAT(out(), ElementsAre(Texts{"a", "-+R1", 1}, Texts{"a", "L1+R1", 2},
                                 Texts{"a", "L1+-", 3}, Texts{"a", kGone, 4}));
}

TEST_F(TableJoins, AJoinerMayDeleteTheRow) {
  left()
      .join(right(),
            [](const Text& l, const Text& r) {
              return l == r ? std::optional<Text>() : std::optional<Text>(l + r);
            })
      .to_stream()
      .to("out");
  on_left("a", "x");
  on_right("a", "y");

  on_right("a", "x", 9);

  EXPECT_THAT(out(), ElementsAre(Texts{"a", "xy", 0}, Texts{"a", kGone, 9}));
}

TEST_F(TableJoins, AJoinIsKeptOnlyUnderAName) {
  auto kept = left().join(right(), both, {.store = "joined"});
  on_left("a", "L");
  on_right("a", "R", 4);

  EXPECT_EQ(kept.queryable_store_name(), "joined");
  const auto* row = world().key_value_store<Text, Text>("joined").get_with_timestamp("a");
  ASSERT_NE(row, nullptr);
  EXPECT_EQ(row->value, "L+R");
  EXPECT_EQ(row->timestamp, from_millis(4));
}

TEST_F(TableJoins, ATableJoinedWithItselfSeesEachChangeTwice) {
  auto table = left();
  table.join(table, both).to_stream().to("out");

  on_left("a", "1");
  on_left("a", "2");

  EXPECT_THAT(out(), ElementsAre(Texts{"a", "1+1", 0}, Texts{"a", "1+1", 0},
                                 Texts{"a", "2+2", 0}, Texts{"a", "2+2", 0}));
}

TEST_F(TableJoins, AJoinOfAJoinLooksItsRowsUp) {
  auto third = builder_.table<Text, Text>("third");
  third.join(left().join(right(), both), both).to_stream().to("out");
  on_left("a", "L", 1);
  on_right("a", "R", 2);

  world().pipe<Text, Text>("third", "a", "T", 0);

  EXPECT_THAT(out(), ElementsAre(Texts{"a", "T+L+R", 2}));
}

TEST_F(TableJoins, WhatAFilterBehindAJoinDropsIsDeletedOnlyIfItWasThere) {
  left()
      .join(right(), both, {.store = "joined"})
      .filter([](const Text&, const Text& joined) { return joined.starts_with("L"); })
      .to_stream()
      .to("out");

  on_left("a", "x");
  on_right("a", "R");
  on_left("a", "L");
  on_left("a", "x");

  EXPECT_THAT(out(), ElementsAre(Texts{"a", "L+R", 0}, Texts{"a", kGone, 0}));
}

TEST_F(TableJoins, WithCachingTwoChangesOfOneRecordBecomeOne) {
  options_.caching = true;
  auto table = left();
  table.join(table, both, {.store = "joined"}).to_stream().to("out");

  on_left("a", "1");

  EXPECT_THAT(out(), ElementsAre(Texts{"a", "1+1", 0}));
}

TEST_F(TableJoins, BothSidesNeedEqualPartitionCounts) {
  left().join(right(), both).to_stream().to("out");

  EXPECT_THAT(builder_.build().copartition_groups(), ElementsAre(ElementsAre("left", "right")));
}

// --- Values computed by a transformer -------------------------------------------------------

class Numbered final : public ValueTransformerWithKey<Text, Text> {
 public:
  void init(ValueTransformerContext& context) override {
    ValueTransformerWithKey::init(context);
    seen_ = &context.key_value_store<Text, Number>("seen");
  }
  std::optional<Text> transform(const Text& key, const Text* value) override {
    const Number* so_far = seen_->get(key);
    const Number count = (so_far ? *so_far : 0) + 1;
    seen_->put(key, count);
    if (!value) return std::nullopt;
    return *value + std::to_string(count) + "@" + std::to_string(to_millis(context().timestamp()));
  }

 private:
  KeyValueStore<Text, Number>* seen_ = nullptr;
};

class Stamped final : public ValueTransformerWithKey<Text, Text> {
 public:
  std::optional<Text> transform(const Text&, const Text* value) override {
    if (!value) return std::nullopt;
    return *value + "@" + std::to_string(to_millis(context().timestamp()));
  }
};

TEST_F(TableJoins, ATransformerCountsDeletionsToo) {
  builder_.add_state_store(key_value_store_builder<Text, Number>("seen"));
  left()
      .transform_values([] { return std::make_unique<Numbered>(); }, {"seen"})
      .to_stream()
      .to("out");

  on_left("a", "x", 1);
  on_left("a", kGone, 2);
  on_left("a", "x", 3);

  EXPECT_THAT(out(), ElementsAre(Texts{"a", "x1@1", 1}, Texts{"a", kGone, 2},
                                 Texts{"a", "x3@3", 3}));
}

TEST_F(TableJoins, ARowLookedUpIsTransformedWithItsOwnTime) {
  auto stamped = right().transform_values([] { return std::make_unique<Stamped>(); });
  left().left_join(stamped, left_at_least).to_stream().to("out");
  on_right("a", "R", 5);

  on_left("a", "L", 9);

  EXPECT_THAT(out(), ElementsAre(Texts{"a", "L+R@5", 9}));
}

TEST_F(TableJoins, ATransformerMustNameItsStores) {
  builder_.add_state_store(key_value_store_builder<Text, Number>("seen"));
  left().transform_values([] { return std::make_unique<Numbered>(); }).to_stream().to("out");

  EXPECT_THROW(world(), StreamsError);
}

// --- A table's changes under another key ----------------------------------------------------

TEST_F(TableJoins, AStreamOfChangesMayTakeAnotherKey) {
  left()
      .to_stream([](const Text& key, const std::optional<Text>& value) {
        return value.value_or(key);
      })
      .to("out");

  on_left("a", "x");
  on_left("a", kGone);

  EXPECT_THAT(out(), ElementsAre(Texts{"x", "x", 0}, Texts{"a", kGone, 0}));
}

}  // namespace
}  // namespace thalweg
