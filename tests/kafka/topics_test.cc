#include <future>
#include <thread>

#include <boost/json/parse.hpp>
#include <fmt/format.h>

#include <thalweg/runtime/async_producer.h>
#include <thalweg/runtime/local_environment.h>
#include <thalweg/topology/streams_builder.h>

#include "kafka/spec_story.h"

// Topics that are not simply there: global ones, patterns, some that come later, some that change.

namespace thalweg::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

KafkaCluster& cluster() { return KafkaCluster::shared(); }

boost::json::value spec(const char* nodes, const char* input) {
  return boost::json::parse(std::string(R"({"id": "topics", "nodes": [)") + nodes +
                            R"(], "input": [)" + input + "]}");
}

using Records = std::vector<std::string>;
using Text = std::string;
using namespace std::chrono_literals;

TEST(Topics, AGlobalTableIsJoinedFromEveryPartition) {
  const auto joined = spec(R"(
      {"id": "names", "op": "globalTable", "topic": "global-names", "mat": {"name": "names"}},
      {"id": "calls", "op": "stream", "topics": ["global-calls"]},
      {"id": "both", "op": "join", "in": "calls", "with": "names", "key": {"fn": "key"},
       "joiner": {"fn": "pair"}},
      {"op": "to", "in": "both", "topic": "global-out"})",
                           R"(
      {"topic": "global-names", "key": "a", "value": 1, "ts": 1},
      {"topic": "global-names", "key": "b", "value": 2, "ts": 2},
      {"topic": "global-names", "key": "c", "value": 3, "ts": 3},
      {"topic": "global-calls", "key": "a", "value": 10, "ts": 4},
      {"topic": "global-calls", "key": "b", "value": 20, "ts": 5},
      {"topic": "global-calls", "key": "c", "value": 30, "ts": 6},
      {"topic": "global-calls", "key": "d", "value": 40, "ts": 7})");
  SpecStory story(cluster(), joined, "global", 3);
  story.write(3);
  story.start(Runner::kThalweg);
  story.process_until(1);
  story.stop();

  const auto output = story.output().at("global-out");
  EXPECT_EQ(output.at("a"), Records{"10000031 @4"});
  EXPECT_EQ(output.at("b"), Records{"20000062 @5"});
  EXPECT_EQ(output.at("c"), Records{"30000093 @6"});
  EXPECT_FALSE(output.contains("d"));
}

// Two processes of an application that started at once: one was told that its tasks topic existed,
// asked for it, and ended, since no broker had heard of the topic yet.
TEST(Topics, ThoseMadeByTwoAtOnceAreThereForBoth) {
  constexpr int kTopics = 20;
  const auto make_all = [] {
    auto log = *open_kafka_log({.bootstrap_servers = cluster().bootstrap_servers()});
    for (int i = 0; i < kTopics; ++i) {
      const std::string name = "made-twice-" + std::to_string(i);
      const auto made = log->create_topic({.name = name, .partitions = 4});
      EXPECT_TRUE(made || made.error().code == ErrorCode::kAlreadyExists) << made.error().message;
      const auto found = log->topic(name);
      EXPECT_TRUE(found) << found.error().message;
    }
  };
  std::jthread other(make_all);
  make_all();
}

// Shops that started while their broker was out of reach for a moment ended: one was told that its
// topics did not exist, another that one could not be made.
TEST(Topics, ABrokerThatIsOutOfReachForAMomentIsAskedAgain) {
  KafkaCluster cluster({.ways = 1});
  const auto log = *open_kafka_log({.bootstrap_servers = cluster.bootstrap_servers(0)});
  ASSERT_TRUE(log->create_topic({.name = "before", .partitions = 2}));
  cluster.set_network(0, NetworkProxy::State::kCut);
  auto made = std::async(std::launch::async, [&] {
    return log->create_topic({.name = "meanwhile", .partitions = 2});
  });
  auto found = std::async(std::launch::async, [&] { return log->topic("before"); });
  EXPECT_EQ(made.wait_for(std::chrono::seconds(1)), std::future_status::timeout);

  cluster.set_network(0, NetworkProxy::State::kOpen);

  // Whether a request that was cut off has been heard, nobody can tell.
  const auto status = made.get();
  EXPECT_TRUE(status || status.error().code == ErrorCode::kAlreadyExists) << status.error().message;
  EXPECT_TRUE(found.get());
}

TEST(Topics, ThoseThatMatchAPatternLaterAreReadFromThenOn) {
  const auto by_pattern = spec(R"(
      {"id": "all", "op": "stream", "pattern": "late-in-.*"},
      {"op": "to", "in": "all", "topic": "late-out"})",
                               R"({"topic": "late-in-1", "key": "a", "value": 1, "ts": 1})");
  SpecStory story(cluster(), by_pattern, "late");
  story.start(Runner::kThalweg, {"consumer.metadata.max.age.ms=500"});
  story.process_until(1);

  story.write_to_new("late-in-2", "b", 2);

  const auto output = story.output_with("late-out", "b").at("late-out");
  EXPECT_EQ(output.at("b"), Records{"2 @0"});
  EXPECT_EQ(output.at("a"), Records{"1 @1"});
  story.stop();
}

