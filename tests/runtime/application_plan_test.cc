// How many partitions the topics of an application get, and what it refuses to start with.

#include "application_plan.h"

#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thalweg/runtime/clock.h>
#include <thalweg/runtime/log_decorator.h>
#include <thalweg/runtime/simulated_log.h>
#include <thalweg/topology/streams_builder.h>

#include "source_watch.h"

namespace thalweg::internal {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::Pair;
using ::testing::ThrowsMessage;
using Text = std::string;
using namespace std::chrono_literals;

/// A log whose broker answers no question about topics.
class BusyLog final : public LogDecorator {
 public:
  using LogDecorator::LogDecorator;
  Result<TopicSpec> topic(const std::string&) const override {
    return failure(ErrorCode::kUnavailable, "the broker is busy");
  }
  Result<std::vector<TopicSpec>> topics() const override {
    return failure(ErrorCode::kUnavailable, "the broker is busy");
  }
};

/// A log where another topic appears each time somebody looks.
class GrowingLog final : public LogDecorator {
 public:
  using LogDecorator::LogDecorator;
  Result<std::vector<TopicSpec>> topics() const override {
    std::vector<TopicSpec> topics;
    for (int i = 0; i <= looks_; ++i) topics.push_back(*topic("orders-" + std::to_string(i)));
    ++looks_;
    return topics;
  }
  Result<TopicSpec> topic(const std::string& name) const override {
    return TopicSpec{.name = name, .partitions = 2};
  }

 private:
  mutable int looks_ = 0;
};

class AnApplicationPlan : public ::testing::Test {
 protected:
  AnApplicationPlan() {
    EXPECT_TRUE(log_->create_topic({.name = "orders", .partitions = 3}));
    config_.application_id = "shop";
  }
  /// Of `orders`, shuffled through a topic of their own.
  ApplicationPlan plan(Repartitioned<Text, Text> repartitioned) {
    StreamsBuilder builder;
    builder.stream<Text, Text>("orders").repartition(std::move(repartitioned)).to("shuffled");
    const Topology topology = builder.build();
    return plan_application(topology, config_, *log_, true);
  }

