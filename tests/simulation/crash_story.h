#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "simulation/simulated_process.h"

namespace thalweg::simulation {

/// What a process works on while it dies again and again.
class Workload {
 public:
  virtual ~Workload() = default;
  virtual std::vector<ApplicationSpec> applications() = 0;
  /// Writes some input.
  virtual void write_something(EmbeddedProcess& process) = 0;
  /// All input that is in the log is processed: checks what came of it.
  virtual void check(EmbeddedProcess& process, ManualClock& clock) = 0;
};

/// What a crash takes from the disk.
enum class Forgetting {
  kNothing,   ///< The process was killed; the machine lives on.
  kUnsynced,  ///< The machine lost power: any suffix of what was not synced is gone.
};

/// Tells 200 stories, one a seed. In each a process on the embedded log lives several times on one
/// disk; every life but the last ends at a random step of commit, sync, spill or restore. Fails the
/// test with the seed of the first story that ends badly, and when some step was never hit.
void tell_crash_stories(Forgetting forgetting,
                        const std::function<std::unique_ptr<Workload>(Random&)>& workload);

}  // namespace thalweg::simulation
