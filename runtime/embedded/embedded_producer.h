#pragma once

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "embedded/embedded_log_impl.h"

namespace thalweg::internal {

/// Collects a transaction in memory, encoded as it will be stored, and commits it as one.
class EmbeddedProducer final : public LogProducer {
 public:
  EmbeddedProducer(EmbeddedLogImpl& log, const ProducerOptions& options)
      : log_(log), options_(options) {}
  ~EmbeddedProducer() override { wakeup_.close(); }

  void init() override;
  void begin() override;
  TopicHandle topic(std::string_view name) override;
  Result<std::int32_t> partitions(TopicHandle topic) override;
  Status send(TopicHandle topic, std::int32_t partition, std::optional<BytesView> key,
              std::optional<BytesView> value, Timestamp timestamp, BytesView headers) override;
  void flush() override;
  void send_offsets(const std::map<TopicPartition, OffsetAndMetadata>& offsets,
                    const GroupMetadata& group) override;
  void commit() override;
  void abort() override;
  Offset delivered_end(TopicHandle topic, std::int32_t partition) const override;
  bool poll(ProducerEvent& event) override;
  void set_wakeup(std::function<void()> wakeup) override { wakeup_.set(std::move(wakeup)); }

 private:
  struct Output {
    LogBatchBuilder builder;
    PartitionWrite write;
    Offset delivered_end = kNoOffset;
    bool touched = false;
  };
  struct Topic {
    std::string name;
    EmbeddedTopicPtr topic;  ///< Null until its first use.
    std::vector<Output> outputs;
  };

  bool transactional() const { return !options_.transactional_id.empty(); }
  Status resolve(Topic& topic);
  void seal(Output& output);
  /// Forgets what was sent; the ends delivered stay until the next transaction.
  void clear();
  void report(ProducerEvent::Kind kind, Error error = {}, CommitSequence commit = 0);
  /// Reports why an operation cannot be, if so.
  bool refused();

  EmbeddedLogImpl& log_;
  const ProducerOptions options_;
  std::uint32_t epoch_ = 0;
  bool open_ = false;  ///< In a transaction; always, without a transactional id.
  bool fenced_ = false;
  std::optional<Error> broken_;  ///< Why the transaction can only be aborted.
  std::deque<Topic> topics_;     ///< By handle. A deque, because Output must not move.
  std::vector<Output*> touched_;
  std::vector<Output*> delivered_;
  std::map<TopicPartition, OffsetAndMetadata> offsets_;
  GroupMetadata group_;
  bool has_offsets_ = false;
  std::deque<ProducerEvent> events_;
  Wakeup wakeup_;
};

}  // namespace thalweg::internal
