#include "simulated/simulated_producer.h"

#include <algorithm>
#include <utility>

namespace thalweg::internal {

using Access = SimulatedBroker::Access;

namespace {

std::optional<std::string> copy(const std::optional<BytesView>& bytes) {
  return bytes ? std::optional<std::string>(*bytes) : std::nullopt;
}

}  // namespace

SimulatedProducer::SimulatedProducer(SimulatedBroker& broker, const ProducerOptions& options,
                                     std::deque<OrderedOutcome>& ordered)
    : broker_(broker), options_(options), incarnation_(broker.incarnation), ordered_(ordered) {}

SimulatedProducer::~SimulatedProducer() { wakeup_->close(); }

// --- Outcomes ---------------------------------------------------------------------------------

void SimulatedProducer::report(Kind kind, Error error, CommitSequence commit) {
  const auto now = broker_.now();
  heard_until_ = std::max(heard_until_,
                          Clock::Instant(now + broker_.delay(broker_.options().event_delay_max)));
  ProducerEvent event{.kind = kind, .commit = commit, .error = std::move(error)};
  const auto arrive = [&broker = broker_, events = events_, wakeup = wakeup_,
                       said = std::move(event)] {
    events->push_back(said);
    broker.wake_later(wakeup);
  };
  broker_.schedule(std::chrono::ceil<std::chrono::milliseconds>(heard_until_ - now), arrive);
}

void SimulatedProducer::break_off(Kind kind, std::string why) {
  broken_ = ProducerEvent{.kind = kind, .error = {ErrorCode::kUnavailable, std::move(why)}};
  report(kind, broken_->error);
}

bool SimulatedProducer::current() const {
  const auto state = broker_.producers.find(options_.transactional_id);
  return state != broker_.producers.end() && state->second.epoch == epoch_;
}

std::optional<OrderedOutcome> SimulatedProducer::trouble(Step step, double aborts) {
  const auto ordered = std::ranges::find(ordered_, step, &OrderedOutcome::step);
  if (ordered != ordered_.end()) {
    const OrderedOutcome outcome = *ordered;
    ordered_.erase(ordered);
    return outcome;
  }
  const auto& options = broker_.options();
  if (broker_.happens(options.producer_fails)) return OrderedOutcome{step, Kind::kFailed};
  if (broker_.happens(aborts)) return OrderedOutcome{step, Kind::kAbortRequired};
  if (step == Step::kCommit && broker_.happens(options.commit_unknown)) {
    return OrderedOutcome{step, Kind::kOutcomeUnknown, broker_.happens(options.unknown_happened)};
  }
  return std::nullopt;
}

bool SimulatedProducer::refused(Step step, double aborts) {
  if (broken_) {
    report(broken_->kind, broken_->error);
    return true;
  }
  if (transactional() && !current()) {
    break_off(Kind::kFenced, "a newer producer has the transactional id " +
                                 options_.transactional_id + ", or its transaction timed out");
    return true;
  }
  const auto outcome = trouble(step, aborts);
  if (!outcome) return false;
  if (outcome->kind == Kind::kOutcomeUnknown) {
    lose_commit(outcome->happened);
  } else {
    break_off(outcome->kind, "simulated failure");
  }
  return true;
}

void SimulatedProducer::lose_commit(bool happened) {
  deliver();
  if (transactional() && happened) {
    broker_.end_transaction(options_.transactional_id, true);
  } else if (const auto late = broker_.options().late_end_max;
             transactional() && late.count() > 0) {
    const auto arrive = [&broker = broker_, id = options_.transactional_id, epoch = epoch_] {
      if (broker.producers[id].epoch == epoch) broker.end_transaction(id, true);
    };
    broker_.schedule(broker_.delay(late) + std::chrono::milliseconds(1), arrive);
  }
  break_off(Kind::kOutcomeUnknown, "the answer to the commit is lost");
}

// --- Operations -------------------------------------------------------------------------------

void SimulatedProducer::init() {
  const Access access(broker_);
  if (dead()) return;
  broken_.reset();
  unsent_.clear();
  ends_.clear();
  open_ = false;
  if (const auto outcome = trouble(Step::kInit, 0)) {
    break_off(outcome->kind, "simulated failure");
    return;
  }
  if (transactional()) {
    auto& state = broker_.producers[options_.transactional_id];
    epoch_ = ++state.epoch;
    if (state.open) broker_.end_transaction(options_.transactional_id, false);
  }
  report(Kind::kReady);
}

void SimulatedProducer::begin() { open_ = true; }

TopicHandle SimulatedProducer::topic(std::string_view name) {
  const auto known = std::ranges::find(topics_, name);
  if (known != topics_.end()) return static_cast<TopicHandle>(known - topics_.begin());
  topics_.emplace_back(name);
  return static_cast<TopicHandle>(topics_.size() - 1);
}

Result<std::int32_t> SimulatedProducer::partitions(TopicHandle handle) {
  const Access access(broker_);
  const auto found = broker_.find_or_create(topics_.at(handle));
  if (!found) return std::unexpected(found.error());
  return (*found)->spec.partitions;
}

Status SimulatedProducer::send(TopicHandle handle, std::int32_t partition,
                               std::optional<BytesView> key, std::optional<BytesView> value,
                               Timestamp timestamp, BytesView headers) {
  const Access access(broker_);
  const std::string& name = topics_.at(handle);
  if (transactional() && !open_) {
    return failure(ErrorCode::kInvalid,
                   "a record for topic " + name + " outside of any transaction");
  }
  const auto found = broker_.find_or_create(name);
  if (!found) return std::unexpected(found.error());
  if (partition < 0 || partition >= (*found)->spec.partitions) {
    return failure(ErrorCode::kInvalid,
                   "topic " + name + " has no partition " + std::to_string(partition));
  }
  if (!key && (*found)->spec.cleanup != CleanupPolicy::kDelete) {
    return failure(ErrorCode::kInvalid, "a record without a key for compacted topic " + name);
  }
  unsent_.emplace_back(TopicPartition{name, partition},
                       SimulatedEntry{.key = copy(key),
                                      .value = copy(value),
                                      .timestamp = timestamp,
                                      .headers = std::string(headers)});
  return {};
}

void SimulatedProducer::deliver() {
  if (unsent_.empty()) return;
  SimulatedTransactionPtr transaction;
  CommitSequence commit = 0;
  if (transactional()) {
    transaction = broker_.transaction(options_.transactional_id, options_.transaction_timeout);
  } else {
    commit = broker_.plain_commit();
  }
  for (auto& [partition, entry] : unsent_) {
    entry.transaction = transaction;
    entry.commit = commit;
    broker_.append(partition, std::move(entry));
    if (const auto* written = broker_.find(partition)) ends_[partition] = written->end();
  }
  unsent_.clear();
}

void SimulatedProducer::flush() {
  const Access access(broker_);
  if (dead() || refused(Step::kFlush, broker_.options().flush_aborts)) return;
  if (transactional()) deliver();
  report(Kind::kFlushed);
}

void SimulatedProducer::send_offsets(const std::map<TopicPartition, OffsetAndMetadata>& offsets,
                                     const GroupMetadata& group) {
  const Access access(broker_);
  if (dead() || refused(Step::kSendOffsets, broker_.options().offsets_abort)) return;
  if (!broker_.accepts(group)) {
    break_off(Kind::kAbortRequired, "member " + group.member + " of generation " +
                                        std::to_string(group.generation) +
                                        " has no part in group " + group.group + " any more");
    return;
  }
  for (const auto& [partition, offset] : offsets) {
    if (broker_.find(partition) == nullptr) {
      break_off(Kind::kAbortRequired, to_string(partition) + " does not exist");
      return;
    }
  }
  if (transactional()) {
    const auto transaction =
        broker_.transaction(options_.transactional_id, options_.transaction_timeout);
    for (const auto& [partition, offset] : offsets) {
      transaction->offsets[group.group][partition] = offset;
    }
    broker_.hold_offsets(transaction);
  } else {
    for (const auto& [partition, offset] : offsets) plain_offsets_[group.group][partition] = offset;
  }
  report(Kind::kOffsetsSent);
}

void SimulatedProducer::commit() {
  const Access access(broker_);
  if (dead() || refused(Step::kCommit, broker_.options().commit_aborts)) return;
  deliver();
  CommitSequence committed = broker_.visible();
  if (transactional()) {
    committed = broker_.end_transaction(options_.transactional_id, true);
  } else {
    for (const auto& [group, offsets] : std::exchange(plain_offsets_, {})) {
      for (const auto& [partition, offset] : offsets) broker_.committed[group][partition] = offset;
    }
  }
  delivered_ = std::exchange(ends_, {});
  open_ = false;
  report(Kind::kCommitted, {}, committed);
}

void SimulatedProducer::abort() {
  const Access access(broker_);
  if (dead()) return;
  if (broken_ && broken_->kind == Kind::kAbortRequired) broken_.reset();
  unsent_.clear();
  ends_.clear();
  plain_offsets_.clear();
  open_ = false;
  if (refused(Step::kAbort, 0)) return;
  if (transactional()) broker_.end_transaction(options_.transactional_id, false);
  report(Kind::kAborted);
}

Offset SimulatedProducer::delivered_end(TopicHandle handle, std::int32_t partition) const {
  const auto found = delivered_.find({topics_.at(handle), partition});
  return found == delivered_.end() ? kNoOffset : found->second;
}

bool SimulatedProducer::poll(ProducerEvent& event) {
  const Access access(broker_);
  if (dead() || events_->empty()) return false;
  event = std::move(events_->front());
  events_->pop_front();
  return true;
}

}  // namespace thalweg::internal
