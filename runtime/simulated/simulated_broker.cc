#include "simulated/simulated_broker.h"

#include <algorithm>
#include <utility>

#include "simulated/simulated_consumer.h"

namespace thalweg::internal {

// --- Partitions -------------------------------------------------------------------------------

Offset SimulatedPartition::stable_end() const {
  Offset stable = end();
  for (const auto& [transaction, first] : open) stable = std::min(stable, first);
  return stable;
}

Offset SimulatedPartition::first_since(Timestamp time) const {
  Offset offset = begin_of_entries;
  for (const auto& entry : entries) {
    if (offset >= begin && !entry->is_marker && entry->timestamp >= time) return offset;
    ++offset;
  }
  return end();
}

void SimulatedPartition::delete_before(Offset before) {
  begin = std::max(begin, std::min(before, end()));
  while (begin_of_entries < begin) {
    entries.pop_front();
    ++begin_of_entries;
  }
}

// --- Chance and time --------------------------------------------------------------------------

SimulatedBroker::Access::~Access() {
  Wakeups wakeups = std::exchange(broker_.wakeups_, {});
  const auto producers = std::exchange(broker_.producer_wakeups_, {});
  lock_.unlock();
  wake(wakeups);
  for (const auto& wakeup : producers) wakeup->call();
}

bool SimulatedBroker::happens(double probability) {
  // No draw for what is off, so that switching one hazard on does not reshuffle the others.
  return probability > 0 && std::uniform_real_distribution<double>(0, 1)(random_) < probability;
}

std::chrono::milliseconds SimulatedBroker::delay(std::chrono::milliseconds max) {
  if (max.count() <= 0) return {};
  return std::chrono::milliseconds(
      std::uniform_int_distribution<std::int64_t>(0, max.count())(random_));
}

void SimulatedBroker::schedule(std::chrono::milliseconds after, std::function<void()> action) {
  if (after.count() <= 0) {
    action();
  } else {
    due_.emplace(clock_.now() + after, std::move(action));
  }
}

std::optional<Clock::Instant> SimulatedBroker::next_due() const {
  const std::lock_guard lock(mutex_);
  if (due_.empty()) return std::nullopt;
  return due_.begin()->first;
}

bool SimulatedBroker::run_due() {
  bool acted = false;
  while (!due_.empty() && due_.begin()->first <= clock_.now()) {
    const auto action = due_.begin()->second;
    const auto first = due_.begin();
    std::erase_if(timeouts_, [&](const auto& timeout) { return timeout.second == first; });
    due_.erase(first);
    action();
    acted = true;
  }
  return acted;
}

// --- Topics -----------------------------------------------------------------------------------

Result<SimulatedTopic*> SimulatedBroker::create(const TopicSpec& spec) {
  if (auto status = check_topic(spec); !status) return std::unexpected(status.error());
  const auto [made, is_new] = topics.try_emplace(spec.name);
  if (!is_new) return failure(ErrorCode::kAlreadyExists, "topic " + spec.name + " exists");
  made->second.spec = spec;
  made->second.partitions.resize(static_cast<std::size_t>(spec.partitions));
  return &made->second;
}

Result<SimulatedTopic*> SimulatedBroker::find_or_create(const std::string& name) {
  if (const auto found = topics.find(name); found != topics.end()) return &found->second;
  if (options_.default_partitions < 1) {
    return failure(ErrorCode::kNotFound, "topic " + name + " does not exist");
  }
  return create({.name = name, .partitions = options_.default_partitions});
}

SimulatedPartition* SimulatedBroker::find(const TopicPartition& partition) {
  const auto found = topics.find(partition.topic);
  if (found == topics.end() || partition.partition < 0 ||
      partition.partition >= found->second.spec.partitions) {
    return nullptr;
  }
  return &found->second.partitions[static_cast<std::size_t>(partition.partition)];
}

// --- Transactions -----------------------------------------------------------------------------

SimulatedTransactionPtr SimulatedBroker::transaction(const std::string& id,
                                                     std::chrono::milliseconds timeout) {
  ProducerState& producer = producers[id];
  if (producer.open) return producer.open;
  producer.open = std::make_shared<SimulatedTransaction>();
  producer.open->transactional_id = id;
  const auto sweep = [this, opened = producer.open] {
    ProducerState& owner = producers[opened->transactional_id];
    ++owner.epoch;
    end_transaction(opened->transactional_id, false);
  };
  timeouts_[producer.open.get()] = due_.emplace(clock_.now() + timeout, sweep);
  return producer.open;
}

void SimulatedBroker::append(const TopicPartition& name, SimulatedEntry entry) {
  SimulatedPartition* partition = find(name);
  if (partition == nullptr) return;
  if (entry.transaction && !entry.is_marker) {
    partition->open.try_emplace(entry.transaction.get(), partition->end());
    entry.transaction->partitions.insert(name);
  }
  const bool plain = !entry.transaction;
  partition->entries.push_back(std::make_shared<const SimulatedEntry>(std::move(entry)));
  if (plain) told(name);
}

CommitSequence SimulatedBroker::end_transaction(const std::string& id, bool commit) {
  ProducerState& producer = producers[id];
  const SimulatedTransactionPtr ended = std::exchange(producer.open, nullptr);
  if (!ended) return visible_;
  if (const auto timeout = timeouts_.find(ended.get()); timeout != timeouts_.end()) {
    due_.erase(timeout->second);
    timeouts_.erase(timeout);
  }
  ended->state =
      commit ? SimulatedTransaction::State::kCommitted : SimulatedTransaction::State::kAborted;
  if (commit) ended->commit = ++visible_;
  const Clock::Instant earliest = producer.markers_until;
  const auto marker_delay = [&] {
    const auto at =
        std::max(earliest, Clock::Instant(clock_.now() + delay(options_.marker_delay_max)));
    producer.markers_until = std::max(producer.markers_until, at);
    return std::chrono::ceil<std::chrono::milliseconds>(at - clock_.now());
  };
  const std::set<TopicPartition> partitions = ended->partitions;
  for (const TopicPartition& partition : partitions) {
    schedule(marker_delay(), [this, ended, partition] { write_marker(ended, partition); });
  }
  if (!ended->offsets.empty()) {
    schedule(marker_delay(), [this, ended] { apply_offsets(ended); });
  }
  return ended->commit;
}

void SimulatedBroker::write_marker(const SimulatedTransactionPtr& transaction,
                                   const TopicPartition& name) {
  transaction->partitions.erase(name);
  SimulatedPartition* partition = find(name);
  if (partition == nullptr) return;
  partition->open.erase(transaction.get());
  if (options_.control_records) append(name, {.transaction = transaction, .is_marker = true});
  told(name);
}

void SimulatedBroker::apply_offsets(const SimulatedTransactionPtr& transaction) {
  transaction->offsets_pending = false;
  if (transaction->state == SimulatedTransaction::State::kCommitted) {
    for (const auto& [group, offsets] : transaction->offsets) {
      for (const auto& [partition, offset] : offsets) committed[group][partition] = offset;
    }
  }
  std::erase(with_offsets_, transaction);
  check_waiting();
}

bool SimulatedBroker::offsets_pending(const std::string& group,
                                      const std::vector<TopicPartition>& partitions) const {
  const auto holds = [&](const SimulatedTransactionPtr& transaction) {
    const auto offsets = transaction->offsets.find(group);
    return offsets != transaction->offsets.end() &&
           std::ranges::any_of(partitions,
                               [&](const auto& p) { return offsets->second.contains(p); });
  };
  return std::ranges::any_of(with_offsets_, holds);
}

void SimulatedBroker::hold_offsets(const SimulatedTransactionPtr& transaction) {
  if (!std::exchange(transaction->offsets_pending, true)) with_offsets_.push_back(transaction);
}

void SimulatedBroker::when_stable(const std::string& group, std::vector<TopicPartition> partitions,
                                  std::function<void()> ready) {
  waiting_.push_back({group, std::move(partitions), std::move(ready)});
  check_waiting();
}

void SimulatedBroker::check_waiting() {
  for (std::size_t i = 0; i < waiting_.size();) {
    if (offsets_pending(waiting_[i].group, waiting_[i].partitions)) {
      ++i;
      continue;
    }
    const auto ready = std::move(waiting_[i].ready);
    waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(i));
    ready();
  }
}

// --- Readers ----------------------------------------------------------------------------------

void SimulatedBroker::told(const TopicPartition& partition) {
  for (SimulatedConsumer* consumer : consumers) consumer->records_came(partition);
}

void SimulatedBroker::forget(SimulatedConsumer* consumer) {
  std::erase(consumers, consumer);
  for (auto& [name, group] : groups) {
    for (auto& member : group.members) {
      if (member.consumer == consumer) member.consumer = nullptr;
    }
  }
}

}  // namespace thalweg::internal
