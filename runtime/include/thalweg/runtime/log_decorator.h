#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <thalweg/runtime/log.h>

namespace thalweg {

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
