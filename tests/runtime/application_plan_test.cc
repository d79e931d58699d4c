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

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::ThrowsMessage;
using Text = std::string;

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

TEST_F(AnApplicationPlan, ATopicThatNobodyCanTellOfIsNotMissing) {
  StreamsBuilder builder;
  builder.stream<Text, Text>("orders").to("copies");
  const Topology topology = builder.build();

  BusyLog busy(*log_);
  EXPECT_THAT([&] { plan_application(topology, config_, busy, false); },
              ThrowsMessage<TopologyError>(
                  "topic orders cannot be looked up: the broker is busy"));
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

  const SourceWatch watch(topology, *log_, std::chrono::milliseconds(1),
                          [] { return SourceTopics{}; }, [&](const Text& what) { told(what); });

  EXPECT_EQ(told.last(), "topic orders has appeared");
}

TEST_F(AnApplicationPlan, AStoresNameIsRefusedWhenItsChangelogTopicIsMade) {
  StreamsBuilder builder;
  builder.table<Text, Text>("orders", {}, {.store = "bad name", .store_supplier = true});
  const Topology topology = builder.build();

  const auto made =
      create_internal_topics(plan_application(topology, config_, *log_, true), *log_);
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
