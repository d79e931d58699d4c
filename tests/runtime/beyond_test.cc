// What Kafka Streams has nothing for: aggregators, deduplication, rows that expire, durable timers,
// tables drawn for the eye.

#include <cmath>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thalweg/runtime/mock_processor_context.h>
#include <thalweg/runtime/topology_test_driver.h>
#include <thalweg/topology/aggregators.h>
#include <thalweg/topology/durable_timers.h>
#include <thalweg/topology/streams_builder.h>

namespace thalweg {
namespace {

using ::testing::ElementsAre;
using ::testing::Optional;
using ::testing::Pair;
using namespace std::chrono_literals;
using Text = std::string;

std::int64_t price(const Text& value) { return std::stoll(value); }

/// Prices of sales, by shop.
class Sales : public ::testing::Test {
 protected:
  auto sales() { return builder_.stream<Text, Text>("sales").group_by_key(); }
  void run() { driver_.emplace(builder_.build()); }
  void sell(const Text& shop, std::initializer_list<const char*> prices) {
    for (const char* price : prices) driver_->pipe("sales", shop, price, from_millis(0));
  }
  template <typename V>
  V row(const Text& shop) {
    return *driver_->key_value_store<Text, V>("rows").get(shop);
  }

  StreamsBuilder builder_;
  std::optional<TopologyTestDriver> driver_;
};

TEST_F(Sales, AreAddedUp) {
  const auto total = sum<Text>(price);
  sales().aggregate(total.initializer(), total, {.store = "rows"});
  run();
  sell("east", {"3", "10", "4"});

  EXPECT_EQ(row<std::int64_t>("east"), 17);
}

TEST_F(Sales, HaveALeastAndAGreatest) {
  const auto least = minimum<Text>(price);
  sales().aggregate(least.initializer(), least, {.store = "rows"});
  run();
  sell("east", {"7", "3", "10"});
  EXPECT_EQ(row<std::int64_t>("east"), 3);

  const auto greatest = maximum<Text>(price);
  EXPECT_EQ(greatest(Text("east"), Text("9"), std::nullopt), 9);
  EXPECT_EQ(greatest(Text("east"), Text("9"), 10), 10);
  EXPECT_EQ(greatest.merger()(Text("east"), 9, 10), 10);
}

TEST_F(Sales, HaveAMeanThatGoesOnFromWhatWasKept) {
  const auto average = mean<Text>(price);
  sales().aggregate(average.initializer(), average, {.store = "rows"});
  run();
  sell("east", {"1", "2", "6"});

  EXPECT_EQ(row<MeanState>("east"), (MeanState{9, 3}));
  EXPECT_DOUBLE_EQ(row<MeanState>("east").mean(), 3);
  EXPECT_EQ(average.merger()(Text(), MeanState{1, 1}, MeanState{5, 1}), (MeanState{6, 2}));
}

TEST_F(Sales, AreRankedWithTheirTopAndNoMore) {
  const auto best = top<Text>(3, price);
  sales().aggregate(best.initializer(), best, {.store = "rows"});
  run();
  sell("east", {"5", "9", "1", "7", "9"});

  EXPECT_THAT(row<Ranking<std::int64_t>>("east").items, ElementsAre(9, 9, 7));
  EXPECT_THAT(best.merger()(Text(), {{9, 2}}, {{5, 4}}).items, ElementsAre(9, 5, 4));
}

TEST_F(Sales, OfHowManyPricesIsEstimated) {
  const auto prices = distinct_estimate<Text>(price);
  sales().aggregate(prices.initializer(), prices, {.store = "rows"});
  run();
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 5000; ++i) sell("east", {std::to_string(i).c_str()});
  }
  sell("west", {"1", "2", "1"});

  EXPECT_NEAR(row<DistinctSketch>("east").estimate(), 5000, 500);
  EXPECT_NEAR(row<DistinctSketch>("west").estimate(), 2, 0.1);
  EXPECT_EQ(DistinctSketch{}.estimate(), 0);
}

