#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <thalweg/schemas/partitioning.h>
#include <thalweg/topology/internal/sender.h>
#include <thalweg/topology/internal/topology_graph.h>

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
  SinkNode(std::string name, std::string topic, bool internal_topic);
  void add_child(ProcessorNode& child) override;

 protected:
  void start(TaskContext& context) override;
  /// Of the topic; asked for once.
  std::int32_t partitions();
  /// The partition for a key without a partitioner: by its hash, or in turn where there is none.
  std::int32_t default_partition(std::optional<BytesView> key);
  /// Throws StreamsError for a partition that a partitioner must not give.
  void check_partition(std::int32_t partition);
  void send(std::int32_t partition, std::optional<BytesView> key, std::optional<BytesView> value,
            const RecordContext& context);

 private:
  std::string topic_;
  bool internal_topic_;
  RecordCollector* collector_ = nullptr;
  TopicHandle handle_ = 0;
  std::int32_t partitions_ = 0;  // 0: not yet known.
  std::uint32_t next_partition_ = 0;
};

template <typename K, typename V>
class SinkOf final : public SinkNode, public Receiver<K, V> {
 public:
  using Partitioner = std::function<std::int32_t(const K&, const V&, std::int32_t)>;

  SinkOf(const PlannedNode& planned, AnySerde<payload_t<K>> key_serde,
         AnySerde<payload_t<V>> value_serde, Partitioner partitioner)
      : SinkNode(planned.name, planned.topics.front(), planned.internal_topic),
        key_serde_(std::move(key_serde)),
        value_serde_(std::move(value_serde)),
        partitioner_(std::move(partitioner)) {}

  void process(const K& key, const V& value, const RecordContext& context) override {
    const auto key_bytes = write_payload<K>(key_serde_, key, key_buffer_);
    const auto value_bytes = write_payload<V>(value_serde_, value, value_buffer_);
    std::int32_t partition = 0;
    if (partitioner_) {
      partition = partitioner_(key, value, partitions());
      check_partition(partition);
    } else {
      partition = default_partition(key_bytes);
    }
    send(partition, key_bytes, value_bytes, context);
  }

 private:
  AnySerde<payload_t<K>> key_serde_;
  AnySerde<payload_t<V>> value_serde_;
  Partitioner partitioner_;
  std::string key_buffer_;
  std::string value_buffer_;
};

template <typename K, typename V>
SinkPlan plan_sink(AnySerde<payload_t<K>> key_serde, AnySerde<payload_t<V>> value_serde,
                   typename SinkOf<K, V>::Partitioner partitioner = {}) {
  SinkPlan plan{.make = {},
                .input = FlowType::of<K, V>(),
                .key_schema = key_serde.schema(),
                .value_schema = value_serde.schema()};
  plan.make = [key_serde = std::move(key_serde), value_serde = std::move(value_serde),
               partitioner = std::move(partitioner)](const PlannedNode& node) {
    return std::make_unique<SinkOf<K, V>>(node, key_serde, value_serde, partitioner);
  };
  return plan;
}

}  // namespace thalweg::internal
