#include "ready_gate.h"

#include <utility>

#include "gateway_context.h"

namespace thalweg::shop {
namespace {

using State = StreamsApplication::State;

constexpr std::chrono::milliseconds kPatience{10'000};
constexpr std::size_t kMostHeld = 20'000;

HttpResponse not_ready() {
  return unavailable({ErrorCode::kUnavailable, "the shop is restoring its state"});
}

}  // namespace

std::shared_ptr<ReadyGate> ReadyGate::of(HttpServer& server, StreamsApplication& application) {
  std::shared_ptr<ReadyGate> gate(new ReadyGate(server, *application.environment().clock));
  application.on_state_change([gate](State, State to) { gate->changed(to); });
  return gate;
}

void ReadyGate::hold(Responder responder, Work work) {
  responder.answer_within(kPatience, not_ready());
  std::unique_lock lock(mutex_);
  if (is_open()) {  // It opened since the caller looked.
    lock.unlock();
    return work(std::move(responder));
  }
  if (is_over_ || held_.size() >= kMostHeld) {
    lock.unlock();
    return responder.send(not_ready());
  }
  held_.push_back({std::move(responder), std::move(work), clock_.now() + kPatience});
}

void ReadyGate::changed(State state) {
  std::vector<Held> held;
  {
    const std::lock_guard lock(mutex_);
    is_over_ |= state != State::kRebalancing && state != State::kRunning;
    is_open_.store(!is_over_ && state == State::kRunning, std::memory_order_release);
    if (is_open() || is_over_) held.swap(held_);
  }
  if (!is_open()) return refuse(std::move(held));
  const auto now = clock_.now();
  for (auto& one : held) {
    if (one.until <= now) continue;  // Its client was told to come again.
    server_.post([one = std::move(one)]() mutable { one.work(std::move(one.responder)); });
  }
}

void ReadyGate::close() {
  std::vector<Held> held;
  {
    const std::lock_guard lock(mutex_);
    is_over_ = true;
    is_open_.store(false, std::memory_order_release);
    held.swap(held_);
  }
  refuse(std::move(held));
}

void ReadyGate::refuse(std::vector<Held> held) {
  for (auto& one : held) one.responder.send(not_ready());
}

}  // namespace thalweg::shop
