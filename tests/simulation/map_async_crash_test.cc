// A process that calls the outside dies at any step of commit, sync, spill and restore, while the
// outside answers, fails, or says nothing. Whatever happened, each record has one result, and no
// call was made for a record that the log does not have.

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <thalweg/topology/async.h>
#include <thalweg/topology/streams_builder.h>

#include "simulation/crash_story.h"
#include "simulation/word_statistics.h"

namespace thalweg::simulation {
namespace {

using namespace std::chrono_literals;
using Id = std::int64_t;
using Call = AsyncCall<std::string, Id, std::string>;

/// Does not crash with the process, and remembers who called.
class Outside {
 public:
  explicit Outside(Random& random) : random_(random) {}

  void take(Call call) {
    calls_[call.value()].insert(call.idempotency_key());
    auto& order = first_calls_[call.key()];
    if (std::ranges::find(order, call.value()) == order.end()) order.push_back(call.value());
    switch (random_() % 8) {
      case 0:
        return call.fail("busy");
      case 1:
        silent_.push_back(std::move(call));  // Until its time is over, and then some.
        if (silent_.size() > 4) {
          silent_.front().succeed("late");
          silent_.pop_front();
        }
        return;
      case 2:
        return;
      case 3:
        return call.refuse("never");
      default:
        return call.succeed("fine");
    }
  }

  /// By id: the idempotency keys it came with.
  const std::map<Id, std::set<std::string>>& calls() const { return calls_; }
  /// By word: ids in the order in which they were first called for.
  const std::map<std::string, std::vector<Id>>& first_calls() const { return first_calls_; }

 private:
  Random& random_;
  std::deque<Call> silent_;
  std::map<Id, std::set<std::string>> calls_;
  std::map<std::string, std::vector<Id>> first_calls_;
};

Topology calls_for_words(Outside& outside) {
  StreamsBuilder builder;
  builder.stream<std::string, Id>("words")
      .map_async<std::string>([&outside](Call call) { outside.take(std::move(call)); },
                              {.store = "outbox",
                               .max_in_flight = 3,
                               .timeout = 60ms,
                               .retry_after = {20ms, 40ms, 80ms}})
      .filter([](const std::string&, const AsyncOutcome<Id, std::string>& outcome) {
        return outcome.step == AsyncStep::kCompleted || outcome.step == AsyncStep::kGivenUp;
      })
      .map_values([](const AsyncOutcome<Id, std::string>& outcome) { return outcome.value; })
      .to("results");
  return builder.build();
}

class CalledWords final : public Workload {
 public:
  explicit CalledWords(Random& random) : words_(random), outside_(random) {}

  std::vector<ApplicationSpec> applications() override {
    return {{simulation_config("caller"), [this] { return calls_for_words(outside_); }}};
  }
  void write_something(EmbeddedProcess& process) override {
    process.produce("words", words_.next(), [] {});
  }
  void check(EmbeddedProcess& process, ManualClock& clock) override {
    const auto written = ids_by_word(process, clock, "words");
    EXPECT_EQ(ids_by_word(process, clock, "results"), written);
    std::set<Id> ids;
    for (const auto& [word, of_word] : written) ids.insert(of_word.begin(), of_word.end());
    for (const auto& [id, keys] : outside_.calls()) {
      EXPECT_TRUE(ids.contains(id)) << "a call for " << id << ", which the log does not have";
      EXPECT_EQ(keys.size(), 1U) << "idempotency keys of " << id;
    }
    EXPECT_EQ(outside_.calls().size(), ids.size());
    EXPECT_EQ(outside_.first_calls(), written);
  }

 private:
  /// In the order of the log.
  static std::map<std::string, std::vector<Id>> ids_by_word(EmbeddedProcess& process,
                                                            ManualClock& clock,
                                                            const std::string& topic) {
    std::map<std::string, std::vector<Id>> ids;
    for (const auto& record : read_topic(process.log(), clock, topic)) {
      Id id = 0;
      Serde<Id>::deserialize(*record.value, id);
      ids[*record.key].push_back(id);
    }
    return ids;
  }

  WordSource words_;
  Outside outside_;
};

std::unique_ptr<Workload> called_words(Random& random) {
  return std::make_unique<CalledWords>(random);
}

TEST(MapAsyncCrash, EveryRecordHasOneResultWhateverStepTheProcessDiesAt) {
  tell_crash_stories(Forgetting::kNothing, called_words);
}

TEST(MapAsyncCrash, NobodyIsCalledForWhatADiskMayForget) {
  tell_crash_stories(Forgetting::kUnsynced, called_words);
}

}  // namespace
}  // namespace thalweg::simulation