TEST(Topics, APartitionCountThatChangesStopsTheApplicationAndIsNamed) {
  const auto counted = spec(R"(
      {"id": "all", "op": "stream", "topics": ["growing"]},
      {"id": "by", "op": "groupByKey", "in": "all"},
      {"id": "count", "op": "count", "in": "by", "mat": {"name": "counts"}})",
                            R"({"topic": "growing", "key": "a", "value": 1, "ts": 1})");
  SpecStory story(cluster(), counted, "grown", 2);
  story.start(Runner::kThalweg, {"consumer.metadata.max.age.ms=500"});
  const auto altered = run_kafka_class("org.apache.kafka.tools.TopicCommand",
                                       {"--bootstrap-server", cluster().bootstrap_servers(),
                                        "--alter", "--topic", "growing", "--partitions", "3"});
  ASSERT_EQ(altered.exit_code, 0) << altered.output;

  EXPECT_EQ(story.wait_for_end(), 1);
  EXPECT_THAT(story.printed(), HasSubstr("topic growing has 3 partitions instead of 2"));

  story.launch(Runner::kThalweg);
  EXPECT_EQ(story.wait_for_end(), 1);
  EXPECT_THAT(story.printed(), AllOf(HasSubstr("the partition count of growing has changed"),
                                     HasSubstr("has 2 partitions, the topology needs 3")));
}

// Nobody but the application knows that name, so where brokers make no topics by themselves nobody
// had made it: the record was tried again for ever.
TEST(Topics, OfDeadLettersAreMadeWhereARecordFailsBehindARepartition) {
  TemporaryDirectory directory;
  StreamsConfig config;
  config.application_id = "undertaker";
  config.state_dir = directory.path();
  config.bootstrap_servers = cluster().bootstrap_servers();
  config.processing_handler = FailureHandling::kDeadLetter;
  config.dead_letter_topic = "{topic}.dlq";
  const auto local = *LocalEnvironment::open(config);
  Log& log = local->log();
  ASSERT_TRUE(log.create_topic({.name = "undertaken", .partitions = 2}));
  StreamsBuilder builder;
  builder.stream<Text, Text>("undertaken")
      .repartition({.name = "by-somebody"})
      .for_each([](const Text&, const Text& value) { throw std::runtime_error("no " + value); });
  StreamsApplication application(builder.build(), config, local->environment());
  ASSERT_TRUE(application.start());
  AsyncProducer producer(log, "mourner");
  producer.send("undertaken", Text("k"), Text("v"), from_millis(1), {}, [](const auto&) {});

  const auto deadline = std::chrono::steady_clock::now() + 60s;
  const std::string name = "undertaker-by-somebody-repartition.dlq";
  const auto records = [&] {
    Offset count = 0;
    for (std::int32_t i = 0; i < 2; ++i) {
      if (const auto range = log.range({name, i})) count += range->end;
    }
    return count;
  };
  while (records() == 0 && std::chrono::steady_clock::now() < deadline) {
  }

  EXPECT_GE(records(), 1);
  ASSERT_TRUE(log.topic(name));
  EXPECT_EQ(log.topic(name)->partitions, 2);
  EXPECT_FALSE(application.failure());
  application.close();
}

// The table takes many fetches, the stream is there at once: by time, all of the table is earlier.
TEST(Topics, OfAJoinAreReadByTimeHoweverTheyAreFetched) {
  constexpr int kProducts = 3'000;
  std::string input;
  for (int i = 0; i < kProducts; ++i) {
    input += fmt::format(R"({{"topic": "prices", "key": "p{}", "value": 1, "ts": {}}},)", i, i);
  }
  for (int i = 0; i < kProducts; ++i) {
    input += fmt::format(R"({{"topic": "sales", "key": "p{}", "value": 1, "ts": {}}},)", i,
                         kProducts + i);
  }
  input.pop_back();
  const auto joined = spec(R"(
      {"id": "prices", "op": "table", "topic": "prices", "mat": {"name": "prices"}},
      {"id": "sales", "op": "stream", "topics": ["sales"]},
      {"id": "priced", "op": "join", "in": "sales", "with": "prices", "joiner": {"fn": "pair"}},
      {"op": "to", "in": "priced", "topic": "priced-sales"})",
                           input.c_str());
  SpecStory story(cluster(), joined, "fetched-join", 3);
  story.write_in_batches_of(5, kProducts);
  story.write(kProducts - 1);
  story.start(Runner::kThalweg, {"consumer.max.partition.fetch.bytes=500"});
  story.process_until(1);
  story.stop();

  EXPECT_EQ(story.output().at("priced-sales").size(), kProducts);
}

}  // namespace
}  // namespace thalweg::testing
