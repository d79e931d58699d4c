#pragma once

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "embedded/embedded_log_impl.h"

namespace thalweg::internal {

/// Reads partitions of the embedded log, sharing the batches it keeps in memory.
class EmbeddedConsumer final : public LogConsumer {
 public:
  EmbeddedConsumer(EmbeddedLogImpl& log, const ConsumerOptions& options)
      : log_(log), options_(options) {}
  ~EmbeddedConsumer() override;

  void subscribe(const std::vector<std::string>& topics) override;
  void release(const std::vector<TopicPartition>& partitions) override;
  GroupMetadata group_metadata() const override;
  void leave() override;

  void assign(const TopicPartition& partition, Offset from, std::uint32_t tag) override;
  void unassign(const TopicPartition& partition) override;
  void pause(const TopicPartition& partition) override;
  void resume(const TopicPartition& partition) override;
  bool fetch(std::vector<RecordBatch>& into, std::size_t max_records) override;

  void fetch_committed(const std::vector<TopicPartition>& partitions) override;
  void fetch_ends(const std::vector<TopicPartition>& partitions,
                  const std::map<TopicPartition, Timestamp>& since) override;
  bool poll(ConsumerEvent& event) override { return mailbox_->take(event); }
  void set_wakeup(std::function<void()> wakeup) override {
    mailbox_->wakeup.set(std::move(wakeup));
  }

 private:
  struct Reading {
    std::shared_ptr<PartitionLog> partition;
    std::uint32_t tag = 0;
    Offset position = 0;
    bool stopped = false;  ///< Out of range or failed; until it is assigned anew.
    bool paused = false;
    bool end_told = false;              ///< A batch has said where the partition ends.
    std::deque<BatchPtr> fetched = {};  ///< The first one is being read, by `reader`.
    LogBatchReader reader = {};
    bool in_batch = false;
  };

  Reading* find(const TopicPartition& partition);
  bool take(Reading& reading, std::size_t records_max, std::vector<RecordBatch>& into);
  bool refill(Reading& reading, std::size_t records_max);
  void stop(Reading& reading, ConsumerEvent event);
  void answer(ConsumerEvent event);
  void fail(const TopicPartition& partition, Error error);

  EmbeddedLogImpl& log_;
  const ConsumerOptions options_;
  std::string member_;  ///< Empty: not in the group.
  std::shared_ptr<ConsumerMailbox> mailbox_ = std::make_shared<ConsumerMailbox>();
  std::vector<Reading> readings_;
  std::size_t first_ = 0;  ///< Whose turn it is to be read first.
  bool drained_ = true;    ///< Every partition that is not paused was read to its end.
};

}  // namespace thalweg::internal
