#include <chrono>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "flashsale/latency.h"
#include "flashsale/poll_schedule.h"

namespace thalweg::flashsale {
namespace {

using namespace std::chrono_literals;

TEST(Latency, PercentilesAreTheValuesAtTheirRank) {
  Latency latency;
  for (int value = 1000; value >= 1; --value) latency.add(std::chrono::milliseconds(value));

  const auto summary = latency.summarize();

  EXPECT_EQ(summary.count, 1000u);
  EXPECT_DOUBLE_EQ(summary.mean_ms, 500.5);
  EXPECT_DOUBLE_EQ(summary.p50_ms, 500);
  EXPECT_DOUBLE_EQ(summary.p90_ms, 900);
  EXPECT_DOUBLE_EQ(summary.p99_ms, 990);
  EXPECT_DOUBLE_EQ(summary.p999_ms, 999);
  EXPECT_DOUBLE_EQ(summary.max_ms, 1000);
}

TEST(Latency, OneValueIsEveryPercentile) {
  Latency latency;
  latency.add(3ms);

  const auto summary = latency.summarize();

  EXPECT_DOUBLE_EQ(summary.p50_ms, 3);
  EXPECT_DOUBLE_EQ(summary.p999_ms, 3);
}

TEST(Latency, NothingMeasuredIsZero) { EXPECT_EQ(Latency().summarize().count, 0u); }

TEST(Latency, RoundsUpToTheMicrosecondSoThatNothingLooksFree) {
  Latency latency;
  latency.add(1ns);

  EXPECT_DOUBLE_EQ(latency.summarize().max_ms, 0.001);
}

TEST(PollSchedule, AsksSoonFirstAndThenEverMoreSeldom) {
  const PollSchedule schedule(2ms, 500ms);

  EXPECT_EQ(schedule.next_delay(0ms), 2ms);
  EXPECT_EQ(schedule.next_delay(60ms), 20ms);
  EXPECT_EQ(schedule.next_delay(60s), 500ms);
}

TEST(PollSchedule, AnOrderThatTakesASecondIsAskedAboutFewerThanThirtyTimes) {
  const PollSchedule schedule;
  int asked = 0;
  auto age = schedule.first();

  for (; age < 1s; age += schedule.next_delay(age)) ++asked;

  EXPECT_LT(asked, 30);
  EXPECT_GT(asked, 5);
}

TEST(PollSchedule, IsNeverLaterThanAQuarterOfTheAgeItReads) {
  const PollSchedule schedule(2ms, 10s);

  for (auto age = 6ms; age < 1s; ++age) {
    const auto read_at = age + schedule.next_delay(age);
    EXPECT_LE((read_at - age) * 4, read_at);
  }
}

TEST(PollSchedule, LearnsToWaitHalfAsLongAsOrdersTake) {
  PollSchedule schedule(2ms, 500ms);
  EXPECT_EQ(schedule.first(), 2ms);

  for (int order = 0; order < 10'000; ++order) schedule.finished(80ms);
  EXPECT_NEAR(schedule.first().count(), 40, 1);

  for (int order = 0; order < 10'000; ++order) schedule.finished(1ms);
  EXPECT_EQ(schedule.first(), 2ms) << "a shop that has become fast is asked soon again";
}

}  // namespace
}  // namespace thalweg::flashsale
