// Faults in a row, chosen by a seed, on three brokers under two processes that count. Whatever was
// done, each record must have been counted once, in order.
//
// THALWEG_CHAOS_SECONDS and THALWEG_CHAOS_SEED say how long and which (scripts/chaos sets them).

#include <cstdlib>
#include <functional>
#include <iostream>
#include <random>
#include <thread>

#include "kafka/counting_story.h"

namespace thalweg::testing {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text && *text ? std::strtoull(text, nullptr, 10) : otherwise;
}

class Chaos : public ::testing::Test {
 protected:
  struct Fault {
    const char* name;
    std::function<void()> happen;
  };

  void pause(int least_ms, int most_ms) {
    std::this_thread::sleep_for(
        std::chrono::milliseconds(std::uniform_int_distribution<int>(least_ms, most_ms)(random_)));
  }
  std::size_t any_app() { return random_() % story_.apps(); }
  int any_broker() { return static_cast<int>(random_() % 3); }

  void disturb(int broker, NetworkProxy::State state, int least_ms, int most_ms) {
    cluster_.set_network(broker, state);
    pause(least_ms, most_ms);
    cluster_.set_network(broker, NetworkProxy::State::kOpen);
  }

  std::vector<Fault> faults() {
    return {{"a process is killed",
             [this] {
               const auto app = any_app();
               story_.app(app).kill();
               pause(0, 2000);
               story_.start_again(app);
             }},
            {"a process is frozen until the others have its tasks",
             [this] {
               const auto app = any_app();
               story_.app(app).freeze();
               pause(500, 7000);
               story_.app(app).thaw();
             }},
            {"a process is asked to end, and comes again",
             [this] {
               const auto app = any_app();
               EXPECT_EQ(story_.app(app).stop(), 0) << story_.app(app).output();
               pause(0, 500);
               story_.start_again(app);
             }},
            {"a broker is killed and comes again",
             [this] {
               const int broker = any_broker();
               cluster_.kill(broker);
               pause(100, 5000);
               cluster_.start(broker);
             }},
            {"a broker is frozen",
             [this] {
               const int broker = any_broker();
               cluster_.freeze(broker);
               pause(200, 4000);
               cluster_.thaw(broker);
             }},
            {"the network to a broker holds everything back",
             [this] { disturb(any_broker(), NetworkProxy::State::kHeld, 300, 6000); }},
            {"no answer of a broker arrives",
             [this] { disturb(any_broker(), NetworkProxy::State::kDeaf, 300, 6000); }},
            {"connections to a broker break",
             [this] { disturb(any_broker(), NetworkProxy::State::kCut, 0, 4000); }},
            {"the network to all brokers holds everything back",
             [this] {
               for (int broker : {1, 2}) cluster_.set_network(broker, NetworkProxy::State::kHeld);
               disturb(0, NetworkProxy::State::kHeld, 300, 5000);
               for (int broker : {1, 2}) cluster_.set_network(broker, NetworkProxy::State::kOpen);
             }},
            {"a process joins and leaves", [this] {
               CountApp& guest = story_.start();
               pause(500, 3000);
               guest.kill();
               story_.forget_last();
             }}};
  }

  const std::uint64_t seed_ = number_from("THALWEG_CHAOS_SEED", std::random_device{}());
  const std::chrono::seconds length_{number_from("THALWEG_CHAOS_SECONDS", 30)};
  std::mt19937_64 random_{seed_};
  KafkaCluster cluster_{{.brokers = 3, .is_proxied = true}};
  CountingStory story_{cluster_, "chaos", 6};
};

TEST_F(Chaos, EachRecordIsCountedOnceInOrderWhateverHappens) {
  std::cout << "seed " << seed_ << ", " << length_.count() << " s" << std::endl;
  story_.start().wait_until_running();
  story_.start().wait_until_running();
  Load load(story_);
  const auto all = faults();
  const auto began = Clock::now();
  int count = 0;
  while (Clock::now() - began < length_) {
    const Fault& fault = all[random_() % all.size()];
    const auto second = std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - began);
    std::cout << second.count() << " s: " << fault.name << std::endl;
    fault.happen();
    ++count;
    const auto took =
        std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - began - second);
    std::cout << "    for " << took.count() << " ms" << std::endl;
    pause(200, 3000);
  }
  load.stop();

  story_.wait_for_output(120s);

  std::cout << count << " faults, " << story_.input_records() << " records" << std::endl;
  story_.expect_each_record_counted_once();
  if (HasFailure() || std::getenv("THALWEG_CHAOS_SHOW")) {
    for (std::size_t i = 0; i < story_.apps(); ++i) {
      std::cout << "process " << i << ":\n" << story_.app(i).output() << std::endl;
    }
  }
}

}  // namespace
}  // namespace thalweg::testing
