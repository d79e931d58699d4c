// A process that counts in windows dies at any step of commit, sync, spill and restore, while
// windows expire. Whatever happened, each record counts once in its window, and the final result of
// a closed window comes once.

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include <thalweg/topology/streams_builder.h>
#include <thalweg/topology/windowed_serdes.h>

#include "simulation/crash_story.h"
#include "simulation/word_statistics.h"

namespace thalweg::simulation {
namespace {

using namespace std::chrono_literals;

constexpr auto kSize = std::chrono::milliseconds(100s);

/// Ten seconds pass with each number.
Timestamp time_of(std::int64_t id) { return from_millis(id * 10'000); }

Topology windowed_counts() {
  StreamsBuilder builder;
  Consumed<std::string, std::int64_t> consumed;
  consumed.timestamp_extractor = [](const std::string&, const std::int64_t& id, Timestamp,
                                    Timestamp) { return time_of(id); };
  auto counts = builder.stream<std::string, std::int64_t>("words", consumed)
                    .group_by_key()
                    .windowed_by(TimeWindows::of_size_with_no_grace(kSize))
                    .count({.store = "counts", .caching = false});
  counts.to_stream().to("windows-out");
  counts.suppress(Suppressed::until_window_closes({}, "final")).to_stream().to("final-out");
  return builder.build();
}

std::int64_t number(const std::string& bytes) {
  std::int64_t value = 0;
  Serde<std::int64_t>::deserialize(bytes, value);
  return value;
}

/// A word and the start of its window, as on a topic.
std::string windowed_bytes(const std::string& word, std::int64_t id) {
  std::string bytes;
  const auto start = time_of(id) - time_of(id).time_since_epoch() % kSize;
  TimeWindowedSerde<std::string>(AnySerde<std::string>(), kSize)
      .serialize({word, {start, start + kSize}}, bytes);
  return bytes;
}

class WindowedWords final : public Workload {
 public:
  explicit WindowedWords(Random& random) : words_(random) {}

  std::vector<ApplicationSpec> applications() override {
    return {{simulation_config("windows"), windowed_counts}};
  }
  void write_something(EmbeddedProcess& process) override {
    process.produce("words", words_.next(), [] {});
  }
  void check(EmbeddedProcess& process, ManualClock& clock) override {
    std::map<std::string, std::int64_t> counts;
    std::map<std::int32_t, std::int64_t> latest;  // Of each partition.
    std::map<std::string, std::pair<std::int32_t, std::int64_t>> windows;
    for (const auto& record : read_topic(process.log(), clock, "words")) {
      const std::int64_t id = number(*record.value);
      const std::string window = windowed_bytes(*record.key, id);
      ++counts[window];
      windows[window] = {record.partition, id};
      latest[record.partition] = std::max(latest[record.partition], id);
    }
    std::map<std::string, std::int64_t> seen;
    for (const auto& record : read_topic(process.log(), clock, "windows-out")) {
      EXPECT_EQ(number(*record.value), ++seen[*record.key]);
    }
    EXPECT_EQ(seen, counts);

    std::set<std::string> closed;
    for (const auto& record : read_topic(process.log(), clock, "final-out")) {
      EXPECT_TRUE(closed.insert(*record.key).second) << "a final result came twice";
      EXPECT_EQ(number(*record.value), counts[*record.key]);
    }
    for (const auto& [window, place] : windows) {
      const auto& [partition, id] = place;
      const auto end = time_of(id) - time_of(id).time_since_epoch() % kSize + kSize;
      EXPECT_EQ(closed.contains(window), end <= time_of(latest[partition]));
    }
  }

 private:
  WordSource words_;
};

std::unique_ptr<Workload> windowed_words(Random& random) {
  return std::make_unique<WindowedWords>(random);
}

TEST(WindowedCrash, EveryRecordCountsOnceInItsWindowWhateverStepTheProcessDiesAt) {
  tell_crash_stories(Forgetting::kNothing, windowed_words);
}

TEST(WindowedCrash, WindowsSurviveADiskThatForgetsWhatWasNotSynced) {
  tell_crash_stories(Forgetting::kUnsynced, windowed_words);
}

}  // namespace
}  // namespace thalweg::simulation
