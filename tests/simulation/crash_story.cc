#include "simulation/crash_story.h"

#include <iostream>

#include <gtest/gtest.h>

namespace thalweg::simulation {

namespace {

constexpr std::uint64_t kSeeds = 200;
constexpr int kCrashesMax = 5;
constexpr int kDiskStepsMax = 400;

class CrashStory {
 public:
  CrashStory(std::uint64_t seed, Forgetting forgetting,
             const std::function<std::unique_ptr<Workload>(Random&)>& workload)
      : forgetting_(forgetting), random_(seed), workload_(workload(random_)) {}

  void tell() {
    const int crashes = 1 + static_cast<int>(random_() % kCrashesMax);
    for (int life = 0; life < crashes; ++life) live_until_crash();
    live_to_the_end();
  }

  const std::map<std::string, int>& crashes_at() const { return crashes_at_; }

 private:
  void live_until_crash() {
    int steps_left = 1 + static_cast<int>(random_() % kDiskStepsMax);
    storage_.on_step([&](std::string_view step) {
      if (--steps_left == 0) crash_at(std::string(step));
    });
    std::unique_ptr<EmbeddedProcess> process;
    try {
      process = begin_life();
      for (;;) {
        if (random_() % 8 == 0) workload_->write_something(*process);
        process->step();
        if (random_() % 16 == 0) clock_.advance(std::chrono::milliseconds(random_() % 40));
        if (process->workers().restoring() && random_() % 512 == 0) crash_at("restore");
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

  std::unique_ptr<EmbeddedProcess> begin_life() {
    return std::make_unique<EmbeddedProcess>(storage_, clock_, workload_->applications(), random_);
  }

  void crash_at(const std::string& step) {
    ++crashes_at_[step];
    storage_.fail_writes(ErrorCode::kIo);  // Whatever is torn down now reaches no disk.
    throw SimulatedCrash();
  }

  void live_to_the_end() {
    auto process = begin_life();
    workload_->write_something(*process);
    process->run_until_idle();
    EXPECT_TRUE(process->workers().running());
    workload_->check(*process, clock_);
  }

  Forgetting forgetting_;
  Random random_;
  SimulatedStorage storage_;
  ManualClock clock_{from_millis(1'700'000'000'000)};
  std::unique_ptr<Workload> workload_;
  std::map<std::string, int> crashes_at_;
};

}  // namespace

void tell_crash_stories(Forgetting forgetting,
                        const std::function<std::unique_ptr<Workload>(Random&)>& workload) {
  std::map<std::string, int> crashes_at;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    CrashStory story(seed, forgetting, workload);
    story.tell();
    for (const auto& [step, count] : story.crashes_at()) crashes_at[step] += count;
    if (::testing::Test::HasFailure()) return;
  }
  for (const auto* step :
       {"append", "appended", "sync", "synced", "ingest", "ingested", "restore"}) {
    EXPECT_GT(crashes_at[step], 0) << "no crash hit this step: " << step;
    std::cout << "crashes at " << step << ": " << crashes_at[step] << "\n";
  }
}

}  // namespace thalweg::simulation
