// Keys that a reader of Kafka's documentation may try: what to say about them.

#include <algorithm>
#include <array>
#include <iterator>

#include "config/config_keys.h"

namespace thalweg::internal {
namespace {

struct ForeignKey {
  std::string_view name;
  std::string_view advice;
};

// Kafka Streams' keys without a meaning here. They are errors and not notes, since an application
// that sets one relies on what it does (docs/decisions/0005).
constexpr std::array kStreamsKeys = std::to_array<ForeignKey>({
    {"allow.os.group.write.access", "use the umask of the process"},
    {"built.in.metrics.version", "there is one version of the metrics"},
    {"cache.max.bytes.buffering", "use statestore.cache.max.bytes"},
    {"config.providers", "put secrets into the environment (THALWEG_...)"},
    {"default.client.supplier", "give the application a Log of your own in its Environment"},
    {"default.deserialization.exception.handler", "use deserialization.exception.handler"},
    {"default.dsl.store", "give the StreamsBuilder a DslStore"},
    {"default.key.serde", "serdes follow from the types: specialise Serde<T>"},
    {"default.list.key.serde.inner", "serdes follow from the types: specialise Serde<T>"},
    {"default.list.key.serde.type", "serdes follow from the types: specialise Serde<T>"},
    {"default.list.value.serde.inner", "serdes follow from the types: specialise Serde<T>"},
    {"default.list.value.serde.type", "serdes follow from the types: specialise Serde<T>"},
    {"default.production.exception.handler", "use production.exception.handler"},
    {"default.timestamp.extractor", "set timestamp_extractor in Consumed"},
    {"default.value.serde", "serdes follow from the types: specialise Serde<T>"},
    {"dsl.store.suppliers.class", "give the StreamsBuilder a DslStore"},
    {"enable.metrics.push", "metrics are read at /metrics"},
    {"ensure.explicit.internal.resource.naming", "set it in the TopologyConfig"},
    {"group.protocol", "the runtime chooses the protocol"},
    {"log.summary.interval.ms", "read /metrics instead"},
    {"metric.reporters", "metrics are read at /metrics"},
    {"metrics.num.samples", "metrics are counters: let what reads them make rates"},
    {"metrics.recording.level", "all metrics are always on"},
    {"metrics.sample.window.ms", "metrics are counters: let what reads them make rates"},
    {"poll.ms", "workers wake up as soon as there is something to do"},
    {"probing.rebalance.interval.ms", "a process joins as soon as its copies have caught up"},
    {"processor.wrapper.class", "set processor_wrapper in the TopologyConfig"},
    {"rack.aware.assignment.non_overlap_cost", "tasks are assigned without regard to racks"},
    {"rack.aware.assignment.strategy", "tasks are assigned without regard to racks"},
    {"rack.aware.assignment.tags", "tasks are assigned without regard to racks"},
    {"rack.aware.assignment.traffic_cost", "tasks are assigned without regard to racks"},
    {"rocksdb.config.setter", "use rocksdb.block.cache.bytes and state.memory.max.bytes"},
    {"state.cleanup.delay.ms", "state of tasks that are elsewhere is kept until it is needed"},
    {"task.assignor.class", "the runtime assigns tasks"},
    {"task.timeout.ms", "what a broker does not answer is asked again"},
    {"upgrade.from", "there is no older version to upgrade from"},
    {"window.size.ms", "windows carry their size"},
    {"windowed.inner.class.serde", "serdes follow from the types: specialise Serde<T>"},
    {"windowstore.changelog.additional.retention.ms",
     "set retention.ms in changelog_config of Materialized"},
});

// Keys of Kafka's clients, which Kafka Streams takes without a prefix too.
constexpr std::array kConsumerKeys = std::to_array<std::string_view>(
    {"auto.offset.reset", "enable.auto.commit", "fetch.max.bytes", "fetch.max.wait.ms",
     "fetch.min.bytes", "group.id", "group.instance.id", "heartbeat.interval.ms", "isolation.level",
     "max.partition.fetch.bytes", "max.poll.interval.ms", "max.poll.records",
     "partition.assignment.strategy", "session.timeout.ms"});
constexpr std::array kProducerKeys = std::to_array<std::string_view>(
    {"acks", "batch.size", "buffer.memory", "compression.type", "delivery.timeout.ms",
     "enable.idempotence", "linger.ms", "max.block.ms", "max.in.flight.requests.per.connection",
     "max.request.size", "message.timeout.ms", "retries", "transactional.id"});
constexpr std::array kSharedKeys = std::to_array<std::string_view>(
    {"connections.max.idle.ms", "metadata.max.age.ms", "receive.buffer.bytes",
     "reconnect.backoff.max.ms", "reconnect.backoff.ms", "request.timeout.ms",
     "retry.backoff.max.ms", "retry.backoff.ms", "security.protocol", "send.buffer.bytes"});

constexpr std::array kClientPrefixes = std::to_array<std::string_view>(
    {"main.consumer.", "restore.consumer.", "consumer.", "producer.", "admin.", "topic."});

// What the protocol of commits stands on; only the value it needs may be written.
struct Decided {
  std::string_view name;
  std::string_view needed;
  std::string_view fault;
};
constexpr std::array kDecided = std::to_array<Decided>({
    {"enable.auto.commit", "false", "offsets go with the results: only false is allowed"},
    {"enable.idempotence", "true", "nothing may be written twice: only true is allowed"},
    {"isolation.level", "read_committed",
     "only committed records are processed: only read_committed is allowed"},
    {"group.id", "", "the group is the application.id"},
    {"transactional.id", "", "transactional ids are made from the application.id"},
    {"transaction.timeout.ms", "", "use transaction.timeout.ms, without a prefix"},
    {"bootstrap.servers", "", "use bootstrap.servers, without a prefix"},
    {"client.id", "", "use client.id, without a prefix"},
});

template <typename List>
bool has(const List& list, std::string_view key) {
  return std::ranges::find(list, key) != std::end(list);
}

}  // namespace

std::string_view known_elsewhere(std::string_view key) {
  const auto known = std::ranges::find(kStreamsKeys, key, &ForeignKey::name);
  if (known != kStreamsKeys.end()) return known->advice;
  if (key.starts_with("global.consumer.")) {
    return "global stores are read as others are restored: use restore.consumer.";
  }
  if (has(kConsumerKeys, key)) return "a key of Kafka's consumer: put consumer. before it";
  if (has(kProducerKeys, key)) return "a key of Kafka's producer: put producer. before it";
  return {};
}

bool is_client_key(std::string_view key) {
  if (has(kSharedKeys, key) || key.starts_with("sasl.") || key.starts_with("ssl.")) return true;
  return std::ranges::any_of(kClientPrefixes, [&](std::string_view prefix) {
    return key.starts_with(prefix) && key.size() > prefix.size();
  });
}

std::string_view client_key_fault(std::string_view key, std::string_view value) {
  const auto prefix = std::ranges::find_if(
      kClientPrefixes, [&](std::string_view candidate) { return key.starts_with(candidate); });
  if (prefix == kClientPrefixes.end() || *prefix == "topic.") return {};
  const auto decided = std::ranges::find(kDecided, key.substr(prefix->size()), &Decided::name);
  if (decided == kDecided.end() || (!decided->needed.empty() && value == decided->needed))
    return {};
  return decided->fault;
}

}  // namespace thalweg::internal
