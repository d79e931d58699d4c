#pragma once

#include <memory>
#include <string>

#include <thalweg/runtime/embedded_log.h>
#include <thalweg/runtime/streams_application.h>

namespace thalweg {

/// Everything that applications of one process stand on when there is no broker: RocksDB storage
/// and the embedded log in `state.dir`, the machine's clock, one memory budget, one metrics
/// registry.
///
///     auto local = LocalEnvironment::open(config);
///     StreamsApplication application(builder.build(), config, (*local)->environment());
class LocalEnvironment {
 public:
  /// Makes or opens `config.state_dir`, whose memory and log settings are used. kLocked when
  /// another process has it open.
  static Result<std::unique_ptr<LocalEnvironment>> open(const StreamsConfig& config);
  ~LocalEnvironment();  ///< Closes the log. Applications must be closed before.

  Environment environment();
  EmbeddedLog& log() { return *log_; }

 private:
  explicit LocalEnvironment(const StreamsConfig& config);

  MemoryBudget budget_;
  MetricsRegistry metrics_;
  std::unique_ptr<Storage> storage_;
  std::unique_ptr<EmbeddedLog> log_;
};

}  // namespace thalweg
