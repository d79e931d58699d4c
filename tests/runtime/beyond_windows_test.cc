// Windows that Kafka Streams does not have: of the calendar, of a number of records; what comes too
// late kept aside; windows that close although nothing comes any more.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thalweg/runtime/topology_test_driver.h>
#include <thalweg/topology/calendar_windows.h>
#include <thalweg/topology/streams_builder.h>

namespace thalweg {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::ThrowsMessage;
using namespace std::chrono_literals;
using Text = std::string;
using Number = std::int64_t;

constexpr auto kNothing = [] { return Number{0}; };
constexpr auto kAdd = [](const Text&, Number n, Number so_far) { return so_far + n; };

/// A moment in UTC.
Timestamp at(int year, unsigned month, unsigned day, int hour = 0, int minute = 0) {
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month),
                                         std::chrono::day(day)};
  return Timestamp(
      std::chrono::milliseconds((std::chrono::sys_days(date).time_since_epoch() +
                                 std::chrono::hours(hour) + std::chrono::minutes(minute))));
}

class BeyondWindows : public ::testing::Test {
 protected:
  KGroupedStream<Text, Number> numbers() {
    return builder_.stream<Text, Number>("numbers").group_by_key();
  }
  /// Sends a windowed table to `out`, under `key@start+length`, in hours.
  void send(const KTable<Windowed<Text>, Number>& table, std::chrono::milliseconds unit = 1h) {
    table.to_stream()
        .select_key([unit](const Windowed<Text>& key, const std::optional<Number>&) {
          const auto start = to_millis(key.window.start) / unit.count();
          return key.key + "@" + std::to_string(start) + "+" +
                 std::to_string((key.window.end - key.window.start) / unit);
        })
        .to("out");
  }
  TopologyTestDriver& driver() {
    if (!driver_) driver_.emplace(builder_.build());
    return *driver_;
  }
  void number(const Text& key, Number n, Timestamp time) {
    driver().create_input_topic<Text, Number>("numbers").pipe(key, n, time);
  }
  std::vector<std::pair<Text, Number>> out(const Text& topic = "out") {
    std::vector<std::pair<Text, Number>> records;
    for (const auto& [key, value] :
         driver().create_output_topic<Text, Number>(topic).read_key_values()) {
      records.emplace_back(key, value);
    }
    return records;
  }

  StreamsBuilder builder_;
  std::optional<TopologyTestDriver> driver_;
};

// --- Calendar ---------------------------------------------------------------------------------

