#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "simulated/simulated_broker.h"

namespace thalweg::internal {

/// Outcomes a test has ordered, by the step they are for.
struct OrderedOutcome {
  SimulatedLog::Step step;
  ProducerEvent::Kind kind;
  bool happened = false;
};

/// A producer of the simulated broker, with the ways a client's operations end.
class SimulatedProducer final : public LogProducer {
 public:
  SimulatedProducer(SimulatedBroker& broker, const ProducerOptions& options,
                    std::deque<OrderedOutcome>& ordered);
  ~SimulatedProducer() override;

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
  void set_wakeup(std::function<void()> wakeup) override { wakeup_->set(std::move(wakeup)); }

 private:
  using Kind = ProducerEvent::Kind;
  using Step = SimulatedLog::Step;

  bool dead() const { return incarnation_ != broker_.incarnation; }
  bool transactional() const { return !options_.transactional_id.empty(); }
  bool current() const;
  /// How the operation ends instead of well, by order or by chance.
  std::optional<OrderedOutcome> trouble(Step step, double aborts);
  /// Refuses the operation if it is in trouble, or the producer is; reports why.
  bool refused(Step step, double aborts);
  void deliver();
  /// The answer of the commit is lost; it may have happened, or happen later.
  void lose_commit(bool happened);
  void report(Kind kind, Error error = {}, CommitSequence commit = 0);
  void break_off(Kind kind, std::string why);

  SimulatedBroker& broker_;
  const ProducerOptions options_;
  const std::uint64_t incarnation_;
  std::deque<OrderedOutcome>& ordered_;
  std::int32_t epoch_ = -1;
  bool open_ = false;
  std::optional<ProducerEvent>
      broken_;                       ///< What every operation answers until abort() or for ever.
  std::vector<std::string> topics_;  ///< By handle.
  std::vector<std::pair<TopicPartition, SimulatedEntry>> unsent_;
  std::map<TopicPartition, Offset> ends_;       ///< Of the transaction under way.
  std::map<TopicPartition, Offset> delivered_;  ///< Of the last that was committed.
  std::map<std::string, std::map<TopicPartition, OffsetAndMetadata>> plain_offsets_;
  std::shared_ptr<std::deque<ProducerEvent>> events_ =
      std::make_shared<std::deque<ProducerEvent>>();
  std::shared_ptr<Wakeup> wakeup_ = std::make_shared<Wakeup>();
  Clock::Instant heard_until_{};
};

}  // namespace thalweg::internal
