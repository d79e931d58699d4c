#include "ready_gate.h"

#include <utility>

#include "gateway_context.h"

namespace thalweg::shop {
namespace {

using State = StreamsApplication::State;

constexpr std::chrono::milliseconds kPatience{10'000};
constexpr std::chrono::milliseconds kMargin{1'000};  // Within which that answer has gone out.
constexpr std::size_t kMostHeld = 20'000;

HttpResponse not_ready() {
  return unavailable({ErrorCode::kUnavailable, "the shop is restoring its state"});
}

}  // namespace

/// Counts down what is not processed yet.
struct ReadyGate::CatchUp {
  std::shared_ptr<ReadyGate> gate;
  std::uint64_t round;
  std::atomic<int> left = 1;  // Whoever counts up holds one.

  void done() {
    if (left.fetch_sub(1) == 1) gate->open(round);
  }
};

std::shared_ptr<ReadyGate> ReadyGate::of(HttpServer& server, StreamsApplication& application) {
  std::shared_ptr<ReadyGate> gate(new ReadyGate(server, application));
  application.on_state_change([gate](State, State to) { gate->changed(to); });
  return gate;
}

void ReadyGate::hold(Responder responder, Work work) {
  responder.answer_within(kPatience, not_ready());
  const auto now = application_.environment().clock->now();
  std::vector<Held> late;  // They are answered; they go without the lock.
  std::unique_lock lock(mutex_);
  for (; !held_.empty() && held_.front().until + kMargin < now; held_.pop_front()) {
    late.push_back(std::move(held_.front()));
  }
  if (is_open()) {  // It opened since the caller looked.
    lock.unlock();
    return work(std::move(responder));
  }
  if (is_over_ || held_.size() >= kMostHeld) {
    lock.unlock();
    return responder.send(not_ready());
  }
  held_.push_back({std::move(responder), std::move(work), now + kPatience});
}

void ReadyGate::changed(State state) {
  if (is_open()) return;  // Later troubles, as of a full disk, handlers answer at once.
  shut(state != State::kRebalancing && state != State::kRunning);
  if (state != State::kRunning) return;
  const std::lock_guard lock(mutex_);
  server_.post([gate = shared_from_this(), round = round_] { gate->catch_up(round); });
}

void ReadyGate::catch_up(std::uint64_t round) {
  const auto waiting = std::make_shared<CatchUp>(shared_from_this(), round);
  Log& log = *application_.environment().log;
  for (const auto& task : application_.tasks()) {
    for (const auto& [input, position] : task.positions) {
      const auto range = log.range(input);
      if (!range || range->end <= position) continue;
      ++waiting->left;
      application_.when_processed(input, range->end - 1, [waiting] { waiting->done(); });
    }
  }
  waiting->done();
}

void ReadyGate::open(std::uint64_t round) {
  std::deque<Held> held;
  {
    const std::lock_guard lock(mutex_);
    if (is_over_ || round != round_) return;
    is_open_.store(true, std::memory_order_release);
    held.swap(held_);
  }
  const auto now = application_.environment().clock->now();
  for (auto& one : held) {
    if (one.until <= now) continue;  // Its client was told to come again.
    server_.post([one = std::move(one)]() mutable { one.work(std::move(one.responder)); });
  }
}

void ReadyGate::shut(bool for_good) {
  std::deque<Held> refused;
  {
    const std::lock_guard lock(mutex_);
    ++round_;
    is_open_.store(false, std::memory_order_release);
    is_over_ |= for_good;
    if (is_over_) refused.swap(held_);
  }
  for (auto& one : refused) one.responder.send(not_ready());
}

void ReadyGate::close() { shut(true); }

}  // namespace thalweg::shop
