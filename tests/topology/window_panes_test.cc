// Hopping windows share the work of a record's many windows (panes). Nobody can tell: what comes
// out is what folding every record into every window gives.

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <thalweg/topology/aggregators.h>
#include <thalweg/topology/streams_builder.h>

#include "topology/topology_world.h"

namespace thalweg {
namespace {

using testing::TopologyWorld;
using namespace std::chrono_literals;
using Text = std::string;
using Number = std::int64_t;

/// A result with all that went on with it: window, value, time, headers, and the record that wrote
/// the window last.
using Result = std::string;

class Recorder final : public FixedKeyProcessor<Windowed<Text>, std::optional<Number>> {
 public:
  explicit Recorder(std::vector<Result>& seen) : seen_(seen) {}
  void process(const RecordRef<Windowed<Text>, std::optional<Number>>& record) override {
    Result result = record.key.key + " from " + std::to_string(to_millis(record.key.window.start)) +
                    " to " + std::to_string(to_millis(record.key.window.end)) + ": " +
                    (record.value ? std::to_string(*record.value) : "null") + " @" +
                    std::to_string(to_millis(record.timestamp));
    for (const Header& header : record.headers) result += ' ' + std::string(header.key);
    seen_.push_back(result + " of " + std::to_string(context().task().metadata().offset));
  }

 private:
  std::vector<Result>& seen_;
};

struct Came {
  Text key;
  Number value;
  std::int64_t time;
  bool has_header;
};

/// An application with hopping windows, whose test commits when it likes.
class Hops {
 public:
  /// `aggregate(windowed stream)` makes the table.
  template <typename Aggregate>
  Hops(TimeWindows windows, Aggregate aggregate) {
    StreamsBuilder builder;
    aggregate(builder.stream<Text, Number>("numbers").group_by_key().windowed_by(windows))
        .to_stream()
        .process_values([this] { return std::make_unique<Recorder>(results_); });
    world_ = std::make_unique<TopologyWorld>(
        builder.build(), TopologyWorld::Options{.caching = true, .commits = false});
  }
  void take(const Came& record) {
    Headers headers;
    if (record.has_header) headers.add("at-" + std::to_string(record.time), "x");
    world_->pipe<Text, Number>("numbers", record.key, record.value, record.time, headers);
  }
  std::vector<Result> commit() {
    world_->commit();
    return std::exchange(results_, {});
  }
  TopologyWorld& world() { return *world_; }

