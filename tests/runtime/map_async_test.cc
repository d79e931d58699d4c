// Calls to the outside: who is called when, what comes of answers, failures and silence.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thalweg/runtime/topology_test_driver.h>
#include <thalweg/topology/async.h>
#include <thalweg/topology/streams_builder.h>

namespace thalweg {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;
using namespace std::chrono_literals;
using Text = std::string;
using Call = AsyncCall<Text, Text, Text>;
using Outcome = AsyncOutcome<Text, Text>;

Text told(const Text&, const Outcome& outcome) {
  const Text about = outcome.value + " #" + std::to_string(outcome.attempt);
  switch (outcome.step) {
    case AsyncStep::kStarted:
      return "started " + about;
    case AsyncStep::kCompleted:
      return "completed " + about + ": " + *outcome.response;
    case AsyncStep::kRetrying:
      return "failed " + about + ": " + outcome.error + ", again at " +
             std::to_string(to_millis(*outcome.next_attempt));
    case AsyncStep::kGivenUp:
      return (outcome.refused ? "refused " : "given up ") + about + ": " + outcome.error;
  }
  return {};
}

/// Messages that are sent to a world which answers when the test says so.
class Messages : public ::testing::Test {
 protected:
  void run(AsyncOptions options) {
    options.store = "outbox";
    options.jitter = 0;
    StreamsBuilder builder;
    builder.stream<Text, Text>("messages")
        .map_async<Text>([calls = calls_](Call call) { calls->push_back(std::move(call)); },
                         options)
        .map_values(told)
        .to("steps");
    driver_.emplace(builder.build());
  }
  void message(const Text& key, const Text& text, std::int64_t time = 0) {
    driver_->pipe("messages", key, text, from_millis(time));
  }
  void message_without_key(const Text& text) {
    driver_->pipe("messages", std::nullopt, text, from_millis(0));
  }
  void pass(std::chrono::milliseconds time) { driver_->advance_wall_clock_time(time); }
  Call& call(std::size_t number) { return calls_->at(number); }
  void succeed(std::size_t number, const Text& response = "ok") {
    call(number).succeed(response);
    driver_->take_async_answers();
  }
  void fail(std::size_t number, const Text& error = "no") {
    call(number).fail(error);
    driver_->take_async_answers();
  }
  std::vector<Text> called() const {
    std::vector<Text> values;
    for (const Call& call : *calls_) values.push_back(call.value());
    return values;
  }
  std::vector<Text> steps() {
    std::vector<Text> lines;
    if (!driver_->produced("steps")) return lines;
    auto topic = driver_->create_output_topic<Text, Text>("steps");
    while (!topic.is_empty()) lines.push_back(*topic.read_value());
    return lines;
  }
  std::size_t waiting() {
    std::size_t rows = 0;
    for (auto row = driver_->key_value_store<std::int64_t, Bytes>("outbox").all(); row->valid();
         row->next()) {
      rows += row->key() >= 0 ? 1 : 0;
    }
    return rows;
  }

