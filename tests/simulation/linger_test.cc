// When a worker tells its log's client that nothing more is to come, so that records need not wait
// for others to be sent with.

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <thalweg/runtime/log_decorator.h>
#include <thalweg/topology/streams_builder.h>

#include "simulation/process_story.h"

namespace thalweg::simulation {
namespace {

using namespace std::chrono_literals;
using Text = std::string;

/// What producers were asked for.
struct Asked {
  int sent = 0;
  int pushes = 0;
};

class WatchedProducer final : public LogProducerDecorator {
 public:
  WatchedProducer(std::unique_ptr<LogProducer> inner, Asked& asked)
      : LogProducerDecorator(std::move(inner)), asked_(asked) {}

  Status send(TopicHandle topic, std::int32_t partition, std::optional<BytesView> key,
              std::optional<BytesView> value, Timestamp timestamp, BytesView headers) override {
    ++asked_.sent;
    return LogProducerDecorator::send(topic, partition, key, value, timestamp, headers);
  }
  void push() override { ++asked_.pushes; }

 private:
  Asked& asked_;
};

class WatchedLog final : public LogDecorator {
 public:
  WatchedLog(Log& inner, Asked& asked) : LogDecorator(inner), asked_(asked) {}
  std::unique_ptr<LogProducer> producer(const ProducerOptions& options) override {
    return std::make_unique<WatchedProducer>(LogDecorator::producer(options), asked_);
  }

 private:
  Asked& asked_;
};

/// An application that copies a topic, and commits once an hour. Only records take time.
class Lingering : public ProcessStory {
 protected:
  void begin(ProcessingGuarantee guarantee, std::chrono::nanoseconds cost = 0ms) {
    create_topics({"in"});
    ApplicationSpec spec{
        simulation_config("copy", 1), [this, cost] {
          StreamsBuilder builder;
          builder.stream<Text, Text>("in")
              .peek([this, cost](const Text&, const Text&) { clock_.advance(cost); })
              .to("out");
          return builder.build();
        }};
    spec.config.processing_guarantee = guarantee;
    spec.config.commit_interval = spec.config.commit_interval_min = 1h;
    spec.config.transaction_timeout = 4h;
    start(std::move(spec), watched_, storage_);
    rest();
  }
  void write(int records) { ProcessStory::write("in", std::vector<Text>(records, "v")); }

  Asked asked_;
  WatchedLog watched_{*log_, asked_};
};

TEST_F(Lingering, EndsWhenAllIsProcessed) {
  begin(ProcessingGuarantee::kAtLeastOnce);
  write(3);
  run();

  EXPECT_EQ(asked_.sent, 3);
  EXPECT_EQ(asked_.pushes, 1);
}

TEST_F(Lingering, EndsAtMostEveryTwoMilliseconds) {
  begin(ProcessingGuarantee::kAtLeastOnce);
  write(1);
  run();
  ASSERT_EQ(asked_.pushes, 1);

  write(1);
  run();
  EXPECT_EQ(asked_.pushes, 1) << "a moment after the last";
  clock_.advance(2ms);
  run();
  EXPECT_EQ(asked_.pushes, 2);
  clock_.advance(1s);
  run();
  EXPECT_EQ(asked_.pushes, 2) << "nothing was sent since";
}

TEST_F(Lingering, GoesOnWhileThereIsMoreToProcess) {
  begin(ProcessingGuarantee::kAtLeastOnce, 5ms);
  write(100);
  while (asked_.sent < 100) {
    ASSERT_EQ(asked_.pushes, 0) << "after " << asked_.sent;
    round();
  }
  run();

  EXPECT_EQ(asked_.pushes, 1);
}

// Nobody reads them before the commit, which sends everything.
TEST_F(Lingering, OfRecordsInATransactionIsLeftToTheCommit) {
  begin(ProcessingGuarantee::kExactlyOnceV2);
  write(3);
  run();
  clock_.advance(1min);
  run();

  EXPECT_EQ(asked_.sent, 3);
  EXPECT_EQ(asked_.pushes, 0);
}

}  // namespace
}  // namespace thalweg::simulation
