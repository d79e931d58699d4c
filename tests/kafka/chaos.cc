#include "kafka/chaos.h"

#include <cstdlib>
#include <iostream>
#include <thread>
#include <utility>

namespace thalweg::testing {

namespace {

using Clock = std::chrono::steady_clock;

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text && *text ? std::strtoull(text, nullptr, 10) : otherwise;
}

}  // namespace

Chaos::Chaos(KafkaCluster& cluster)
    : cluster_(cluster),
      seed_(number_from("CHAOS_SEED", std::random_device{}())),
      length_(number_from("CHAOS_SECONDS", 30)) {
  add_faults_of_processes();
  add_faults_of_brokers();
  add_faults_of_networks();
}

void Chaos::add(std::string name, std::function<void()> happen) {
  faults_.push_back({std::move(name), std::move(happen)});
}

void Chaos::pause(int least_ms, int most_ms) {
  std::this_thread::sleep_for(
      std::chrono::milliseconds(std::uniform_int_distribution<int>(least_ms, most_ms)(random_)));
}

int Chaos::any_broker() {
  return static_cast<int>(random_() % static_cast<std::uint64_t>(cluster_.brokers()));
}

NetworkProxy::State Chaos::any_disturbance() {
  constexpr NetworkProxy::State kAll[] = {NetworkProxy::State::kHeld, NetworkProxy::State::kDeaf,
                                          NetworkProxy::State::kCut};
  return kAll[random_() % std::size(kAll)];
}

void Chaos::add_faults_of_processes() {
  add("a process is killed", [this] {
    Victim& victim = any_victim();
    victim.kill();
    pause(0, 2000);
    victim.start();
  });
  add("a process is frozen until the others have its tasks", [this] {
    Victim& victim = any_victim();
    victim.freeze();
    pause(500, 7000);
    victim.thaw();
  });
  add("a process is asked to end, and comes again", [this] {
    Victim& victim = any_victim();
    victim.stop();
    pause(0, 500);
    victim.start();
  });
  add("all processes are killed", [this] {
    for (Victim& victim : victims_) victim.kill();
    pause(0, 1000);
    for (Victim& victim : victims_) victim.start();
  });
}

void Chaos::add_faults_of_brokers() {
  add("a broker is killed and comes again", [this] {
    const int broker = any_broker();
    cluster_.kill(broker);
    pause(100, 5000);
    cluster_.start(broker);
  });
  add("a broker is frozen", [this] {
    const int broker = any_broker();
    cluster_.freeze(broker);
    pause(200, 4000);
    cluster_.thaw(broker);
  });
  add("coordinators move", [this] {
    const int of_groups = any_broker();
    cluster_.move_coordinators(of_groups, any_broker());
  });
}

void Chaos::add_faults_of_networks() {
  add("the network to a broker is disturbed", [this] {
    const int broker = any_broker();
    cluster_.set_network(broker, any_disturbance());
    pause(300, 6000);
    cluster_.set_network(broker, NetworkProxy::State::kOpen);
  });
  add("the network to all brokers is disturbed", [this] {
    const auto disturbance = any_disturbance();
    for (int broker = 0; broker < cluster_.brokers(); ++broker) {
      cluster_.set_network(broker, disturbance);
    }
    pause(300, 5000);
    for (int broker = 0; broker < cluster_.brokers(); ++broker) {
      cluster_.set_network(broker, NetworkProxy::State::kOpen);
    }
  });
  add("a process is cut off from all brokers, and lives on", [this] {
    const int way = any_victim().way;
    cluster_.set_way(way, any_disturbance());
    pause(500, 8000);
    cluster_.set_way(way, NetworkProxy::State::kOpen);
  });
}

void Chaos::rage() {
  std::cout << "seed " << seed_ << ", " << length_.count() << " s" << std::endl;
  const auto began = Clock::now();
  int count = 0;
  while (Clock::now() - began < length_) {
    const Fault& fault = faults_[random_() % faults_.size()];
    const auto second = std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - began);
    std::cout << second.count() << " s: " << fault.name << std::endl;
    fault.happen();
    ++count;
    const auto took =
        std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - began - second);
    std::cout << "    for " << took.count() << " ms" << std::endl;
    pause(200, 3000);
  }
  std::cout << count << " faults" << std::endl;
}

}  // namespace thalweg::testing
