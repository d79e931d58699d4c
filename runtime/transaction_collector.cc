#include "transaction_collector.h"

#include <thalweg/schemas/check.h>

namespace thalweg::internal {

void TransactionCollector::use(LogProducer* producer) {
  producer_ = producer;
  ended();
  for (auto& topic : topics_) topic = {.name = std::move(topic.name)};
}

TopicHandle TransactionCollector::topic(std::string_view name) {
  if (const auto found = handles_.find(name); found != handles_.end()) return found->second;
  const auto handle = static_cast<TopicHandle>(topics_.size());
  topics_.push_back({.name = std::string(name)});
  handles_.emplace(name, handle);
  return handle;
}

TransactionCollector::Topic& TransactionCollector::resolved(TopicHandle topic) {
  Topic& entry = topics_[topic];
  if (entry.at_producer == kUnresolved) {
    const TopicHandle at_producer = producer_->topic(entry.name);
    const auto partitions = producer_->partitions(at_producer);
    if (partitions) {
      entry.at_producer = at_producer;
      entry.partitions = *partitions;
    } else if (!failure_) {
      failure_ = partitions.error();
    }
  }
  return entry;
}

std::int32_t TransactionCollector::partitions(TopicHandle topic) {
  return std::max(1, resolved(topic).partitions);
}

void TransactionCollector::begin() {
  if (open_) return;
  producer_->begin();
  open_ = true;
}

void TransactionCollector::send(TopicHandle topic, std::int32_t partition,
                                std::optional<BytesView> key, std::optional<BytesView> value,
                                Timestamp timestamp, const Headers& headers) {
  header_bytes_.clear();
  if (!headers.empty()) headers.encode(header_bytes_);
  send(topic, partition, key, value, timestamp, header_bytes_);
}

void TransactionCollector::send(TopicHandle topic, std::int32_t partition,
                                std::optional<BytesView> key, std::optional<BytesView> value,
                                Timestamp timestamp, BytesView headers) {
  if (failure_) return;
  begin();
  const Topic& entry = resolved(topic);
  if (failure_) return;
  const auto sent = producer_->send(entry.at_producer, partition, key, value, timestamp, headers);
  lingers_ = true;
  if (!sent) {
    failure_ =
        Error{sent.error().code, "a record for " + entry.name + "-" + std::to_string(partition) +
                                     " cannot be sent: " + sent.error().message};
  }
}

void TransactionCollector::ended() {
  open_ = false;
  lingers_ = false;
  failure_.reset();
}

void TransactionCollector::push() {
  producer_->push();
  lingers_ = false;
}

Offset TransactionCollector::delivered_end(TopicHandle topic, std::int32_t partition) const {
  const Topic& entry = topics_[topic];
  if (entry.at_producer == kUnresolved) return kNoOffset;
  return producer_->delivered_end(entry.at_producer, partition);
}

}  // namespace thalweg::internal
