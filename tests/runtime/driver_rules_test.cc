// Rules of Kafka Streams for the test driver, and for time in it.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thalweg/runtime/topology_test_driver.h>
#include <thalweg/topology/streams_builder.h>

namespace thalweg {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::ThrowsMessage;
using namespace std::chrono_literals;
using Text = std::string;

/// Notes in a list what happens to it: records, and punctuations with their time.
struct Diary final : Processor<Text, Text> {
  Diary(std::vector<Text>& lines, PunctuationType type) : lines_(lines), type_(type) {}

  void init(ProcessorContext<Text, Text>& context) override {
    Processor::init(context);
    context.schedule(10ms, type_, [this](Timestamp at) {
      lines_.push_back("tick " + std::to_string(to_millis(at)));
    });
  }
  void process(const RecordRef<Text, Text>& record) override { lines_.push_back(record.value); }

 private:
  std::vector<Text>& lines_;
  PunctuationType type_;
};

class DriverRules : public ::testing::Test {
 protected:
  void keep_a_diary(PunctuationType type) {
    builder_.stream<Text, Text>("in").process(
        [this, type] { return std::make_unique<Diary>(lines_, type); });
  }
  TopologyTestDriver& driver() {
    if (!driver_) driver_ = std::make_unique<TopologyTestDriver>(builder_.build());
    return *driver_;
  }
  void pipe(const Text& value, std::int64_t time) {
    driver().pipe("in", "k", value, from_millis(time));
  }

