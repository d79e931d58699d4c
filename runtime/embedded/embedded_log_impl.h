#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include <thalweg/runtime/embedded_log.h>

#include "embedded/group_coordinator.h"
#include "embedded/log_durability.h"
#include "embedded/partition_log.h"

namespace thalweg::internal {

/// A topic, shared by the log and the clients that use it: a deleted one lives on in their hands.
struct EmbeddedTopic {
  TopicId id = 0;
  TopicSpec spec;
  std::vector<std::shared_ptr<PartitionLog>> partitions = {};
};
using EmbeddedTopicPtr = std::shared_ptr<const EmbeddedTopic>;

/// What a producer adds to one partition: batches with their stored form, base offsets still open.
struct PartitionWrite {
  std::shared_ptr<PartitionLog> partition;
  std::vector<std::shared_ptr<LogBatch>> batches;
  std::vector<std::string> stored;
};

struct CommitRequest {
  std::string_view transactional_id;  ///< Empty: not fenced.
  std::uint32_t epoch = 0;
  std::vector<PartitionWrite*> writes = {};
  const std::map<TopicPartition, OffsetAndMetadata>* offsets = nullptr;
  const GroupMetadata* group = nullptr;
};

struct CommitFailure {
  ProducerEvent::Kind kind = ProducerEvent::Kind::kAbortRequired;
  Error error;
};

class EmbeddedLogImpl final : public EmbeddedLog {
 public:
  EmbeddedLogImpl(Storage& storage, Clock& clock, EmbeddedLogOptions options);
  ~EmbeddedLogImpl() override;

  /// Reads the journal, then starts the threads.
  Status start();

  // Log
  std::unique_ptr<LogConsumer> consumer(const ConsumerOptions& options) override;
  std::unique_ptr<LogProducer> producer(const ProducerOptions& options) override;
  Durability& durability() override { return durability_; }
  std::string cluster_id() const override { return cluster_id_; }
  Result<std::vector<TopicSpec>> topics() const override;
  Result<TopicSpec> topic(const std::string& name) const override;
  Status create_topic(const TopicSpec& spec) override;
  Status delete_topic(const std::string& name) override;
  void delete_records(const TopicPartition& partition, Offset before) override;
  Result<ConsumerEvent::Range> range(const TopicPartition& partition) const override;
  std::map<TopicPartition, OffsetAndMetadata> committed(const std::string& group) const override;

  // EmbeddedLog
  bool step_sync() override { return durability_.step(); }
  Status maintain() override;
  Status status() const override;
  void close() override;

  // --- For the clients ----------------------------------------------------------------------

  const EmbeddedLogOptions& options() const { return options_; }
  Timestamp wall_clock() const { return clock_.wall_clock(); }
  EmbeddedTopicPtr find(std::string_view name) const;
  /// The topic, made with the default settings when it does not exist. kNotFound: it may not be
  /// made.
  Result<EmbeddedTopicPtr> find_or_create(const std::string& name);
  Result<std::shared_ptr<PartitionLog>> partition(const TopicPartition& name) const;

  /// Makes the id the caller's; producers with a lower epoch are fenced.
  std::uint32_t next_epoch(const std::string& transactional_id);
  /// Whether the epoch is still the newest of the id.
  bool is_current(std::string_view transactional_id, std::uint32_t epoch) const;
  /// Gives the batches their offsets and makes it all visible, or nothing.
  std::expected<CommitSequence, CommitFailure> commit(const CommitRequest& request);
  /// Whether offsets may be sent with `group`; the commit asks again.
  Status check_offsets(const std::map<TopicPartition, OffsetAndMetadata>& offsets,
                       const GroupMetadata& group) const;

  std::string join(const std::string& group, const std::string& id, const std::string& client_id,
                   const std::vector<std::string>& topics,
                   const std::shared_ptr<ConsumerMailbox>& mailbox);
  void leave(const std::string& group, const std::string& id);
  void release(const std::string& group, const std::string& id,
               const std::vector<TopicPartition>& partitions);
  std::int32_t generation(const std::string& group) const;

 private:
  struct InTail {
    std::shared_ptr<PartitionLog> partition;
    Offset base;
  };

  Status recover();
  Status recover_meta();
  Status recover_topics();
  Status recover_offsets();
  Status recover_epochs();
  void run_maintenance();
  Status clean(PartitionLog& partition, const TopicSpec& spec);
  Status sweep(char kind, const std::set<TopicId>& kept, TopicId end);
  bool is_stopping() const;

  // With mutex_ held.
  Result<EmbeddedTopicPtr> create_locked(const TopicSpec& spec);
  Result<std::shared_ptr<PartitionLog>> partition_locked(const TopicPartition& name) const;
  Status append_locked(const WriteBatch& batch);
  std::expected<void, CommitFailure> check_locked(const CommitRequest& request) const;
  Status check_offsets_locked(const std::map<TopicPartition, OffsetAndMetadata>& offsets,
                              const GroupMetadata& group) const;
  void stage_locked(const CommitRequest& request);
  void publish_locked(const CommitRequest& request, CommitSequence commit, Wakeups& wakeups);
  void evict_locked();

  Journal& journal_;
  Clock& clock_;
  const EmbeddedLogOptions options_;
  LogDurability durability_;
  std::string cluster_id_;

  mutable std::mutex mutex_;  // Guards what follows; taken before any other lock but maintenance_.
  std::map<std::string, EmbeddedTopicPtr, std::less<>> topics_;
  TopicId next_topic_ = 1;
  std::map<std::string, std::map<TopicPartition, OffsetAndMetadata>> offsets_;
  std::map<std::string, std::uint32_t, std::less<>> epochs_;
  GroupCoordinator groups_;
  std::deque<InTail> tail_;  ///< Batches in memory, oldest first.
  std::size_t tail_bytes_ = 0;
  WriteBatch staged_;

  std::mutex maintenance_;  // One pass, or one deletion of a topic, at a time.
  std::condition_variable maintenance_due_;
  mutable std::mutex stop_mutex_;
  bool stopping_ = false;
  bool closed_ = false;
  Status maintenance_status_;
  std::thread maintenance_thread_;
};

}  // namespace thalweg::internal
