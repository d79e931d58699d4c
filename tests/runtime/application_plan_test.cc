// How many partitions the topics of an application get, and what it refuses to start with.

#include "application_plan.h"

#include <memory>
#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thalweg/runtime/clock.h>
#include <thalweg/runtime/log_decorator.h>
#include <thalweg/runtime/simulated_log.h>
#include <thalweg/topology/streams_builder.h>

namespace thalweg::internal {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;
using Text = std::string;

/// A log whose broker answers no question about topics.
class BusyLog final : public LogDecorator {
 public:
  using LogDecorator::LogDecorator;
  Result<TopicSpec> topic(const std::string&) const override {
    return failure(ErrorCode::kUnavailable, "the broker is busy");
  }
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
