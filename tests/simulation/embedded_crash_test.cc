// A process on the embedded log dies at any step of commit, sync, spill and restore, and comes back
// on what its disk kept. Whatever happened, each input record that is in the log counts once, and
// every record whose write was acknowledged is in the log.

#include <gtest/gtest.h>

#include "simulation/crash_story.h"
#include "simulation/word_statistics.h"

namespace thalweg::simulation {
namespace {

class Words final : public Workload {
 public:
  explicit Words(Random& random) : random_(random), words_(random) {}

  std::vector<ApplicationSpec> applications() override {
    ApplicationSpec spec{simulation_config("statistics"), word_statistics};
    spec.config.repartition_local_hops = random_() % 4 != 0;  // In this life.
    return {spec};
  }
  void write_something(EmbeddedProcess& process) override {
    const auto records = words_.next();
    process.produce("words", records,
                    [this, ids = words_.ids()] { acknowledged_.insert(ids.begin(), ids.end()); });
  }
  void check(EmbeddedProcess& process, ManualClock& clock) override {
    expect_each_record_counted_once(process.log(), clock, acknowledged_);
  }

 private:
  Random& random_;
  WordSource words_;
  std::set<std::int64_t> acknowledged_;
};

std::unique_ptr<Workload> words(Random& random) { return std::make_unique<Words>(random); }

TEST(EmbeddedCrash, EveryRecordCountsOnceWhateverStepTheProcessDiesAt) {
  tell_crash_stories(Forgetting::kNothing, words);
}

TEST(EmbeddedCrash, AcknowledgedRecordsSurviveADiskThatForgetsWhatWasNotSynced) {
  tell_crash_stories(Forgetting::kUnsynced, words);
}

}  // namespace
}  // namespace thalweg::simulation
