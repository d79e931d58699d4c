#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <thalweg/runtime/simulated_log.h>

#include "embedded/check_topic.h"
#include "embedded/wakeup.h"

namespace thalweg::internal {

/// A transaction as the coordinator sees it. The outcome is decided once; each partition learns it
/// by its own marker.
struct SimulatedTransaction {
  enum class State : std::uint8_t { kOpen, kCommitted, kAborted };
  State state = State::kOpen;
  CommitSequence commit = 0;
  std::string transactional_id = {};
  std::set<TopicPartition> partitions = {};  ///< Where its marker is still missing.
  std::map<std::string, std::map<TopicPartition, OffsetAndMetadata>> offsets = {};
  bool offsets_pending = false;
};
using SimulatedTransactionPtr = std::shared_ptr<SimulatedTransaction>;

/// A record in a partition, or a marker.
struct SimulatedEntry {
  std::optional<std::string> key = {};
  std::optional<std::string> value = {};
  Timestamp timestamp = kNoTimestamp;
  std::string headers = {};
  CommitSequence commit = 0;                 ///< Of a plain write.
  SimulatedTransactionPtr transaction = {};  ///< Null for a plain write.
  bool is_marker = false;
};

struct SimulatedPartition {
  std::deque<std::shared_ptr<const SimulatedEntry>> entries = {};  ///< From `begin` on.
  Offset begin = 0;
  std::map<const SimulatedTransaction*, Offset> open = {};  ///< Where each open transaction began.

  Offset end() const { return begin_of_entries + static_cast<Offset>(entries.size()); }
  /// The last stable offset: committed readers stop there.
  Offset stable_end() const;
  /// The first record with that timestamp or a later one; the end if there is none.
  Offset first_since(Timestamp time) const;
  void delete_before(Offset before);

  Offset begin_of_entries = 0;
};

struct SimulatedTopic {
  TopicSpec spec;
  std::vector<SimulatedPartition> partitions;
};

class SimulatedConsumer;

/// A consumer group of the simulated broker (simulated_group.cc).
struct SimulatedGroup {
  struct Member {
    std::string id;
    std::string client_id;
    std::set<std::string> topics;
    SimulatedConsumer* consumer = nullptr;  ///< Null once its process is dead.
  };
  struct Owner {
    std::string member;
    bool revoking = false;
  };
  std::int32_t generation = 0;
  bool rebalancing = false;
  std::vector<Member> members;
  std::map<TopicPartition, Owner> owners;

  Member* find(const std::string& id);
};

/// The cluster behind a SimulatedLog: partitions, transactions, groups, and what is yet to happen.
/// Every call needs an Access, which is the lock.
class SimulatedBroker {
 public:
  SimulatedBroker(Clock& clock, SimulatedLogOptions options)
      : clock_(clock), options_(options), random_(options.seed) {}

  /// The lock; lets what is due happen, and wakes clients after it is let go.
  class Access {
   public:
    explicit Access(SimulatedBroker& broker) : broker_(broker), lock_(broker.mutex_) {
      acted_ = broker.run_due();
    }
    ~Access();
    Access(const Access&) = delete;
    Access& operator=(const Access&) = delete;
    bool acted() const { return acted_; }

   private:
    SimulatedBroker& broker_;
    std::unique_lock<std::mutex> lock_;
    bool acted_ = false;
  };

  const SimulatedLogOptions& options() const { return options_; }
  /// Back to the options by which nothing goes wrong.
  void heal() {
    options_ = {.default_partitions = options_.default_partitions,
                .session_timeout = options_.session_timeout,
                .control_records = options_.control_records};
  }

  // --- Chance and time ----------------------------------------------------------------------

  bool happens(double probability);
  std::chrono::milliseconds delay(std::chrono::milliseconds max);
  /// Runs `action` after `after`: at once, if that is zero.
  void schedule(std::chrono::milliseconds after, std::function<void()> action);
  Clock::Instant now() const { return clock_.now(); }
  std::optional<Clock::Instant> next_due() const;
  void wake_later(std::shared_ptr<ConsumerMailbox> mailbox) {
    wakeups_.push_back(std::move(mailbox));
  }
  void wake_later(std::shared_ptr<Wakeup> wakeup) {
    producer_wakeups_.push_back(std::move(wakeup));
  }

