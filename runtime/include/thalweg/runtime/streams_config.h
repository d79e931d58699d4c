#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <thalweg/runtime/exception_handlers.h>

namespace thalweg {

/// A setting that is unknown or cannot be. The message names the key, where it was set, and the
/// nearest known key or the values that are allowed.
class ConfigError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

enum class ProcessingGuarantee : std::uint8_t { kAtLeastOnce, kExactlyOnceV2 };

/// The settings of one application, under Kafka Streams' keys. Every field stands for one key,
/// whose name is its comment; runtime/config/config_keys.cc holds the table of keys, documentation
/// and limits, from which parsing, help() and docs/configuration.md are made.
struct StreamsConfig {
  /// `application.id`: group, prefix of topics and transactional ids.
  std::string application_id;
  /// `bootstrap.servers`; empty: the embedded log.
  std::string bootstrap_servers;
  /// `client.id`; build() defaults it to the application id.
  std::string client_id;
  /// `application.server`: where other processes of the application find this one's queries.
  std::string application_server;
  /// `state.dir`
  std::string state_dir = "./data";
  /// `num.stream.threads`
  std::int32_t num_stream_threads = 1;
  /// `stream.thread.nice`: by how much these threads give way to others of the machine (nice(2));
  /// above 0 they also rest while its processors have no time to spare.
  std::int32_t stream_thread_nice = 0;
  /// `num.standby.replicas`: copies of each task's state in other processes.
  std::int32_t num_standby_replicas = 0;
  /// `max.warmup.replicas`: how many tasks at a time a new process copies before it joins.
  std::int32_t max_warmup_replicas = 100;
  /// `acceptable.recovery.lag`, in offsets of a changelog.
  std::int64_t acceptable_recovery_lag = 10'000;
  /// `processing.guarantee`
  ProcessingGuarantee processing_guarantee = ProcessingGuarantee::kExactlyOnceV2;
  /// `commit.interval.ms`; build() makes it 30 s for at_least_once, unless set.
  std::chrono::milliseconds commit_interval{100};
  /// `commit.interval.min.ms`; build() makes it 25 ms on Kafka, unless set.
  std::chrono::milliseconds commit_interval_min{0};
  /// `statestore.cache.max.bytes`; 0: no caches.
  std::size_t statestore_cache_max_bytes = 10u << 20;
  /// `state.memory.max.bytes`
  std::size_t state_memory_max_bytes = 256u << 20;
  /// `rocksdb.block.cache.bytes`
  std::size_t rocksdb_block_cache_bytes = 64u << 20;
  /// `state.spill.interval.ms`
  std::chrono::milliseconds state_spill_interval{60'000};
  /// `max.task.idle.ms`; 0: no longer than the log has more for an empty input; less: never.
  std::chrono::milliseconds max_task_idle{0};
  /// `buffered.records.per.partition`
  std::size_t buffered_records_per_partition = 1000;
  /// `transaction.timeout.ms`
  std::chrono::milliseconds transaction_timeout{15'000};
  /// `repartition.purge.interval.ms`
  std::chrono::milliseconds repartition_purge_interval{30'000};
  /// `repartition.local.hops`
  bool repartition_local_hops = true;
  /// `topology.optimization`, for StreamsBuilder::build().
  std::string topology_optimization = "none";
  /// `deserialization.exception.handler`
  FailureHandling deserialization_handler = FailureHandling::kFail;
  /// `processing.exception.handler`
  FailureHandling processing_handler = FailureHandling::kFail;
  /// `production.exception.handler`
  FailureHandling production_handler = FailureHandling::kFail;
  /// `errors.dead.letter.queue.topic.name`; `{topic}` in it stands for the record's own topic.
  std::string dead_letter_topic;
  /// `log.default.partitions` (embedded log)
  std::int32_t log_default_partitions = 3;
  /// `replication.factor` of topics that are made on Kafka; -1: the brokers' default.
  std::int32_t replication_factor = -1;
  /// Keys with the prefixes `consumer.`, `main.consumer.`, `restore.consumer.`,
  /// `producer.`, `admin.` and `topic.`, whole, for the Kafka client; and without a prefix those of
  /// all its clients, such as `security.protocol`, `sasl.*` and `ssl.*`.
  std::map<std::string, std::string> client_properties;

  // Handlers of one's own have no key; where there is one, the setting has no say.
  std::shared_ptr<DeserializationExceptionHandler> deserialization_exception_handler = {};
  std::shared_ptr<ProcessingExceptionHandler> processing_exception_handler = {};
  std::shared_ptr<ProductionExceptionHandler> production_exception_handler = {};
};

/// One key of the table.
struct ConfigKey {
  std::string_view name;
  std::string_view description;  ///< One sentence.
  std::string default_value;
};

/// Collects settings from several places. Calls that come later win: file, environment, flags.
///
///     auto config = StreamsConfigBuilder()
///                       .from_toml_file("count.toml")
///                       .from_environment(environ)
///                       .set("application.id", "word-count", "main.cc")
///                       .build();
class StreamsConfigBuilder {
 public:
  /// `key = value` lines of a TOML file; tables join their keys with dots. Throws ConfigError with
  /// file and line.
  StreamsConfigBuilder& from_toml_file(const std::string& path);
  StreamsConfigBuilder& from_toml(std::string_view text, std::string_view origin);
  /// `THALWEG_NUM_STREAM_THREADS=3` sets `num.stream.threads`; `KAFKA_BROKERS` sets
  /// `bootstrap.servers`; `KAFKA_CLIENT_ID` sets `client.id`. Empty variables count as not set.
  StreamsConfigBuilder& from_environment(char** environment);
  /// `origin` names the place in errors, such as `--set`.
  StreamsConfigBuilder& set(std::string_view key, std::string_view value, std::string_view origin);
  /// The same from `key=value`. Throws ConfigError when it is not of that form.
  StreamsConfigBuilder& set_assignment(std::string_view assignment, std::string_view origin);
  /// Keys of the application itself (`shop.timezone`, or `wire.format.*` for all that begin so),
  /// passed through by application_value().
  StreamsConfigBuilder& allow(std::vector<std::string> application_keys);

  /// Checks everything and gives the settings. Throws ConfigError with a line for each fault:
  /// unknown key, value that is not allowed, keys that exclude each other.
  StreamsConfig build() const;
  /// The value of a key passed to allow(); empty when not set.
  std::string application_value(std::string_view key) const;
  /// The same as a whole number from `least` to `most`; `otherwise` when not set. Throws
  /// ConfigError that names key, value, origin and what is allowed.
  std::int64_t application_number(std::string_view key, std::int64_t otherwise, std::int64_t least,
                                  std::int64_t most) const;
  /// Every key with its value and where that came from; secrets masked. Throws as build() does.
  struct Effective {
    std::string key, value, origin;
  };
  std::vector<Effective> effective() const;

  static const std::vector<ConfigKey>& keys();
  /// Every key with its description, default and limits, for a `--help`.
  static std::string help();

 private:
  struct Setting {
    std::string value, origin;
  };
  std::map<std::string, Setting, std::less<>> settings_;
  std::vector<std::string> application_keys_;
};

}  // namespace thalweg
