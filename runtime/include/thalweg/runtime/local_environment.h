#pragma once

#include <memory>
#include <string>

#include <thalweg/runtime/streams_application.h>

namespace thalweg {

/// Everything that applications of one process stand on: RocksDB storage in `state.dir`, the log,
/// the machine's clock, one memory budget, one metrics registry. The log is a cluster of Apache
/// Kafka when `bootstrap.servers` is set, else the embedded log in the same directory.
///
///     auto local = LocalEnvironment::open(config);
///     StreamsApplication application(builder.build(), config, (*local)->environment());
class LocalEnvironment {
 public:
  /// Makes or opens `config.state_dir`, whose memory and log settings are used. kLocked when
  /// another process has it open; kUnavailable when no broker answers.
  static Result<std::unique_ptr<LocalEnvironment>> open(const StreamsConfig& config);
  ~LocalEnvironment();  ///< Closes the log. Applications must be closed before.

  Environment environment();
  Log& log() { return *log_; }

 private:
  explicit LocalEnvironment(const StreamsConfig& config);

  MemoryBudget budget_;
  MetricsRegistry metrics_;
  std::unique_ptr<Storage> storage_;
  std::unique_ptr<Log> log_;
  std::string instance_;
};

}  // namespace thalweg
