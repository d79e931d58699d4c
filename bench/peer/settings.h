#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <thalweg/runtime/streams_config.h>

namespace thalweg::bench {

/// What a run is asked for, by the environment variables that bench/README.md lists: the same for
/// both sides of a comparison.
struct PeerSettings {
  std::string workload = "count";
  std::string application_id = "pb-app";
  std::string guarantee = "at_least_once";
  std::string profile = "default";
  std::vector<std::string> inputs = {"pb-kv"};
  std::string output = "pb-out";
  std::int64_t records = 0;        ///< Source records to process; those of tables do not count.
  std::int64_t records_done = 0;   ///< Records that the last step must have had; 0: none.
  std::int64_t started_at_ns = 0;  ///< The wall clock when the process was started.
  bool embedded = false;           ///< On the embedded log in the state directory, not on Kafka.
  bool serves = false;             ///< Until SIGTERM, not until the records are done.
  std::string ready_file;
  std::int64_t limit_s = 240;  ///< Give up after so long.
  std::int64_t idle_s = 4;
  std::int64_t state_bytes = 1024;  ///< Of ShuffleBench's consumers.

  bool tuned() const { return profile.starts_with("tuned"); }
  /// Where there are several hops, the source runs ahead of the last one: a record is done when
  /// that one has had it.
  bool ends_with_the_last_step() const { return records_done > 0 && records_done == records; }

  /// Throws std::invalid_argument that names the variable, as config() throws ConfigError.
  static PeerSettings from_environment();
  StreamsConfig config() const;
};

}  // namespace thalweg::bench
