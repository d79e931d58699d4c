#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <thalweg/schemas/partitioning.h>
#include <thalweg/topology/internal/sender.h>
#include <thalweg/topology/internal/topology_graph.h>
#include <thalweg/topology/partitioner.h>
#include <thalweg/topology/topic_name_extractor.h>

namespace thalweg::internal {

/// Serialises into `buffer`; nothing for null.
template <typename T>
std::optional<BytesView> write_payload(const AnySerde<payload_t<T>>& serde, const T& payload,
                                       std::string& buffer) {
  buffer.clear();
  if constexpr (is_nullable<T>) {
    if (!payload) return std::nullopt;
    serde.serialize(*payload, buffer);
  } else {
    serde.serialize(payload, buffer);
  }
  return BytesView(buffer);
}

/// Sends records to a topic: what is the same for all types.
class SinkNode : public ProcessorNode {
 public:
  /// Without a `topic`, use_topic() comes before each record. The last `window_bytes` of a key do
  /// not count where its partition is computed: all windows of a key go to one, as with Kafka
  /// Streams' WindowedStreamPartitioner.
  SinkNode(std::string name, std::string topic, bool internal_topic, std::size_t window_bytes);
  void add_child(ProcessorNode& child) override;

 protected:
  void start(TaskContext& context) override;
  /// What follows goes to `topic`.
  void use_topic(const std::string& topic);
  /// Of the topic; asked for once.
  std::int32_t partitions();
  /// Called while handling that a record cannot be written as bytes: returns if the production
  /// exception handler says to go on without it, else throws a ProcessorError.
  void unwritable(const std::exception& error);
  /// Sends where a partitioner says. Throws StreamsError for a partition that is not there.
  void send(const Partitions& where, std::optional<BytesView> key, std::optional<BytesView> value,
            const RecordContext& context);

 private:
  struct Topic {
    TopicHandle handle = 0;
    std::int32_t partitions = 0;  // 0: not yet known.
    std::uint32_t next_partition = 0;
  };
  void send_to(std::int32_t partition, std::optional<BytesView> key,
               std::optional<BytesView> value, const RecordContext& context);

  std::string name_in_topology_;  // Of the only topic; empty: they are chosen record by record.
  bool internal_topic_;
  std::size_t window_bytes_;
  RecordCollector* collector_ = nullptr;
  std::map<std::string, Topic, std::less<>> topics_;  // By full name.
  decltype(topics_)::value_type* topic_ = nullptr;    // The one in use.
};

template <typename K, typename V>
class SinkOf final : public SinkNode, public Receiver<K, V> {
 public:
  SinkOf(const PlannedNode& planned, AnySerde<payload_t<K>> key_serde,
         AnySerde<payload_t<V>> value_serde, StreamPartitioner<K, V> partitioner,
         TopicNameExtractor<K, V> topic)
      : SinkNode(planned.name, planned.topics.empty() ? std::string() : planned.topics.front(),
                 planned.internal_topic,
                 // Kafka Streams spreads the windows of a key over its own topics.
                 planned.internal_topic ? 0 : key_serde.schema()->window_bytes()),
        key_serde_(std::move(key_serde)),
        value_serde_(std::move(value_serde)),
        partitioner_(std::move(partitioner)),
        topic_of_(std::move(topic.extract)) {}

  void process(const K& key, const V& value, const RecordContext& context) override {
    if (topic_of_) use_topic(topic_of_(key, value, task()->metadata()));
    std::optional<BytesView> key_bytes;
    std::optional<BytesView> value_bytes;
    try {
      key_bytes = write_payload<K>(key_serde_, key, key_buffer_);
      value_bytes = write_payload<V>(value_serde_, value, value_buffer_);
    } catch (const std::exception& error) {
      return unwritable(error);
    }
    send(partitioner_ ? partitioner_(key, value, partitions()) : Partitions::by_key(), key_bytes,
         value_bytes, context);
  }

 private:
  AnySerde<payload_t<K>> key_serde_;
  AnySerde<payload_t<V>> value_serde_;
  StreamPartitioner<K, V> partitioner_;
  decltype(TopicNameExtractor<K, V>::extract) topic_of_;
  std::string key_buffer_;
  std::string value_buffer_;
};

template <typename K, typename V>
SinkPlan plan_sink(AnySerde<payload_t<K>> key_serde, AnySerde<payload_t<V>> value_serde,
                   StreamPartitioner<K, V> partitioner = {},
                   TopicNameExtractor<K, V> topic = {.extract = {}, .name = {}}) {
  SinkPlan plan{.make = {},
                .input = FlowType::of<K, V>(),
                .key_schema = key_serde.schema(),
                .value_schema = value_serde.schema(),
                .topic_extractor = topic.name};
  plan.make = [key_serde = std::move(key_serde), value_serde = std::move(value_serde),
               partitioner = std::move(partitioner),
               topic = std::move(topic)](const PlannedNode& node) {
    return std::make_unique<SinkOf<K, V>>(node, key_serde, value_serde, partitioner, topic);
  };
  return plan;
}

}  // namespace thalweg::internal
