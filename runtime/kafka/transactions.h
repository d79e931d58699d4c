#pragma once

#include <atomic>
#include <chrono>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "embedded/wakeup.h"
#include "kafka/kafka_shared.h"

namespace thalweg::internal {

/// Where a partition ends after what was delivered to it in the transaction of that number.
struct DeliveredEnd {
  std::int32_t partition = 0;
  std::uint64_t transaction = 0;
  Offset end = kNoOffset;
  bool is_known = true;
};

/// The transactions of one producer: the calls of librdkafka that wait for brokers, and what became
/// of them. Used by the producer's own thread, but for what says otherwise.
///
/// Every error is one of four kinds (rdkafka.h, "Transactional producer API"): fatal, to be
/// aborted, to be tried again, and none of these, which is taken as fatal.
class Transactions final : public ClientListener {
 public:
  Transactions(std::shared_ptr<KafkaShared> shared, ProducerOptions options);
  ~Transactions() override;

  void init();
  void push();
  void flush();
  void send_offsets(const std::map<TopicPartition, OffsetAndMetadata>& offsets,
                    const GroupMetadata& group);
  void commit();
  void abort();
  /// Hears of deliveries while there is nothing else to do.
  void serve();

  // --- Any thread ---------------------------------------------------------------------------

  void interrupt();
  void close() { closing_ = true; }
  bool poll(ProducerEvent& event);
  Wakeup& wakeup() { return wakeup_; }

  // --- The worker's thread, while no operation is under way ---------------------------------

  /// Makes the client; a failure is reported as an event.
  bool make_client();
  void begin();
  /// How long an operation of a transaction may take; after twice that it is given up from outside.
  std::chrono::milliseconds patience() const { return options_.transaction_timeout / 2; }
  bool transactional() const { return !options_.transactional_id.empty(); }
  /// Null when it could not be made.
  rd_kafka_t* client() const { return client_ ? client_->get() : nullptr; }
  rd_kafka_topic_t* topic(const std::string& name);
  std::uint64_t number() const { return number_.load(std::memory_order_relaxed); }
  /// Called before a record is sent.
  void sending() {
    if (!std::exchange(in_use_, true) && !transactional()) {
      number_.fetch_add(1, std::memory_order_relaxed);
    }
  }

 private:
  void on_delivery(const rd_kafka_message_t& message) override;
  bool init_client();
  void warm_up();
  bool commit_offsets_of_member();
  bool end_transaction(rd_kafka_error_t* (*end)(rd_kafka_t*, int), const std::string& what,
                       ProducerEvent::Kind otherwise);
  void report(ProducerEvent::Kind kind, Error error = {}, CommitSequence commit = 0);
  void report(std::vector<ProducerEvent> events);  ///< Heard together.
  void report_fault(RdError fault, const std::string& what, ProducerEvent::Kind otherwise);
  bool report_what_is_broken();

  std::shared_ptr<KafkaShared> shared_;
  const ProducerOptions options_;
  std::shared_ptr<KafkaClient> client_;
  std::map<std::string, RdTopic> topics_;  // Guarded by mutex_.
  std::atomic<std::uint64_t> number_ = 1;
  bool serves_ = false;  ///< The client is there, as far as the producer's own thread knows.
  bool in_use_ = false;  ///< Something was sent since the last commit or abort.
  std::atomic<bool> closing_ = false;
  std::optional<Error> undelivered_;  ///< The first record that did not arrive.
  std::optional<Error> not_begun_;    ///< Why begin() did not work.

  // Without transactions, offsets go by the member of the group.
  std::map<TopicPartition, OffsetAndMetadata> offsets_;
  GroupMetadata group_;

  std::mutex mutex_;
  RdQueue main_queue_;
  std::deque<ProducerEvent> events_;
  Wakeup wakeup_;
};

}  // namespace thalweg::internal
