#include <thalweg/runtime/local_environment.h>

#include <utility>

#include <spdlog/spdlog.h>

namespace thalweg {

LocalEnvironment::LocalEnvironment(const StreamsConfig& config)
    : budget_(config.state_memory_max_bytes) {}

LocalEnvironment::~LocalEnvironment() {
  if (log_) log_->close();
}

Result<std::unique_ptr<LocalEnvironment>> LocalEnvironment::open(const StreamsConfig& config) {
  std::unique_ptr<LocalEnvironment> local(new LocalEnvironment(config));
  auto storage = open_rocksdb_storage(
      config.state_dir,
      {.block_cache_bytes = config.rocksdb_block_cache_bytes,
       .on_damage = [](const std::string& message) { spdlog::warn("{}", message); }});
  if (!storage) return std::unexpected(storage.error());
  local->storage_ = *std::move(storage);
  auto log = EmbeddedLog::open(*local->storage_, system_clock(),
                               {.default_partitions = config.log_default_partitions});
  if (!log) return std::unexpected(log.error());
  local->log_ = *std::move(log);
  return local;
}

Environment LocalEnvironment::environment() {
  return {.log = log_.get(),
          .storage = storage_.get(),
          .clock = &system_clock(),
          .budget = &budget_,
          .metrics = &metrics_};
}

}  // namespace thalweg
