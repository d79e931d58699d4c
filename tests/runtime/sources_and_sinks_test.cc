// Where records come from and where they go: patterns, extractors, partitioners, dynamic topics.

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thalweg/runtime/topology_test_driver.h>
#include <thalweg/topology/streams_builder.h>

namespace thalweg {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::ThrowsMessage;

class Orders : public ::testing::Test {
 protected:
  using Text = std::string;

  void run() { driver_.emplace(builder_.build(), config_); }
  void order(const std::string& topic, const Text& key, const Text& value, std::int64_t time = 0,
             const Headers& headers = {}) {
    driver_->pipe(topic, key, value, from_millis(time), headers);
  }
  void deletion(const std::string& topic, const Text& key, std::int64_t time) {
    driver_->pipe(topic, key, std::nullopt, from_millis(time));
  }
  auto written_to(const std::string& topic) {
    return driver_->create_output_topic<Text, Text>(topic).read_key_values();
  }
  std::vector<std::int64_t> times_of(const std::string& topic) {
    std::vector<std::int64_t> times;
    auto output = driver_->create_output_topic<Text, Text>(topic);
    for (const auto& record : output.read_records()) times.push_back(to_millis(record.timestamp));
    return times;
  }

  StreamsBuilder builder_;
  StreamsConfig config_;
  std::optional<TopologyTestDriver> driver_;
};

TEST_F(Orders, ComeFromEveryTopicThatMatchesAPattern) {
  builder_.stream<Text, Text>(TopicPattern("orders-[a-z]+")).to("all");
  run();

  order("orders-east", "1", "boots");
  order("orders-west", "2", "socks");

  EXPECT_THAT(written_to("all"), ElementsAre(Pair("1", "boots"), Pair("2", "socks")));
  EXPECT_THROW(order("orders-1", "3", "hat"), std::invalid_argument);
}

TEST_F(Orders, OfOnePatternShareASourceAndAreDescribedByIt) {
  builder_.stream<Text, Text>(TopicPattern("o.*")).to("a");
  builder_.stream<Text, Text>(TopicPattern("o.*")).to("b");
  const std::string text = builder_.build().describe().to_text();

  EXPECT_THAT(text, HasSubstr("Source: KSTREAM-SOURCE-0000000000 (topics: o.*)"));
  EXPECT_THAT(text, ::testing::Not(HasSubstr("KSTREAM-SOURCE-0000000001")));
}

TEST_F(Orders, WithAPatternThatIsNoneAreRefused) {
  builder_.stream<Text, Text>(TopicPattern("orders-[")).to("all");

  EXPECT_THAT([this] { builder_.build(); },
              ThrowsMessage<TopologyError>(HasSubstr("orders-[")));
}

TEST_F(Orders, AreRefusedFromATopicThatANameMatchesAsAPattern) {
  builder_.stream<Text, Text>("orders.east").to("all");
  run();

  EXPECT_THAT([this] { order("orders-east", "1", "boots"); },
              ThrowsMessage<TopologyError>(HasSubstr("cannot contain regex pattern")));
}

TEST_F(Orders, GoToTheTopicThatIsChosenForEach) {
  builder_.stream<Text, Text>("orders").to(
      {.extract = [](const Text&, const Text& value, const RecordMetadata& metadata) {
         return std::string(metadata.topic) + "-" + value;
       },
       .name = "byProduct"});
  run();

  order("orders", "1", "boots");
  order("orders", "2", "socks");
  order("orders", "3", "boots");

  EXPECT_THAT(written_to("orders-boots"), ElementsAre(Pair("1", "boots"), Pair("3", "boots")));
  EXPECT_THAT(written_to("orders-socks"), ElementsAre(Pair("2", "socks")));
}

TEST_F(Orders, ThatNoPartitionIsChosenForAreDroppedAndCounted) {
  builder_.stream<Text, Text>("orders").to(
      "kept", {.partitioner = [](const Text&, const Text& value, std::int32_t) {
        return value == "spam" ? Partitions::none() : Partitions::by_key();
      }});
  run();

  order("orders", "1", "spam");
  order("orders", "2", "boots");

  EXPECT_THAT(written_to("kept"), ElementsAre(Pair("2", "boots")));
  EXPECT_EQ(driver_->metrics().at("dropped-records-total"), 1u);
}

TEST_F(Orders, GoToEveryPartitionThatIsChosen) {
  builder_.stream<Text, Text>("orders").to(
      "twice", {.partitioner = [](const Text&, const Text&, std::int32_t) {
        return Partitions::of({0, 0});
      }});
  run();

  order("orders", "1", "boots");

  EXPECT_THAT(written_to("twice"), ElementsAre(Pair("1", "boots"), Pair("1", "boots")));
}

TEST_F(Orders, ForAPartitionThatIsNotThereStopTheTask) {
  builder_.stream<Text, Text>("orders").to(
      "out", {.partitioner = [](const Text&, const Text&, std::int32_t count) { return count; }});
  run();

  EXPECT_THAT([this] { order("orders", "1", "boots"); },
              ThrowsMessage<StreamsError>(HasSubstr("partition 1 of topic out, which has 1")));
}

TEST_F(Orders, HaveTheTimeThatAnExtractorTells) {
  builder_
      .stream<Text, Text>("orders", {.timestamp_extractor = [](const Text&, const Text& value,
                                                               Timestamp, Timestamp partition) {
        return value == "again" ? partition : from_millis(std::stoll(value));
      }})
      .to("out");
  run();

  order("orders", "1", "70");
  order("orders", "1", "30");
  order("orders", "1", "again");
  order("orders", "1", "-1");

  EXPECT_THAT(times_of("out"), ElementsAre(70, 30, 70));
  EXPECT_EQ(driver_->metrics().at("dropped-records-total"), 1u);
}

TEST_F(Orders, HaveTheTimeOfTheWallClockIfAsked) {
  builder_.stream<Text, Text>("orders", {.timestamp_extractor = WallclockTimestampExtractor{}})
      .to("out");
  run();
  driver_->advance_wall_clock_time(std::chrono::milliseconds(500));

  order("orders", "1", "boots", 3);

  EXPECT_THAT(times_of("out"), ElementsAre(500));
}

TEST_F(Orders, StopTheTaskWhereAnExtractorThrows) {
  builder_
      .stream<Text, Text>("orders", {.timestamp_extractor = [](const Text&, const Text& value,
                                                               Timestamp, Timestamp) {
        return from_millis(std::stoll(value));
      }})
      .to("out");
  run();

  EXPECT_THAT([this] { order("orders", "1", "boots"); },
              ThrowsMessage<StreamsError>(HasSubstr("timestamp extractor")));
}

TEST_F(Orders, DeletedFromATableAreSeenByItsExtractor) {
  builder_
      .table<Text, Text>("orders", {.timestamp_extractor = [](const Text&,
                                                              const std::optional<Text>& value,
                                                              Timestamp time, Timestamp) {
        return value ? time : from_millis(99);
      }})
      .to_stream()
      .to("out");
  run();

  order("orders", "1", "boots", 5);
  deletion("orders", "1", 6);

  EXPECT_THAT(times_of("out"), ElementsAre(5, 99));
}

// A processor that marks what it sees.
struct Mark final : Processor<std::string, std::string> {
  void process(const RecordRef<std::string, std::string>& record) override {
    record.headers.add("seen", "yes");
    context().forward(record.key, record.value);
  }
};

TEST_F(Orders, MarkedByOneProcessorAreMarkedForThoseThatGetThemLater) {
  auto orders = builder_.stream<Text, Text>("orders");
  orders.to("before");
  orders.process([] { return std::make_unique<Mark>(); }).to("marked");
  orders.filter([](const Text&, const Text&) { return true; }).to("after");
  orders.map_values([](const Text& value) { return value; }).to("made-after");
  run();

  order("orders", "1", "boots", 0, {{"h", "x"}});

  const auto headers_in = [this](const std::string& topic) {
    return driver_->create_output_topic<Text, Text>(topic).read_record().headers;
  };
  EXPECT_EQ(headers_in("before"), Headers({{"h", "x"}}));
  EXPECT_EQ(headers_in("marked"), Headers({{"h", "x"}, {"seen", "yes"}}));
  EXPECT_EQ(headers_in("after"), Headers({{"h", "x"}, {"seen", "yes"}}));
}

TEST_F(Orders, MarkedBehindAnotherNodeAreNotMarkedBeforeIt) {
  auto orders = builder_.stream<Text, Text>("orders");
  orders.map_values([](const Text& value) { return value; })
      .process([] { return std::make_unique<Mark>(); })
      .to("marked");
  orders.to("untouched");
  run();

  order("orders", "1", "boots");

  auto untouched = driver_->create_output_topic<Text, Text>("untouched");
  EXPECT_TRUE(untouched.read_record().headers.empty());
}

TEST_F(Orders, KeptUnderGeneratedNamesAreRefusedIfNamesMustBeGiven) {
  builder_.stream<Text, Text>("orders")
      .group_by([](const Text&, const Text& value) { return value; })
      .count();

  EXPECT_THAT(
      [this] { builder_.build({.ensure_explicit_internal_resource_naming = true}); },
      ThrowsMessage<TopologyError>(testing::AllOf(
          HasSubstr("repartition topic(s) has not been named: "
                    "KSTREAM-AGGREGATE-STATE-STORE-0000000002-repartition"),
          HasSubstr("changelog topic(s) has not been named: "
                    "KSTREAM-AGGREGATE-STATE-STORE-0000000002-changelog"),
          HasSubstr("state store(s) has not been named: "
                    "KSTREAM-AGGREGATE-STATE-STORE-0000000002"))));
}

}  // namespace
}  // namespace thalweg
