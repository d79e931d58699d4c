// How far apart a worker's commits are.

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thalweg/runtime/log_decorator.h>
#include <thalweg/topology/streams_builder.h>

#include "simulation/process_story.h"

namespace thalweg::simulation {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using Text = std::string;

/// Hears of a commit only when nothing is held back.
class SlowProducer final : public LogProducerDecorator {
 public:
  SlowProducer(std::unique_ptr<LogProducer> inner, const bool& holds_back)
      : LogProducerDecorator(std::move(inner)), holds_back_(holds_back) {}

  bool poll(ProducerEvent& event) override {
    if (!held_) {
      if (!LogProducerDecorator::poll(event)) return false;
      if (event.kind != ProducerEvent::Kind::kCommitted || !holds_back_) return true;
      held_ = std::move(event);
    }
    if (holds_back_) return false;
    event = *std::exchange(held_, std::nullopt);
    return true;
  }

 private:
  const bool& holds_back_;
  std::optional<ProducerEvent> held_;
};

class SlowLog final : public LogDecorator {
 public:
  SlowLog(Log& inner, const bool& holds_back) : LogDecorator(inner), holds_back_(holds_back) {}
  std::unique_ptr<LogProducer> producer(const ProducerOptions& options) override {
    return std::make_unique<SlowProducer>(LogDecorator::producer(options), holds_back_);
  }

 private:
  const bool& holds_back_;
};

/// An application that copies a topic, and begins a commit every 25 ms at most.
class CommitPace : public ProcessStory {
 protected:
  void SetUp() override {
    create_topics({"in"});
    ApplicationSpec spec{simulation_config("copy", 1), [] {
                           StreamsBuilder builder;
                           builder.stream<Text, Text>("in").to("out");
                           return builder.build();
                         }};
    spec.config.commit_interval = 1h;
    spec.config.commit_interval_min = 25ms;
    spec.config.transaction_timeout = 4h;
    start(std::move(spec), slow_, storage_);
    rest();
    clock_.advance(25ms);
  }

  bool holds_back_ = false;
  SlowLog slow_{*log_, holds_back_};
};

TEST_F(CommitPace, BeginsACommitOnceItsIntervalIsOver) {
  write("in", {"first"});
  run();
  ASSERT_THAT(values_of("out"), ElementsAre("first"));

  write("in", {"second"});
  clock_.advance(24ms);
  run();
  EXPECT_THAT(values_of("out"), ElementsAre("first"));
  clock_.advance(1ms);
  run();
  EXPECT_THAT(values_of("out"), ElementsAre("first", "second"));
}

// A record that came too late for a commit waited for its end, for the interval, and for the next
// one: on a busy broker three times as long as a commit takes.
TEST_F(CommitPace, BeginsTheNextCommitAtOnceWhenOneTookTheWholeInterval) {
  holds_back_ = true;
  write("in", {"first"});
  run();
  write("in", {"second"});
  clock_.advance(25ms);
  run();
  ASSERT_THAT(values_of("out"), ElementsAre("first"));

  holds_back_ = false;
  run();
  EXPECT_THAT(values_of("out"), ElementsAre("first", "second"));
}

}  // namespace
}  // namespace thalweg::simulation
