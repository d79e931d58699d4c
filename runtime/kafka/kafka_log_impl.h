#pragma once

#include <memory>
#include <string>
#include <vector>

#include "kafka/kafka_shared.h"

namespace thalweg::internal {

class KafkaLog final : public Log {
 public:
  static Result<std::unique_ptr<Log>> open(const KafkaLogOptions& options);
  explicit KafkaLog(std::shared_ptr<KafkaShared> shared) : shared_(std::move(shared)) {}
  /// Waits until members have left and producers have closed.
  ~KafkaLog() override;

  std::unique_ptr<LogConsumer> consumer(const ConsumerOptions& options) override;
  std::unique_ptr<LogProducer> producer(const ProducerOptions& options) override;
  Durability& durability() override { return shared_->durability; }

  std::string cluster_id() const override;
  Result<std::vector<TopicSpec>> topics() const override;
  Result<TopicSpec> topic(const std::string& name) const override;
  Status create_topic(const TopicSpec& spec) override;
  Status delete_topic(const std::string& name) override;
  void delete_records(const TopicPartition& partition, Offset before) override;
  Result<ConsumerEvent::Range> range(const TopicPartition& partition) const override;
  std::map<TopicPartition, OffsetAndMetadata> committed(const std::string& group) const override;
  Result<std::vector<GroupMember>> members(const std::string& group) const override;

 private:
  rd_kafka_t* client() const { return shared_->asker->get(); }
  Status reach();

  // kafka_admin.cc: what the admin API does.
  Status request_topic(const TopicSpec& spec);
  Status request_deletion(const std::string& name);
  Result<std::vector<GroupMember>> describe_group(rd_kafka_t* client,
                                                  const std::string& group) const;
  Status wait_for_leaders(const std::string& topic);
  /// Fills in cleanup and retention of all.
  Result<std::vector<TopicSpec>> list_topics() const;
  Status add_settings(std::vector<TopicSpec>& topics) const;

  std::shared_ptr<KafkaShared> shared_;
};

}  // namespace thalweg::internal