  // --- Topics -------------------------------------------------------------------------------

  std::map<std::string, SimulatedTopic, std::less<>> topics;
  Result<SimulatedTopic*> create(const TopicSpec& spec);
  Result<SimulatedTopic*> find_or_create(const std::string& name);
  SimulatedPartition* find(const TopicPartition& partition);

  // --- Transactions -------------------------------------------------------------------------

  struct ProducerState {
    std::int32_t epoch = 0;
    SimulatedTransactionPtr open = {};
    /// When the markers of its transactions so far are all written. Those of the next one come
    /// later: a coordinator begins none before the last is complete (CONCURRENT_TRANSACTIONS).
    Clock::Instant markers_until{};
  };
  std::map<std::string, ProducerState> producers;
  /// Opens the producer's transaction if none is; it is aborted after `timeout`, and the producer
  /// fenced.
  SimulatedTransactionPtr transaction(const std::string& id, std::chrono::milliseconds timeout);
  void append(const TopicPartition& partition, SimulatedEntry entry);
  /// Decides the producer's open transaction; markers follow. Returns the commit.
  CommitSequence end_transaction(const std::string& id, bool commit);
  CommitSequence plain_commit() { return ++visible_; }
  CommitSequence visible() const { return visible_; }
  std::map<std::string, std::map<TopicPartition, OffsetAndMetadata>> committed;
  /// The transaction has offsets: they are not stable until it ends.
  void hold_offsets(const SimulatedTransactionPtr& transaction);
  /// Whether a transaction holds back the group's offsets.
  bool offsets_pending(const std::string& group,
                       const std::vector<TopicPartition>& partitions) const;
  /// Calls `ready` when no transaction holds back the offsets.
  void when_stable(const std::string& group, std::vector<TopicPartition> partitions,
                   std::function<void()> ready);

  // --- Groups -------------------------------------------------------------------------------

  std::map<std::string, SimulatedGroup> groups;
  std::string join(const std::string& group, const std::string& id, SimulatedConsumer& consumer,
                   const std::string& client_id, const std::vector<std::string>& subscribed);
  void leave(const std::string& group, const std::string& id);
  void release(const std::string& group, const std::string& id,
               const std::vector<TopicPartition>& partitions);
  void expire(const std::string& group, const std::string& id);
  bool accepts(const GroupMetadata& metadata) const;

  // --- Readers ------------------------------------------------------------------------------

  std::vector<SimulatedConsumer*> consumers;  ///< In the order they were made.
  std::uint64_t incarnation = 0;              ///< Clients of an earlier one are dead.
  void forget(SimulatedConsumer* consumer);

 private:
  bool run_due();
  void write_marker(const SimulatedTransactionPtr& transaction, const TopicPartition& partition);
  void apply_offsets(const SimulatedTransactionPtr& transaction);
  void check_waiting();
  void trigger_rebalance(const std::string& group);
  void rebalance(const std::string& group);
  void told(const TopicPartition& partition);

  struct StableWaiter {
    std::string group;
    std::vector<TopicPartition> partitions;
    std::function<void()> ready;
  };

  mutable std::mutex mutex_;
  Clock& clock_;
  SimulatedLogOptions options_;
  std::mt19937_64 random_;
  std::multimap<Clock::Instant, std::function<void()>> due_;
  std::map<const SimulatedTransaction*, decltype(due_)::iterator> timeouts_;
  std::vector<SimulatedTransactionPtr> with_offsets_;
  std::vector<StableWaiter> waiting_;
  CommitSequence visible_ = 0;
  std::uint64_t members_made_ = 0;
  Wakeups wakeups_;
  std::vector<std::shared_ptr<Wakeup>> producer_wakeups_;
};

}  // namespace thalweg::internal
