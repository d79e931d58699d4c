#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <thalweg/runtime/simulated_log.h>

#include "simulation/simulated_process.h"

namespace thalweg::simulation {

/// A record that a test writes.
struct WrittenRecord {
  std::string value;
  std::string key = "k";
  std::optional<Timestamp> time = {};  ///< None: now.
  std::int32_t partition = 0;
};

/// What is told of one process: on one log and one disk, with a client that writes. Nothing happens
/// and no time passes but in the calls that say so.
class ProcessStory : public ::testing::Test {
 protected:
  /// The process goes before what a test has put between it and the log.
  void TearDown() override { process_.reset(); }

  /// Creates topics of one partition each.
  void create_topics(const std::vector<std::string>& names);
  /// Writes in a transaction of its own.
  void write_records(const std::string& topic, const std::vector<WrittenRecord>& records);
  void write(const std::string& topic, const std::vector<std::string>& values);
  /// The values committed in a topic, partition by partition.
  std::vector<std::string> values_of(const std::string& topic);

  /// A process in place of the one before, which dies if it has not ended.
  void start(ApplicationSpec spec) { start(std::move(spec), *log_, storage_); }
  void start(ApplicationSpec spec, Log& log, Storage& storage);
  /// One step of the log and of each part of the process; returns whether any had something to do.
  bool round();
  /// Does what there is to do, while the clock stands still.
  void run();
  /// Does what there is to do and what time brings, until nothing is left.
  void rest();

  Random random_{1};
  ManualClock clock_{from_millis(1'700'000'000'000)};
  std::unique_ptr<SimulatedLog> log_ = make_simulated_log(clock_, {});
  SimulatedStorage storage_;
  std::unique_ptr<SimulatedProcess> process_;
};

}  // namespace thalweg::simulation
