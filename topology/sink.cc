#include <thalweg/topology/internal/operators/sink.h>

#include <thalweg/topology/errors.h>

namespace thalweg::internal {

SinkNode::SinkNode(std::string name, std::string topic, bool internal_topic)
    : ProcessorNode(std::move(name)), topic_(std::move(topic)), internal_topic_(internal_topic) {}

void SinkNode::start(TaskContext& context) {
  collector_ = &context.collector();
  handle_ = collector_->topic(context.topic_name(topic_, internal_topic_));
}

void SinkNode::add_child(ProcessorNode& child) {
  throw TopologyError("sink " + name() + " forwards nothing, so " + child.name() +
                      " cannot be its child");
}

std::int32_t SinkNode::partitions() {
  if (partitions_ == 0) {
    partitions_ = collector_->partitions(handle_);
    if (partitions_ <= 0) throw StreamsError("topic " + topic_ + " does not exist");
  }
  return partitions_;
}

std::int32_t SinkNode::default_partition(std::optional<BytesView> key) {
  const std::int32_t count = partitions();
  if (key) return partition_of(*key, count);
  return static_cast<std::int32_t>(next_partition_++ % static_cast<std::uint32_t>(count));
}

void SinkNode::check_partition(std::int32_t partition) {
  if (partition >= 0 && partition < partitions()) return;
  throw StreamsError("the partitioner gave partition " + std::to_string(partition) + " of topic " +
                     topic_ + ", which has " + std::to_string(partitions()));
}

void SinkNode::send(std::int32_t partition, std::optional<BytesView> key,
                    std::optional<BytesView> value, const RecordContext& context) {
  collector_->send(handle_, partition, key, value, context.timestamp, *context.headers);
}

}  // namespace thalweg::internal
