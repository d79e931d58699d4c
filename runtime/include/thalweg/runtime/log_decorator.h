#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <thalweg/runtime/log.h>

namespace thalweg {

/// A producer that hands on every call to another: override what is to be otherwise.
class LogProducerDecorator : public LogProducer {
 public:
  explicit LogProducerDecorator(std::unique_ptr<LogProducer> inner) : inner_(std::move(inner)) {}

  void init() override { inner_->init(); }
  void begin() override { inner_->begin(); }
  TopicHandle topic(std::string_view name) override { return inner_->topic(name); }
  Result<std::int32_t> partitions(TopicHandle topic) override { return inner_->partitions(topic); }
  Status send(TopicHandle topic, std::int32_t partition, std::optional<BytesView> key,
              std::optional<BytesView> value, Timestamp timestamp, BytesView headers) override {
    return inner_->send(topic, partition, key, value, timestamp, headers);
  }
  void push() override { inner_->push(); }
  void flush() override { inner_->flush(); }
  void send_offsets(const std::map<TopicPartition, OffsetAndMetadata>& offsets,
                    const GroupMetadata& group) override {
    inner_->send_offsets(offsets, group);
  }
  void commit() override { inner_->commit(); }
  void abort() override { inner_->abort(); }
  Offset delivered_end(TopicHandle topic, std::int32_t partition) const override {
    return inner_->delivered_end(topic, partition);
  }
  bool poll(ProducerEvent& event) override { return inner_->poll(event); }
  void set_wakeup(std::function<void()> wakeup) override { inner_->set_wakeup(std::move(wakeup)); }

 private:
  std::unique_ptr<LogProducer> inner_;
};

/// A log that hands on every call to another, which outlives it: override what is to be otherwise.
class LogDecorator : public Log {
 public:
  explicit LogDecorator(Log& inner) : inner_(inner) {}

  std::unique_ptr<LogConsumer> consumer(const ConsumerOptions& options) override {
    return inner_.consumer(options);
  }
  std::unique_ptr<LogProducer> producer(const ProducerOptions& options) override {
    return inner_.producer(options);
  }
  Durability& durability() override { return inner_.durability(); }
  std::string cluster_id() const override { return inner_.cluster_id(); }
  Result<std::vector<TopicSpec>> topics() const override { return inner_.topics(); }
  Result<TopicSpec> topic(const std::string& name) const override { return inner_.topic(name); }
  Status create_topic(const TopicSpec& spec) override { return inner_.create_topic(spec); }
  Status delete_topic(const std::string& name) override { return inner_.delete_topic(name); }
  void delete_records(const TopicPartition& partition, Offset before) override {
    inner_.delete_records(partition, before);
  }
  Result<ConsumerEvent::Range> range(const TopicPartition& partition) const override {
    return inner_.range(partition);
  }
  std::map<TopicPartition, OffsetAndMetadata> committed(const std::string& group) const override {
    return inner_.committed(group);
  }
  Result<std::vector<GroupMember>> members(const std::string& group) const override {
    return inner_.members(group);
  }

 private:
  Log& inner_;
};

}  // namespace thalweg