  StreamsBuilder builder_;
  std::vector<Text> lines_;
  std::unique_ptr<TopologyTestDriver> driver_;
};

TEST_F(DriverRules, OneTaskRunsAllSubTopologies) {
  const auto who = [this](const char* where) {
    struct Who final : Processor<Text, Text> {
      Who(std::vector<Text>& lines, Text where) : lines_(lines), where_(std::move(where)) {}
      void process(const RecordRef<Text, Text>& record) override {
        lines_.push_back(where_ + to_string(context().task().task_id()) + "/" +
                         std::to_string(context().task().metadata().partition));
        context().forward(record.key, record.value);
      }
      std::vector<Text>& lines_;
      const Text where_;
    };
    return [this, where] { return std::make_unique<Who>(lines_, where); };
  };
  builder_.stream<Text, Text>("in").process(who("before ")).repartition().process(who("behind "));

  pipe("a", 0);

  EXPECT_THAT(lines_, ElementsAre("before 0_0/0", "behind 0_0/0"));
}

TEST_F(DriverRules, WhatIsReadAgainIsProcessedBeforeTheNextRecord) {
  builder_.stream<Text, Text>("in")
      .peek([this](const Text&, const Text& value) { lines_.push_back("in " + value); })
      .to("again");
  builder_.stream<Text, Text>("again").for_each(
      [this](const Text&, const Text& value) { lines_.push_back("again " + value); });

  pipe("a", 0);
  pipe("b", 0);

  EXPECT_THAT(lines_, ElementsAre("in a", "again a", "in b", "again b"));
}

TEST_F(DriverRules, APunctuationFollowsTheRecordThatMovedTheTime) {
  keep_a_diary(PunctuationType::kStreamTime);

  pipe("a", 3);
  pipe("b", 12);

  EXPECT_THAT(lines_, ElementsAre("a", "tick 3", "b", "tick 12"));
}

TEST_F(DriverRules, StreamTimeTicksOnceForAGapAndThenAtMultiples) {
  keep_a_diary(PunctuationType::kStreamTime);

  for (const std::int64_t time : {3, 5, 12, 55, 56, 60}) pipe(std::to_string(time), time);

  EXPECT_THAT(lines_, ElementsAre("3", "tick 3", "5", "12", "tick 12", "55", "tick 55", "56", "60",
                                  "tick 60"));
}

TEST_F(DriverRules, TheWallClockTicksOnceForEachMoveFromWhereItBegan) {
  keep_a_diary(PunctuationType::kWallClockTime);

  for (const auto by : {5ms, 5ms, 35ms, 5ms}) driver().advance_wall_clock_time(by);

  EXPECT_THAT(lines_, ElementsAre("tick 10", "tick 45", "tick 50"));
}

TEST_F(DriverRules, APunctuationComesFromNoRecord) {
  struct Witness final : Processor<Text, Text> {
    explicit Witness(std::vector<Text>& lines) : lines_(lines) {}
    void init(ProcessorContext<Text, Text>& context) override {
      Processor::init(context);
      context.schedule(10ms, PunctuationType::kStreamTime, [this](Timestamp) { note(); });
    }
    void process(const RecordRef<Text, Text>&) override { note(); }
    void note() {
      const RecordMetadata& record = context().task().metadata();
      lines_.push_back(Text(record.topic) + "/" + std::to_string(record.partition) + "@" +
                       std::to_string(record.offset));
    }
    std::vector<Text>& lines_;
  };
  builder_.stream<Text, Text>("in").process([this] { return std::make_unique<Witness>(lines_); });

  pipe("a", 0);

  EXPECT_THAT(lines_, ElementsAre("in/0@0", "/-1@-1"));
}

TEST_F(DriverRules, FaultsAreToldInKafkaStreamsWords) {
  builder_.stream<Text, Text>("in").to("out");
  auto out = driver().create_output_topic<Text, Text>("out");

  EXPECT_THAT([&] { pipe("a", -1); },
              ThrowsMessage<std::invalid_argument>("Invalid timestamp: -1. Timestamp should always "
                                                   "be non-negative or null."));
  EXPECT_THAT([&] { driver().pipe("nowhere", "k", "v", from_millis(0)); },
              ThrowsMessage<std::invalid_argument>("Unknown topic: nowhere"));
  EXPECT_THAT([&] { out.read_record(); },
              ThrowsMessage<std::out_of_range>("Uninitialized topic: out"));
  pipe("a", 0);
  out.read_record();
  EXPECT_THAT([&] { out.read_record(); }, ThrowsMessage<std::out_of_range>("Empty topic: out"));
}

TEST_F(DriverRules, AProcessorCountsWhatItLikes) {
  struct Refusing final : Processor<Text, Text> {
    void process(const RecordRef<Text, Text>& record) override {
      if (record.value == "bad") context().task().count("orders-refused", context().name());
    }
  };
  builder_.stream<Text, Text>("in").process([] { return std::make_unique<Refusing>(); }, {},
                                            {.name = "check"});

  for (const char* value : {"good", "bad", "bad"}) pipe(value, 0);

  EXPECT_THAT(driver().metrics(), Contains(Pair("orders-refused-total/check", 2)));
}

TEST_F(DriverRules, AProcessorKnowsItsSettingsAndItsDirectory) {
  struct Curious final : Processor<Text, Text> {
    void process(const RecordRef<Text, Text>& record) override {
      context().forward(record.key, context().task().app_configs().at("max.task.idle.ms"));
      context().forward(record.key, context().task().state_dir());
    }
  };
  builder_.stream<Text, Text>("in").process([] { return std::make_unique<Curious>(); }).to("out");
  StreamsConfig config;
  config.application_id = "shop";
  config.state_dir = "/data";
  config.max_task_idle = 7ms;
  driver_ = std::make_unique<TopologyTestDriver>(builder_.build(), config);

  pipe("a", 0);

  auto out = driver().create_output_topic<Text, Text>("out");
  EXPECT_EQ(out.read_record().value, "7");
  EXPECT_EQ(out.read_record().value, "/data/shop/0_0");
}

TEST_F(DriverRules, TimeInWhichEveryTopicIsEmptyIsNotWaitedFor) {
  const auto note = [this](const Text&, const Text& value) { lines_.push_back(value); };
  builder_.stream<Text, Text>("left").for_each(note);
  builder_.stream<Text, Text>("right").for_each(note);
  StreamsConfig config;
  config.max_task_idle = 10ms;
  driver_ = std::make_unique<TopologyTestDriver>(builder_.build(), config);
  for (const auto by : {10ms, 10ms, 10ms}) driver().advance_wall_clock_time(by);

  driver().pipe("left", "k", "a", from_millis(0));
  driver().advance_wall_clock_time(9ms);
  EXPECT_THAT(lines_, IsEmpty());
  driver().advance_wall_clock_time(1ms);
  EXPECT_THAT(lines_, ElementsAre("a"));
}

TEST_F(DriverRules, NothingIsForwardedWithANegativeTime) {
  struct Backwards final : Processor<Text, Text> {
    void process(const RecordRef<Text, Text>& record) override {
      context().forward(record.key, record.value, record.timestamp - 10ms, record.headers);
    }
  };
  builder_.stream<Text, Text>("in")
      .process([] { return std::make_unique<Backwards>(); })
      .to("out");

  pipe("a", 10);
  EXPECT_THAT([this] { pipe("b", 9); },
              ThrowsMessage<StreamsError>(
                  ::testing::HasSubstr("Timestamp may not be negative. Got: -1")));
}

TEST_F(DriverRules, VersionedStoresAreShownAsSuch) {
  builder_.table<Text, Text>("in", {}, {.store = "rows", .history_retention = 1h});

  pipe("a", 5);
  pipe("b", 9);

  auto& rows = driver().versioned_key_value_store<Text, Text>("rows");
  EXPECT_EQ(*rows.get("k", from_millis(7)).value, "a");
  EXPECT_EQ(*rows.get("k").value, "b");
}

TEST_F(DriverRules, AListOfRecordsMayBeGivenItsTimes) {
  builder_.stream<Text, Text>("in").to("out");
  auto in = driver().create_input_topic<Text, Text>("in");

  in.pipe_records({{"k", "a"}, {"k", "b", from_millis(999)}}, from_millis(10), 5ms);

  auto out = driver().create_output_topic<Text, Text>("out");
  EXPECT_EQ(out.read_record().timestamp, from_millis(10));
  EXPECT_EQ(out.read_record().timestamp, from_millis(15));
}

}  // namespace
}  // namespace thalweg
