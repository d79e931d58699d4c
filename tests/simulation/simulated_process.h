#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <thalweg/runtime/clock.h>
#include <thalweg/runtime/embedded_log.h>
#include <thalweg/runtime/metrics.h>
#include <thalweg/state/simulated_storage.h>
#include <thalweg/topology/topology.h>

#include "runtime/application_plan.h"
#include "runtime/application_state.h"
#include "runtime/spiller.h"
#include "runtime/worker.h"

namespace thalweg::simulation {

using Random = std::mt19937_64;

/// An application of a simulated process.
struct ApplicationSpec {
  StreamsConfig config;
  std::function<Topology()> topology;
  StateRestoreListener* restore_listener = nullptr;  ///< Outlives the process.
};

/// The shortest intervals that still leave something between two spills.
StreamsConfig simulation_config(std::string application_id, std::int32_t workers = 2);

struct LoggedRecord {
  std::int32_t partition;
  Offset offset;
  std::optional<std::string> key;
  std::optional<std::string> value;
  Timestamp timestamp;
};
/// Reads everything committed in a topic, partition by partition, moving the clock where the log
/// takes its time.
std::vector<LoggedRecord> read_topic(Log& log, ManualClock& clock, const std::string& topic);

/// Calls `round` until it has had nothing to do for a while, moving the clock between rounds.
/// Throws when that takes for ever.
void run_until_idle(ManualClock& clock, const std::function<bool()>& round);

/// The workers and spillers of one process, stepped by the test in an order that the seed chooses.
/// No threads, and time stands still unless the test moves it.
class SimulatedProcess {
 public:
  SimulatedProcess(Log& log, Storage& storage, ManualClock& clock,
                   const std::vector<ApplicationSpec>& applications, Random& random,
                   const std::string& name = "process");

  /// Steps one of the state machines, chosen at random.
  void step();
  /// Steps each of them once; returns whether any worked.
  bool step_all();
  /// Asks for a clean end, which the next steps bring. Without it, the process dies.
  void request_stop();
  /// Whether every task of every application runs.
  bool running() const;
  /// Whether a store is being restored right now: a crash then is one during a restore.
  bool restoring() const;
  const MetricsRegistry& metrics() const { return metrics_; }
  const internal::ApplicationState& state(std::size_t application) const {
    return *applications_[application].state;
  }

 private:
  struct Application {
    ApplicationSpec spec;
    std::unique_ptr<Topology> topology;
    internal::ApplicationPlan plan;
    std::unique_ptr<internal::ApplicationState> state;
    std::unique_ptr<internal::Spiller> spiller;
    std::vector<std::unique_ptr<internal::Worker>> workers;
  };
  void check_workers() const;

  Random& random_;
  MemoryBudget budget_{8u << 20};
  MetricsRegistry metrics_;
  std::vector<Application> applications_;
};

/// A process that has its log inside: what a crash takes away together. A storage hook may throw
/// SimulatedCrash out of any step; then the object is destroyed and a new one made on the same
/// storage.
class EmbeddedProcess {
 public:
  EmbeddedProcess(SimulatedStorage& storage, ManualClock& clock,
                  const std::vector<ApplicationSpec>& applications, Random& random);

  void step();
  void run_until_idle();
  /// Writes records into one commit of its own; `done` is called once it is durable.
  void produce(const std::string& topic,
               const std::vector<std::pair<std::string, std::string>>& records,
               std::function<void()> done);
  SimulatedProcess& workers() { return *workers_; }
  EmbeddedLog& log() { return *log_; }

 private:
  ManualClock& clock_;
  Random& random_;
  std::unique_ptr<EmbeddedLog> log_;
  std::unique_ptr<LogProducer> client_;
  std::unique_ptr<SimulatedProcess> workers_;
};

}  // namespace thalweg::simulation
