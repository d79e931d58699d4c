#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "embedded/wakeup.h"
#include "kafka/fetch_waker.h"
#include "kafka/kafka_shared.h"

namespace thalweg::internal {

/// Reads partitions that it is told to, with no group behind it.
///
/// Each assignment has a queue of its own, which nothing of an earlier one can be in: librdkafka's
/// shared queues let old records through when a position is set anew (#4208 there).
class PartitionReader {
 public:
  PartitionReader(std::shared_ptr<KafkaShared> shared, std::string client_id, bool read_committed,
                  std::shared_ptr<ConsumerMailbox> mailbox);
  ~PartitionReader();

  void assign(const TopicPartition& partition, Offset from, std::uint32_t tag);
  void unassign(const TopicPartition& partition);
  /// Whether fetch() leaves the partition out. librdkafka fetches on, as far as its queue allows.
  void pause(const TopicPartition& partition, bool paused);
  bool fetch(std::vector<RecordBatch>& into, std::size_t max_records);

 private:
  /// What librdkafka's threads tell of a queue.
  struct Arrival {
    std::atomic<bool> ready = true;
    ConsumerMailbox* mailbox = nullptr;
  };
  struct Reading {
    TopicPartition partition;
    std::shared_ptr<ReadPartition> state;  ///< For the waker.
    std::uint32_t tag = 0;
    Offset expected = 0;  ///< Nothing before this is given out.
    RdQueue queue;
    std::unique_ptr<Arrival> arrival;
    bool stopped = false;  ///< Out of range or failed; until it is assigned anew.
    bool paused = false;
  };

  bool open();
  rd_kafka_topic_t* topic(const std::string& name);
  void stop(Reading& reading);
  std::size_t take(Reading& reading, std::size_t records_max, std::vector<RecordBatch>& into);
  Offset end_of(const Reading& reading) const;
  void note_hunger(Reading& reading, bool hungry);
  void on_fault(Reading& reading, const rd_kafka_message_t& message);
  void post(ConsumerEvent event);

  std::shared_ptr<KafkaShared> shared_;
  const std::string client_id_;
  const bool read_committed_;
  std::shared_ptr<ConsumerMailbox> mailbox_;
  std::shared_ptr<KafkaClient> client_;  ///< Made for the first assignment.
  std::unique_ptr<FetchWaker> waker_;
  std::map<std::string, RdTopic> topics_;
  std::vector<std::unique_ptr<Reading>> readings_;
  std::vector<rd_kafka_message_t*> scratch_;
  std::size_t first_ = 0;  ///< Whose turn it is to be read first.
};

}  // namespace thalweg::internal
