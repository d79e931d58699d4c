// A process on the embedded log dies at any step of commit, sync, spill and restore, and comes back on
// what its disk kept. Whatever happened, each input record that is in the log counts once.
//
// The conserved quantity: for each key the updates of its count are exactly 1, 2, 3, ..., and its sum
// is the sum of the records that are in the input topic. Every record whose write was acknowledged is
// in the input topic.

#include <map>
#include <set>

#include <gtest/gtest.h>

#include <thalweg/schemas/serde.h>
#include <thalweg/topology/kgrouped_stream.h>
#include <thalweg/topology/kstream.h>
#include <thalweg/topology/ktable.h>
#include <thalweg/topology/streams_builder.h>

#include "simulation/simulated_process.h"

namespace thalweg::simulation {
namespace {

using namespace std::chrono_literals;

// Counts words by their first letter (through a repartition topic, every update) and sums values by
// word (cached, so one update per commit).
Topology word_statistics() {
  StreamsBuilder builder;
  auto words = builder.stream<std::string, std::int64_t>("words");
  words.group_by([](const std::string& word, const std::int64_t&) { return word.substr(0, 1); })
      .count({.store = "counts", .caching = false})
      .to_stream()
      .to("counts-out");
  words.group_by_key()
      .reduce([](std::int64_t a, std::int64_t b) { return a + b; }, {.store = "sums"})
      .to_stream()
      .to("sums-out");
  return builder.build();
}

std::string int64_bytes(std::int64_t value) {
  std::string bytes;
  Serde<std::int64_t>::serialize(value, bytes);
  return bytes;
}

std::int64_t int64_value(const std::string& bytes) {
  std::int64_t value = 0;
  Serde<std::int64_t>::deserialize(bytes, value);
  return value;
}

enum class Forgetting { kNothing, kUnsynced };

// One story: several lives on one disk, each but the last ended by a crash at a random step.
class CrashStory {
 public:
  CrashStory(std::uint64_t seed, Forgetting forgetting)
      : seed_(seed), forgetting_(forgetting), random_(seed) {}

  void tell() {
    SCOPED_TRACE("seed " + std::to_string(seed_));
    const int crashes = 1 + static_cast<int>(random_() % 5);
    for (int life = 0; life < crashes; ++life) live_until_crash();
    live_to_the_end();
  }

  const std::map<std::string, int>& crashes_at() const { return crashes_at_; }

 private:
  void live_until_crash() {
    int steps_left = 1 + static_cast<int>(random_() % 400);
    storage_.on_step([&](std::string_view step) {
      if (--steps_left != 0) return;
      ++crashes_at_[std::string(step)];
      storage_.fail_writes(ErrorCode::kIo);  // Whatever is torn down now reaches no disk.
      throw SimulatedCrash();
    });
    auto process = std::unique_ptr<SimulatedProcess>();
    try {
      process = std::make_unique<SimulatedProcess>(storage_, clock_, specs_, random_);
      for (;;) {
        if (random_() % 8 == 0) write_something(*process);
        process->step();
        if (random_() % 16 == 0) clock_.advance(std::chrono::milliseconds(random_() % 40));
        if (process->restoring() && random_() % 64 == 0) {
          ++crashes_at_["restore"];
          storage_.fail_writes(ErrorCode::kIo);
          throw SimulatedCrash();
        }
      }
    } catch (const SimulatedCrash&) {
    }
    process.reset();
    storage_.on_step(nullptr);
    storage_.heal();
    if (forgetting_ == Forgetting::kUnsynced) {
      storage_.crash_at_random(random_);
    } else {
      storage_.crash(storage_.unsynced_batches());
    }
  }

  void live_to_the_end() {
    SimulatedProcess process(storage_, clock_, specs_, random_);
    write_something(process);
    process.run_until_idle();
    EXPECT_TRUE(process.running());
    check(process.log());
  }

  void write_something(SimulatedProcess& process) {
    static const std::vector<std::string> kWords{"ant", "ape", "bee", "boa", "cat", "cow", "dog"};
    std::vector<std::pair<std::string, std::string>> records;
    std::vector<std::int64_t> ids;
    for (std::uint64_t n = random_() % 6 + 1; n > 0; --n) {
      ids.push_back(++last_id_);
      records.emplace_back(kWords[random_() % kWords.size()], int64_bytes(last_id_));
    }
    process.produce("words", records,
                    [this, ids] { acknowledged_.insert(ids.begin(), ids.end()); });
  }

  void check(Log& log) {
    std::map<std::string, std::int64_t> counts;
    std::map<std::string, std::int64_t> sums;
    std::set<std::int64_t> written;
    for (const auto& record : read_topic(log, "words")) {
      const std::int64_t id = int64_value(*record.value);
      EXPECT_TRUE(written.insert(id).second) << "input " << id << " is there twice";
      ++counts[record.key->substr(0, 1)];
      sums[*record.key] += id;
    }
    for (const auto id : acknowledged_) {
      EXPECT_TRUE(written.contains(id)) << "acknowledged input " << id << " is lost";
    }
    std::map<std::string, std::int64_t> seen;
    for (const auto& record : read_topic(log, "counts-out")) {
      EXPECT_EQ(int64_value(*record.value), ++seen[*record.key]) << "count of " << *record.key;
    }
    EXPECT_EQ(seen, counts);
    std::map<std::string, std::int64_t> last_sum;
    for (const auto& record : read_topic(log, "sums-out")) {
      last_sum[*record.key] = int64_value(*record.value);
    }
    EXPECT_EQ(last_sum, sums);
  }

  std::uint64_t seed_;
  Forgetting forgetting_;
  Random random_;
  SimulatedStorage storage_;
  ManualClock clock_{from_millis(1'700'000'000'000)};
  std::vector<ApplicationSpec> specs_{{simulation_config("statistics"), word_statistics}};
  std::int64_t last_id_ = 0;
  std::set<std::int64_t> acknowledged_;
  std::map<std::string, int> crashes_at_;
};

void tell_stories(Forgetting forgetting) {
  constexpr std::uint64_t kSeeds = 200;
  std::map<std::string, int> crashes_at;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    CrashStory story(seed, forgetting);
    story.tell();
    for (const auto& [step, count] : story.crashes_at()) crashes_at[step] += count;
    if (::testing::Test::HasFailure()) FAIL() << "replay with seed " << seed;
  }
  for (const auto& step : {"append", "appended", "sync", "synced", "ingest", "ingested", "restore"}) {
    EXPECT_GT(crashes_at[step], 0) << "no crash hit this step: " << step;
    std::cout << "crashes at " << step << ": " << crashes_at[step] << "\n";
  }
}

TEST(EmbeddedCrash, EveryRecordCountsOnceWhateverStepTheProcessDiesAt) {
  tell_stories(Forgetting::kNothing);
}

TEST(EmbeddedCrash, AcknowledgedRecordsSurviveADiskThatForgetsWhatWasNotSynced) {
  tell_stories(Forgetting::kUnsynced);
}

}  // namespace
}  // namespace thalweg::simulation