 private:
  std::vector<Result> results_;
  std::unique_ptr<TopologyWorld> world_;
};

// Each built-in aggregation, and the same one as the user's own function, which cannot share.
const auto kCount = [](auto windowed) { return windowed.count({.store = "table"}); };
const auto kCountAlone = [](auto windowed) {
  return windowed.aggregate([] { return Number{0}; },
                            [](const Text&, Number, Number so_far) { return so_far + 1; },
                            {.store = "table"});
};
const auto kMost = [](auto windowed) {
  const auto most = maximum<Number>([](Number value) { return value; });
  return windowed.aggregate(most.initializer(), most, {.store = "table"});
};
const auto kMostAlone = [](auto windowed) {
  return windowed.aggregate([] { return std::optional<Number>(); },
                            [](const Text&, Number value, std::optional<Number> so_far) -> Number {
                              return so_far ? std::max(value, *so_far) : value;
                            },
                            {.store = "table"});
};

template <typename Shared, typename Alone>
void nobody_can_tell(Shared shared_aggregate, Alone alone_aggregate) {
  std::mt19937 random(*rc::gen::noShrink(rc::gen::arbitrary<std::uint32_t>()));
  const auto below = [&random](std::uint32_t limit) { return random() % limit; };
  const auto advance = std::chrono::milliseconds(1 + below(20));
  const auto windows =
      TimeWindows::of_size_and_grace(advance * (1 + below(8)), std::chrono::milliseconds(below(60)))
          .advance_by(advance);
  Hops shared(windows, shared_aggregate);
  Hops alone(windows, alone_aggregate);
  std::int64_t now = below(100);
  for (int step = *rc::gen::inRange(1, 200); step > 0; --step) {
    now += below(8) == 0 ? below(400) : below(10);
    const std::int64_t time = std::max<std::int64_t>(0, now - below(4) * below(40));
    const Came record{Text(1, static_cast<char>('a' + below(3))), static_cast<Number>(below(50)),
                      time, below(3) == 0};
    shared.take(record);
    alone.take(record);
    if (below(10) == 0) RC_ASSERT(shared.commit() == alone.commit());
    if (below(60) == 0) {
      shared.world().abort();
      alone.world().abort();
    }
  }
  RC_ASSERT(shared.commit() == alone.commit());
  RC_ASSERT(shared.world().drops() == alone.world().drops());
}

RC_GTEST_PROP(WindowPanes, NobodyCanTellCountsByPanesFromCountsByRecords, ()) {
  nobody_can_tell(kCount, kCountAlone);
}
RC_GTEST_PROP(WindowPanes, NobodyCanTellTheGreatestByPanesFromTheGreatestByRecords, ()) {
  nobody_can_tell(kMost, kMostAlone);
}

TEST(WindowPanesStory, AReaderOfTheStoreSeesWhatHasNotBeenCommitted) {
  Hops hops(TimeWindows::of_size_with_no_grace(30ms).advance_by(10ms), kCount);
  hops.take({"a", 1, 100, false});
  hops.take({"a", 1, 105, false});
  auto& store = dynamic_cast<WindowStore<Text, Number>&>(hops.world().store("table"));
  EXPECT_GT(store.uncommitted_bytes(), 0u);
  EXPECT_EQ(*store.fetch("a", from_millis(80)), 2);
  hops.take({"a", 1, 107, false});
  EXPECT_EQ(*store.fetch("a", from_millis(100)), 3);
  EXPECT_EQ(store.fetch("a", from_millis(110)), nullptr);
}

TEST(WindowPanesStory, AnAggregationThatBeginsWithSomethingOfItsOwnCountsItOnce) {
  Hops hops(TimeWindows::of_size_with_no_grace(20ms).advance_by(10ms), [](auto windowed) {
    const auto total = sum<Number>([](Number value) { return value; });
    return windowed.aggregate([] { return Number{1'000}; }, total, {.store = "table"});
  });
  hops.take({"a", 1, 0, false});
  hops.take({"a", 2, 10, false});
  EXPECT_EQ(hops.commit(), (std::vector<Result>{"a from 0 to 20: 1003 @10 of 1",
                                                "a from 10 to 30: 1002 @10 of 1"}));
}

TEST(WindowPanesStory, ARecordAtWhichTheAggregatorThrowsLeavesNothing) {
  StreamsBuilder builder;
  const auto total = sum<Number>([](Number value) {
    if (value < 0) throw std::invalid_argument("below zero");
    return value;
  });
  std::vector<Result> results;
  builder.stream<Text, Number>("numbers")
      .group_by_key()
      .windowed_by(TimeWindows::of_size_with_no_grace(20ms).advance_by(10ms))
      .aggregate(total.initializer(), total, {.store = "table"})
      .to_stream()
      .process_values([&results] { return std::make_unique<Recorder>(results); });
  TopologyWorld world(builder.build(), {.caching = true, .skip_failed = true, .commits = false});
  world.pipe<Text, Number>("numbers", "a", -1, 0);
  world.commit();
  EXPECT_TRUE(results.empty());
  world.pipe<Text, Number>("numbers", "a", 5, 0);
  world.pipe<Text, Number>("numbers", "a", -1, 5);
  world.commit();
  EXPECT_EQ(results, std::vector<Result>{"a from 0 to 20: 5 @0 of 1"});
}

}  // namespace
}  // namespace thalweg
