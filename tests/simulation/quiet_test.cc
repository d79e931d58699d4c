// What time alone does to a worker's tasks, while no records come.

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thalweg/topology/streams_builder.h>

#include "simulation/process_story.h"

namespace thalweg::simulation {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using namespace std::chrono_literals;
using Text = std::string;

class Quiet : public ProcessStory {
 protected:
  void begin(std::function<Topology()> topology, std::chrono::milliseconds task_idle = 0ms) {
    ApplicationSpec spec{simulation_config("quiet", 1), std::move(topology)};
    spec.config.max_task_idle = task_idle;
    start(std::move(spec));
    rest();
  }
  void write(const Text& topic, const Text& value, Timestamp time) {
    write_records(topic, {{.value = value, .time = time}});
    run();
  }
};

/// A task that reads two topics and waits two seconds for each.
class QuietInputs : public Quiet {
 protected:
  QuietInputs() {
    create_topics({"left", "right"});
    begin(
        [this] {
          StreamsBuilder builder;
          builder.stream<Text, Text>("left")
              .merge(builder.stream<Text, Text>("right"))
              .for_each([this](const Text&, const Text& value) { seen_.push_back(value); });
          return builder.build();
        },
        2000ms);
    rest();
  }

  std::vector<Text> seen_;
};

// The wait began only with a record for the other one: each record after a pause came late.
TEST_F(QuietInputs, AreNotWaitedForWhenTheyHaveBeenQuietForLong) {
  write("left", "a", clock_.wall_clock());
  EXPECT_THAT(seen_, ElementsAre("a"));

  rest();
  write("left", "b", clock_.wall_clock());
  EXPECT_THAT(seen_, ElementsAre("a", "b"));
}

TEST_F(QuietInputs, AreWaitedForWhenTheyHaveJustGivenSomething) {
  write("right", "a", clock_.wall_clock());
  ASSERT_THAT(seen_, ElementsAre("a"));

  write("left", "b", clock_.wall_clock());
  EXPECT_THAT(seen_, ElementsAre("a"));
  clock_.advance(1999ms);
  run();
  EXPECT_THAT(seen_, ElementsAre("a"));
  clock_.advance(1ms);
  run();
  EXPECT_THAT(seen_, ElementsAre("a", "b"));
}

/// A task that writes the time every 10 ms of stream time.
class QuietClock : public Quiet {
 protected:
  QuietClock() {
    create_topics({"in", "ticks"});
    begin();
  }

  void begin() {
    struct Ticker final : Processor<Text, Text> {
      void init(ProcessorContext<Text, Text>& context) override {
        Processor::init(context);
        context.schedule(10ms, PunctuationType::kStreamTime, [this](Timestamp at) {
          this->context().forward("tick", std::to_string(to_millis(at)), at, kNoHeaders);
        });
      }
      void process(const RecordRef<Text, Text>&) override {}
    };
    Quiet::begin([] {
      StreamsBuilder builder;
      builder.stream<Text, Text>("in")
          .process([] { return std::make_unique<Ticker>(); })
          .to("ticks");
      return builder.build();
    });
  }
  void begin_again() {
    process_.reset();
    begin();
  }
  /// What is committed.
  std::vector<Text> ticks() { return values_of("ticks"); }
};

TEST_F(QuietClock, TicksAtOnceAfterARestartAsStreamTimeIsCommitted) {
  write("in", "a", from_millis(123));
  rest();
  ASSERT_THAT(ticks(), ElementsAre("123"));

  begin_again();
  EXPECT_THAT(ticks(), ElementsAre("123", "123"));

  write("in", "b", from_millis(125));
  write("in", "c", from_millis(131));
  rest();
  EXPECT_THAT(ticks(), ElementsAre("123", "123", "131"));
}

TEST_F(QuietClock, DoesNotTickBeforeTheFirstRecord) {
  begin_again();
  EXPECT_THAT(ticks(), IsEmpty());
}

// The tick is part of a transaction, though no record is.
TEST_F(QuietClock, TicksOnceAfterARestartThoughTheCommitFails) {
  write("in", "a", from_millis(123));
  rest();

  log_->fail_next(SimulatedLog::Step::kCommit, ProducerEvent::Kind::kAbortRequired);
  begin_again();

  EXPECT_THAT(ticks(), ElementsAre("123", "123"));
}

}  // namespace
}  // namespace thalweg::simulation
