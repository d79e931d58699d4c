#include <algorithm>
#include <map>
#include <utility>

#include "simulated/simulated_broker.h"
#include "simulated/simulated_consumer.h"
#include "simulated/simulated_producer.h"

namespace thalweg::internal {

namespace {

using Access = SimulatedBroker::Access;

/// Everything the simulated cluster has is durable.
class SimulatedDurability final : public Durability {
 public:
  explicit SimulatedDurability(SimulatedBroker& broker) : broker_(broker) {}
  CommitSequence durable() const override { return visible(); }
  CommitSequence visible() const override {
    const Access access(broker_);
    return broker_.visible();
  }
  void when_durable(CommitSequence commit, std::function<void()> done) override {
    {
      const Access access(broker_);
      if (commit > broker_.visible()) {
        waiting_.emplace(commit, std::move(done));
        return;
      }
    }
    done();
  }
  void tell() {
    std::vector<std::function<void()>> due;
    {
      const Access access(broker_);
      const auto end = waiting_.upper_bound(broker_.visible());
      for (auto entry = waiting_.begin(); entry != end; ++entry) {
        due.push_back(std::move(entry->second));
      }
      waiting_.erase(waiting_.begin(), end);
    }
    for (const auto& done : due) done();
  }

 private:
  SimulatedBroker& broker_;
  std::multimap<CommitSequence, std::function<void()>> waiting_;
};

class SimulatedLogImpl final : public SimulatedLog {
 public:
  SimulatedLogImpl(Clock& clock, const SimulatedLogOptions& options)
      : broker_(clock, options), durability_(broker_) {}

  std::unique_ptr<LogConsumer> consumer(const ConsumerOptions& options) override {
    return std::make_unique<SimulatedConsumer>(broker_, options);
  }
  std::unique_ptr<LogProducer> producer(const ProducerOptions& options) override {
    return std::make_unique<SimulatedProducer>(broker_, options, ordered_);
  }
  Durability& durability() override { return durability_; }
  std::string cluster_id() const override { return "simulated-cluster"; }

  Result<std::vector<TopicSpec>> topics() const override {
    const Access access(broker_);
    std::vector<TopicSpec> specs;
    for (const auto& [name, topic] : broker_.topics) specs.push_back(topic.spec);
    return specs;
  }
  Result<TopicSpec> topic(const std::string& name) const override {
    const Access access(broker_);
    const auto found = broker_.topics.find(name);
    if (found == broker_.topics.end()) {
      return failure(ErrorCode::kNotFound, "topic " + name + " does not exist");
    }
    return found->second.spec;
  }
  Status create_topic(const TopicSpec& spec) override {
    const Access access(broker_);
    if (auto made = broker_.create(spec); !made) return std::unexpected(made.error());
    return {};
  }
  Status delete_topic(const std::string& name) override {
    const Access access(broker_);
    if (broker_.topics.erase(name) == 0) {
      return failure(ErrorCode::kNotFound, "topic " + name + " does not exist");
    }
    for (auto& [group, offsets] : broker_.committed) {
      std::erase_if(offsets, [&](const auto& entry) { return entry.first.topic == name; });
    }
    return {};
  }
  void delete_records(const TopicPartition& name, Offset before) override {
    const Access access(broker_);
    if (auto* partition = broker_.find(name)) partition->delete_before(before);
  }
  Result<ConsumerEvent::Range> range(const TopicPartition& name) const override {
    const Access access(broker_);
    const SimulatedPartition* partition = broker_.find(name);
    if (partition == nullptr) {
      return failure(ErrorCode::kNotFound, to_string(name) + " does not exist");
    }
    return ConsumerEvent::Range{.begin = partition->begin, .end = partition->end()};
  }
  std::map<TopicPartition, OffsetAndMetadata> committed(const std::string& group) const override {
    const Access access(broker_);
    const auto found = broker_.committed.find(group);
    return found == broker_.committed.end() ? std::map<TopicPartition, OffsetAndMetadata>{}
                                            : found->second;
  }

  bool step() override {
    const bool acted = Access(broker_).acted();
    durability_.tell();
    return acted;
  }
  std::optional<Clock::Instant> next_due() const override { return broker_.next_due(); }
  void fail_next(Step step, ProducerEvent::Kind kind, bool happened) override {
    const Access access(broker_);
    ordered_.push_back({step, kind, happened});
  }
  void expire_member(const std::string& name, const std::string& client_id) override {
    const Access access(broker_);
    const auto& members = broker_.groups[name].members;
    const auto member = std::ranges::find(members, client_id, &SimulatedGroup::Member::client_id);
    if (member != members.end()) broker_.expire(name, std::string(member->id));
  }
  void crash_clients() override {
    const Access access(broker_);
    ++broker_.incarnation;
    broker_.consumers.clear();
    std::vector<std::pair<std::string, std::string>> missing;
    for (auto& [name, group] : broker_.groups) {
      for (auto& member : group.members) {
        if (std::exchange(member.consumer, nullptr) != nullptr)
          missing.emplace_back(name, member.id);
      }
    }
    for (const auto& [name, id] : missing) {
      broker_.schedule(broker_.options().session_timeout,
                       [this, group = name, member = id] { broker_.expire(group, member); });
    }
  }
  void heal() override {
    const Access access(broker_);
    broker_.heal();
  }

 private:
  mutable SimulatedBroker broker_;
  std::deque<OrderedOutcome> ordered_;
  SimulatedDurability durability_;
};

}  // namespace

}  // namespace thalweg::internal

namespace thalweg {

std::unique_ptr<SimulatedLog> make_simulated_log(Clock& clock, SimulatedLogOptions options) {
  return std::make_unique<internal::SimulatedLogImpl>(clock, options);
}

}  // namespace thalweg
