// What time alone does to a worker's tasks, while no records come.

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thalweg/runtime/simulated_log.h>
#include <thalweg/topology/streams_builder.h>

#include "simulation/simulated_process.h"

namespace thalweg::simulation {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using namespace std::chrono_literals;
using Text = std::string;

class Quiet : public ::testing::Test {
 protected:
  void begin(std::function<Topology()> topology, std::chrono::milliseconds task_idle = 0ms) {
    ApplicationSpec spec{simulation_config("quiet", 1), std::move(topology)};
    spec.config.max_task_idle = task_idle;
    process_ = std::make_unique<SimulatedProcess>(*log_, storage_, clock_,
                                                  std::vector{std::move(spec)}, random_);
    rest();
  }
  void write(const Text& topic, const Text& value, Timestamp time) {
    auto client = log_->producer({.client_id = "test"});
    client->init();
    client->begin();
    ASSERT_TRUE(client->send(client->topic(topic), 0, "k", value, time, {}));
    client->commit();
    run();
  }
  /// Does what there is to do, while the clock stands still.
  void run() {
    for (int i = 0; i < 30; ++i) round();
  }
  bool round() {
    const bool worked = log_->step();
    return process_->step_all() || worked;
  }
  void rest() {
    run_until_idle(clock_, [this] { return round(); });
  }

  Random random_{1};
  ManualClock clock_{from_millis(1'700'000'000'000)};
  std::unique_ptr<SimulatedLog> log_ = make_simulated_log(clock_, {});
  SimulatedStorage storage_;
  std::unique_ptr<SimulatedProcess> process_;
};

/// A task that reads two topics and waits two seconds for each.
class QuietInputs : public Quiet {
 protected:
  QuietInputs() {
    log_->create_topic({.name = "left", .partitions = 1});
    log_->create_topic({.name = "right", .partitions = 1});
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
    log_->create_topic({.name = "in", .partitions = 1});
    log_->create_topic({.name = "ticks", .partitions = 1});
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
  std::vector<Text> ticks() {
    std::vector<Text> values;
    for (const LoggedRecord& record : read_topic(*log_, clock_, "ticks")) {
      values.push_back(*record.value);
    }
    return values;
  }
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
