// Windows: which of them a record belongs to, when it is too late for one, what they send on, and
// when. Suppress: what it holds back.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thalweg/schemas/partitioning.h>
#include <thalweg/topology/streams_builder.h>
#include <thalweg/topology/windowed_serdes.h>

#include "topology/topology_world.h"

namespace thalweg {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::ThrowsMessage;
using testing::TopologyWorld;
using namespace std::chrono_literals;
using Text = std::string;
using Number = std::int64_t;

class WindowsStory : public ::testing::Test {
 protected:
  auto grouped() { return builder_.stream<Text, std::optional<Number>>("numbers").group_by_key(); }
  /// Sends a windowed table to `out`, each change as `key[start,end]=value@time`.
  template <typename V>
  void send(const KTable<Windowed<Text>, V>& table) {
    table.to_stream()
        .map([](const Windowed<Text>& key, const std::optional<V>& value) {
          return std::pair(key.key + "[" + std::to_string(to_millis(key.window.start)) + "," +
                               std::to_string(to_millis(key.window.end)) + "]",
                           value);
        })
        .to("out");
  }
  TopologyWorld& world() {
    if (!world_) world_ = std::make_unique<TopologyWorld>(builder_.build(), options_);
    return *world_;
  }
  void number(const Text& key, std::optional<Number> value, std::int64_t time) {
    world().pipe<Text, Number>("numbers", key, value, time);
  }
  std::vector<std::string> out() {
    std::vector<std::string> shown;
    for (const auto& record : world().drain<Text, Number>("out")) {
      shown.push_back(*record.key + "=" + (record.value ? std::to_string(*record.value) : "null") +
                      "@" + std::to_string(record.time));
    }
    return shown;
  }

