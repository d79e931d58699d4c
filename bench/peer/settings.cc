#include "peer/settings.h"

#include <charconv>
#include <cstdlib>
#include <stdexcept>

namespace thalweg::bench {
namespace {

std::string variable(const std::string& name, std::string otherwise = {}) {
  const char* value = std::getenv(("PB_" + name).c_str());
  return value == nullptr || *value == '\0' ? std::move(otherwise) : value;
}

std::int64_t number(const std::string& name, std::int64_t otherwise) {
  const std::string text = variable(name);
  if (text.empty()) return otherwise;
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw std::invalid_argument("PB_" + name + " is no whole number: " + text);
  }
  return value;
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

void set_if_given(StreamsConfigBuilder& config, const std::string& key, const std::string& name) {
  if (const auto value = variable(name); !value.empty()) config.set(key, value, "PB_" + name);
}

}  // namespace

PeerSettings PeerSettings::from_environment() {
  PeerSettings settings;
  settings.workload = variable("WORKLOAD", settings.workload);
  settings.application_id = variable("APP_ID", settings.application_id);
  settings.guarantee = variable("GUARANTEE", settings.guarantee);
  settings.profile = variable("PROFILE", settings.profile);
  settings.inputs = split(variable("IN", "pb-kv"));
  settings.output = variable("OUT", settings.output);
  settings.records = number("N", 0);
  settings.records_done = number("N_DONE", 0);
  settings.started_at_ns = number("T0_NS", 0);
  settings.serves = variable("MODE", "drain") == "serve";
  settings.embedded = variable("LOG", "kafka") == "embedded";
  settings.ready_file = variable("READY_FILE");
  settings.limit_s = number("LIMIT_S", settings.limit_s);
  settings.idle_s = number("IDLE_S", settings.idle_s);
  settings.state_bytes = number("STATE_SIZE", settings.state_bytes);
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
  config.set("num.stream.threads", variable("THREADS", tuned() ? "2" : "1"), "PB_THREADS");
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
    config.set_assignment(assignment, "PB_EXTRA");
  }
  return config.build();
}

}  // namespace thalweg::bench
