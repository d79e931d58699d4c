#include <thalweg/topology/internal/operators/sink.h>

#include <exception>

#include <thalweg/topology/errors.h>

namespace thalweg::internal {

SinkNode::SinkNode(std::string name, std::string topic, bool internal_topic,
                   std::size_t window_bytes)
    : ProcessorNode(std::move(name)),
      name_in_topology_(std::move(topic)),
      internal_topic_(internal_topic),
      window_bytes_(window_bytes) {}

void SinkNode::start(TaskContext& context) {
  collector_ = &context.collector();
  topics_.clear();
  topic_ = nullptr;
  if (!name_in_topology_.empty()) {
    use_topic(context.topic_name(name_in_topology_, internal_topic_));
  }
}

void SinkNode::add_child(ProcessorNode& child) {
  throw TopologyError("sink " + name() + " forwards nothing, so " + child.name() +
                      " cannot be its child");
}

void SinkNode::use_topic(const std::string& topic) {
  if (topic_ && topic_->first == topic) return;
  auto found = topics_.find(topic);
  if (found == topics_.end()) {
    if (topic.empty()) throw StreamsError("the topic name extractor gave no topic");
    found = topics_.emplace(topic, Topic{.handle = collector_->topic(topic)}).first;
  }
  topic_ = &*found;
}

std::int32_t SinkNode::partitions() {
  Topic& topic = topic_->second;
  if (topic.partitions == 0) {
    topic.partitions = collector_->partitions(topic.handle);
    if (topic.partitions <= 0) throw StreamsError("topic " + topic_->first + " does not exist");
  }
  return topic.partitions;
}

void SinkNode::unwritable(const std::exception& error) {
  if (task()->skip_unwritable(name(), error)) return;
  std::throw_with_nested(ProcessorError(
      name(), "cannot write a record for topic " + topic_->first + ": " + error.what()));
}

void SinkNode::send(const Partitions& where, std::optional<BytesView> key,
                    std::optional<BytesView> value, const RecordContext& context) {
  const std::int32_t count = partitions();
  if (where.is_by_key()) {
    // Records without a key go round.
    auto& next = topic_->second.next_partition;
    const auto partition =
        key ? partition_of_row(*key, window_bytes_, count)
            : static_cast<std::int32_t>(next++ % static_cast<std::uint32_t>(count));
    return send_to(partition, key, value, context);
  }
  if (where.is_none()) return task()->dropped(name(), "the partitioner gave no partition");
  where.for_each([&](std::int32_t partition) {
    if (partition < 0 || partition >= count) {
      throw StreamsError("the partitioner gave partition " + std::to_string(partition) +
                         " of topic " + topic_->first + ", which has " + std::to_string(count));
    }
    send_to(partition, key, value, context);
  });
}

void SinkNode::send_to(std::int32_t partition, std::optional<BytesView> key,
                       std::optional<BytesView> value, const RecordContext& context) {
  collector_->send(topic_->second.handle, partition, key, value, context.timestamp,
                   *context.headers);
}

}  // namespace thalweg::internal
