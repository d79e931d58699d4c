// Records for a repartition topic whose task runs in the same thread go to it in the same
// transaction, and through the log where that would change their order. That each counts once,
// whatever dies, is told in embedded_crash_test and cluster_test, where lives with and without
// local hops follow each other.

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thalweg/runtime/log_decorator.h>
#include <thalweg/topology/kgrouped_stream.h>
#include <thalweg/topology/ktable.h>
#include <thalweg/topology/streams_builder.h>

#include "simulation/process_story.h"

namespace thalweg::simulation {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using namespace std::chrono_literals;
using Text = std::string;

const TopicPartition kHop{"hopper-by-value-repartition", 0};

/// in -> by value -> out.
Topology by_value() {
  StreamsBuilder builder;
  builder.stream<Text, Text>("in")
      .select_key([](const Text&, const Text& value) { return value.substr(0, 1); })
      .repartition({.name = "by-value"})
      .to("out");
  return builder.build();
}

/// The same, where the task after the hop may have to wait for a second topic.
Topology by_value_and_other() {
  StreamsBuilder builder;
  builder.stream<Text, Text>("in")
      .select_key([](const Text&, const Text& value) { return value.substr(0, 1); })
      .repartition({.name = "by-value"})
      .merge(builder.stream<Text, Text>("other"))
      .to("out");
  return builder.build();
}

/// Does not say where what it has sent ends in the log, as clients may not that got no answer.
class SilentProducer final : public LogProducerDecorator {
 public:
  using LogProducerDecorator::LogProducerDecorator;
  Offset delivered_end(TopicHandle, std::int32_t) const override { return kNoOffset; }
};

class SilentLog final : public LogDecorator {
 public:
  using LogDecorator::LogDecorator;
  std::unique_ptr<LogProducer> producer(const ProducerOptions& options) override {
    return std::make_unique<SilentProducer>(LogDecorator::producer(options));
  }
};

class LocalHops : public ProcessStory {
 protected:
  void SetUp() override { create_topics({"in", "other", "out"}); }
  void begin(std::function<Topology()> topology, bool hops = true,
             std::chrono::milliseconds task_idle = 0ms) {
    ApplicationSpec spec{simulation_config("hopper", 1), std::move(topology)};
    spec.config.transaction_timeout = transaction_timeout_;
    spec.config.repartition_local_hops = hops;
    spec.config.max_task_idle = task_idle;
    start(std::move(spec));
    rest();
  }
  void end() {
    process_->request_stop();
    rest();
    process_.reset();
  }
  void pass(std::chrono::seconds time) {
    for (; time > 0s; time -= 1s) {
      clock_.advance(1s);
      run();
    }
  }
  /// What has gone through the repartition topic, whether it is still there or not.
  Offset through_the_log() { return log_->range(kHop)->end; }
  bool hopped() {
    const Text metrics = process_->metrics().expose();
    const auto at = metrics.find("\nthalweg_local_hops_total");
    return at != Text::npos && metrics.substr(metrics.find("} ", at) + 2, 1) != "0";
  }

