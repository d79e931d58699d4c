#include "simulated/simulated_consumer.h"

#include <algorithm>
#include <utility>

namespace thalweg::internal {

using Access = SimulatedBroker::Access;

SimulatedConsumer::SimulatedConsumer(SimulatedBroker& broker, const ConsumerOptions& options)
    : broker_(broker), options_(options), incarnation_(broker.incarnation) {
  const Access access(broker_);
  broker_.consumers.push_back(this);
}

SimulatedConsumer::~SimulatedConsumer() {
  leave();
  {
    const Access access(broker_);
    broker_.forget(this);
    *alive_ = nullptr;
  }
  mailbox_->wakeup.close();
}

void SimulatedConsumer::hear(std::function<void()> action) {
  using std::chrono::milliseconds;
  const auto now = broker_.now();
  const auto earliest = now + broker_.delay(broker_.options().event_delay_max);
  heard_until_ = std::max(heard_until_, Clock::Instant(earliest));
  unheard_.push_back(std::move(action));
  if (heard_until_ <= now) {
    while (!unheard_.empty()) hear_next();
  } else {
    broker_.schedule(std::chrono::ceil<milliseconds>(heard_until_ - now), [alive = alive_] {
      if (*alive != nullptr && !(*alive)->dead()) (*alive)->hear_next();
    });
  }
}

// What is due at the same moment as something that comes later is heard before it all the same.
void SimulatedConsumer::hear_next() {
  if (unheard_.empty()) return;
  const auto action = std::move(unheard_.front());
  unheard_.pop_front();
  action();
}

void SimulatedConsumer::post(ConsumerEvent event) {
  mailbox_->post(std::move(event));
  broker_.wake_later(mailbox_);
}

void SimulatedConsumer::answer(ConsumerEvent event) {
  hear([this, said = std::move(event)] { post(said); });
}

// --- Membership -------------------------------------------------------------------------------

void SimulatedConsumer::subscribe(const std::vector<std::string>& topics) {
  const Access access(broker_);
  if (dead()) return;
  for (const std::string& topic : topics) {
    if (auto made = broker_.find_or_create(topic); !made) {
      answer({.kind = ConsumerEvent::Kind::kFailed, .error = made.error()});
      return;
    }
  }
  subscribed_ = topics;
  broker_.join(options_.group, member_, *this, options_.client_id, topics);
}

void SimulatedConsumer::joined(const std::string& id) { member_ = id; }

void SimulatedConsumer::rebalanced(const std::string& id, std::int32_t generation,
                                   std::vector<TopicPartition> revoking,
                                   std::vector<TopicPartition> assigned) {
  hear([this, id, generation, revoked = std::move(revoking), gained = std::move(assigned)] {
    if (member_ != id) return;
    generation_ = generation;
    if (!revoked.empty()) post({.kind = ConsumerEvent::Kind::kRevoking, .partitions = revoked});
    if (!gained.empty()) post({.kind = ConsumerEvent::Kind::kAssigned, .partitions = gained});
  });
}

void SimulatedConsumer::expired(const std::string& id, std::vector<TopicPartition> lost) {
  hear([this, id, partitions = std::move(lost)] {
    if (member_ != id) return;
    member_.clear();
    generation_ = -1;
    mailbox_->forget_assignments();
    post({.kind = ConsumerEvent::Kind::kLost, .partitions = partitions});
    broker_.join(options_.group, "", *this, options_.client_id, subscribed_);
  });
}

void SimulatedConsumer::release(const std::vector<TopicPartition>& partitions) {
  const Access access(broker_);
  if (!dead() && !member_.empty()) broker_.release(options_.group, member_, partitions);
}

GroupMetadata SimulatedConsumer::group_metadata() const {
  const Access access(broker_);
  if (member_.empty() || generation_ < 0) return {.group = options_.group};
  return {options_.group, member_, generation_};
}

void SimulatedConsumer::leave() {
  const Access access(broker_);
  if (dead() || member_.empty()) return;
  const std::string left = std::exchange(member_, "");
  generation_ = -1;
  mailbox_->forget_assignments();
  broker_.leave(options_.group, left);
}

// --- Reading ----------------------------------------------------------------------------------

Offset SimulatedConsumer::readable_end(const SimulatedPartition& partition) const {
  return options_.read_committed ? partition.stable_end() : partition.end();
}

void SimulatedConsumer::advance(const TopicPartition& name, Reading& reading) {
  const SimulatedPartition* partition = broker_.find(name);
  const Offset end = partition == nullptr ? 0 : readable_end(*partition);
  const auto arrive = [this, alive = alive_, name, end, number = reading.number] {
    if (*alive == nullptr) return;
    const auto found = readings_.find(name);
    if (found == readings_.end() || found->second.number != number) return;
    if (found->second.readable == kNoOffset) found->second.end_told = false;
    found->second.readable = std::max(found->second.readable, end);
    if (mailbox_->mark_records()) broker_.wake_later(mailbox_);
  };
  broker_.schedule(broker_.delay(broker_.options().fetch_delay_max), arrive);
}

void SimulatedConsumer::records_came(const TopicPartition& name) {
  const auto found = readings_.find(name);
  if (found != readings_.end()) advance(name, found->second);
}

void SimulatedConsumer::assign(const TopicPartition& name, Offset from, std::uint32_t tag) {
  const Access access(broker_);
  if (dead()) return;
  if (broker_.find(name) == nullptr) {
    answer({.kind = ConsumerEvent::Kind::kFailed,
            .partitions = {name},
            .error = {ErrorCode::kNotFound, to_string(name) + " does not exist"}});
    return;
  }
  Reading& reading = readings_[name] = {.tag = tag, .position = from, .number = ++assigns_};
  advance(name, reading);
}

void SimulatedConsumer::unassign(const TopicPartition& name) {
  const Access access(broker_);
  readings_.erase(name);
}

void SimulatedConsumer::pause(const TopicPartition& name) {
  const Access access(broker_);
  if (const auto found = readings_.find(name); found != readings_.end()) {
    found->second.paused = true;
  }
}

void SimulatedConsumer::resume(const TopicPartition& name) {
  const Access access(broker_);
  if (const auto found = readings_.find(name); found != readings_.end()) {
    found->second.paused = false;
  }
}

void SimulatedConsumer::stop(Reading& reading, ConsumerEvent event) {
  reading.stopped = true;
  answer(std::move(event));
}

bool SimulatedConsumer::fetch(std::vector<RecordBatch>& into, std::size_t max_records) {
  const Access access(broker_);
  mailbox_->take_records();
  if (dead() || readings_.empty() || broker_.happens(broker_.options().fetch_empty)) return false;
  const std::size_t before = into.size();
  std::size_t left = std::min(max_records, broker_.options().fetch_records_max);
  const std::size_t first = ++first_ % readings_.size();
  for (std::size_t i = 0; i < readings_.size() && left > 0; ++i) {
    auto& [name, reading] =
        *std::next(readings_.begin(), static_cast<std::ptrdiff_t>((first + i) % readings_.size()));
    if (!reading.stopped && !reading.paused && take(name, reading, left, into)) {
      left -= std::min(left, into.back().records.size());
    }
  }
  return into.size() > before;
}

bool SimulatedConsumer::take(const TopicPartition& name, Reading& reading, std::size_t records_max,
                             std::vector<RecordBatch>& into) {
  const SimulatedPartition* partition = broker_.find(name);
  if (partition == nullptr) {
    stop(reading, {.kind = ConsumerEvent::Kind::kFailed,
                   .partitions = {name},
                   .error = {ErrorCode::kNotFound, "topic " + name.topic + " was deleted"}});
    return false;
  }
  if (reading.position < partition->begin || reading.position > partition->end()) {
    stop(reading, out_of_range(name, reading.position, partition->begin, partition->end()));
    return false;
  }
  const Offset end = std::min(reading.readable, partition->end());
  if (reading.position >= end && reading.end_told) return false;
  reading.end_told = true;
  RecordBatch batch{.tag = reading.tag};
  auto memory = std::make_shared<std::vector<std::shared_ptr<const SimulatedEntry>>>();
  while (reading.position < end && batch.records.size() < records_max) {
    const auto& entry =
        partition
            ->entries[static_cast<std::size_t>(reading.position - partition->begin_of_entries)];
    const Offset offset = reading.position++;
    const SimulatedTransaction* transaction = entry->transaction.get();
    const bool committed =
        transaction == nullptr || transaction->state == SimulatedTransaction::State::kCommitted;
    if (entry->is_marker || (options_.read_committed && !committed)) continue;
    memory->push_back(entry);
    batch.records.push_back({offset, entry->timestamp, entry->key, entry->value, entry->headers});
    batch.commit = std::max(batch.commit, transaction ? transaction->commit : entry->commit);
  }
  batch.next = reading.position;
  batch.end = std::max(reading.position, end);
  batch.memory = std::move(memory);
  into.push_back(std::move(batch));
  return true;
}

// --- Questions --------------------------------------------------------------------------------

void SimulatedConsumer::fetch_committed(const std::vector<TopicPartition>& partitions) {
  const Access access(broker_);
  if (dead()) return;
  broker_.when_stable(options_.group, partitions, [this, alive = alive_, partitions] {
    if (*alive == nullptr || dead()) return;
    ConsumerEvent event{.kind = ConsumerEvent::Kind::kCommitted, .partitions = partitions};
    const auto& committed = broker_.committed[options_.group];
    for (const TopicPartition& partition : partitions) {
      const auto found = committed.find(partition);
      if (found != committed.end()) event.committed.insert(*found);
    }
    answer(std::move(event));
  });
}

void SimulatedConsumer::fetch_ends(const std::vector<TopicPartition>& partitions,
                                   const std::map<TopicPartition, Timestamp>& since) {
  const Access access(broker_);
  if (dead()) return;
  ConsumerEvent event{.kind = ConsumerEvent::Kind::kEndOffsets, .partitions = partitions};
  for (const TopicPartition& name : partitions) {
    const SimulatedPartition* partition = broker_.find(name);
    if (partition == nullptr) {
      event = {.kind = ConsumerEvent::Kind::kFailed,
               .partitions = {name},
               .error = {ErrorCode::kNotFound, to_string(name) + " does not exist"}};
      break;
    }
    auto& range = event.ranges[name] = {partition->begin, partition->end()};
    if (const auto time = since.find(name); time != since.end()) {
      range.since = partition->first_since(time->second);
    }
  }
  answer(std::move(event));
}

bool SimulatedConsumer::poll(ConsumerEvent& event) {
  const Access access(broker_);
  if (dead()) return false;
  if (!member_.empty() && broker_.happens(broker_.options().member_expires)) {
    broker_.expire(options_.group, member_);
  }
  return mailbox_->take(event);
}

}  // namespace thalweg::internal
