#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "kafka/kafka_cluster.h"

namespace thalweg::testing {

/// Faults in a row, chosen by a seed, in a cluster and in the processes of an application on it.
///
/// CHAOS_SECONDS and CHAOS_SEED say how long and which (scripts/chaos sets them).
class Chaos {
 public:
  /// A process, by what can be done to it. Each returns when it is done.
  struct Victim {
    std::function<void()> kill;  ///< As by SIGKILL.
    std::function<void()> freeze;
    std::function<void()> thaw;
    std::function<void()> stop;   ///< Asks it to end, and waits.
    std::function<void()> start;  ///< Again, where it was.
    int way = 0;                  ///< By which it reaches the brokers.
  };

  /// The cluster has several ways, of which victims do not use the first, so that one of them can
  /// be cut off alone.
  explicit Chaos(KafkaCluster& cluster);

  void add(Victim victim) { victims_.push_back(std::move(victim)); }
  void add(std::string name, std::function<void()> happen);
  /// Prints what it does, and when.
  void rage();
  void pause(int least_ms, int most_ms);

 private:
  struct Fault {
    std::string name;
    std::function<void()> happen;
  };

  void add_faults_of_processes();
  void add_faults_of_brokers();
  void add_faults_of_networks();
  Victim& any_victim() { return victims_.at(random_() % victims_.size()); }
  int any_broker();
  NetworkProxy::State any_disturbance();

  KafkaCluster& cluster_;
  const std::uint64_t seed_;
  const std::chrono::seconds length_;
  std::mt19937_64 random_{seed_};
  std::vector<Victim> victims_;
  std::vector<Fault> faults_;
};

}  // namespace thalweg::testing
