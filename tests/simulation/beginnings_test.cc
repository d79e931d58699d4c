// Where an application begins to read a topic of which its group has committed nothing.

#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thalweg/topology/streams_builder.h>

#include "simulation/process_story.h"

namespace thalweg::simulation {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;
using namespace std::chrono_literals;
using Text = std::string;

/// A topic with three records, written an hour, ten minutes and one minute ago.
class Beginnings : public ProcessStory {
 protected:
  Beginnings() {
    create_topics({"in"});
    write("hour", clock_.wall_clock() - 1h);
    write("minutes", clock_.wall_clock() - 10min);
    write("minute", clock_.wall_clock() - 1min);
  }

  void write(const Text& value, Timestamp time) {
    write_records("in", {{.value = value, .time = time}});
    rest();
  }
  void commit_for_the_group(const std::map<TopicPartition, OffsetAndMetadata>& offsets) {
    auto client = log_->producer({.client_id = "test"});
    client->init();
    client->begin();
    client->send_offsets(offsets, {.group = "reader"});
    client->commit();
    rest();
  }

  void begin(AutoOffsetReset where) {
    ApplicationSpec spec{simulation_config("reader"), [where] {
                           StreamsBuilder builder;
                           builder.stream<Text, Text>("in", {.auto_offset_reset = where}).to("out");
                           return builder.build();
                         }};
    start(std::move(spec));
    rest();
  }
  std::vector<Text> seen() { return values_of("out"); }
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