  std::shared_ptr<std::vector<Call>> calls_ = std::make_shared<std::vector<Call>>();
  std::optional<TopologyTestDriver> driver_;
};

TEST_F(Messages, AreCalledForOnceAndTheAnswerComesDownstream) {
  run({});
  message("a", "hello");
  EXPECT_THAT(called(), ElementsAre("hello"));
  EXPECT_THAT(steps(), ElementsAre("started hello #1"));

  succeed(0, "fine");
  EXPECT_THAT(steps(), ElementsAre("completed hello #1: fine"));
  EXPECT_EQ(waiting(), 0U);

  pass(1h);
  EXPECT_THAT(called(), ElementsAre("hello"));
}

TEST_F(Messages, KeepTheirKeyTimeAndHeaders) {
  run({});
  driver_->pipe("messages", "a", "hello", from_millis(77), {{"trace", "t1"}});
  EXPECT_EQ(call(0).key(), "a");
  EXPECT_EQ(call(0).timestamp(), from_millis(77));
  EXPECT_EQ(call(0).headers(), (Headers{{"trace", "t1"}}));
  succeed(0);

  auto topic = driver_->create_output_topic<Text, Text>("steps");
  for (const auto& record : topic.read_records()) {
    EXPECT_EQ(record.key, "a");
    EXPECT_EQ(record.timestamp, from_millis(77));
    EXPECT_EQ(record.headers, (Headers{{"trace", "t1"}}));
  }
}

TEST_F(Messages, AnsweredWithinTheCallAreDoneAtOnce) {
  StreamsBuilder builder;
  builder.stream<Text, Text>("messages")
      .map_async<Text>([](Call call) { call.succeed(call.value() + "!"); }, {.store = "outbox"})
      .map_values(told)
      .to("steps");
  driver_.emplace(builder.build());
  message("a", "hello");

  EXPECT_THAT(steps(), ElementsAre("started hello #1", "completed hello #1: hello!"));
}

TEST_F(Messages, OfOneKeyGoOneAfterTheOther) {
  run({});
  message("a", "first");
  message("a", "second");
  message("b", "other");
  EXPECT_THAT(called(), ElementsAre("first", "other"));

  fail(0);
  pass(999ms);
  EXPECT_THAT(called(), ElementsAre("first", "other"));
  pass(1ms);
  EXPECT_THAT(called(), ElementsAre("first", "other", "first"));
  succeed(2);
  EXPECT_THAT(called(), ElementsAre("first", "other", "first", "second"));
}

TEST_F(Messages, WithoutAKeyWaitForNobody) {
  StreamsBuilder builder;
  builder.stream<std::optional<Text>, Text>("messages")
      .map_async<Text>(
          [calls = calls_](AsyncCall<std::optional<Text>, Text, Text> call) {
            EXPECT_EQ(call.key(), std::nullopt);
            calls->push_back(Call({.value = call.value()}, nullptr));
          },
          {.store = "outbox"})
      .for_each([](const std::optional<Text>&, const Outcome&) {});
  driver_.emplace(builder.build());
  message_without_key("first");
  message_without_key("second");

  EXPECT_THAT(called(), ElementsAre("first", "second"));
}

TEST_F(Messages, AreUnderWayAtMostSoManyAtATime) {
  run({.max_in_flight = 2});
  for (const char* key : {"a", "b", "c", "d"}) message(key, key);
  EXPECT_THAT(called(), ElementsAre("a", "b"));
  EXPECT_EQ(waiting(), 4U);

  succeed(1);
  EXPECT_THAT(called(), ElementsAre("a", "b", "c"));
  succeed(0);
  EXPECT_THAT(called(), ElementsAre("a", "b", "c", "d"));
}

TEST_F(Messages, ThatFailAreTriedAgainByTheScheduleAndThenGivenUp) {
  run({.retry_after = {1s, 2s}});
  message("a", "hello");
  fail(0, "busy");
  pass(1s);
  fail(1, "busy");
  pass(1999ms);
  EXPECT_THAT(called(), ElementsAre("hello", "hello"));
  pass(1ms);
  fail(2, "still busy");

  EXPECT_THAT(steps(), ElementsAre("started hello #1", "failed hello #1: busy, again at 1000",
                                   "started hello #2", "failed hello #2: busy, again at 3000",
                                   "started hello #3", "given up hello #3: still busy"));
  EXPECT_EQ(waiting(), 0U);
}

TEST_F(Messages, KeepTheirIdempotencyKeyFromAttemptToAttempt) {
  run({});
  message("a", "first");
  message("b", "second");
  fail(0);
  pass(1s);

  EXPECT_EQ(call(2).attempt(), 2);
  EXPECT_EQ(call(2).idempotency_key(), call(0).idempotency_key());
  EXPECT_THAT(call(1).idempotency_key(), Not(call(0).idempotency_key()));
}

TEST_F(Messages, ThatAreRefusedAreGivenUpAtOnce) {
  run({});
  message("a", "hello");
  call(0).refuse("not here");
  driver_->take_async_answers();

  EXPECT_THAT(steps(), ElementsAre("started hello #1", "refused hello #1: not here"));
}

TEST_F(Messages, WithoutAnAnswerInTimeHaveFailed) {
  run({.timeout = 500ms});
  message("a", "hello");
  EXPECT_FALSE(call(0).stop_token().stop_requested());
  pass(499ms);
  EXPECT_THAT(steps(), ElementsAre("started hello #1"));
  pass(1ms);

  EXPECT_THAT(steps(), ElementsAre("failed hello #1: no answer within 500 ms, again at 1500"));
  EXPECT_TRUE(call(0).stop_token().stop_requested());
}

TEST_F(Messages, AnsweredTooLateAreNotDoneTwice) {
  run({.timeout = 500ms});
  message("a", "hello");
  pass(500ms);
  succeed(0, "too late");
  EXPECT_EQ(waiting(), 1U);
  pass(1s);
  succeed(1, "in time");

  EXPECT_THAT(steps(), ElementsAre("started hello #1",
                                   "failed hello #1: no answer within 500 ms, again at 1500",
                                   "started hello #2", "completed hello #2: in time"));
}

TEST_F(Messages, WhoseCallIsLostHaveFailed) {
  run({});
  message("a", "hello");
  calls_->clear();
  driver_->take_async_answers();

  EXPECT_THAT(steps(),
              ElementsAre("started hello #1",
                          "failed hello #1: the call was given up without an answer, "
                          "again at 1000"));
}

TEST_F(Messages, ThatWaitForTheirRetryLeaveRoomForOthers) {
  run({.max_in_flight = 1});
  message("a", "failing");
  message("b", "other");
  EXPECT_THAT(called(), ElementsAre("failing"));
  fail(0);

  EXPECT_THAT(called(), ElementsAre("failing", "other"));
}

TEST_F(Messages, ComeBackSpreadOutIfJitterIsAskedFor) {
  StreamsBuilder builder;
  std::map<std::int64_t, int> times;
  builder.stream<Text, Text>("messages")
      .map_async<Text>([](Call call) { call.fail("no"); },
                       {.store = "outbox", .retry_after = {1000ms}, .jitter = 0.1})
      .for_each([&times](const Text&, const Outcome& outcome) {
        if (outcome.next_attempt) ++times[to_millis(*outcome.next_attempt)];
      });
  driver_.emplace(builder.build());
  for (int i = 0; i < 200; ++i) message(std::to_string(i), "x");

  EXPECT_GE(times.begin()->first, 1000);
  EXPECT_LT(times.rbegin()->first, 1100);
  EXPECT_GT(times.size(), 50U);
}

TEST(MapAsync, RefusesOptionsWithWhichNothingCouldBeCalled) {
  const auto build = [](AsyncOptions options) {
    StreamsBuilder builder;
    builder.stream<Text, Text>("messages").map_async<Text>([](Call) {}, std::move(options));
  };
  EXPECT_THROW(build({.max_in_flight = 0}), TopologyError);
  EXPECT_THROW(build({.timeout = 0ms}), TopologyError);
  EXPECT_THROW(build({.retry_after = {-1ms}}), TopologyError);
  EXPECT_THROW(build({.jitter = -1}), TopologyError);
  EXPECT_THROW(build({.store = "no spaces"}), TopologyError);
  EXPECT_NO_THROW(build({}));
}

TEST(MapAsync, ShowsItsOutboxInTheDescription) {
  StreamsBuilder builder;
  builder.stream<Text, Text>("messages")
      .map_async<Text>([](Call) {}, {.name = "call", .store = "outbox"})
      .for_each([](const Text&, const Outcome&) {}, {.name = "look"});
  EXPECT_THAT(builder.build().describe().to_text(),
              ::testing::HasSubstr("Processor: call (stores: [outbox])\n      --> look"));
}

}  // namespace
}  // namespace thalweg
