#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "embedded/wakeup.h"
#include "kafka/kafka_shared.h"
#include "kafka/partition_reader.h"
#include "kafka/serial_thread.h"

namespace thalweg::internal {

/// A member of a group and a reader, which know nothing of each other: what is assigned by the
/// group says which tasks are here, and assign() says what they read.
class KafkaConsumer final : public LogConsumer, ClientListener {
 public:
  KafkaConsumer(std::shared_ptr<KafkaShared> shared, const ConsumerOptions& options);
  ~KafkaConsumer() override;

  void subscribe(const std::vector<std::string>& topics) override;
  void release(const std::vector<TopicPartition>& partitions) override;
  GroupMetadata group_metadata() const override;
  void leave() override;

  void assign(const TopicPartition& partition, Offset from, std::uint32_t tag) override {
    reader_.assign(partition, from, tag);
  }
  void unassign(const TopicPartition& partition) override { reader_.unassign(partition); }
  void pause(const TopicPartition& partition) override { reader_.pause(partition, true); }
  void resume(const TopicPartition& partition) override { reader_.pause(partition, false); }
  bool fetch(std::vector<RecordBatch>& into, std::size_t max_records) override {
    return reader_.fetch(into, max_records);
  }

  void fetch_committed(const std::vector<TopicPartition>& partitions) override;
  void fetch_ends(const std::vector<TopicPartition>& partitions,
                  const std::map<TopicPartition, Timestamp>& since) override;
  bool poll(ConsumerEvent& event) override;
  void set_wakeup(std::function<void()> wakeup) override {
    mailbox_->wakeup.set(std::move(wakeup));
  }

 private:
  void join();
  void listen();
  void on_rebalance(rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t& list) override;
  void take_up(rd_kafka_topic_partition_list_t& list);
  void give_up(const rd_kafka_topic_partition_list_t& list);
  bool cooperative() const;
  void post(ConsumerEvent event);
  void serve_member();

  std::shared_ptr<KafkaShared> shared_;
  const ConsumerOptions options_;
  std::shared_ptr<ConsumerMailbox> mailbox_ = std::make_shared<ConsumerMailbox>();
  PartitionReader reader_;
  std::shared_ptr<KafkaClient> member_;  ///< Null: in no group, or left.
  RdQueue member_queue_;
  std::chrono::steady_clock::time_point next_wake_{};
  bool told_of_others_ = false;
  bool assigned_once_ = false;
  RdPartitions revoking_;  ///< Asked back and not released yet.
  std::unique_ptr<SerialThread> asker_;
  std::shared_ptr<std::atomic<bool>> gone_ = std::make_shared<std::atomic<bool>>(false);
};

}  // namespace thalweg::internal