TEST_F(Sales, OfBothSketchesCountOnce) {
  DistinctSketch left;
  DistinctSketch right;
  for (int i = 0; i < 1000; ++i) left.add(std::to_string(i));
  for (int i = 500; i < 1500; ++i) right.add(std::to_string(i));

  const auto both = distinct_estimate<Text>(price).merger()(Text(), left, right);

  EXPECT_NEAR(both.estimate(), 1500, 150);
}

TEST(Ranking, ThatIsCutShortIsNotRead) {
  std::string bytes;
  Serde<Ranking<std::int64_t>>::serialize({{1, 2}}, bytes);
  Ranking<std::int64_t> read;
  EXPECT_THROW(Serde<Ranking<std::int64_t>>::deserialize(bytes.substr(0, 14), read), SerdeError);
  Serde<Ranking<std::int64_t>>::deserialize(bytes, read);
  EXPECT_THAT(read.items, ElementsAre(1, 2));
}

// --- Deduplication ----------------------------------------------------------------------------

class Payments : public ::testing::Test {
 protected:
  Payments() {
    builder_.stream<Text, Text>("payments")
        .deduplicate([](const Text&, const Text& id) { return id; }, {.within = 100ms})
        .to("once");
    driver_.emplace(builder_.build());
  }
  void pay(const Text& id, std::int64_t time) {
    driver_->pipe("payments", "k", id, from_millis(time));
  }
  std::vector<Text> once() {
    std::vector<Text> ids;
    auto output = driver_->create_output_topic<Text, Text>("once");
    for (const auto& record : output.read_records()) ids.push_back(*record.value);
    return ids;
  }

  StreamsBuilder builder_;
  std::optional<TopologyTestDriver> driver_;
};

TEST_F(Payments, PassOnceWithinTheTime) {
  pay("a", 0);
  pay("a", 100);
  pay("b", 100);
  pay("a", 201);

  EXPECT_THAT(once(), ElementsAre("a", "b", "a"));
}

TEST_F(Payments, ThatAreLateAreKnownByThoseAfterThem) {
  pay("a", 150);
  pay("a", 60);
  pay("a", 49);

  EXPECT_THAT(once(), ElementsAre("a", "a"));
}

// --- Rows that expire -------------------------------------------------------------------------

TEST(Carts, ExpireWithATombstone) {
  StreamsBuilder builder;
  builder.stream<Text, Text>("carts")
      .to_table({.store = "rows", .time_to_live = 100ms})
      .to_stream()
      .to("changes");
  TopologyTestDriver driver(builder.build());

  driver.pipe("carts", "ann", "boots", from_millis(0));
  driver.pipe("carts", "bob", "socks", from_millis(50));
  driver.pipe("carts", "ann", "hat", from_millis(99));
  driver.pipe("carts", "eve", "coat", from_millis(150));

  auto changes = driver.create_output_topic<Text, Text>("changes");
  EXPECT_THAT(changes.read_key_value_map(),
              ElementsAre(Pair("ann", Optional(Text("hat"))), Pair("bob", std::nullopt),
                          Pair("eve", Optional(Text("coat")))));
  auto changelog =
      driver.create_output_topic<Text, Text>("topology-test-driver-rows-changelog");
  EXPECT_EQ(changelog.read_key_value_map().at("bob"), std::nullopt);
  EXPECT_FALSE((driver.key_value_store<Text, Text>("rows").get("bob")));
}

// --- Durable timers ---------------------------------------------------------------------------

struct Reminder final : Processor<Text, Text> {
  void init(ProcessorContext<Text, Text>& context) override {
    Processor::init(context);
    timers.init(context, PunctuationType::kWallClockTime, 10ms,
                [this](const Text& key, Timestamp due) {
                  this->context().forward(key, std::to_string(to_millis(due)));
                });
  }
  void process(const RecordRef<Text, Text>& record) override {
    if (record.value == "cancel") {
      timers.cancel(record.key);
    } else {
      timers.set(record.key, from_millis(std::stoll(record.value)));
    }
  }
  DurableTimers<Text> timers{"reminders"};
};

class Reminders : public ::testing::Test {
 protected:
  Reminders() {
    builder_.add_state_store(DurableTimers<Text>::store("reminders"));
    builder_.stream<Text, Text>("in")
        .process([] { return std::make_unique<Reminder>(); }, {"reminders"})
        .to("fired");
    driver_.emplace(builder_.build());
  }
  void tell(const Text& key, const Text& what) { driver_->pipe("in", key, what, from_millis(0)); }
  auto fired() { return driver_->create_output_topic<Text, Text>("fired").read_key_values(); }