  std::chrono::milliseconds transaction_timeout_ = simulation_config("").transaction_timeout;
  SilentLog silent_{*log_};
};

TEST_F(LocalHops, TakeOneTransaction) {
  begin(by_value);

  write("in", {"a1", "b1", "a2"});
  run();

  EXPECT_THAT(values_of("out"), ElementsAre("a1", "b1", "a2"));
  EXPECT_EQ(through_the_log(), 0);
  EXPECT_TRUE(hopped());
}

TEST_F(LocalHops, AreNotMadeWhereTheyAreOff) {
  begin(by_value, /*hops=*/false);

  write("in", {"a1", "b1", "a2"});
  rest();

  EXPECT_THAT(values_of("out"), ElementsAre("a1", "b1", "a2"));
  EXPECT_GE(through_the_log(), 3);
  EXPECT_FALSE(hopped());
}

TEST_F(LocalHops, CarryEverythingThatARecordIs) {
  struct Marker final : FixedKeyProcessor<Text, Text, std::optional<Text>> {
    void process(const RecordRef<Text, Text>& record) override {
      const auto value = record.value == "gone" ? std::nullopt : std::optional(record.value);
      context().forward(value, record.timestamp + 1s, {{"seen", record.value}});
    }
  };
  struct Reader final : FixedKeyProcessor<Text, std::optional<Text>, Text> {
    void process(const RecordRef<Text, std::optional<Text>>& record) override {
      const Header* seen = record.headers.last("seen");
      ASSERT_TRUE(seen);
      context().forward(record.value.value_or("null") + ", seen " + seen->value.value_or("null"));
    }
  };
  begin([] {
    StreamsBuilder builder;
    builder.stream<Text, Text>("in")
        .process_values([] { return std::make_unique<Marker>(); })
        .select_key([](const Text& key, const std::optional<Text>&) { return key + "!"; })
        .repartition({.name = "by-value"})
        .process_values([] { return std::make_unique<Reader>(); })
        .to("out");
    return builder.build();
  });

  write("in", {"a", "gone"});
  run();

  const auto records = read_topic(*log_, clock_, "out");
  ASSERT_THAT(records, SizeIs(2));
  EXPECT_EQ(records[0].key, "k!");
  EXPECT_EQ(records[0].value, "a, seen a");
  EXPECT_EQ(records[1].value, "null, seen gone");
  for (const auto& record : records) EXPECT_EQ(record.timestamp, clock_.wall_clock() + 1s);
  EXPECT_EQ(through_the_log(), 0);
}

// The process that was here before wrote them, and died before it had processed them.
TEST_F(LocalHops, WaitForWhatIsInTheLog) {
  begin(by_value_and_other, /*hops=*/false, /*task_idle=*/1h);
  write("in", {"a1", "a2"});
  clock_.advance(1s);
  run();
  ASSERT_GE(through_the_log(), 2) << "and nothing came to \"other\"";
  ASSERT_THAT(values_of("out"), IsEmpty());
  process_.reset();
  log_->crash_clients();

  begin(by_value_and_other);
  write("in", {"a3"});
  rest();

  EXPECT_THAT(values_of("out"), ElementsAre("a1", "a2", "a3"));
}

// Their task must not go on before the other topic has given something, and the transaction cannot
// wait for it.
TEST_F(LocalHops, EndInTheLogWhereTheirTaskWaits) {
  begin(by_value_and_other, /*hops=*/true, /*task_idle=*/10s);
  pass(60s);  // What comes first need not wait.
  write("other", {"first"});
  run();
  ASSERT_THAT(values_of("out"), ElementsAre("first"));

  write("in", {"a1", "a2"});
  run();
  clock_.advance(200ms);
  run();
  EXPECT_THAT(values_of("out"), ElementsAre("first"));
  EXPECT_GE(through_the_log(), 2);
  write("in", {"a3"});
  pass(60s);

  EXPECT_THAT(values_of("out"), ElementsAre("first", "a1", "a2", "a3"));
}

// What the cache of the first task holds until the commit is processed by the second one, and
// written, in the same transaction.
TEST_F(LocalHops, FollowAFlushOfCaches) {
  begin([] {
    StreamsBuilder builder;
    builder.stream<Text, Text>("in")
        .group_by([](const Text&, const Text& value) { return value.substr(0, 1); })
        .count({.store = "counts"})
        .to_stream()
        .map([](const Text& key, const std::optional<std::int64_t>& count) {
          return std::pair(std::to_string(count.value_or(0)), key);
        })
        .repartition({.name = "by-value"})
        .to("out");
    return builder.build();
  });

  write("in", {"a1", "b1", "a2"});
  run();

  EXPECT_THAT(values_of("out"), ::testing::UnorderedElementsAre("a", "b"));
  EXPECT_EQ(through_the_log(), 0);
}

// A commit that took as long as all of them would be given up by the brokers, again and again.
TEST_F(LocalHops, EndInTheLogWhereTheyWouldHoldUpTheCommit) {
  transaction_timeout_ = 60s;
  begin([this] {
    StreamsBuilder builder;
    builder.stream<Text, Text>("in")
        .group_by([](const Text&, const Text& value) { return value; })
        .count({.store = "counts"})
        .to_stream()
        .map(
            [](const Text& key, const std::optional<std::int64_t>&) { return std::pair(key, key); })
        .repartition({.name = "by-value"})
        .peek([this](const Text&, const Text&) { clock_.advance(150ms); })
        .to("out");
    return builder.build();
  });
  std::vector<Text> values;
  for (int i = 0; i < 100; ++i) values.push_back("v" + std::to_string(i));

  write("in", values);
  for (int i = 0; i < 300; ++i) {
    const auto began = clock_.now();
    round();
    ASSERT_LT(clock_.now() - began, 2s);
  }
  rest();

  EXPECT_GE(through_the_log(), 50);
  EXPECT_THAT(values_of("out"), ::testing::UnorderedElementsAreArray(values));
}

// Time ran out while some of them were left; those that came meanwhile were not looked at when the
// task chose between its inputs.
TEST_F(LocalHops, AreTakenBeforeLaterRecordsOfOtherInputs) {
  std::vector<Text> seen;
  begin([this, &seen] {
    StreamsBuilder builder;
    builder.stream<Text, Text>("in")
        .select_key([](const Text& key, const Text&) { return key + "!"; })
        .repartition({.name = "by-value"})
        .merge(builder.stream<Text, Text>("other"))
        .peek([&](const Text&, const Text& value) {
          seen.push_back(value);
          clock_.advance(7ms);
        })
        .to("out");
    return builder.build();
  });

  write_records(
      "other", std::vector<WrittenRecord>(20, {.value = "late", .time = clock_.wall_clock() + 1h}));
  write("in", std::vector<Text>(12, "a"));
  for (int i = 0; seen.size() < 8; ++i) {
    ASSERT_LT(i, 100);
    round();
  }
  write("in", std::vector<Text>(12, "a"));
  rest();

  ASSERT_THAT(seen, SizeIs(44));
  EXPECT_EQ(std::ranges::find(seen, "late") - seen.begin(), 24);
}

// What waits in memory is bounded, however large the records are.
TEST_F(LocalHops, EndInTheLogWhereTheyWouldTakeTooMuchMemory) {
  begin(by_value);
  std::vector<Text> values;
  for (char c = 'a'; c < 'i'; ++c) values.push_back(Text(1 << 20, c));

  write("in", values);
  rest();
  EXPECT_GE(through_the_log(), 4);
  const Offset before = through_the_log();
  write("in", {"small"});
  rest();

  values.push_back("small");
  EXPECT_TRUE(values_of("out") == values) << "in this order";
  EXPECT_EQ(through_the_log(), before) << "the way is free again";
}

// Nothing can wait for an end that is not known, so all that follows takes the same way.
TEST_F(LocalHops, AreNotMadeBehindRecordsWhoseEndIsNotKnown) {
  start({simulation_config("hopper", 1), by_value}, silent_, storage_);
  rest();
  write("in", {"a1"});
  run();
  ASSERT_EQ(through_the_log(), 0);

  write("in", std::vector<Text>(5, Text(1 << 20, 'a')));
  rest();
  const Offset before = through_the_log();
  ASSERT_GE(before, 4);
  write("in", {"a2", "a3"});
  rest();

  EXPECT_GE(through_the_log(), before + 2);
  const auto values = values_of("out");
  ASSERT_THAT(values, SizeIs(8));
  EXPECT_EQ(values[6], "a2");
  EXPECT_EQ(values[7], "a3");
}

TEST_F(LocalHops, AreForgottenWithTheirTransaction) {
  begin(by_value);

  write("in", {"a1"});
  log_->fail_next(SimulatedLog::Step::kCommit, ProducerEvent::Kind::kAbortRequired);
  rest();

  EXPECT_THAT(values_of("out"), ElementsAre("a1"));
}

TEST_F(LocalHops, EndBeforeTheProcessDoes) {
  begin(by_value);

  write("in", {"a1", "a2"});
  end();
  begin(by_value);

  EXPECT_THAT(values_of("out"), ElementsAre("a1", "a2"));
}

}  // namespace
}  // namespace thalweg::simulation
