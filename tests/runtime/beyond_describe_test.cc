// Where the operators that Kafka Streams does not have stand in describe().

#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thalweg/topology/aggregators.h>
#include <thalweg/topology/calendar_windows.h>
#include <thalweg/topology/durable_timers.h>
#include <thalweg/topology/streams_builder.h>

namespace thalweg {
namespace {

using ::testing::HasSubstr;
using namespace std::chrono_literals;
using Text = std::string;

std::int64_t price(const Text& value) { return std::stoll(value); }

class BeyondDescribed : public ::testing::Test {
 protected:
  KStream<Text, Text> sales() { return builder_.stream<Text, Text>("sales"); }
  Text described() { return builder_.build().describe().to_text(); }

  StreamsBuilder builder_;
};

TEST_F(BeyondDescribed, AnAggregatorIsAnAggregationWithItsStore) {
  const auto total = sum<Text>(price);
  sales().group_by_key().aggregate(total.initializer(), total, {.store = "totals"});
  const auto best = top<Text>(3, price);
  sales().group_by_key().aggregate(best.initializer(), best, {.store = "best"});

  const Text text = described();
  EXPECT_THAT(text, HasSubstr("Processor: KSTREAM-AGGREGATE-0000000001 (stores: [totals])"));
  EXPECT_THAT(text, HasSubstr("(stores: [best])"));
}

TEST_F(BeyondDescribed, CalendarWindowsAreWindowsLikeOthers) {
  sales()
      .group_by_key()
      .windowed_by(CalendarWindows::days(TimeZone::of("Europe/Berlin")))
      .count({.store = "per-day"});

  EXPECT_THAT(described(),
              HasSubstr("Processor: KSTREAM-AGGREGATE-0000000001 (stores: [per-day])"));
}

TEST_F(BeyondDescribed, ClosingByTheClockIsSaidOfTheAggregation) {
  sales()
      .group_by_key()
      .windowed_by(TimeWindows::of_size_with_no_grace(10ms))
      .emit_strategy(EmitStrategy::kOnWindowClose)
      .close_when_idle(30ms)
      .count({.store = "counts"});

  EXPECT_THAT(described(), HasSubstr("Processor: KSTREAM-AGGREGATE-0000000001 (stores: [counts], "
                                     "closes when idle: 30 ms)\n"));
}

TEST_F(BeyondDescribed, DeduplicationIsANodeWithItsStore) {
  sales()
      .deduplicate([](const Text&, const Text& id) { return id; },
                   {.store = "known", .within = 10ms})
      .to("once");

  EXPECT_THAT(described(), HasSubstr("Processor: KSTREAM-DEDUPLICATE-0000000001 (stores: [known])\n"
                                     "      --> KSTREAM-SINK-0000000002\n"
                                     "      <-- KSTREAM-SOURCE-0000000000"));
}

TEST_F(BeyondDescribed, ATimeToLiveIsSaidOfWhoUsesTheStore) {
  sales().to_table({.store = "carts", .time_to_live = 10ms});

  EXPECT_THAT(described(), HasSubstr("(stores: [carts], time to live in carts: 10 ms)\n"));
}

TEST_F(BeyondDescribed, WhatIsNotInKafkaStreamsStandsInTheJsonToo) {
  sales().to_table({.store = "carts", .time_to_live = 10ms});

  EXPECT_THAT(builder_.build().describe().to_json(),
              HasSubstr(R"("stores":["carts"],"notes":["time to live in carts: 10 ms"])"));
}

TEST_F(BeyondDescribed, AStoreOfFewRowsIsAStore) {
  sales().to_table({.store = "few", .max_entries = 10});

  EXPECT_THAT(described(), HasSubstr("(stores: [few])\n"));
}

TEST_F(BeyondDescribed, DurableTimersAreAStoreOfTheirProcessor) {
  struct Waiter final : Processor<Text, Text> {
    void process(const RecordRef<Text, Text>&) override {}
  };
  builder_.add_state_store(DurableTimers<Text>::store("timers"));
  sales().process([] { return std::make_unique<Waiter>(); }, {"timers"}, {"waiter"});

  EXPECT_THAT(described(), HasSubstr("Processor: waiter (stores: [timers])"));
}

TEST_F(BeyondDescribed, APrinterOfATableIsANodeWithoutAStore) {
  std::ostringstream out;
  builder_.table<Text, Text>("stock").print_table({.out = &out});

  EXPECT_THAT(described(), HasSubstr("Processor: KTABLE-PRINTER-0000000003 (stores: [])\n"
                                     "      --> none\n"
                                     "      <-- KTABLE-SOURCE-0000000002"));
}

}  // namespace
}  // namespace thalweg
