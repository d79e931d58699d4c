#include "config/config_keys.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <concepts>
#include <limits>
#include <optional>

#include <fmt/format.h>

namespace thalweg::internal {
namespace {

template <std::integral Number>
std::optional<Number> number_of(std::string_view text, Number least, Number most) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if (number < least || number > most) return std::nullopt;
  return number;
}

template <std::integral Number>
std::string range_in_words(Number least, Number most) {
  if (most == std::numeric_limits<Number>::max()) {
    return fmt::format("a whole number, {} or more", least);
  }
  return fmt::format("a whole number from {} to {}", least, most);
}

template <std::integral Number>
KeyRow number(std::string_view name, std::string_view description, Number StreamsConfig::*field,
              Number least, Number most = std::numeric_limits<Number>::max()) {
  return {.name = name,
          .description = description,
          .allowed = range_in_words(least, most),
          .parse =
              [=](StreamsConfig& config, std::string_view value) {
                const auto parsed = number_of<Number>(value, least, most);
                if (parsed) config.*field = *parsed;
                return parsed.has_value();
              },
          .show = [=](const StreamsConfig& config) { return fmt::to_string(config.*field); }};
}

KeyRow duration(std::string_view name, std::string_view description,
                std::chrono::milliseconds StreamsConfig::*field, std::int64_t least) {
  // A century is more than anyone needs, and far from overflow in any unit.
  constexpr std::int64_t kMost = 100LL * 365 * 24 * 3600 * 1000;
  return {
      .name = name,
      .description = description,
      .allowed = fmt::format("a whole number of milliseconds, {} or more", least),
      .parse =
          [=](StreamsConfig& config, std::string_view value) {
            const auto parsed = number_of<std::int64_t>(value, least, kMost);
            if (parsed) config.*field = std::chrono::milliseconds(*parsed);
            return parsed.has_value();
          },
      .show = [=](const StreamsConfig& config) { return fmt::to_string((config.*field).count()); }};
}

KeyRow text(std::string_view name, std::string_view description, std::string StreamsConfig::*field,
            std::string allowed, std::function<bool(std::string_view)> is_allowed) {
  return {.name = name,
          .description = description,
          .allowed = std::move(allowed),
          .parse =
              [field, is_allowed = std::move(is_allowed)](StreamsConfig& config,
                                                          std::string_view value) {
                if (!is_allowed(value)) return false;
                config.*field = value;
                return true;
              },
          .show = [=](const StreamsConfig& config) { return config.*field; }};
}

KeyRow yes_or_no(std::string_view name, std::string_view description, bool StreamsConfig::*field) {
  return {.name = name,
          .description = description,
          .allowed = "true or false",
          .parse =
              [=](StreamsConfig& config, std::string_view value) {
                if (value != "true" && value != "false") return false;
                config.*field = value == "true";
                return true;
              },
          .show =
              [=](const StreamsConfig& config) {
                return std::string(config.*field ? "true" : "false");
              }};
}

bool is_not_empty(std::string_view value) { return !value.empty(); }

bool is_name_character(char character) {
  return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
         (character >= '0' && character <= '9') || character == '.' || character == '_' ||
         character == '-';
}

bool is_name(std::string_view value, std::size_t longest) {
  return !value.empty() && value.size() <= longest && value != "." && value != ".." &&
         std::ranges::all_of(value, is_name_character);
}

bool is_host_and_port(std::string_view value) {
  const auto colon = value.rfind(':');
  return colon != std::string_view::npos && colon > 0 &&
         number_of<std::int32_t>(value.substr(colon + 1), 1, 65535).has_value();
}

template <typename Check>
bool every_part(std::string_view list, Check check) {
  for (;;) {
    const auto comma = list.find(',');
    if (!check(list.substr(0, comma))) return false;
    if (comma == std::string_view::npos) return true;
    list.remove_prefix(comma + 1);
  }
}

bool is_optimization(std::string_view value) {
  static constexpr std::array<std::string_view, 3> kSingle = {
      "reuse.ktable.source.topics", "merge.repartition.topics", "single.store.self.join"};
  if (value == "none" || value == "all") return true;
  return every_part(value, [](std::string_view part) {
    return std::ranges::find(kSingle, part) != kSingle.end();
  });
}

KeyRow guarantee() {
  return {.name = "processing.guarantee",
          .description = "Whether a record that is processed again after a failure can show twice.",
          .allowed = "exactly_once_v2 or at_least_once",
          .parse =
              [](StreamsConfig& config, std::string_view value) {
                if (value == "exactly_once_v2") {
                  config.processing_guarantee = ProcessingGuarantee::kExactlyOnceV2;
                } else if (value == "at_least_once") {
                  config.processing_guarantee = ProcessingGuarantee::kAtLeastOnce;
                } else {
                  return false;
                }
                return true;
              },
          .show =
              [](const StreamsConfig& config) {
                return config.processing_guarantee == ProcessingGuarantee::kExactlyOnceV2
                           ? "exactly_once_v2"
                           : "at_least_once";
              }};
}

// Handlers go by short names; those of Kafka Streams' own classes are understood too.
std::optional<FailureHandling> handling_of(std::string_view value) {
  constexpr std::string_view kPackage = "org.apache.kafka.streams.errors.";
  if (value.starts_with(kPackage)) value.remove_prefix(kPackage.size());
  if (value == "fail" || value == "LogAndFailExceptionHandler" ||
      value == "LogAndFailProcessingExceptionHandler" ||
      value == "DefaultProductionExceptionHandler") {
    return FailureHandling::kFail;
  }
  if (value == "continue" || value == "LogAndContinueExceptionHandler" ||
      value == "LogAndContinueProcessingExceptionHandler") {
    return FailureHandling::kContinue;
  }
  if (value == "dead-letter") return FailureHandling::kDeadLetter;
  return std::nullopt;
}

KeyRow handler(std::string_view name, std::string_view description,
               FailureHandling StreamsConfig::*field) {
  return {.name = name,
          .description = description,
          .allowed = "fail, continue or dead-letter",
          .parse =
              [=](StreamsConfig& config, std::string_view value) {
                const auto parsed = handling_of(value);
                if (parsed) config.*field = *parsed;
                return parsed.has_value();
              },
          .show =
              [=](const StreamsConfig& config) {
                switch (config.*field) {
                  case FailureHandling::kRetry:
                  case FailureHandling::kFail:
                    return "fail";
                  case FailureHandling::kContinue:
                    return "continue";
                  case FailureHandling::kDeadLetter:
                    return "dead-letter";
                }
                return "";
              }};
}

KeyRow with_default(KeyRow row, std::string_view in_words) {
  row.default_in_words = in_words;
  return row;
}

std::vector<KeyRow> identity_rows() {
  using Config = StreamsConfig;
  constexpr std::size_t kLongestId = 128;  // Leaves room for store names in a topic name of 249.
  constexpr std::size_t kLongestTopic = 249;
  const auto is_id = [](std::string_view value) { return is_name(value, kLongestId); };
  // `{topic}` stands for the topic that the record came from.
  const auto is_topic = [](std::string_view value) {
    constexpr std::string_view kTopic = "{topic}";
    std::string pattern(value);
    if (const auto at = pattern.find(kTopic); at != std::string::npos) {
      pattern.erase(at, kTopic.size());
      if (pattern.empty()) return false;  // Back into the topic it came from, for ever.
    }
    return pattern.empty() || is_name(pattern, kLongestTopic);
  };
  const auto is_servers = [](std::string_view value) {
    return value.empty() || every_part(value, is_host_and_port);
  };
  return {
      with_default(text("application.id",
                        "Name of the application: its group, and the prefix of its internal topics "
                        "and transactional ids.",
                        &Config::application_id,
                        "1 to 128 letters, digits, dots, underscores and hyphens", is_id),
                   "none: it must be set"),
      with_default(
          text("bootstrap.servers", "Kafka brokers to run on instead of the embedded log.",
               &Config::bootstrap_servers, "host:port, or several with commas between", is_servers),
          "none: the embedded log"),
      with_default(text("client.id", "Name under which the application's clients show in logs.",
                        &Config::client_id,
                        "1 to 128 letters, digits, dots, underscores and hyphens", is_id),
                   "the application id"),
      with_default(text("application.server",
                        "Where the other processes of the application reach this one's queries.",
                        &Config::application_server, "host:port", is_servers),
                   "none: it answers for its own tasks alone"),
      text("state.dir", "Directory of the embedded log and the state stores.", &Config::state_dir,
           "a path", is_not_empty),
      number("num.stream.threads", "Threads that process records.", &Config::num_stream_threads, 1,
             1024),
      number("stream.thread.nice",
             "How much those threads give way to others when processor time is short: as nice(2), "
             "and by a rest after a commit of up to 100 ms for each step while hardly any "
             "processor is idle.",
             &Config::stream_thread_nice, 0, 19),
      number("num.standby.replicas",
             "Copies of each task's state that other processes of the application keep.",
             &Config::num_standby_replicas, 0, 100),
      number("max.warmup.replicas",
             "How many tasks' states at a time a process copies that is about to join others; 0: "
             "it joins at once.",
             &Config::max_warmup_replicas, 0),
      number("acceptable.recovery.lag",
             "By how many offsets those copies may be behind when it joins.",
             &Config::acceptable_recovery_lag, std::int64_t{0}),
      text("topology.optimization",
           "How the plan may be rewritten: for the application to pass to StreamsBuilder::build().",
           &Config::topology_optimization,
           "none, all, or with commas between: reuse.ktable.source.topics, "
           "merge.repartition.topics, single.store.self.join",
           is_optimization),
      number("log.default.partitions",
             "Partitions of a topic that the embedded log makes when it is first used.",
             &Config::log_default_partitions, 1, 10'000),
      with_default(number("replication.factor",
                          "Copies of each topic that is made on Kafka; -1: as many as its brokers "
                          "make of a topic.",
                          &Config::replication_factor, -1, 1000),
                   "-1"),
      with_default(
          text("errors.dead.letter.queue.topic.name",
               "Topic that handlers set to dead-letter send records to, such as {topic}.dlq.",
               &Config::dead_letter_topic,
               "a topic name: up to 249 letters, digits, dots, underscores and hyphens; "
               "{topic} once for the record's own",
               is_topic),
          "none"),
      handler("deserialization.exception.handler", "What to do with a record that cannot be read.",
              &Config::deserialization_handler),
      handler("processing.exception.handler",
              "What to do with a record for which the application's code throws.",
              &Config::processing_handler),
      handler("production.exception.handler",
              "What to do when a result cannot be written as bytes.", &Config::production_handler),
  };
}

std::vector<KeyRow> timing_and_memory_rows() {
  using Config = StreamsConfig;
  return {
      guarantee(),
      with_default(
          duration("commit.interval.ms", "Longest time between two commits while there is work.",
                   &Config::commit_interval, 1),
          "100 with exactly_once_v2, 30000 with at_least_once"),
      with_default(
          duration("commit.interval.min.ms",
                   "Shortest time from one commit's beginning to the next one's, which are further "
                   "apart, up to 50 ms, where they would take more than half of a thread's time.",
                   &Config::commit_interval_min, 0),
          "0 on the embedded log, 25 on Kafka"),
      duration(
          "transaction.timeout.ms",
          "How long a transaction may stay open; a commit comes after a third of it at the latest.",
          &Config::transaction_timeout, 1000),
      duration("max.task.idle.ms",
               "How long a task waits for records that are not written yet, once an empty input "
               "is read to its end; -1: it does not wait for those that are written either.",
               &Config::max_task_idle, -1),
      number("buffered.records.per.partition", "Records a task keeps ready from each partition.",
             &Config::buffered_records_per_partition, std::size_t{1}, std::size_t{10'000'000}),
      duration("repartition.purge.interval.ms",
               "How often processed records of repartition topics are deleted.",
               &Config::repartition_purge_interval, 1),
      yes_or_no(
          "repartition.local.hops",
          "Whether a record for a repartition topic goes straight to its task where that runs "
          "in the same thread, in the same transaction, without an offset, instead of "
          "through the topic.",
          &Config::repartition_local_hops),
      number("statestore.cache.max.bytes",
             "Record caches: 0 sends every update downstream at once, any other number only the "
             "last one of each key and commit.",
             &Config::statestore_cache_max_bytes, std::size_t{0}),
      number("state.memory.max.bytes",
             "Memory for entries of all state stores that are not on disk yet.",
             &Config::state_memory_max_bytes, std::size_t{1} << 20),
      number("rocksdb.block.cache.bytes", "Memory for blocks read from the stores' files.",
             &Config::rocksdb_block_cache_bytes, std::size_t{1} << 20),
      duration("state.spill.interval.ms",
               "Longest time committed entries of a store stay in memory only.",
               &Config::state_spill_interval, 1),
  };
}

}  // namespace

const std::vector<KeyRow>& key_rows() {
  static const std::vector<KeyRow> rows = [] {
    auto all = identity_rows();
    std::ranges::move(timing_and_memory_rows(), std::back_inserter(all));
    return all;
  }();
  return rows;
}

const KeyRow* find_row(std::string_view key) {
  const auto& rows = key_rows();
  const auto row = std::ranges::find(rows, key, &KeyRow::name);
  return row == rows.end() ? nullptr : &*row;
}

std::map<std::string, std::string> config_texts(const StreamsConfig& config) {
  auto texts = config.client_properties;
  for (const KeyRow& row : key_rows()) {
    texts.insert_or_assign(std::string(row.name), row.show(config));
  }
  return texts;
}

std::string task_directory(const StreamsConfig& config, TaskId task) {
  return config.state_dir + "/" + config.application_id + "/" + to_string(task);
}

}  // namespace thalweg::internal
