// Several processes on a log that plays a broker's hazards: answers that come late or never,
// commits whose outcome nobody knows, aborts, fencing, members that the group gave up and that do
// not know it yet, processes that die. Whatever happened, each input record counts once.

#include <gtest/gtest.h>

#include <thalweg/runtime/simulated_log.h>
#include <thalweg/schemas/partitioning.h>

#include "simulation/word_statistics.h"

namespace thalweg::simulation {
namespace {

using namespace std::chrono_literals;

SimulatedLogOptions hazards(Random& random) {
  // Each kind of trouble is on in some stories and off in others, so that none hides another.
  const auto sometimes = [&](double probability) { return random() % 2 == 0 ? probability : 0.0; };
  const auto up_to = [&](int millis) {
    return random() % 2 == 0 ? std::chrono::milliseconds(millis) : 0ms;
  };
  return {.seed = random(),
          .default_partitions = 3,
          .event_delay_max = up_to(20),
          .fetch_delay_max = up_to(20),
          .marker_delay_max = up_to(30),
          .rebalance_delay_max = up_to(50),
          .session_timeout = 300ms,
          .late_end_max = up_to(500),
          .flush_aborts = sometimes(0.05),
          .offsets_abort = sometimes(0.05),
          .commit_aborts = sometimes(0.05),
          .commit_unknown = sometimes(0.1),
          .producer_fails = sometimes(0.02),
          .member_expires = sometimes(0.0005),
          .fetch_empty = sometimes(0.2),
          .fetch_records_max = 1 + random() % 50};
}

class ClusterStory {
 public:
  explicit ClusterStory(std::uint64_t seed) : random_(seed) {}

  void tell() {
    log_->create_topic({.name = "words", .partitions = 3});
    nodes_.resize(1 + random_() % 3);
    for (auto& node : nodes_) node.storage = std::make_unique<SimulatedStorage>();
    const int steps = 500 + static_cast<int>(random_() % 1500);
    for (int i = 0; i < steps; ++i) something_happens();
    everything_heals();
    expect_each_record_counted_once(*log_, clock_, {});
  }

 private:
  struct Node {
    std::unique_ptr<SimulatedStorage> storage;
    std::unique_ptr<SimulatedProcess> process;
  };

  void something_happens() {
    const auto choice = random_() % 1000;
    const std::size_t at = random_() % nodes_.size();
    Node& node = nodes_[at];
    if (choice < 60) {
      write_something();
    } else if (choice < 64) {
      node.process.reset();  // Its open transaction stays behind.
    } else if (choice < 66) {
      log_->crash_clients();
      for (auto& each : nodes_) each.process.reset();
    } else if (choice < 70) {
      log_->expire_member("statistics", client_id(at));
    } else if (choice < 150) {
      clock_.advance(std::chrono::milliseconds(random_() % 30));
    } else if (!node.process) {
      start(at);
    } else {
      node.process->step();
    }
    log_->step();
  }

  std::string client_id(std::size_t node) {
    return "node-" + std::to_string(node) + "-StreamThread-" + std::to_string(1 + random_() % 2);
  }

  void start(std::size_t at) {
    ApplicationSpec spec{simulation_config("statistics"), word_statistics};
    spec.config.repartition_local_hops = random_() % 4 != 0;
    nodes_[at].process = std::make_unique<SimulatedProcess>(*log_, *nodes_[at].storage, clock_,
                                                            std::vector{std::move(spec)}, random_,
                                                            "node-" + std::to_string(at));
  }

  // A client that writes and does not wait: what comes of it is read from the topic at the end.
  void write_something() {
    auto client = log_->producer({.client_id = "test"});
    client->init();
    client->begin();
    const TopicHandle topic = client->topic("words");
    for (const auto& [key, value] : words_.next()) {
      ASSERT_TRUE(client->send(topic, partition_of(key, 3), key, value, clock_.wall_clock(), {}));
    }
    client->commit();
    clients_.push_back(std::move(client));
  }

  void everything_heals() {
    log_->heal();
    for (std::size_t at = 0; at < nodes_.size(); ++at) {
      if (!nodes_[at].process) start(at);
    }
    run_until_idle(clock_, [this] {
      bool worked = log_->step();
      for (auto& node : nodes_) worked |= node.process->step_all();
      return worked;
    });
    for (const auto& node : nodes_) EXPECT_TRUE(node.process->running());
  }

  Random random_;
  ManualClock clock_{from_millis(1'700'000'000'000)};
  std::unique_ptr<SimulatedLog> log_ = make_simulated_log(clock_, hazards(random_));
  WordSource words_{random_};
  std::vector<std::unique_ptr<LogProducer>> clients_;
  std::vector<Node> nodes_;
};

TEST(Cluster, EveryRecordCountsOnceWhateverTheBrokerAndTheGroupDo) {
  constexpr std::uint64_t kSeeds = 200;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    ClusterStory(seed).tell();
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace thalweg::simulation
