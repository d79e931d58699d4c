// The test driver: the real task, record by record.

#include <thalweg/runtime/topology_test_driver.h>

#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thalweg/state/stores.h>
#include <thalweg/topology/kgrouped_stream.h>
#include <thalweg/topology/kstream.h>
#include <thalweg/topology/ktable.h>
#include <thalweg/topology/streams_builder.h>

namespace thalweg {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;
using namespace std::chrono_literals;

std::vector<std::string> words_of(const std::string& line) {
  std::vector<std::string> words;
  std::istringstream stream(line);
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

Topology word_count() {
  StreamsBuilder builder;
  builder.stream<std::string, std::string>("lines")
      .flat_map_values(words_of)
      .group_by([](const std::string&, const std::string& word) { return word; })
      .count({.store = "counts"})
      .to_stream()
      .to("word-counts");
  return builder.build();
}

class WordCount : public ::testing::Test {
 protected:
  TopologyTestDriver driver_{word_count()};
  TestInputTopic<std::string, std::string> lines_ =
      driver_.create_input_topic<std::string, std::string>("lines");
  TestOutputTopic<std::string, std::int64_t> counts_ =
      driver_.create_output_topic<std::string, std::int64_t>("word-counts");
};

TEST_F(WordCount, CountsAcrossTheRepartitionTopic) {
  lines_.pipe("1", "to be or not to be");

  EXPECT_THAT(counts_.read_key_values(), ElementsAre(Pair("to", 1), Pair("be", 1), Pair("or", 1),
                                                     Pair("not", 1), Pair("to", 2), Pair("be", 2)));
}

TEST_F(WordCount, KeepsItsStoreBetweenRecords) {
  lines_.pipe("1", "river");
  lines_.pipe("2", "river");

  auto& counts = driver_.key_value_store<std::string, std::int64_t>("counts");
  EXPECT_EQ(*counts.get("river"), 2);
}

TEST_F(WordCount, NamesEveryTopicItWroteTo) {
  lines_.pipe("1", "river");

  EXPECT_THAT(driver_.produced_topic_names(),
              ElementsAre("topology-test-driver-counts-changelog",
                          "topology-test-driver-counts-repartition", "word-counts"));
}

TEST_F(WordCount, GivesResultsTheTimeOfTheirLatestRecord) {
  lines_.pipe("1", "river", from_millis(20));
  lines_.pipe("1", "river", from_millis(10));

  EXPECT_EQ(counts_.read_record().timestamp, from_millis(20));
  EXPECT_EQ(counts_.read_record().timestamp, from_millis(20));
}

TEST_F(WordCount, SaysWhichTopicIsUnknownEmptyOrWasNeverWritten) {
  EXPECT_THROW(driver_.pipe("nowhere", "k", "v", from_millis(0)), std::invalid_argument);
  EXPECT_THROW(lines_.pipe("k", "v", from_millis(-1)), std::invalid_argument);
  EXPECT_THROW(lines_.pipe({"k", "v", from_millis(-2)}), std::invalid_argument);
  EXPECT_THROW(counts_.read_record(), std::out_of_range);
  EXPECT_THROW(driver_.store("nothing"), std::invalid_argument);
}

TEST_F(WordCount, TakesListsOfRecords) {
  lines_.pipe_key_values({{"1", "a"}, {"2", "b"}}, from_millis(10), 5ms);
  lines_.pipe_records({{"5", "e", from_millis(50)}, {"6", "f", from_millis(60), {{"h", "x"}}}});

  std::vector<std::int64_t> times;
  const auto records = counts_.read_records();
  for (const auto& record : records) times.push_back(to_millis(record.timestamp));
  EXPECT_THAT(times, ElementsAre(10, 15, 50, 60));
  EXPECT_EQ(records.back().headers, Headers({{"h", "x"}}));
}

TEST(TestInput, AdvancesItsTimeByItself) {
  StreamsBuilder builder;
  builder.stream<std::optional<std::string>, std::string>("in").to("out");
  TopologyTestDriver driver(builder.build());
  auto in = driver.create_input_topic<std::string, std::string>("in", {}, {}, from_millis(100),
                                                                10ms);
  in.pipe_values({"a", "b"});
  in.advance_time(5ms);
  in.pipe_key_values({{"1", "c"}});
  in.pipe_values({"d", "e"}, from_millis(7), 1ms);

  std::vector<std::int64_t> times;
  auto out = driver.create_output_topic<std::string, std::string>("out");
  for (const auto& record : out.read_records()) times.push_back(to_millis(record.timestamp));
  EXPECT_THAT(times, ElementsAre(100, 110, 125, 7, 8));
}

TEST(TestInput, GivesRecordsWithoutATimeItsOwn) {
  StreamsBuilder builder;
  builder.stream<std::string, std::string>("in").to("out");
  TopologyTestDriver driver(builder.build());
  auto in =
      driver.create_input_topic<std::string, std::string>("in", {}, {}, from_millis(100), 10ms);
  in.pipe({"1", "a", kNoTimestamp, {{"h", "x"}}});
  in.pipe_records({{"1", "b"}, {"1", "c", from_millis(7)}, {"1", "d"}});
  in.pipe("1", "e");

  std::vector<std::int64_t> times;
  const auto records = driver.create_output_topic<std::string, std::string>("out").read_records();
  for (const auto& record : records) times.push_back(to_millis(record.timestamp));
  EXPECT_THAT(times, ElementsAre(100, 110, 7, 120, 130));
  EXPECT_EQ(records.front().headers, Headers({{"h", "x"}}));
}

TEST_F(WordCount, IsReadAsAMapOrAsValues) {
  lines_.pipe("1", "a b a");
  EXPECT_THAT(counts_.read_key_value_map(), ElementsAre(Pair("a", 2), Pair("b", 1)));

  lines_.pipe("1", "b");
  EXPECT_THAT(counts_.read_values(), ElementsAre(2));
}

TEST_F(WordCount, ShowsItsStoresByNameAndKind) {
  EXPECT_THAT(driver_.stores(), ElementsAre(Pair("counts", ::testing::NotNull())));
  EXPECT_THROW((driver_.window_store<std::string, std::int64_t>("counts")), std::invalid_argument);
  EXPECT_THROW((driver_.key_value_store<int, int>("counts")), std::invalid_argument);
}

TEST_F(WordCount, CountsWhatItDoes) {
  lines_.pipe("1", "a b");

  EXPECT_THAT(driver_.metrics(), ElementsAre(Pair("dropped-records-total", 0),
                                             Pair("process-total", 3), Pair("punctuate-total", 0)));
}

TEST_F(WordCount, IsReadButNotFedWhenTheDriverIsClosed) {
  lines_.pipe("1", "a");
  driver_.close();

  EXPECT_THROW(lines_.pipe("1", "b"), std::logic_error);
  EXPECT_THROW(driver_.advance_wall_clock_time(1ms), std::logic_error);
  EXPECT_THAT(counts_.read_key_values(), ElementsAre(Pair("a", 1)));
}

TEST(TestDriver, MovesTheWallClockOnlyWhenTold) {
  struct Ticker final : Processor<std::string, std::string> {
    void init(ProcessorContext<std::string, std::string>& context) override {
      Processor::init(context);
      context.task().schedule(
          10ms, PunctuationType::kWallClockTime, "ticker", [this](Timestamp at) {
            this->context().forward("tick", std::to_string(to_millis(at)), at, kNoHeaders);
          });
    }
    void process(const RecordRef<std::string, std::string>&) override {}
  };
  StreamsBuilder builder;
  builder.stream<std::string, std::string>("in")
      .process([] { return std::make_unique<Ticker>(); })
      .to("ticks");
  TopologyTestDriver driver(builder.build());
  auto ticks = driver.create_output_topic<std::string, std::string>("ticks");

  driver.advance_wall_clock_time(5ms);
  EXPECT_TRUE(ticks.is_empty());
  driver.advance_wall_clock_time(5ms);
  driver.advance_wall_clock_time(35ms);

  EXPECT_THAT(ticks.read_key_values(), ElementsAre(Pair("tick", "10"), Pair("tick", "45")));
}

// A cached store made before the table that feeds it: its flush comes first, and must come again.
TEST(TestDriver, FlushesAStoreAgainThatAnotherStoresFlushWroteTo) {
  struct Remember final : Processor<std::string, std::optional<std::int64_t>> {
    void process(const RecordRef<std::string, std::optional<std::int64_t>>& record) override {
      context().key_value_store<std::string, std::int64_t>("memory").put(record.key,
                                                                         record.value.value_or(0));
    }
  };
  StreamsBuilder builder;
  builder.add_state_store(
      key_value_store_builder<std::string, std::int64_t>("memory", {.caching = true}));
  builder.stream<std::string, std::string>("in")
      .group_by_key()
      .count({.store = "counts"})
      .to_stream()
      .process([] { return std::make_unique<Remember>(); }, {"memory"});
  TopologyTestDriver driver(builder.build());

  driver.pipe("in", "river", "x", from_millis(0));
  driver.pipe("in", "river", "y", from_millis(0));

  auto& memory = driver.key_value_store<std::string, std::int64_t>("memory");
  EXPECT_EQ(*memory.get("river"), 2);
}

TEST(TestDriver, SurfacesWhatUserCodeThrowsWithItsPlace) {
  StreamsBuilder builder;
  builder.stream<std::string, std::string>("in")
      .map_values([](const std::string& text) { return std::stoi(text); })
      .for_each([](const std::string&, int) {});
  TopologyTestDriver driver(builder.build());

  try {
    driver.pipe("in", "k", "not a number", from_millis(0));
    FAIL() << "nothing was thrown";
  } catch (const StreamsError& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("taskId=0_0"));
    EXPECT_THAT(error.what(), ::testing::HasSubstr("KSTREAM-MAPVALUES-0000000001"));
    EXPECT_THAT(error.what(), ::testing::HasSubstr("topic=in, partition=0, offset=0"));
  }
}

}  // namespace
}  // namespace thalweg
