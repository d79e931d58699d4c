#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "simulated/simulated_broker.h"

namespace thalweg::internal {

/// A client of the simulated broker, which hears of everything later than it happens.
class SimulatedConsumer final : public LogConsumer {
 public:
  SimulatedConsumer(SimulatedBroker& broker, const ConsumerOptions& options);
  ~SimulatedConsumer() override;

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
  bool poll(ConsumerEvent& event) override;
  void set_wakeup(std::function<void()> wakeup) override {
    mailbox_->wakeup.set(std::move(wakeup));
  }

  // --- What the broker does to it; with its lock held ---------------------------------------

  void records_came(const TopicPartition& partition);
  void joined(const std::string& id);
  void rebalanced(const std::string& id, std::int32_t generation,
                  std::vector<TopicPartition> revoking, std::vector<TopicPartition> assigned);
  void expired(const std::string& id, std::vector<TopicPartition> lost);

 private:
  struct Reading {
    std::uint32_t tag = 0;
    Offset position = 0;
    Offset readable = kNoOffset;  ///< How far the fetches have come; none: no answer yet.
    bool stopped = false;
    bool paused = false;
    bool end_told = true;      ///< False: a fetch was answered, and no batch has said so yet.
    std::uint64_t number = 0;  ///< Which assign() it stems from.
  };

  bool dead() const { return incarnation_ != broker_.incarnation; }
  Offset readable_end(const SimulatedPartition& partition) const;
  void advance(const TopicPartition& name, Reading& reading);
  bool take(const TopicPartition& name, Reading& reading, std::size_t records_max,
            std::vector<RecordBatch>& into);
  void stop(Reading& reading, ConsumerEvent event);
  /// Runs `action` when the next event is heard: after earlier ones, if this client still lives.
  void hear(std::function<void()> action);
  void hear_next();
  void post(ConsumerEvent event);
  void answer(ConsumerEvent event);

  SimulatedBroker& broker_;
  const ConsumerOptions options_;
  const std::uint64_t incarnation_;
  std::shared_ptr<ConsumerMailbox> mailbox_ = std::make_shared<ConsumerMailbox>();
  std::shared_ptr<SimulatedConsumer*> alive_ = std::make_shared<SimulatedConsumer*>(this);
  std::map<TopicPartition, Reading> readings_;
  std::uint64_t assigns_ = 0;
  std::size_t first_ = 0;
  Clock::Instant heard_until_{};               ///< When the last event that is on its way arrives.
  std::deque<std::function<void()>> unheard_;  // In the order in which it was said.
  std::vector<std::string> subscribed_;
  std::string member_;
  std::int32_t generation_ = -1;
};

}  // namespace thalweg::internal
