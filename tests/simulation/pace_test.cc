// When a worker commits: in time however slow its records are, and now and then while idle.

#include <algorithm>
#include <chrono>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thalweg/topology/streams_builder.h>

#include "simulation/process_story.h"

namespace thalweg::simulation {
namespace {

using ::testing::HasSubstr;
using namespace std::chrono_literals;
using Text = std::string;

constexpr int kPartitions = 3;

/// Each record takes the processor `cost`; nothing else takes time.
class Pace : public ProcessStory {
 protected:
  void begin(std::chrono::nanoseconds cost) {
    log_->create_topic({.name = "in", .partitions = kPartitions});
    ApplicationSpec spec{
        simulation_config("slow", 1), [this, cost] {
          StreamsBuilder builder;
          builder.stream<Text, Text>("in")
              .peek([this, cost](const Text&, const Text&) { clock_.advance(cost); })
              .to("out");
          return builder.build();
        }};
    start(std::move(spec));
    rest();
  }
  void write(int count) {
    std::vector<WrittenRecord> records;
    for (int i = 0; i < count; ++i) {
      records.push_back({.value = "v", .partition = i % kPartitions});
    }
    write_records("in", records);
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
