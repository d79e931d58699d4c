#include "kafka/rd_handles.h"

#include <cstring>

namespace thalweg::internal {

namespace {

// Only what can never work is an error for good; everything else may be over the next time.
ErrorCode code_of(rd_kafka_resp_err_t code) {
  switch (code) {
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
      return ErrorCode::kNotFound;
    case RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS:
      return ErrorCode::kAlreadyExists;
    case RD_KAFKA_RESP_ERR__INVALID_ARG:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PROTOCOL:
    case RD_KAFKA_RESP_ERR__NOT_IMPLEMENTED:
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_INVALID_RECORD:
    case RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP:
    case RD_KAFKA_RESP_ERR_INVALID_CONFIG:
    case RD_KAFKA_RESP_ERR_INVALID_PARTITIONS:
    case RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR:
    case RD_KAFKA_RESP_ERR_INVALID_TRANSACTION_TIMEOUT:
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_POLICY_VIOLATION:
      return ErrorCode::kInvalid;
    case RD_KAFKA_RESP_ERR__BAD_MSG:
    case RD_KAFKA_RESP_ERR__BAD_COMPRESSION:
      return ErrorCode::kCorrupt;
    default:
      return ErrorCode::kUnavailable;
  }
}

}  // namespace

Error error_of(rd_kafka_resp_err_t code, const std::string& what, const char* said) {
  std::string message = what + ": " + rd_kafka_err2str(code);
  if (said && *said && message.find(said) == std::string::npos) {
    message += " (" + std::string(said) + ")";
  }
  return {code_of(code), std::move(message)};
}

RdPartitions offsets_of(const std::map<TopicPartition, OffsetAndMetadata>& offsets) {
  auto list = make_partitions(offsets.size());
  for (const auto& [partition, position] : offsets) {
    auto* entry =
        rd_kafka_topic_partition_list_add(list.get(), partition.topic.c_str(), partition.partition);
    entry->offset = position.offset;
    if (position.metadata.empty()) continue;
    entry->metadata_size = position.metadata.size();
    entry->metadata = rd_kafka_mem_malloc(nullptr, entry->metadata_size);
    std::memcpy(entry->metadata, position.metadata.data(), entry->metadata_size);
  }
  return list;
}

std::map<TopicPartition, OffsetAndMetadata> offsets_of(
    const rd_kafka_topic_partition_list_t& list) {
  std::map<TopicPartition, OffsetAndMetadata> offsets;
  for (int i = 0; i < list.cnt; ++i) {
    const auto& entry = list.elems[i];
    if (entry.offset < 0) continue;
    auto& position = offsets[{entry.topic, entry.partition}];
    position.offset = entry.offset;
    if (entry.metadata) {
      position.metadata.assign(static_cast<const char*>(entry.metadata), entry.metadata_size);
    }
  }
  return offsets;
}

std::vector<TopicPartition> partitions_of(const rd_kafka_topic_partition_list_t& list) {
  std::vector<TopicPartition> partitions;
  for (int i = 0; i < list.cnt; ++i) {
    partitions.push_back({list.elems[i].topic, list.elems[i].partition});
  }
  return partitions;
}

}  // namespace thalweg::internal