  StreamsBuilder builder_;
  std::optional<TopologyTestDriver> driver_;
};

TEST_F(Reminders, FireOnceInTheOrderOfTheirTimes) {
  tell("late", "25");
  tell("early", "12");
  driver_->advance_wall_clock_time(10ms);
  EXPECT_THAT(fired(), ElementsAre());

  driver_->advance_wall_clock_time(20ms);
  driver_->advance_wall_clock_time(20ms);
  EXPECT_THAT(fired(), ElementsAre(Pair("early", "12"), Pair("late", "25")));
}

TEST_F(Reminders, DoNotFireWhenCancelled) {
  tell("order", "15");
  tell("order", "cancel");
  driver_->advance_wall_clock_time(20ms);

  EXPECT_THAT(fired(), ElementsAre());
}

TEST_F(Reminders, FireAtTheLastTimeTheyWereSetTo) {
  tell("order", "5");
  tell("order", "35");
  driver_->advance_wall_clock_time(20ms);
  EXPECT_THAT(fired(), ElementsAre());

  driver_->advance_wall_clock_time(20ms);
  EXPECT_THAT(fired(), ElementsAre(Pair("order", "35")));
}

TEST(RemindersAlone, FireUpToTheEndOfTime) {
  MockProcessorContext<Text, Text> context;
  context.add_state_store(DurableTimers<Text>::store("reminders"));
  Reminder reminder;
  reminder.init(context);
  reminder.timers.set("soon", from_millis(5));
  reminder.timers.set("at last", Timestamp::max());
  ASSERT_EQ(context.scheduled_punctuators().size(), 1u);

  context.scheduled_punctuators().front().punctuator(Timestamp::max());

  ASSERT_EQ(context.forwarded().size(), 2u);
  EXPECT_EQ(context.forwarded()[0].key, "soon");
  EXPECT_EQ(context.forwarded()[1].key, "at last");
}

TEST_F(Reminders, AreInTheChangelogUntilTheyFire) {
  tell("order", "5");
  const Text topic = "topology-test-driver-reminders-changelog";
  auto changelog = driver_->create_output_topic<Text, Text>(topic);
  EXPECT_EQ(changelog.size(), 2u);

  driver_->advance_wall_clock_time(10ms);
  for (const auto& [key, value] : changelog.read_key_value_map()) EXPECT_EQ(value, std::nullopt);
}

// --- For the eye ------------------------------------------------------------------------------

TEST(Print, WritesALineForEachRecord) {
  std::ostringstream out;
  StreamsBuilder builder;
  builder.stream<Text, std::optional<Text>>("in").print({.label = "in", .out = &out});
  builder.stream<Text, std::optional<Text>>("in").print(
      {.label = "k", .out = &out, .mapper = [](const Text& key, const auto&) { return key; }});
  TopologyTestDriver driver(builder.build());

  driver.pipe("in", "a", "1", from_millis(0));
  driver.pipe("in", "b", std::nullopt, from_millis(0));

  EXPECT_EQ(out.str(), "[in]: a, 1\n[k]: a\n[in]: b, null\n[k]: b\n");
}

TEST(PrintTable, DrawsTheRowsThatChangedLastWhenTheClockSaysSo) {
  std::ostringstream out;
  StreamsBuilder builder;
  builder.table<Text, Text>("in").print_table(
      {.title = "Stock", .out = &out, .rows = 2, .interval = 100ms});
  TopologyTestDriver driver(builder.build());

  for (const char* key : {"boots", "socks", "hat"}) driver.pipe("in", key, "1", from_millis(0));
  driver.pipe("in", "boots", std::nullopt, from_millis(0));
  EXPECT_EQ(out.str(), "");
  driver.advance_wall_clock_time(100ms);
  driver.advance_wall_clock_time(100ms);

  EXPECT_EQ(out.str(), "Stock\n  hat   | 1\n  socks | 1\n");
}

}  // namespace
}  // namespace thalweg
