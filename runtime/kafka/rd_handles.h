#pragma once

#include <memory>
#include <string>

#include <librdkafka/rdkafka.h>

#include <thalweg/runtime/log.h>

namespace thalweg::internal {

/// Owners of librdkafka's objects.
template <auto kDestroy>
struct RdDestroy {
  template <typename T>
  void operator()(T* object) const {
    kDestroy(object);
  }
};
template <typename T, auto kDestroy>
using RdHandle = std::unique_ptr<T, RdDestroy<kDestroy>>;

using RdConf = RdHandle<rd_kafka_conf_t, rd_kafka_conf_destroy>;
using RdError = RdHandle<rd_kafka_error_t, rd_kafka_error_destroy>;
using RdQueue = RdHandle<rd_kafka_queue_t, rd_kafka_queue_destroy>;
using RdTopic = RdHandle<rd_kafka_topic_t, rd_kafka_topic_destroy>;
using RdEvent = RdHandle<rd_kafka_event_t, rd_kafka_event_destroy>;
using RdPartitions =
    RdHandle<rd_kafka_topic_partition_list_t, rd_kafka_topic_partition_list_destroy>;
using RdGroup =
    RdHandle<rd_kafka_consumer_group_metadata_t, rd_kafka_consumer_group_metadata_destroy>;

inline RdPartitions make_partitions(std::size_t count) {
  return RdPartitions(rd_kafka_topic_partition_list_new(static_cast<int>(count)));
}

/// A list with the partitions, each at `offset`.
template <typename Range>
RdPartitions partitions_at(const Range& partitions, Offset offset) {
  auto list = make_partitions(partitions.size());
  for (const TopicPartition& partition : partitions) {
    rd_kafka_topic_partition_list_add(list.get(), partition.topic.c_str(), partition.partition)
        ->offset = offset;
  }
  return list;
}

/// A list with the offsets and their metadata.
RdPartitions offsets_of(const std::map<TopicPartition, OffsetAndMetadata>& offsets);
/// The other way round; without those that have no offset.
std::map<TopicPartition, OffsetAndMetadata> offsets_of(const rd_kafka_topic_partition_list_t& list);

std::vector<TopicPartition> partitions_of(const rd_kafka_topic_partition_list_t& list);

/// Kafka's error as one of ours: "<what>: <Kafka's own words>".
Error error_of(rd_kafka_resp_err_t code, const std::string& what, const char* said = nullptr);

}  // namespace thalweg::internal
