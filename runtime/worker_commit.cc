// The worker's transactions, in the order that keeps them exactly once:
//
//   flush caches, and process what that sends to tasks of this worker -> flush the producer
//   -> send offsets -> commit -> merge each task's writes into committed state -> publish positions
//
// Any failure before the commit is sent aborts; after it, nothing is assumed (see worker.h).

#include <algorithm>
#include <utility>

#include <spdlog/spdlog.h>

#include "phase_board.h"
#include "worker.h"

namespace thalweg::internal {

namespace {

using namespace std::chrono_literals;

// How long tasks may process what others here send them at the end of a transaction.
constexpr std::chrono::milliseconds kLongestEnd = 1s;

// 0, then 10 ms doubling to 2.56 s.
std::chrono::milliseconds back_off(int failures_in_row) {
  if (failures_in_row <= 1) return 0ms;
  return 10ms * (1 << std::min(failures_in_row - 2, 8));
}

}  // namespace

bool Worker::poll_producer() {
  if (!producer_) return false;
  bool worked = false;
  ProducerEvent event;
  while (producer_ && producer_->poll(event)) {
    worked = true;
    switch (event.kind) {
      case ProducerEvent::Kind::kReady:
        if (phase_ == Phase::kStarting) phase_ = Phase::kRunning;
        break;
      case ProducerEvent::Kind::kFlushed:
        if (phase_ == Phase::kFlushing) send_offsets();
        break;
      case ProducerEvent::Kind::kOffsetsSent:
        if (phase_ != Phase::kSendingOffsets) break;
        phase_ = Phase::kCommitting;
        producer_->commit();
        break;
      case ProducerEvent::Kind::kCommitted:
        if (phase_ == Phase::kCommitting) finish_commit(event.commit);
        break;
      case ProducerEvent::Kind::kAbortRequired:
        if (phase_ == Phase::kAborting) {
          renew_producer();
        } else {
          begin_abort(event.error);
        }
        break;
      case ProducerEvent::Kind::kAborted:
        renew_producer();
        break;
      case ProducerEvent::Kind::kFenced:
      case ProducerEvent::Kind::kOutcomeUnknown:
      case ProducerEvent::Kind::kFailed:
        suspend_all();
        if (event.kind == ProducerEvent::Kind::kFailed && event.error.code == ErrorCode::kInvalid) {
          fail(event.error.message);  // It would fail the same way for ever.
          return true;
        }
        spdlog::warn("{}: {}; starting again from what is committed", name_, event.error.message);
        renew_producer();
        break;
    }
    event = {};
  }
  return worked;
}

void Worker::begin_commit() {
  PhaseScope phase(internal::Phase::kCommit);
  commit_began_ = clock_.now();
  flush_tasks();
  if (collector_.failure()) {
    begin_abort(*collector_.failure());
    return;
  }
  collector_.begin();
  phase_ = Phase::kFlushing;
  producer_->flush();
  poll_producer();  // A log in the process has answered already.
  commit_work_ += (clock_.now() - commit_began_ - commit_work_) / 8;
}

// What caches hold back may go to other tasks here, whose caches hold it back in turn.
void Worker::flush_tasks() {
  const auto until = clock_.now() + std::min(kLongestEnd, config_.transaction_timeout / 6);
  for (bool moved = true; moved;) {
    const std::uint64_t taken = hops_.taken();
    moved = false;
    for (auto& [id, member] : members_) {
      if (member.state != TaskInfo::State::kRunning) continue;
      moved |= process_hops(member, until);
      member.task->flush();
      hops_.relieve();
    }
    moved |= hops_.taken() > taken;
  }
  hops_.send_rest();
}

bool Worker::process_hops(Member& member, Clock::Instant until) {
  for (LocalHops::Route* route : member.hops) hops_.deliver(*route);
  const Timestamp wall_clock = clock_.wall_clock();
  auto now = clock_.now();
  std::size_t done = 0;
  while (member.task->hops() > 0 && now < until && process_turn(member, wall_clock, now, done)) {
  }
  return done > 0;
}

void Worker::send_offsets() {
  // The group checks the generation, not who owns what: a member that was given up and has joined
  // again would be believed. So first the metadata, then the events that it may be newer than: a
  // loss that came before is heard here, one that comes later makes the metadata old.
  const GroupMetadata group = consumer_->group_metadata();
  poll_consumer();
  if (phase_ != Phase::kFlushing) return;
  if (group.generation < 0 || group.member.empty()) {
    begin_abort({ErrorCode::kUnavailable, "no longer a member of the group"});
    return;
  }
  attempted_.clear();
  for (auto& [id, member] : members_) {
    if (member.state == TaskInfo::State::kRunning) attempted_.merge(member.task->positions());
  }
  phase_ = Phase::kSendingOffsets;
  producer_->send_offsets(attempted_, group);
}

void Worker::finish_commit(CommitSequence commit) {
  PhaseScope phase(internal::Phase::kCommit);
  std::vector<Offset> ends;
  for (auto& [id, member] : members_) {
    if (member.state != TaskInfo::State::kRunning) continue;
    ends.clear();
    for (const auto& store : member.task->stores()) {
      if (store.changelog.topic.empty()) {
        ends.push_back(kNoOffset);
      } else if (store.internal) {
        ends.push_back(collector_.delivered_end(collector_.topic(store.changelog.topic),
                                                store.changelog.partition));
      } else {
        ends.push_back(attempted_.at(store.changelog).offset);
      }
    }
    member.task->committed(ends, commit);
    for (auto& [input, position] : member.committed) position = attempted_.at(input);
  }
  hops_.committed();
  collector_.ended();
  dirty_ = false;
  failures_in_row_ = 0;
  out_of_range_in_row_ = 0;
  phase_ = Phase::kRunning;
  last_commit_ = clock_.now();
  if (commits_) commits_->add();
  if (commit_latency_) commit_latency_->record(last_commit_ - commit_began_);
  setup_.state->publish_positions(attempted_);
  if (!revoked_.empty()) release_revoked();
}

void Worker::begin_abort(const Error& reason) {
  spdlog::warn("{}: aborting the transaction: {}", name_, reason.message);
  if (aborts_) aborts_->add();
  suspend_all();
  if (reason.code == ErrorCode::kInvalid || reason.code == ErrorCode::kNotFound) {
    return fail(reason.message);  // It would fail the same way for ever.
  }
  if (!collector_.open()) {
    renew_producer();
    return;
  }
  phase_ = Phase::kAborting;
  producer_->abort();
}

// Throws away the processing half of every task: they go through settle() again.
void Worker::suspend_all() {
  settling_.clear();
  for (auto& [id, member] : members_) {
    member.hops.clear();
    for (const auto& input : member.task->inputs()) {
      if (!member.tags.empty()) consumer_->unassign(input);
    }
    for (const auto tag : member.tags) inputs_[tag] = {};
    member.tags.clear();
    restorer_->remove(id);
    member.task->suspend();
    member.state = TaskInfo::State::kCreated;
    publish(member);
  }
  hops_.clear();  // And what nodes sent as they were closed.
  dirty_ = false;
  update_settled();
}

// Every abort, fencing and unknown outcome ends with a new producer of the same id: its init() ends
// or settles what the old one left, whichever it was.
void Worker::renew_producer() {
  phase_ = Phase::kStarting;
  collector_.use(nullptr);
  producer_.reset();
  if (!renew_at_) {
    const auto wait = back_off(++failures_in_row_);
    if (wait > 0ms) {
      renew_at_ = clock_.now() + wait;
      return;
    }
  }
  renew_at_.reset();
  producer_ = setup_.environment.log->producer(
      {.transactional_id = config_.processing_guarantee == ProcessingGuarantee::kExactlyOnceV2
                               ? setup_.transactional_id
                               : std::string(),
       .client_id = name_,
       .transaction_timeout = config_.transaction_timeout});
  producer_->set_wakeup(wakeup_);
  collector_.use(producer_.get());
  producer_->init();
}

void Worker::purge_repartition_topics() {
  const auto now = clock_.now();
  if (now - last_purge_ < config_.repartition_purge_interval) return;
  last_purge_ = now;
  for (const auto& [id, member] : members_) {
    for (const auto& topic : member.plan->repartition_inputs) {
      const TopicPartition partition{topic, id.partition};
      if (const auto found = member.committed.find(partition); found != member.committed.end()) {
        setup_.environment.log->delete_records(partition, found->second.offset);
      }
    }
  }
}

}  // namespace thalweg::internal
