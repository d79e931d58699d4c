#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "kafka/serial_thread.h"
#include "kafka/transactions.h"

namespace thalweg::internal {

/// Sends from the worker's thread; everything that waits for a broker happens in a thread beside
/// it (Transactions), which is also the one that is told of deliveries.
class KafkaProducer final : public LogProducer {
 public:
  KafkaProducer(std::shared_ptr<KafkaShared> shared, const ProducerOptions& options);
  ~KafkaProducer() override;

  void init() override;
  void begin() override;
  TopicHandle topic(std::string_view name) override;
  Result<std::int32_t> partitions(TopicHandle topic) override;
  Status send(TopicHandle topic, std::int32_t partition, std::optional<BytesView> key,
              std::optional<BytesView> value, Timestamp timestamp, BytesView headers) override;
  void push() override;
  void flush() override;
  void send_offsets(const std::map<TopicPartition, OffsetAndMetadata>& offsets,
                    const GroupMetadata& group) override;
  void commit() override;
  void abort() override;
  Offset delivered_end(TopicHandle topic, std::int32_t partition) const override;
  bool poll(ProducerEvent& event) override;
  void set_wakeup(std::function<void()> wakeup) override {
    transactions_->wakeup().set(std::move(wakeup));
  }

 private:
  struct Topic {
    std::string name;
    std::deque<DeliveredEnd> ends = {};  ///< By partition; empty until its first use.
    rd_kafka_topic_t* handle = nullptr;
  };
  /// The operation under way, and when it is given up.
  struct Waiting {
    std::chrono::steady_clock::time_point until;
    ProducerEvent::Kind outcome;
  };
  Status resolve(Topic& topic);
  void post(void (Transactions::*operation)());
  void wait_for(std::chrono::milliseconds longest, ProducerEvent::Kind outcome);

  std::shared_ptr<KafkaShared> shared_;
  std::shared_ptr<Transactions> transactions_;
  std::deque<Topic> topics_;  ///< By handle. A deque, because deliveries point into it.
  std::unique_ptr<SerialThread> thread_;
  std::optional<Waiting> waiting_;
};

}  // namespace thalweg::internal
