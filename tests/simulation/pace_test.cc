// When a worker commits: in time however slow its records are, and now and then while idle.

#include <algorithm>
#include <chrono>
#include <limits>
#include <memory>
#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thalweg/runtime/simulated_log.h>
#include <thalweg/topology/streams_builder.h>

#include "simulation/simulated_process.h"

namespace thalweg::simulation {
namespace {

using ::testing::HasSubstr;
using namespace std::chrono_literals;
using Text = std::string;

constexpr int kPartitions = 3;

/// Each record takes the processor `cost`; nothing else takes time.
class Pace : public ::testing::Test {
 protected:
  void begin(std::chrono::nanoseconds cost) {
    log_->create_topic({.name = "in", .partitions = kPartitions});
    ApplicationSpec spec{simulation_config("slow", 1), [this, cost] {
                           StreamsBuilder builder;
                           builder.stream<Text, Text>("in")
                               .peek([this, cost](const Text&, const Text&) {
                                 clock_.advance(cost);
                               })
                               .to("out");
                           return builder.build();
                         }};
    process_ = std::make_unique<SimulatedProcess>(*log_, storage_, clock_,
                                                  std::vector{std::move(spec)}, random_);
    rest();
  }
  void write(int records) {
    auto client = log_->producer({.client_id = "test"});
    client->init();
    client->begin();
    const TopicHandle topic = client->topic("in");
    for (int i = 0; i < records; ++i) {
      ASSERT_TRUE(client->send(topic, i % kPartitions, "k", "v", clock_.wall_clock(), {}));
    }
    client->commit();
    for (int i = 0; i < 10; ++i) log_->step();
  }
  bool round() {
    const bool worked = log_->step();
    return process_->step_all() || worked;
  }
  void rest() {
    run_until_idle(clock_, [this] { return round(); });
  }
  /// How far the group has come, of all partitions and of the one that is behind.
  std::pair<Offset, Offset> committed() const {
    Offset all = 0, last = std::numeric_limits<Offset>::max();
    const auto positions = log_->committed("slow");
    for (int i = 0; i < kPartitions; ++i) {
      const auto found = positions.find({"in", i});
      const Offset offset = found == positions.end() ? 0 : found->second.offset;
      all += offset;
      last = std::min(last, offset);
    }
    return {all, last};
  }

  Random random_{1};
  ManualClock clock_{from_millis(1'700'000'000'000)};
  std::unique_ptr<SimulatedLog> log_ = make_simulated_log(clock_, {});
  SimulatedStorage storage_;
  std::unique_ptr<SimulatedProcess> process_;
};

// A step processed 2,000 records of each task, whatever they cost: with 8 ms each, every
// transaction was older than its timeout when it was to be committed, and the same records came
// again, for ever.
TEST_F(Pace, SlowRecordsAreCommittedBeforeTheTransactionTimesOut) {
  constexpr int kRecords = 3'000;
  begin(8ms);
  write(kRecords);

  auto since = clock_.now();
  std::chrono::nanoseconds longest{};
  Offset seen = 0;
  Offset behind_at_half = 0;
  while (seen < kRecords) {
    if (!round()) clock_.advance(1ms);
    const auto [all, last] = committed();
    if (all != seen) since = clock_.now();
    longest = std::max<std::chrono::nanoseconds>(longest, clock_.now() - since);
    ASSERT_LT(longest, 600ms) << "after " << seen << " records";
    seen = all;
    if (all < kRecords / 2) behind_at_half = last;
  }

  EXPECT_GT(behind_at_half, kRecords / kPartitions / 4) << "no task waits for the others to end";
}

// Brokers forget the positions of topics that a group is not subscribed to. A restart then began
// at the beginning of everything.
TEST_F(Pace, PositionsAreCommittedAgainWhileNothingComes) {
  begin(0ms);
  write(1);
  rest();
  const auto commits = [this] { return process_->metrics().expose(false); };
  const Text counter = R"(commit_total{client_id="process",thread_id="process-StreamThread-1"} )";
  ASSERT_THAT(commits(), HasSubstr(counter + "1\n"));
  clock_.advance(50min);
  rest();
  ASSERT_THAT(commits(), HasSubstr(counter + "1\n"));

  clock_.advance(10min);
  rest();

  EXPECT_THAT(commits(), HasSubstr(counter + "2\n"));
  EXPECT_EQ(committed().first, 1);
}

}  // namespace
}  // namespace thalweg::simulation
