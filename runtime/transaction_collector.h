#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include <thalweg/runtime/log.h>

namespace thalweg::internal {

/// Sends the output of a worker's tasks into one transaction, which begins with its first record.
class TransactionCollector final : public RecordCollector {
 public:
  /// The producer to use from now on; it has no transaction open. Handles stay as they are.
  void use(LogProducer* producer);

  TopicHandle topic(std::string_view name) override;
  std::int32_t partitions(TopicHandle topic) override;
  void send(TopicHandle topic, std::int32_t partition, std::optional<BytesView> key,
            std::optional<BytesView> value, Timestamp timestamp, const Headers& headers) override;
  /// The same with headers as Headers::encode() writes them.
  void send(TopicHandle topic, std::int32_t partition, std::optional<BytesView> key,
            std::optional<BytesView> value, Timestamp timestamp, BytesView headers);

  /// Opens the transaction if send() has not: offsets alone are to be committed.
  void begin();
  /// Whether a transaction is open.
  bool open() const { return open_; }
  /// The transaction has ended.
  void ended();
  /// Whether anything was sent since the last push() of the transaction.
  bool lingers() const { return lingers_; }
  /// See LogProducer::push().
  void push();
  /// The first record that could not be sent: the transaction must be aborted.
  const std::optional<Error>& failure() const { return failure_; }
  /// Where the topic's partition ends after the committed transaction; kNoOffset: nothing was sent.
  Offset delivered_end(TopicHandle topic, std::int32_t partition) const;

 private:
  static constexpr TopicHandle kUnresolved = static_cast<TopicHandle>(-1);
  struct Topic {
    std::string name;
    TopicHandle at_producer = kUnresolved;
    std::int32_t partitions = 0;
  };
  Topic& resolved(TopicHandle topic);

  LogProducer* producer_ = nullptr;
  std::vector<Topic> topics_;
  std::map<std::string, TopicHandle, std::less<>> handles_;
  std::string header_bytes_;
  bool open_ = false;
  bool lingers_ = false;
  std::optional<Error> failure_;
};

}  // namespace thalweg::internal