  StreamsBuilder builder_;
  TopologyWorld::Options options_;
  std::unique_ptr<TopologyWorld> world_;
};

constexpr auto kAdd = [](Number so_far, const std::optional<Number>& n) {
  return so_far + n.value_or(0);
};

// Each window went to a partition of its own, and a key's windows came in any order.
TEST_F(WindowsStory, AllWindowsOfAKeyGoToThePartitionOfTheKey) {
  options_.partitions = 12;
  grouped().windowed_by(TimeWindows::of_size_with_no_grace(10ms)).count().to_stream().to("out");
  grouped()
      .windowed_by(SessionWindows::of_inactivity_gap_with_no_grace(5ms))
      .count()
      .to_stream()
      .to("sessions");

  for (const std::int64_t time : {5, 15, 25, 35}) number("order-1", 1, time);

  for (const char* topic : {"out", "sessions"}) {
    const auto records = world().drain_raw(topic);
    EXPECT_EQ(records.size(), 4) << topic;
    for (const auto& record : records) {
      EXPECT_EQ(record.partition, partition_of("order-1", 12)) << topic;
    }
  }
}

TEST_F(WindowsStory, TumblingWindowsHoldTheirStartAndNotTheirEnd) {
  send(grouped().windowed_by(TimeWindows::of_size_with_no_grace(10ms)).count());
  number("a", 1, 0);
  number("a", 1, 9);
  number("a", 1, 10);
  EXPECT_THAT(out(), ElementsAre("a[0,10]=1@0", "a[0,10]=2@9", "a[10,20]=1@10"));
}

TEST_F(WindowsStory, ARecordCountsInAllHoppingWindowsByAscendingStart) {
  send(grouped().windowed_by(TimeWindows::of_size_with_no_grace(10ms).advance_by(4ms)).count());
  number("a", 1, 9);
  EXPECT_THAT(out(), ElementsAre("a[0,10]=1@9", "a[4,14]=1@9", "a[8,18]=1@9"));
}

TEST_F(WindowsStory, GraceLetsLateRecordsInUntilItIsOver) {
  send(grouped().windowed_by(TimeWindows::of_size_and_grace(10ms, 5ms)).count());
  number("a", 1, 14);
  number("a", 1, 5);
  EXPECT_THAT(out(), ElementsAre("a[10,20]=1@14", "a[0,10]=1@5"));
  number("b", 1, 15);
  number("a", 1, 6);
  EXPECT_THAT(out(), ElementsAre("b[10,20]=1@15"));
  EXPECT_EQ(world().drops(), 1u);
}

TEST_F(WindowsStory, ANullValueIsAggregatedANullKeyIsNot) {
  auto table = grouped().windowed_by(TimeWindows::of_size_with_no_grace(10ms)).count();
  send(table);
  number("a", std::nullopt, 1);
  world().pipe<Text, Number>("numbers", std::nullopt, 1, 2);
  EXPECT_THAT(out(), ElementsAre("a[0,10]=1@1"));
  EXPECT_EQ(world().drops(), 1u);
}

TEST_F(WindowsStory, UnlimitedWindowsBeginAtTheirStart) {
  send(grouped().windowed_by(UnlimitedWindows::of().start_on(from_millis(5))).count());
  number("a", 1, 4);
  number("a", 1, 5);
  number("a", 1, 4'000'000);
  EXPECT_THAT(out(),
              ElementsAre("a[5,9223372036854775807]=1@5", "a[5,9223372036854775807]=2@4000000"));
}

TEST_F(WindowsStory, SlidingWindowsEndWithEachRecordAndBeginBehindIt) {
  send(grouped().windowed_by(SlidingWindows::of_time_difference_with_no_grace(10ms)).reduce(kAdd));
  number("a", 1, 20);
  EXPECT_THAT(out(), ElementsAre("a[10,20]=1@20"));
  number("a", 2, 25);
  EXPECT_THAT(out(), ElementsAre("a[21,31]=2@25", "a[15,25]=3@25"));
}

TEST_F(WindowsStory, SessionsThatARecordTouchesBecomeOne) {
  send(grouped().windowed_by(SessionWindows::of_inactivity_gap_and_grace(10ms, 50ms)).reduce(kAdd));
  number("a", 1, 0);
  number("a", 2, 20);
  EXPECT_THAT(out(), ElementsAre("a[0,0]=1@0", "a[20,20]=2@20"));
  number("a", 4, 10);
  EXPECT_THAT(out(), ElementsAre("a[0,0]=null@0", "a[20,20]=null@20", "a[0,20]=7@20"));
}

TEST_F(WindowsStory, EmitOnWindowCloseSendsOneFinalResultByStartAndKey) {
  send(grouped()
           .windowed_by(TimeWindows::of_size_and_grace(10ms, 5ms))
           .emit_strategy(EmitStrategy::kOnWindowClose)
           .count({.store = "counts", .retention = 100ms}));
  number("b", 1, 1);
  number("a", 1, 2);
  number("a", 1, 3);
  number("a", 1, 14);
  EXPECT_THAT(out(), IsEmpty());
  number("c", 1, 15);
  EXPECT_THAT(out(), ElementsAre("a[0,10]=2@3", "b[0,10]=1@1"));
  number("c", 1, 40);
  EXPECT_THAT(out(), ElementsAre("a[10,20]=1@14", "c[10,20]=1@15"));
}

TEST_F(WindowsStory, ClosedSessionsAreEmittedOnce) {
  send(grouped()
           .windowed_by(SessionWindows::of_inactivity_gap_with_no_grace(10ms))
           .emit_strategy(EmitStrategy::kOnWindowClose)
           .count());
  number("a", 1, 0);
  number("a", 1, 5);
  number("b", 1, 15);
  EXPECT_THAT(out(), IsEmpty());
  number("b", 1, 16);
  EXPECT_THAT(out(), ElementsAre("a[0,5]=2@5"));
}

TEST_F(WindowsStory, CachedResultsComeOncePerCommit) {
  options_.caching = true;
  send(grouped().windowed_by(TimeWindows::of_size_with_no_grace(10ms).advance_by(5ms)).count());
  number("a", 1, 7);
  number("a", 1, 8);
  EXPECT_THAT(out(), ElementsAre("a[0,10]=1@7", "a[5,15]=1@7", "a[0,10]=2@8", "a[5,15]=2@8"));
}

TEST_F(WindowsStory, SuppressHoldsAWindowsResultsUntilItCloses) {
  send(grouped()
           .windowed_by(TimeWindows::of_size_and_grace(10ms, 5ms))
           .count()
           .suppress(Suppressed::until_window_closes()));
  number("a", 1, 1);
  number("a", 1, 3);
  number("b", 1, 14);
  EXPECT_THAT(out(), IsEmpty());
  number("b", 1, 15);
  EXPECT_THAT(out(), ElementsAre("a[0,10]=2@3"));
}

TEST_F(WindowsStory, SuppressForAWhileKeepsTheFirstTimeAndTheLastValue) {
  auto table = grouped().reduce([](Number, Number n) { return n; });
  table.suppress(Suppressed::until_time_limit(10ms)).to_stream().to("out");
  number("k", 1, 0);
  number("k", 2, 5);
  number("z", 9, 9);
  EXPECT_THAT(out(), IsEmpty());
  number("z", 9, 10);
  EXPECT_THAT(out(), ElementsAre("k=2@5"));
}

TEST_F(WindowsStory, AFullBufferEmitsEarlyOrStops) {
  auto table = grouped().reduce([](Number, Number n) { return n; });
  table
      .suppress(Suppressed::until_time_limit(
          1000ms, {.max_records = 1, .when_full = BufferFull::kEmitEarly}))
      .to_stream()
      .to("out");
  table.suppress(Suppressed::until_time_limit(1000ms, {.max_records = 2}, "strict"))
      .to_stream()
      .to("strict-out");
  number("a", 1, 0);
  number("b", 2, 1);
  EXPECT_THAT(out(), ElementsAre("a=1@0"));
  EXPECT_THAT([&] { number("c", 3, 2); },
              ThrowsMessage<std::exception>(
                  HasSubstr("strict buffer exceeded its max capacity. Currently [3/2] records")));
}

TEST_F(WindowsStory, SuppressUntilWindowsCloseNeedsWindows) {
  auto table = grouped().count();
  EXPECT_THAT([&] { table.suppress(Suppressed::until_window_closes()); },
              ThrowsMessage<TopologyError>(
                  HasSubstr("Window close time is only defined for windowed computations.")));
  EXPECT_THROW(Suppressed::until_window_closes({.when_full = BufferFull::kEmitEarly}),
               std::invalid_argument);
}

TEST(WindowDefinitions, RefuseTimesThatCannotBe) {
  EXPECT_THROW(TimeWindows::of_size_with_no_grace(0ms), std::invalid_argument);
  EXPECT_THROW(TimeWindows::of_size_and_grace(1ms, -1ms), std::invalid_argument);
  EXPECT_THROW(TimeWindows::of_size_with_no_grace(5ms).advance_by(0ms), std::invalid_argument);
  EXPECT_THROW(TimeWindows::of_size_with_no_grace(5ms).advance_by(6ms), std::invalid_argument);
  EXPECT_THROW(SlidingWindows::of_time_difference_with_no_grace(-1ms), std::invalid_argument);
  EXPECT_THROW(SessionWindows::of_inactivity_gap_with_no_grace(-1ms), std::invalid_argument);
  EXPECT_THROW(UnlimitedWindows::of().start_on(from_millis(-1)), std::invalid_argument);
}

TEST(WindowDefinitions, RetentionMustCoverSizeAndGrace) {
  StreamsBuilder builder;
  auto windows = builder.stream<Text, Number>("numbers").group_by_key().windowed_by(
      TimeWindows::of_size_and_grace(10ms, 5ms));
  EXPECT_THROW(windows.count({.retention = 14ms}), std::invalid_argument);
  EXPECT_NO_THROW(windows.count({.retention = 15ms}));
}

TEST(WindowedSerdes, TellHowManyBytesNameTheWindow) {
  const AnySerde<Text> text;
  EXPECT_EQ(TimeWindowedSerde<Text>(text).schema()->window_bytes(), 8u);
  EXPECT_EQ(SessionWindowedSerde<Text>(text).schema()->window_bytes(), 16u);
  EXPECT_EQ(text.schema()->window_bytes(), 0u);
  EXPECT_EQ(TimeWindowedSerde<Text>(text).schema()->name(), "bytes");
}

TEST(WindowedSerdes, WriteWhatKafkaStreamsWrites) {
  const AnySerde<Text> text;
  std::string bytes;
  TimeWindowedSerde<Text>(text).serialize({"k", {from_millis(258), from_millis(300)}}, bytes);
  EXPECT_EQ(bytes, std::string("k\0\0\0\0\0\0\1\2", 9));
  Windowed<Text> key;
  TimeWindowedSerde<Text>(text, 10ms).deserialize(bytes, key);
  EXPECT_EQ(key, (Windowed<Text>{"k", {from_millis(258), from_millis(268)}}));
  EXPECT_THROW(TimeWindowedSerde<Text>(text).deserialize("short", key), SerdeError);

  bytes.clear();
  SessionWindowedSerde<Text>(text).serialize({"k", {from_millis(1), from_millis(2)}}, bytes);
  EXPECT_EQ(bytes, std::string("k\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\1", 17));
  SessionWindowedSerde<Text>(text).deserialize(bytes, key);
  EXPECT_EQ(key, (Windowed<Text>{"k", {from_millis(1), from_millis(2)}}));
}

}  // namespace
}  // namespace thalweg
