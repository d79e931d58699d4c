#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>

#include <thalweg/runtime/log.h>

namespace thalweg {

/// Where a cluster of Apache Kafka is, and how its clients are to be.
struct KafkaLogOptions {
  /// `host:port`, several with commas between.
  std::string bootstrap_servers;
  std::string client_id = "thalweg";
  /// Properties of Kafka's clients by librdkafka's or Java's names, with Kafka Streams' prefixes:
  /// `consumer.`, over it `main.consumer.` (members of groups) and `restore.consumer.` (all other
  /// readers), `producer.`, `admin.`, and `topic.` for the topics that are made. Without a prefix
  /// they are for all clients.
  std::map<std::string, std::string> properties = {};
  /// Copies of each topic that is made; -1: as many as the brokers' own setting says.
  std::int32_t replication_factor = -1;
  /// How long a broker may take to answer the calls of Log.
  std::chrono::milliseconds request_timeout{10'000};
};

/// The log that is a cluster of Apache Kafka, version 2.5 or later.
///
/// What is committed there is durable, so Durability is told of each commit of this process when it
/// has happened. Commits are numbered by this process alone. Topics are never made by writing or
/// subscribing to them.
///
/// kUnavailable when no broker answers, with what they said last (a wrong password, for example);
/// kInvalid for a property that there is not.
Result<std::unique_ptr<Log>> open_kafka_log(const KafkaLogOptions& options);

}  // namespace thalweg
