// A process on the embedded log dies at any step of commit, sync, spill and restore, and comes back on
// what its disk kept. Whatever happened, each input record that is in the log counts once, and every
// record whose write was acknowledged is in the log.

#include <iostream>

#include <gtest/gtest.h>

#include "simulation/word_statistics.h"

namespace thalweg::simulation {
namespace {

enum class Forgetting { kNothing, kUnsynced };

// One story: several lives on one disk, each but the last ended by a crash at a random step.
class CrashStory {
 public:
  CrashStory(std::uint64_t seed, Forgetting forgetting) : forgetting_(forgetting), random_(seed) {}

  void tell() {
    const int crashes = 1 + static_cast<int>(random_() % 5);
    for (int life = 0; life < crashes; ++life) live_until_crash();
    live_to_the_end();
  }

  const std::map<std::string, int>& crashes_at() const { return crashes_at_; }

 private:
  void live_until_crash() {
    int steps_left = 1 + static_cast<int>(random_() % 400);
    storage_.on_step([&](std::string_view step) {
      if (--steps_left == 0) crash_at(std::string(step));
    });
    std::unique_ptr<EmbeddedProcess> process;
    try {
      process = std::make_unique<EmbeddedProcess>(storage_, clock_, specs_, random_);
      for (;;) {
        if (random_() % 8 == 0) write_something(*process);
        process->step();
        if (random_() % 16 == 0) clock_.advance(std::chrono::milliseconds(random_() % 40));
        if (process->workers().restoring() && random_() % 64 == 0) crash_at("restore");
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

  void crash_at(const std::string& step) {
    ++crashes_at_[step];
    storage_.fail_writes(ErrorCode::kIo);  // Whatever is torn down now reaches no disk.
    throw SimulatedCrash();
  }

  void live_to_the_end() {
    EmbeddedProcess process(storage_, clock_, specs_, random_);
    write_something(process);
    process.run_until_idle();
    EXPECT_TRUE(process.workers().running());
    expect_each_record_counted_once(process.log(), clock_, acknowledged_);
  }

  void write_something(EmbeddedProcess& process) {
    const auto records = words_.next();
    process.produce("words", records, [this, ids = words_.ids()] {
      acknowledged_.insert(ids.begin(), ids.end());
    });
  }

  Forgetting forgetting_;
  Random random_;
  SimulatedStorage storage_;
  ManualClock clock_{from_millis(1'700'000'000'000)};
  std::vector<ApplicationSpec> specs_{{simulation_config("statistics"), word_statistics}};
  WordSource words_{random_};
  std::set<std::int64_t> acknowledged_;
  std::map<std::string, int> crashes_at_;
};

void tell_stories(Forgetting forgetting) {
  constexpr std::uint64_t kSeeds = 200;
  std::map<std::string, int> crashes_at;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    CrashStory story(seed, forgetting);
    story.tell();
    for (const auto& [step, count] : story.crashes_at()) crashes_at[step] += count;
    if (::testing::Test::HasFailure()) return;
  }
  for (const auto* step : {"append", "appended", "sync", "synced", "ingest", "ingested", "restore"}) {
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
