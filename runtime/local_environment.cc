#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <unistd.h>
#include <utility>

#include <boost/uuid/random_generator.hpp>
#include <boost/uuid/uuid_io.hpp>
#include <spdlog/spdlog.h>

#include <thalweg/runtime/embedded_log.h>
#include <thalweg/runtime/kafka_log.h>
#include <thalweg/runtime/local_environment.h>

namespace thalweg {

namespace {

KafkaLogOptions kafka_options(const StreamsConfig& config) {
  return {.bootstrap_servers = config.bootstrap_servers,
          .client_id = config.client_id.empty() ? config.application_id : config.client_id,
          .properties = config.client_properties,
          .replication_factor = config.replication_factor};
}

Status write_durably(const std::filesystem::path& path, const std::string& text) {
  const std::string partial = path.string() + ".new";
  const int file = ::open(partial.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const bool written =
      file >= 0 && ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
      ::fsync(file) == 0 && ::rename(partial.c_str(), path.c_str()) == 0;
  const int fault = errno;
  if (file >= 0) ::close(file);
  if (written) return {};
  return failure(ErrorCode::kIo, path.string() + ": " + std::strerror(fault));
}

// The name of this process among others of an application: that of its directory, which only one
// process can have open. So it is the same after a crash, and its open transactions can be ended.
Result<std::string> instance_of(const std::string& state_dir) {
  const std::filesystem::path path = std::filesystem::path(state_dir) / "instance";
  std::string instance;
  if (std::ifstream(path) >> instance) return instance;
  // Part of a client.id, which librdkafka wants short.
  instance = to_string(boost::uuids::random_generator()()).substr(24);
  if (auto written = write_durably(path, instance); !written) {
    return std::unexpected(written.error());
  }
  return instance;
}

}  // namespace

LocalEnvironment::LocalEnvironment(const StreamsConfig& config)
    : budget_(config.state_memory_max_bytes) {}

LocalEnvironment::~LocalEnvironment() = default;

Result<std::unique_ptr<LocalEnvironment>> LocalEnvironment::open(const StreamsConfig& config) {
  std::unique_ptr<LocalEnvironment> local(new LocalEnvironment(config));
  auto storage = open_rocksdb_storage(
      config.state_dir,
      {.block_cache_bytes = config.rocksdb_block_cache_bytes,
       .on_damage = [](const std::string& message) { spdlog::warn("{}", message); }});
  if (!storage) return std::unexpected(storage.error());
  local->storage_ = *std::move(storage);
  if (!config.bootstrap_servers.empty()) {
    auto instance = instance_of(config.state_dir);
    if (!instance) return std::unexpected(instance.error());
    local->instance_ = *std::move(instance);
    auto kafka = open_kafka_log(kafka_options(config));
    if (!kafka) return std::unexpected(kafka.error());
    local->log_ = *std::move(kafka);
    return local;
  }
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
          .metrics = &metrics_,
          .instance = instance_};
}

}  // namespace thalweg
