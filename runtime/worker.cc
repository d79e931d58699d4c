#include "worker.h"

#include <algorithm>
#include <functional>
#include <utility>

#include <spdlog/spdlog.h>

#include "phase_board.h"
#include "warm_up.h"

namespace thalweg::internal {

namespace {

using namespace std::chrono_literals;

// How much one step does before it looks at events and clocks again.
constexpr std::size_t kFetchRecords = 10'000;
constexpr std::size_t kProcessRecords = 2'000;  // Of each task.
constexpr auto kProcessTime = 50ms;             // Of all of them.
// How many records are processed between two looks at the clock: fewer when they are slow. So
// records of any cost are committed, and a stop is heard, in time.
constexpr std::size_t kTurnMax = 64;
constexpr auto kShortTurn = 1ms;
constexpr auto kLongTurn = 5ms;
// Positions are committed again when nothing was processed for so long: brokers forget those of
// topics that the group is not subscribed to (offsets.retention.minutes, seven days unless set),
// and what its members subscribe to stands for tasks.
constexpr auto kPositionsAreKept = 1h;
// When a task that another worker of the process gives up is asked for again.
constexpr auto kUntilGivenUp = 2ms;
// What a commit waits for, if the log is known to have so many more. Fewer may well be control
// records, of which Kafka tells late.
constexpr Offset kWorthWaiting = 100;
// And for how long, if nothing comes: what is told may be of a transaction that is open, which may
// be the worker's own, and nobody reads that before it ends.
constexpr auto kLongestPauseOfInput = 10ms;
// Between two pushes of what is sent without a transaction: each is a request to the brokers.
constexpr auto kPauseOfPushes = 2ms;

// In logs and metrics; brokers know it by setup.member.
std::string name_of(const WorkerSetup& setup) {
  return setup.config->client_id + "-StreamThread-" + std::to_string(setup.index + 1);
}

// Each worker is a member of its own: the instance that is configured gets its number.
std::string static_member(const WorkerSetup& setup) {
  for (const char* key : {"main.consumer.group.instance.id", "consumer.group.instance.id"}) {
    const auto found = setup.config->client_properties.find(key);
    if (found == setup.config->client_properties.end()) continue;
    return found->second + "-" + std::to_string(setup.index + 1);
  }
  return {};
}

}  // namespace

Worker::Worker(WorkerSetup setup)
    : setup_(std::move(setup)),
      config_(*setup_.config),
      clock_(*setup_.environment.clock),
      name_(name_of(setup_)) {
  if (auto* metrics = setup_.environment.metrics) {
    const MetricsRegistry::Labels labels{{"client_id", config_.client_id}, {"thread_id", name_}};
    commits_ = &metrics->counter("kafka_streams_stream_thread_metrics_commit_total",
                                 "Transactions committed", labels);
    aborts_ = &metrics->counter("thalweg_aborts_total", "Transactions aborted", labels);
    commit_latency_ = &metrics->histogram("thalweg_commit_latency_seconds",
                                          "From the start of a commit until it is visible", labels);
    hops_.count_with(&metrics->counter("thalweg_local_hops_total",
                                       "Records that went to another task of their thread without "
                                       "the log",
                                       labels));
  }
  if (config_.repartition_local_hops) hops_.use(*setup_.plan);
}

Worker::~Worker() = default;

void Worker::set_wakeup(std::function<void()> wakeup) { wakeup_ = std::move(wakeup); }

void Worker::join() {
  Log& log = *setup_.environment.log;
  consumer_ = log.consumer({.group = config_.application_id,
                            .client_id = setup_.member.empty() ? name_ : setup_.member,
                            .instance = static_member(setup_)});
  consumer_->set_wakeup(wakeup_);
  auto restore = log.consumer({.client_id = name_ + "-restore"});
  restore->set_wakeup(wakeup_);
  restorer_ = std::make_unique<StoreRestorer>(std::move(restore), setup_.restore_listener);
  if (!setup_.plan->globals.empty()) open_globals();
  subscribe();
  renew_producer();
  last_commit_ = clock_.now();
}

bool Worker::run_once() {
  if (phase_ == Phase::kStopped) return false;
  try {
    bool worked = subscribe();
    worked |= poll_producer();
    worked |= poll_consumer();
    if (phase_ == Phase::kSpilling) {
      finish_stop();
      return false;
    }
    if (phase_ == Phase::kStarting) {
      if (stop_requested_) {
        stop_when_asked();
        return true;
      }
      if (renew_at_ && clock_.now() >= *renew_at_) renew_producer();
      // Nothing is open, and a producer can take long to come: nobody else waits for it.
      if (!revoked_.empty()) release_revoked();
    }
    if (phase_ != Phase::kRunning) return worked;
    worked |= add_waiting_tasks();
    if (standbys_) worked |= standbys_->run_once(setup_.restore_records);
    worked |= settle();
    worked |= restore();
    worked |= read_globals();
    worked |= start_restored();
    note_what_is_open();
    // Asked to stop, it only finishes what it has begun: input may come for ever.
    if (!stop_requested_) {
      worked |= take_input();
      note_what_is_open();
      worked |= process();
      worked |= punctuate();
    }
    worked |= run_async_calls();
    hops_.relieve();
    if (commit_due(!worked)) {
      begin_commit();
      worked = true;
    } else if (!dirty_ && !revoked_.empty()) {
      release_revoked();
      worked = true;
    } else if (!worked) {
      push_what_lingers();
    }
    spill_what_is_due();
    stop_when_asked();
    return worked;
  } catch (const std::runtime_error& error) {
    if (replace_damaged_stores()) return true;
    const bool wants_retry = std::ranges::any_of(
        members_, [](const auto& member) { return member.second.task->wants_retry(); });
    if (wants_retry) {
      begin_abort({ErrorCode::kUnavailable, error.what()});
    } else {
      fail(error.what());
    }
  } catch (const std::logic_error& error) {
    fail(error.what());
  }
  return true;
}

bool Worker::may_rest() const {
  return phase_ == Phase::kRunning && !dirty_ && settled() && revoked_.empty() && !stop_requested_;
}

bool Worker::take_input() {
  if (disk_full_->load() &&
      setup_.environment.budget->used() > setup_.environment.budget->limit()) {
    return false;  // Nothing more fits in memory, and nothing can leave it.
  }
  bool hungry = false;
  for (auto& [id, member] : members_) {
    if (member.state == TaskInfo::State::kRunning) hungry |= take_turns(member);
  }
  if (!hungry) return false;
  batches_.clear();
  if (!consumer_->fetch(batches_, kFetchRecords)) return false;
  last_input_ = clock_.now();
  for (auto& batch : batches_) {
    const Input& input = inputs_[batch.tag];
    if (input.member) input.member->task->enqueue(input.index, std::move(batch));
  }
  return true;
}

// An input that has enough is paused, so that a task gets on with the others, which it may be
// waiting for. Returns whether any can take more.
bool Worker::take_turns(Member& member) {
  const StreamTask& task = *member.task;
  const std::size_t limit = config_.buffered_records_per_partition;
  if (task.buffered() < limit && std::ranges::none_of(member.paused, std::identity())) {
    return true;
  }
  bool hungry = false;
  for (std::size_t i = 0; i < member.paused.size(); ++i) {
    const bool full = task.buffered(i) >= limit;
    hungry |= !full;
    if (full == member.paused[i]) continue;
    member.paused[i] = full;
    if (full) {
      consumer_->pause(task.inputs()[i]);
    } else {
      consumer_->resume(task.inputs()[i]);
    }
  }
  return hungry;
}

// Records are written before any is processed, too: dead letters of those that cannot be read, and
// what processors forward as they begin. They are part of a transaction like all others.
void Worker::note_what_is_open() {
  if (collector_.open()) note_work_since(clock_.now());
}

void Worker::note_work_since(Clock::Instant began) {
  if (dirty_) return;
  transaction_began_ = began;
  dirty_ = true;
}

// Begins behind the task at which time ran out, so that slow ones hold up none for ever.
bool Worker::process() {
  const auto began = clock_.now();
  const auto since = dirty_ ? transaction_began_ : began;
  const auto until = std::min<Clock::Instant>(began + kProcessTime, latest_commit(since));
  bool worked = false;
  auto now = began;
  auto next = members_.upper_bound(served_last_);
  for (std::size_t i = 0; i < members_.size(); ++i, ++next) {
    if (next == members_.end()) next = members_.begin();
    if (next->second.state != TaskInfo::State::kRunning) continue;
    if (!process(next->second, until, now)) continue;
    worked = true;
    hops_.relieve();
    if (now < until && !stop_requested_) continue;
    served_last_ = next->first;
    break;
  }
  if (worked) note_work_since(began);
  return worked;
}

// One turn at least; `now` goes on with the clock. Returns whether there was anything to process.
bool Worker::process(Member& member, Clock::Instant until, Clock::Instant& now) {
  for (LocalHops::Route* route : member.hops) hops_.deliver(*route);
  const StreamTask& task = *member.task;
  const Timestamp wall_clock = clock_.wall_clock();
  std::size_t done = 0;
  while ((done < kProcessRecords || task.hops() > 0) &&
         process_turn(member, wall_clock, now, done) && now < until && !stop_requested_) {
  }
  member.task->note_waiting(wall_clock);
  return done > 0;
}

// Adds to `done`, and returns whether there may be more.
bool Worker::process_turn(Member& member, Timestamp wall_clock, Clock::Instant& now,
                          std::size_t& done) {
  const std::size_t turn = member.turn;
  const std::size_t processed = member.task->process(turn, wall_clock);
  if (processed == 0) return false;
  done += processed;
  const auto began = std::exchange(now, clock_.now());
  if (now - began > kLongTurn) member.turn = std::max<std::size_t>(1, turn / 2);
  if (now - began < kShortTurn) member.turn = std::min(kTurnMax, turn * 2);
  return processed == turn;
}

bool Worker::punctuate() {
  const auto began = clock_.now();
  const Timestamp wall_clock = clock_.wall_clock();
  bool fired = false;
  for (auto& [id, member] : members_) {
    if (member.state != TaskInfo::State::kRunning) continue;
    fired |= member.task->punctuate_stream_time();
    fired |= member.task->punctuate_wall_clock(wall_clock);
  }
  if (fired) note_work_since(began);
  return fired;
}

// Having processed all that was fetched is not yet having caught up: the fetch may be on its way.
bool Worker::knows_of_more_input() const {
  Offset lag = 0;
  for (const auto& [id, member] : members_) {
    if (member.state == TaskInfo::State::kRunning) lag += member.task->lag();
  }
  return lag >= kWorthWaiting || hops_.waiting();
}

// When there is nothing left to wait for, unless input comes until then.
Clock::Instant Worker::caught_up_at() const {
  return knows_of_more_input() ? last_input_ + kLongestPauseOfInput : last_input_;
}

bool Worker::run_async_calls() {
  const auto began = clock_.now();
  const Timestamp wall_clock = clock_.wall_clock();
  bool worked = false;
  for (auto& [id, member] : members_) {
    if (member.state == TaskInfo::State::kRunning) {
      worked |= member.task->run_async_calls(wall_clock, !stop_requested_);
    }
  }
  if (worked) note_work_since(began);
  return worked;
}

bool Worker::runs_tasks() const {
  return std::ranges::any_of(
      members_, [](const auto& item) { return item.second.state == TaskInfo::State::kRunning; });
}

bool Worker::async_calls_in_flight() const {
  return std::ranges::any_of(members_, [](const auto& item) {
    return item.second.state == TaskInfo::State::kRunning &&
           item.second.task->async_calls_in_flight() > 0;
  });
}

// Commits take half of the time at most: when they grow dear, each carries more records. Most of
// what a commit costs its records cost, however many of them it carries, so a longer pause would
// save little, and the records wait for it at each hop.
//
// Commits begin `commit.interval.min.ms` apart: where one takes that long, the next follows it. A
// record that just missed one would else wait for it, for the pause, and for its own.
Clock::Instant Worker::earliest_commit() const {
  const auto pause = std::min<std::chrono::nanoseconds>(commit_work_, 50ms);
  return std::max<Clock::Instant>(commit_began_ + config_.commit_interval_min,
                                  last_commit_ + pause);
}

Clock::Instant Worker::latest_commit(Clock::Instant began) const {
  return began + std::min(config_.commit_interval, config_.transaction_timeout / 3);
}

bool Worker::commit_due(bool drained) const {
  if (collector_.failure()) return true;
  const auto now = clock_.now();
  if (!dirty_) return now - last_commit_ >= kPositionsAreKept && !stop_requested_ && runs_tasks();
  if (stop_requested_ || !revoked_.empty()) return true;
  if (now >= latest_commit(transaction_began_)) return true;
  if (drained && now >= earliest_commit() && now >= caught_up_at()) return true;
  const std::size_t share = setup_.environment.budget->limit() /
                            static_cast<std::size_t>(4 * std::max(1, config_.num_stream_threads));
  std::size_t uncommitted = 0;
  for (const auto& [id, member] : members_) {
    if (member.state != TaskInfo::State::kRunning) continue;
    if (member.task->commit_requested()) return true;
    uncommitted += member.task->uncommitted_bytes();
  }
  return uncommitted > share;
}

// What is sent in a transaction is seen after its commit, which sends everything. The rest may
// linger only as long as there is more to process.
bool Worker::lingers() const {
  return config_.processing_guarantee == ProcessingGuarantee::kAtLeastOnce && collector_.lingers();
}

Clock::Instant Worker::earliest_push() const {
  return std::max<Clock::Instant>(last_push_ + kPauseOfPushes, caught_up_at());
}

void Worker::push_what_lingers() {
  const auto now = clock_.now();
  if (!lingers() || now < earliest_push()) return;
  collector_.push();
  last_push_ = now;
}

Clock::Instant Worker::next_deadline() const {
  const auto now = clock_.now();
  auto deadline = now + kHousekeepingInterval;
  if (renew_at_) deadline = std::min<Clock::Instant>(deadline, *renew_at_);
  // Whatever is due waits for the log's answer, which wakes: to look again before would be to spin.
  if (phase_ != Phase::kRunning) return deadline;
  deadline = std::min<Clock::Instant>(deadline, next_housekeeping_);
  if (!waiting_.empty()) deadline = std::min<Clock::Instant>(deadline, now + kUntilGivenUp);
  if (dirty_) {
    deadline = std::min(
        {deadline, latest_commit(transaction_began_), std::max(earliest_commit(), caught_up_at())});
  }
  if (lingers()) deadline = std::min(deadline, earliest_push());
  const Timestamp wall_clock = clock_.wall_clock();
  for (const auto& [id, member] : members_) {
    if (member.state != TaskInfo::State::kRunning) continue;
    if (const auto next = member.task->next_wall_clock_punctuation()) {
      deadline = std::min<Clock::Instant>(deadline, now + std::max(*next - wall_clock, 0ms));
    }
    if (const auto next = member.task->next_async_deadline(!stop_requested_)) {
      deadline = std::min<Clock::Instant>(deadline, now + std::max(*next - wall_clock, 0ms));
    }
    if (member.task->buffered() > 0) deadline = std::min<Clock::Instant>(deadline, now + 1ms);
  }
  return deadline;
}

void Worker::wake() {
  if (wakeup_) wakeup_();
}

void Worker::request_stop() {
  stop_requested_ = true;
  wake();
}

void Worker::stop_when_asked() {
  const bool nothing_open = phase_ == Phase::kStarting || (phase_ == Phase::kRunning && !dirty_);
  // Answers that were waited for so long would be lost, and their calls made again.
  if (!stop_requested_ || !nothing_open || async_calls_in_flight()) return;
  for (auto& [id, member] : members_) write_out(*member.task, spills_under_way_);
  if (standbys_) {
    standbys_->for_each([this](StreamTask& task) { write_out(task, spills_under_way_); });
  }
  phase_ = Phase::kSpilling;
  finish_stop();
}

void Worker::finish_stop() {
  if (spills_under_way_->load() > 0) return;
  close();
}

// What is open is abandoned, never committed: a new producer of the id ends it.
void Worker::fail(std::string reason) {
  spdlog::error("{}: {}", name_, reason);
  failure_ = std::move(reason);
  close();
}

void Worker::close() {
  standbys_.reset();
  while (!members_.empty()) close_task(members_.begin()->first);
  if (global_reader_) global_reader_->stop();
  if (consumer_) consumer_->leave();
  consumer_.reset();
  collector_.use(nullptr);
  producer_.reset();
  restorer_.reset();
  phase_ = Phase::kStopped;
  update_settled();
  stopped_.store(true, std::memory_order_release);  // Others may look at what it has left.
}

}  // namespace thalweg::internal