TEST_F(BeyondWindows, ADayBeginsAtMidnightWhereTheShopIs) {
  send(numbers()
           .windowed_by(CalendarWindows::days(TimeZone::of("Europe/Berlin")))
           .aggregate(kNothing, kAdd, {.caching = false}),
       1min);
  number("ann", 1, at(2024, 1, 9, 22, 59));
  number("ann", 1, at(2024, 1, 9, 23, 0));

  const auto minute = [](Timestamp time) { return std::to_string(to_millis(time) / 60'000); };
  EXPECT_THAT(out(), ElementsAre(Pair("ann@" + minute(at(2024, 1, 8, 23)) + "+1440", 1),
                                 Pair("ann@" + minute(at(2024, 1, 9, 23)) + "+1440", 1)));
}

TEST_F(BeyondWindows, TheDaysOnWhichClocksChangeAreShorterAndLonger) {
  const auto days = CalendarWindows::days(TimeZone::of("Europe/Berlin"));
  const auto spring = days.start_of(at(2024, 3, 31, 12));
  const auto autumn = days.start_of(at(2024, 10, 27, 12));

  EXPECT_EQ(days.end_of(spring) - spring, 23h);
  EXPECT_EQ(days.end_of(autumn) - autumn, 25h);
  EXPECT_EQ(days.end_of(spring), days.start_of(at(2024, 4, 1, 12)));
}

TEST_F(BeyondWindows, RulesHoldBehindTheLastChangeThatIsKnown) {
  const auto days = CalendarWindows::days(TimeZone::of("America/New_York"));
  const auto spring = days.start_of(at(2061, 3, 13, 16));  // The second Sunday of March.

  EXPECT_EQ(spring, at(2061, 3, 13, 5));
  EXPECT_EQ(days.end_of(spring) - spring, 23h);
}

TEST_F(BeyondWindows, WeeksBeginOnMondaysAndMonthsOnTheFirst) {
  const auto weeks = CalendarWindows::weeks(TimeZone::utc());
  const auto months = CalendarWindows::months(TimeZone::utc());

  EXPECT_EQ(weeks.start_of(at(2024, 2, 29, 7)), at(2024, 2, 26));
  EXPECT_EQ(weeks.end_of(at(2024, 2, 26)), at(2024, 3, 4));
  EXPECT_EQ(months.start_of(at(2024, 2, 29, 7)), at(2024, 2, 1));
  EXPECT_EQ(months.end_of(at(2024, 2, 1)), at(2024, 3, 1));
}

TEST_F(BeyondWindows, ADayIsEmittedOnceWhenItHasClosed) {
  send(numbers()
           .windowed_by(CalendarWindows::days(TimeZone::of("Europe/Berlin")))
           .emit_strategy(EmitStrategy::kOnWindowClose)
           .aggregate(kNothing, kAdd));
  number("ann", 1, at(2024, 3, 31, 8));
  number("ann", 2, at(2024, 3, 31, 9));
  EXPECT_THAT(out(), IsEmpty());

  number("bob", 3, at(2024, 3, 31, 22));

  const auto start = to_millis(at(2024, 3, 30, 23)) / 3'600'000;
  EXPECT_THAT(out(), ElementsAre(Pair("ann@" + std::to_string(start) + "+23", 3)));
}

TEST_F(BeyondWindows, AZoneThatNobodyKnowsIsRefusedByName) {
  EXPECT_THAT([] { TimeZone::of("Europe/Atlantis"); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("Europe/Atlantis")));
  EXPECT_THAT([] { TimeZone::of("../passwd"); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("no time zone")));
}

// --- Numbers of records -----------------------------------------------------------------------

TEST_F(BeyondWindows, ACountWindowGivesItsResultWhenItIsFull) {
  numbers().windowed_by(CountWindows::of(3)).aggregate(kNothing, kAdd, {.store = "open"}).to("out");
  for (const Number n : {1, 2, 3, 4}) number("ann", n, from_millis(n));
  number("bob", 10, from_millis(5));
  EXPECT_THAT(out(), ElementsAre(Pair("ann", 6)));

  number("ann", 5, from_millis(6));
  number("ann", 6, from_millis(2));
  EXPECT_THAT(out(), ElementsAre(Pair("ann", 15)));
}

TEST_F(BeyondWindows, DescribeShowsThemAsNodesOfTheirOwn) {
  numbers().windowed_by(CountWindows::of(3)).aggregate(kNothing, kAdd, {.store = "open"});
  numbers()
      .windowed_by(TimeWindows::of_size_with_no_grace(10h))
      .late_records_to("late")
      .aggregate(kNothing, kAdd, {.store = "sums"});

  const Text description = builder_.build().describe().to_text();
  EXPECT_THAT(description, HasSubstr("Processor: KSTREAM-COUNTWINDOW-0000000001 (stores: [open])"));
  EXPECT_THAT(description, HasSubstr("Processor: KSTREAM-LATE-"));
  EXPECT_THAT(description, HasSubstr("(topic: late)"));
}

TEST_F(BeyondWindows, ACountWindowOfNothingIsRefused) {
  EXPECT_THROW(CountWindows::of(0), std::invalid_argument);
}

// --- What comes late --------------------------------------------------------------------------

TEST_F(BeyondWindows, WhatComesTooLateForItsWindowsGoesToATopicOfItsOwn) {
  send(numbers()
           .windowed_by(TimeWindows::of_size_with_no_grace(10h).advance_by(5h))
           .late_records_to("late")
           .aggregate(kNothing, kAdd, {.caching = false}));
  number("ann", 1, at(1970, 1, 2));
  number("ann", 2, at(1970, 1, 1, 13));  // In a window until 15 and one until 20: closed.
  number("ann", 4, at(1970, 1, 1, 17));  // In one until 20 and one until 25: late for the first.

  EXPECT_THAT(out(), ElementsAre(Pair("ann@15+10", 1), Pair("ann@20+10", 1), Pair("ann@15+10", 5)));
  EXPECT_THAT(out("late"), ElementsAre(Pair("ann", 2)));
}

TEST_F(BeyondWindows, SlidingWindowsKeepWhatIsLateAsideToo) {
  send(numbers()
           .windowed_by(SlidingWindows::of_time_difference_with_no_grace(10h))
           .late_records_to("late")
           .aggregate(kNothing, kAdd, {.caching = false}));
  number("ann", 1, at(1970, 1, 3));
  number("ann", 2, at(1970, 1, 2));

  EXPECT_THAT(out("late"), ElementsAre(Pair("ann", 2)));
}

// --- When nothing comes -----------------------------------------------------------------------

TEST_F(BeyondWindows, WindowsCloseByTheClockWhenNothingComes) {
  send(numbers()
           .windowed_by(TimeWindows::of_size_and_grace(10min, 1min))
           .emit_strategy(EmitStrategy::kOnWindowClose)
           .close_when_idle(30s)
           .aggregate(kNothing, kAdd),
       1min);
  number("ann", 7, from_millis(0) + 9min);
  driver().advance_wall_clock_time(90s);
  EXPECT_THAT(out(), IsEmpty());

  driver().advance_wall_clock_time(30s);

  EXPECT_THAT(out(), ElementsAre(Pair("ann@0+10", 7)));
}

TEST_F(BeyondWindows, ARecordIsLateForAWindowThatTheClockHasClosed) {
  send(numbers()
           .windowed_by(TimeWindows::of_size_with_no_grace(10min))
           .emit_strategy(EmitStrategy::kOnWindowClose)
           .close_when_idle(30s)
           .late_records_to("late")
           .aggregate(kNothing, kAdd),
       1min);
  number("ann", 7, from_millis(0) + 9min);
  driver().advance_wall_clock_time(1min);
  EXPECT_THAT(out(), ElementsAre(Pair("ann@0+10", 7)));

  number("ann", 1, from_millis(0) + 9min);
  driver().advance_wall_clock_time(1h);

  EXPECT_THAT(out(), IsEmpty());
}

TEST_F(BeyondWindows, SessionsCloseByTheClockToo) {
  send(numbers()
           .windowed_by(SessionWindows::of_inactivity_gap_with_no_grace(5min))
           .emit_strategy(EmitStrategy::kOnWindowClose)
           .close_when_idle(30s)
           .aggregate(kNothing, kAdd, [](const Text&, Number a, Number b) { return a + b; }),
       1min);
  number("ann", 3, from_millis(0) + 1min);
  number("ann", 4, from_millis(0) + 3min);
  driver().advance_wall_clock_time(5min);
  EXPECT_THAT(out(), IsEmpty());

  driver().advance_wall_clock_time(30s);

  EXPECT_THAT(out(), ElementsAre(Pair("ann@1+2", 7)));
}

}  // namespace
}  // namespace thalweg