  ManualClock clock_;
  std::unique_ptr<SimulatedLog> log_ = make_simulated_log(clock_, {});
  StreamsConfig config_;
};

TEST_F(AnApplicationPlan, ARepartitionTopicIsAsWideAsWhatItIsMadeOf) {
  const auto topics = plan({.name = "by-user"}).internal_topics;

  ASSERT_FALSE(topics.empty());
  EXPECT_EQ(topics.front().name, "shop-by-user-repartition");
  EXPECT_EQ(topics.front().partitions, 3);
}

TEST_F(AnApplicationPlan, OrAsWideAsItWasTold) {
  EXPECT_EQ(plan({.name = "by-user", .partitions = 7}).internal_topics.front().partitions, 7);
}

/// Joins `left` with `right`, which both have text as keys.
Topology joined(KStream<Text, Text> left, KStream<Text, Text> right, StreamsBuilder& builder,
                Text name = {}) {
  left.join(right, [](const Text& a, const Text& b) { return a + b; },
            JoinWindows::of_time_difference_with_no_grace(1s), {.name = std::move(name)})
      .to("joined");
  return builder.build();
}

// They were left out: tasks without the other side's records, and matches that never met.
TEST_F(AnApplicationPlan, WhatIsJoinedMayComeFromAPattern) {
  EXPECT_TRUE(log_->create_topic({.name = "orders-eu", .partitions = 4}));
  EXPECT_TRUE(log_->create_topic({.name = "customers", .partitions = 2}));
  StreamsBuilder builder;
  const Topology topology = joined(builder.stream<Text, Text>(TopicPattern{"orders-.*"}),
                                   builder.stream<Text, Text>("customers"), builder);

  EXPECT_THAT(
      [&] { plan_application(topology, config_, *log_, true); },
      ThrowsMessage<TopologyError>(AllOf(HasSubstr("not co-partitioned"), HasSubstr("orders-eu"))));
}

TEST_F(AnApplicationPlan, ARepartitionTopicIsAsWideAsThePatternsTopicsThatItIsJoinedWith) {
  EXPECT_TRUE(log_->create_topic({.name = "orders-eu", .partitions = 8}));
  EXPECT_TRUE(log_->create_topic({.name = "customers", .partitions = 2}));
  StreamsBuilder builder;
  const auto by_city =
      builder.stream<Text, Text>("customers").select_key([](const Text&, const Text& city) {
        return city;
      });
  const Topology topology =
      joined(builder.stream<Text, Text>(TopicPattern{"orders-.*"}), by_city, builder, "j");

  EXPECT_THAT(plan_application(topology, config_, *log_, true).internal_topics,
              Contains(AllOf(Field(&TopicSpec::name, "shop-j-right-repartition"),
                             Field(&TopicSpec::partitions, 8))));
}

// It was refused: "given 4 partitions, but 8 are needed".
TEST_F(AnApplicationPlan, AGivenNumberCountsForTheRepartitionTopicsThatItIsJoinedWith) {
  EXPECT_TRUE(log_->create_topic({.name = "wide", .partitions = 8}));
  StreamsBuilder builder;
  const auto other_key = [](const Text&, const Text& value) { return value; };
  const auto left = builder.stream<Text, Text>("orders").select_key(other_key).repartition(
      {.name = "left", .partitions = 4});
  const Topology topology =
      joined(left, builder.stream<Text, Text>("wide").select_key(other_key), builder, "j");

  EXPECT_THAT(plan_application(topology, config_, *log_, true).internal_topics,
              IsSupersetOf({AllOf(Field(&TopicSpec::name, "shop-left-repartition"),
                                  Field(&TopicSpec::partitions, 4)),
                            AllOf(Field(&TopicSpec::name, "shop-j-right-repartition"),
                                  Field(&TopicSpec::partitions, 4))}));
}

TEST_F(AnApplicationPlan, ATopicThatNobodyCanTellOfIsNotMissing) {
  StreamsBuilder builder;
  builder.stream<Text, Text>("orders").to("copies");
  const Topology topology = builder.build();

  BusyLog busy(*log_);
  EXPECT_THAT([&] { plan_application(topology, config_, busy, false); },
              ThrowsMessage<TopologyError>("topic orders cannot be looked up: the broker is busy"));
}

// It was planned without the topics that a pattern means, and read nothing of them, without a word.
TEST_F(AnApplicationPlan, NeedsToKnowTheTopicsThatAPatternMeans) {
  StreamsBuilder builder;
  builder.stream<Text, Text>(TopicPattern{"orders.*"}).to("copies");
  const Topology topology = builder.build();

  BusyLog busy(*log_);
  EXPECT_THAT([&] { plan_application(topology, config_, busy, false); },
              ThrowsMessage<TopologyError>(HasSubstr("the broker is busy")));
}

// A topic that appeared between two looks was in one half of the plan, and had no number in the
// other.
TEST_F(AnApplicationPlan, IsOfOneMoment) {
  StreamsBuilder builder;
  builder.stream<Text, Text>(TopicPattern{"orders.*"}).repartition({.name = "all"}).to("copies");
  const Topology topology = builder.build();

  GrowingLog growing(*log_);
  const ApplicationPlan plan = plan_application(topology, config_, growing, false);

  EXPECT_THAT(plan.sources, ElementsAre(Pair("orders-0", 2)));
  EXPECT_THAT(plan.subtopologies.front().inputs, ElementsAre("orders-0"));
}

/// What a watch tells, until it has told it `times`.
class Told {
 public:
  explicit Told(int times) : left_(times) {}
  void operator()(const Text& what) {
    if (left_ > 0 && --left_ == 0) done_.set_value(what);
  }
  Text last() { return done_.get_future().get(); }

 private:
  int left_;
  std::promise<Text> done_;
};

// It told of a new topic once. When the plan made then missed it, nobody looked again.
TEST_F(AnApplicationPlan, IsCalledOutOfDateUntilItIsNot) {
  StreamsBuilder builder;
  builder.stream<Text, Text>(TopicPattern{"orders.*"}).to("copies");
  const Topology topology = builder.build();
  Told told(3);

  const SourceWatch watch(
      topology, *log_, std::chrono::milliseconds(1), [] { return SourceTopics{}; },
      [&](const Text& what) { told(what); });

  EXPECT_EQ(told.last(), "topic orders has appeared");
}

TEST_F(AnApplicationPlan, AStoresNameIsRefusedWhenItsChangelogTopicIsMade) {
  StreamsBuilder builder;
  builder.table<Text, Text>("orders", {}, {.store = "bad name", .store_supplier = true});
  const Topology topology = builder.build();

  const auto made = create_internal_topics(plan_application(topology, config_, *log_, true), *log_);
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().message, HasSubstr("shop-bad name-changelog"));
}

TEST_F(AnApplicationPlan, ARepartitionTopicWithoutPartitionsIsRefused) {
  for (const int none : {0, -1}) {
    EXPECT_THAT([&] { plan({.name = "by-user", .partitions = none}); },
                ThrowsMessage<TopologyError>(HasSubstr("by-user-repartition needs at least one")));
  }
}

}  // namespace
}  // namespace thalweg::internal
