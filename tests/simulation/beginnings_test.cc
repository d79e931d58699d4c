// Where an application begins to read a topic of which its group has committed nothing.

#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thalweg/runtime/simulated_log.h>
#include <thalweg/topology/streams_builder.h>

#include "simulation/simulated_process.h"

namespace thalweg::simulation {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;
using namespace std::chrono_literals;
using Text = std::string;

/// A topic with three records, written an hour, ten minutes and one minute ago.
class Beginnings : public ::testing::Test {
 protected:
  Beginnings() {
    log_->create_topic({.name = "in", .partitions = 1});
    write("hour", clock_.wall_clock() - 1h);
    write("minutes", clock_.wall_clock() - 10min);
    write("minute", clock_.wall_clock() - 1min);
  }

  void write(const Text& value, Timestamp time) {
    auto& client = *clients_.emplace_back(log_->producer({.client_id = "test"}));
    client.init();
    client.begin();
    ASSERT_TRUE(client.send(client.topic("in"), 0, "k", value, time, {}));
    client.commit();
    rest();
  }
  void commit_for_the_group(const std::map<TopicPartition, OffsetAndMetadata>& offsets) {
    auto& client = *clients_.emplace_back(log_->producer({.client_id = "test"}));
    client.init();
    client.begin();
    client.send_offsets(offsets, {.group = "reader"});
    client.commit();
    rest();
  }

  void begin(AutoOffsetReset where) {
    ApplicationSpec spec{simulation_config("reader"), [where] {
                           StreamsBuilder builder;
                           builder.stream<Text, Text>("in", {.auto_offset_reset = where}).to("out");
                           return builder.build();
                         }};
    process_ = std::make_unique<SimulatedProcess>(*log_, storage_, clock_,
                                                  std::vector{std::move(spec)}, random_);
    rest();
  }
  void rest() {
    run_until_idle(clock_, [this] {
      const bool worked = log_->step();
      return (process_ && process_->step_all()) || worked;
    });
  }
  std::vector<Text> seen() {
    std::vector<Text> values;
    for (const LoggedRecord& record : read_topic(*log_, clock_, "out")) {
      values.push_back(*record.value);
    }
    return values;
  }

  Random random_{1};
  ManualClock clock_{from_millis(1'700'000'000'000)};
  std::unique_ptr<SimulatedLog> log_ = make_simulated_log(clock_, {});
  SimulatedStorage storage_;
  std::vector<std::unique_ptr<LogProducer>> clients_;
  std::unique_ptr<SimulatedProcess> process_;
};

TEST_F(Beginnings, EarliestReadsAllThatIsThere) {
  begin(AutoOffsetReset::earliest());
  EXPECT_THAT(seen(), ElementsAre("hour", "minutes", "minute"));
}

TEST_F(Beginnings, LatestReadsWhatComes) {
  begin(AutoOffsetReset::latest());
  write("now", clock_.wall_clock());
  EXPECT_THAT(seen(), ElementsAre("now"));
}

TEST_F(Beginnings, ADurationReadsWhatIsNoOlder) {
  begin(AutoOffsetReset::by_duration(15min));
  EXPECT_THAT(seen(), ElementsAre("minutes", "minute"));
}

TEST_F(Beginnings, ADurationShorterThanAllAgesReadsWhatComes) {
  begin(AutoOffsetReset::by_duration(1s));
  write("now", clock_.wall_clock());
  EXPECT_THAT(seen(), ElementsAre("now"));
}

TEST_F(Beginnings, NoneStopsTheApplicationAndSaysWhere) {
  EXPECT_THAT([this] { begin(AutoOffsetReset::none()); },
              ThrowsMessage<std::runtime_error>(
                  HasSubstr("No valid committed offset found for input in-0")));
}

TEST_F(Beginnings, WhatWasCommittedCountsBeforeAnyOfThem) {
  begin(AutoOffsetReset::earliest());
  process_.reset();
  write("now", clock_.wall_clock());

  begin(AutoOffsetReset::none());

  EXPECT_THAT(seen(), ElementsAre("hour", "minutes", "minute", "now"));
}

TEST_F(Beginnings, WhatWasDeletedBeforeItWasProcessedStopsTheApplication) {
  begin(AutoOffsetReset::earliest());
  process_.reset();
  write("now", clock_.wall_clock());
  write("later", clock_.wall_clock());
  log_->delete_records({"in", 0}, log_->range({"in", 0})->end - 1);

  EXPECT_THAT(
      [this] {
        begin(AutoOffsetReset::earliest());
        for (int i = 0; i < 20; ++i) {
          clock_.advance(3s);
          rest();
        }
      },
      ThrowsMessage<std::runtime_error>(HasSubstr("deleted before they were processed")));
}

// A process that was cut off for a while asked for what the next owner had processed, committed and
// deleted meanwhile, as it had not heard yet that the task was not its own any more; and ended.
TEST_F(Beginnings, APositionThatAnotherOwnerHasPassedAndDeletedIsLookedUpAgain) {
  begin(AutoOffsetReset::earliest());
  auto cut_off = std::move(process_);
  write("elsewhere", clock_.wall_clock());
  write("there", clock_.wall_clock());
  const Offset end = log_->range({"in", 0})->end;
  commit_for_the_group({{{"in", 0}, {end, {}}}});
  log_->delete_records({"in", 0}, end);

  process_ = std::move(cut_off);
  rest();
  write("now", clock_.wall_clock());

  EXPECT_THAT(seen(), ElementsAre("hour", "minutes", "minute", "now"));
}

}  // namespace
}  // namespace thalweg::simulation
