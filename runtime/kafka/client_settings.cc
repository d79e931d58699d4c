#include "kafka/client_settings.h"

#include <algorithm>
#include <array>
#include <vector>

namespace thalweg::internal {

namespace {

constexpr std::string_view kTopicPrefix = "topic.";
constexpr std::array<std::string_view, 6> kPrefixes = {
    "main.consumer.", "restore.consumer.", "consumer.", "producer.", "admin.", kTopicPrefix};

// From the most general to the most special.
std::vector<std::string_view> prefixes_of(ClientKind kind) {
  switch (kind) {
    case ClientKind::kMember:
      return {"", "consumer.", "main.consumer."};
    case ClientKind::kReader:
      return {"", "consumer.", "restore.consumer."};
    case ClientKind::kProducer:
      return {"", "producer."};
    case ClientKind::kAdmin:
      return {"", "admin."};
  }
  return {};
}

bool has_prefix(std::string_view key) {
  return std::ranges::any_of(kPrefixes, [&](auto prefix) { return key.starts_with(prefix); });
}

// Java's names of properties that librdkafka calls otherwise; empty: without a meaning here.
std::string_view by_librdkafkas_name(std::string_view name) {
  constexpr std::pair<std::string_view, std::string_view> kNames[] = {
      {"fetch.max.wait.ms", "fetch.wait.max.ms"},
      {"max.request.size", "message.max.bytes"},
      {"metadata.max.age.ms", "topic.metadata.refresh.interval.ms"},
      {"receive.buffer.bytes", "socket.receive.buffer.bytes"},
      {"send.buffer.bytes", "socket.send.buffer.bytes"},
      {"max.poll.records", ""},
      {"max.block.ms", ""},
      {"buffer.memory", ""}};
  const auto* known =
      std::ranges::find(kNames, name, &std::pair<std::string_view, std::string_view>::first);
  return known == std::end(kNames) ? name : known->second;
}

// What suits a worker's clients better than librdkafka's own defaults.
constexpr std::pair<std::string_view, std::string_view> kDefaults[] = {
    {"socket.nagle.disable", "true"},
    {"socket.keepalive.enable", "true"},
    {"reconnect.backoff.ms", "50"},
    {"reconnect.backoff.max.ms", "1000"},
    {"socket.connection.setup.timeout.ms", "5000"},
    {"topic.metadata.refresh.interval.ms", "30000"}};
constexpr std::pair<std::string_view, std::string_view> kReaderDefaults[] = {
    // For each partition, and in memory three times as much; a quarter of it is too little.
    {"queued.max.messages.kbytes", "4096"},
    {"fetch.error.backoff.ms", "50"},
    {"fetch.wait.max.ms", "100"},  // A partition that is new waits for it too.
    {"check.crcs", "true"}};
constexpr std::pair<std::string_view, std::string_view> kMemberDefaults[] = {
    {"session.timeout.ms", "10000"},
    {"heartbeat.interval.ms", "500"},  // Who is left learns of a member's death by the next one.
    {"max.poll.interval.ms", "300000"},
    {"partition.assignment.strategy", "cooperative-sticky"}};
constexpr std::pair<std::string_view, std::string_view> kProducerDefaults[] = {
    {"linger.ms", "20"},  // At most, and less wherever a worker has nothing more to process.
    {"retry.backoff.ms", "10"},
    {"queue.buffering.max.messages", "1000000"},
    {"queue.buffering.max.kbytes", "262144"}};

}  // namespace

Result<RdConf> client_conf(ClientKind kind, const KafkaLogOptions& options,
                           const std::string& client_id, std::span<const FixedProperty> fixed) {
  RdConf conf(rd_kafka_conf_new());
  std::optional<Error> fault;
  const auto set = [&](std::string_view name, std::string_view value, std::string_view key) {
    const std::string known(by_librdkafkas_name(name));
    if (known.empty() || fault) return;
    // What it says is left out: it can hold the value, and that can be a secret.
    const auto result =
        rd_kafka_conf_set(conf.get(), known.c_str(), std::string(value).c_str(), nullptr, 0);
    if (result == RD_KAFKA_CONF_UNKNOWN) {
      fault = Error{ErrorCode::kInvalid, std::string(key) + ": the Kafka client (librdkafka " +
                                             rd_kafka_version_str() + ") has no such property"};
    } else if (result == RD_KAFKA_CONF_INVALID) {
      fault = Error{ErrorCode::kInvalid, std::string(key) + ": the Kafka client (librdkafka " +
                                             rd_kafka_version_str() + ") refuses its value"};
    }
  };
  const auto set_all = [&](const auto& defaults) {
    for (const auto& [name, value] : defaults) set(name, value, name);
  };
  set_all(kDefaults);
  if (kind == ClientKind::kReader) set_all(kReaderDefaults);
  if (kind == ClientKind::kMember) set_all(kMemberDefaults);
  if (kind == ClientKind::kProducer) set_all(kProducerDefaults);
  for (const auto prefix : prefixes_of(kind)) {
    for (const auto& [key, value] : options.properties) {
      const bool mine = prefix.empty() ? !has_prefix(key) : key.starts_with(prefix);
      if (mine) set(std::string_view(key).substr(prefix.size()), value, key);
    }
  }
  for (const auto& [name, value] : fixed) set(name, value, name);
  set("bootstrap.servers", options.bootstrap_servers, "bootstrap.servers");
  // Longer ones have crashed librdkafka (before 2.5).
  constexpr std::size_t kLongestId = 20;
  set("client.id",
      client_id.size() <= kLongestId
          ? client_id
          : client_id.substr(0, 8) + client_id.substr(client_id.size() - (kLongestId - 8)),
      "client.id");
  if (fault) return std::unexpected(*fault);
  return conf;
}

std::string configured(ClientKind kind, const KafkaLogOptions& options, std::string_view name) {
  std::string value;
  for (const auto prefix : prefixes_of(kind)) {
    const auto found = options.properties.find(std::string(prefix) + std::string(name));
    if (found != options.properties.end()) value = found->second;
  }
  return value;
}

std::map<std::string, std::string> topic_properties(const KafkaLogOptions& options) {
  std::map<std::string, std::string> properties;
  for (const auto& [key, value] : options.properties) {
    if (key.starts_with(kTopicPrefix)) properties[key.substr(kTopicPrefix.size())] = value;
  }
  return properties;
}

}  // namespace thalweg::internal
