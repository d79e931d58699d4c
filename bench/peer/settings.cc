#include "peer/settings.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <initializer_list>
#include <span>
#include <stdexcept>
#include <string_view>

namespace thalweg::bench {
namespace {

std::string variable(const std::string& name, std::string otherwise = {}) {
  const char* value = std::getenv(("PB_" + name).c_str());
  return value == nullptr || *value == '\0' ? std::move(otherwise) : value;
}

std::int64_t number(const std::string& name, std::int64_t otherwise, std::int64_t least = 0) {
  const std::string text = variable(name);
  if (text.empty()) return otherwise;
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw std::invalid_argument("PB_" + name + " is no whole number: " + text);
  }
  if (value < least) {
    throw std::invalid_argument("PB_" + name + " is less than " + std::to_string(least) + ": " +
                                text);
  }
  return value;
}

/// A misspelt word would else be a run of something else than what was asked for.
std::string one_of(const std::string& name, std::initializer_list<std::string_view> words) {
  const std::string text = variable(name, std::string(*words.begin()));
  if (std::ranges::find(words, text) != words.end()) return text;
  std::string allowed;
  for (const auto word : words) allowed += (allowed.empty() ? "" : ", ") + std::string(word);
  throw std::invalid_argument("PB_" + name + " is none of " + allowed + ": " + text);
}

bool is_among(std::span<const std::string_view> names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

// Both as in PeerSettings.java.
constexpr std::string_view kWithTwoInputs[] = {"stjoin", "ssjoin", "nexmark-q8", "nexmark-q20"};
constexpr std::string_view kWithCountAtTheEnd[] = {"repart",      "shuffle",    "saga",
                                                   "nexmark-q5",  "nexmark-q8", "nexmark-q11",
                                                   "nexmark-q12", "nexmark-q18"};

// In one thread their records need not go through repartition topics.
constexpr std::string_view kFasterInOneThread[] = {"repart",     "shuffle",     "saga",
                                                   "nexmark-q8", "nexmark-q12", "nexmark-q18"};

/// What would end at once, never, or with words that tell nothing.
void check(const PeerSettings& settings) {
  const std::string& workload = settings.workload;
  const std::size_t inputs = is_among(kWithTwoInputs, workload) ? 2 : 1;
  if (settings.inputs.size() < inputs) {
    throw std::invalid_argument("PB_IN has too few topics for " + workload + ": " +
                                std::to_string(inputs) + " are needed");
  }
  if (settings.records_done > 0 && !is_among(kWithCountAtTheEnd, workload)) {
    throw std::invalid_argument("PB_N_DONE is for workloads that count at their last step, not " +
                                workload);
  }
  const bool has_records = !settings.serves && workload != "restore" && workload != "startup";
  if (has_records && settings.records == 0) {
    throw std::invalid_argument("PB_N is not set: how many records is the run to process?");
  }
}

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const auto end = std::min(text.find(',', begin), text.size());
    if (end > begin) parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

// Kafka Streams takes keys of Kafka's clients without a prefix too; so that both sides can have the
// same PB_EXTRA, they get theirs here.
constexpr std::string_view kConsumerKeys[] = {
    "fetch.max.bytes",      "fetch.max.wait.ms",     "fetch.min.bytes",
    "group.instance.id",    "heartbeat.interval.ms", "max.partition.fetch.bytes",
    "max.poll.interval.ms", "max.poll.records",      "session.timeout.ms"};
constexpr std::string_view kProducerKeys[] = {"acks",
                                              "batch.size",
                                              "buffer.memory",
                                              "compression.type",
                                              "delivery.timeout.ms",
                                              "linger.ms",
                                              "max.block.ms",
                                              "max.request.size",
                                              "retries",
                                              "max.in.flight.requests.per.connection"};

std::string with_prefix(const std::string& assignment) {
  const std::string_view key = std::string_view(assignment).substr(0, assignment.find('='));
  if (is_among(kConsumerKeys, key)) return "consumer." + assignment;
  if (is_among(kProducerKeys, key)) return "producer." + assignment;
  return assignment;
}

void set_if_given(StreamsConfigBuilder& config, const std::string& key, const std::string& name) {
  if (const auto value = variable(name); !value.empty()) config.set(key, value, "PB_" + name);
}

}  // namespace

PeerSettings PeerSettings::from_environment() {
  PeerSettings settings;
  settings.workload = variable("WORKLOAD", settings.workload);
  settings.application_id = variable("APP_ID", settings.application_id);
  settings.guarantee = variable("GUARANTEE", settings.guarantee);
  settings.profile = one_of("PROFILE", {"default", "tuned", "tuned-latency"});
  settings.inputs = split(variable("IN", "pb-kv"));
  settings.output = variable("OUT", settings.output);
  settings.records = number("N", 0);
  settings.records_done = number("N_DONE", 0);
  settings.started_at_ns = number("T0_NS", 0);
  settings.serves = one_of("MODE", {"drain", "serve"}) == "serve";
  settings.embedded = one_of("LOG", {"kafka", "embedded"}) == "embedded";
  settings.ready_file = variable("READY_FILE");
  settings.limit_s = number("LIMIT_S", settings.limit_s, 1);
  settings.idle_s = number("IDLE_S", settings.idle_s);
  settings.state_bytes = number("STATE_SIZE", settings.state_bytes);
  check(settings);
  return settings;
}

StreamsConfig PeerSettings::config() const {
  StreamsConfigBuilder config;
  const std::string here = "peer_candidate";
  config.set("application.id", application_id, here);
  if (!embedded) {
    config.set("bootstrap.servers", variable("BOOTSTRAP", "127.0.0.1:29092"), "PB_BOOTSTRAP");
  }
  config.set("processing.guarantee", guarantee, "PB_GUARANTEE");
  config.set("state.dir", variable("STATE_DIR", "/tmp/pb-state"), "PB_STATE_DIR");
  const bool in_one_thread = !tuned() || is_among(kFasterInOneThread, workload);
  config.set("num.stream.threads", variable("THREADS", in_one_thread ? "1" : "2"), "PB_THREADS");
  if (tuned()) {
    config.set("statestore.cache.max.bytes", std::to_string(128 << 20), here);
    config.set("topology.optimization", "all", here);
    config.set("buffered.records.per.partition", "5000", here);
  }
  set_if_given(config, "commit.interval.ms", "COMMIT_MS");
  set_if_given(config, "statestore.cache.max.bytes", "CACHE");
  set_if_given(config, "consumer.group.instance.id", "INSTANCE");
  set_if_given(config, "num.standby.replicas", "STANDBY");
  if (const auto session = number("SESSION_MS", 0); session > 0) {
    config.set("consumer.session.timeout.ms", std::to_string(session), "PB_SESSION_MS");
  }
  for (const auto& assignment : split(variable("EXTRA"))) {
    config.set_assignment(with_prefix(assignment), "PB_EXTRA");
  }
  return config.build();
}

}  // namespace thalweg::bench
