// Whether the machine has processor time to spare, with an idle time that the test tells.

#include "spare_time.h"

#include <chrono>

#include <gtest/gtest.h>

namespace thalweg::internal {
namespace {

using namespace std::chrono_literals;

class SpareTimeTest : public ::testing::Test {
 protected:
  /// A while passes in which the two processors are idle for `idle` together.
  void pass(std::chrono::milliseconds time, std::chrono::milliseconds idle) {
    now_ += time;
    if (idle_) *idle_ += idle;
  }
  bool is_left() { return spare_.is_left(now_); }

  std::chrono::steady_clock::time_point now_{1h};
  std::optional<SpareTime::Duration> idle_{7h};
  SpareTime spare_{2, [this] { return idle_; }};
};

TEST_F(SpareTimeTest, IsLeftUntilItIsKnownThatThereIsNone) {
  EXPECT_TRUE(is_left());

  pass(100ms, 10ms);

  EXPECT_FALSE(is_left());
}

TEST_F(SpareTimeTest, IsLeftWhenATenthOfAllProcessorsIsIdle) {
  EXPECT_TRUE(is_left());

  pass(100ms, 20ms);
  EXPECT_TRUE(is_left());
  pass(100ms, 19ms);
  EXPECT_FALSE(is_left());
  pass(1s, 200ms);
  EXPECT_TRUE(is_left());
}

TEST_F(SpareTimeTest, IsNotJudgedByAMoment) {
  EXPECT_TRUE(is_left());
  pass(100ms, 0ms);
  EXPECT_FALSE(is_left());

  pass(49ms, 98ms);
  EXPECT_FALSE(is_left()) << "too soon to say";
  pass(1ms, 2ms);
  EXPECT_TRUE(is_left());
}

TEST_F(SpareTimeTest, IsLeftWhereTheMachineDoesNotTell) {
  idle_.reset();
  EXPECT_TRUE(is_left());
  pass(1s, 0ms);
  EXPECT_TRUE(is_left());
}

TEST(IdleOfMachine, GrowsWithTimeOrStands) {
  const auto before = SpareTime::idle_of_machine();
  const auto after = SpareTime::idle_of_machine();

  ASSERT_TRUE(before && after);
  EXPECT_LE(*before, *after);
}

}  // namespace
}  // namespace thalweg::internal
