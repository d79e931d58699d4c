#include "remote_positions.h"

#include <charconv>
#include <utility>
#include <vector>

#include "peer_protocol.h"

namespace thalweg::internal {

namespace {

using namespace std::chrono_literals;

/// More than the other side waits before it says that the record is not processed yet.
constexpr auto kPatience = 7s;
constexpr auto kPause = 50ms;

std::optional<Offset> position_in(const std::optional<HttpResponse>& answer) {
  if (!answer || answer->status != 200) return std::nullopt;
  Offset position = 0;
  const char* const end = answer->body.data() + answer->body.size();
  const auto [rest, fault] = std::from_chars(answer->body.data(), end, position);
  if (fault != std::errc() || rest != end) return std::nullopt;
  return position;
}

}  // namespace

void RemotePositions::when_processed(const TopicPartition& input, Offset offset, Waiter waiter) {
  std::vector<Waiter> over;  // Go without the lock.
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    over = waiters_.add(input, offset, std::move(waiter));
    if (!asked_about_.insert(input).second) return;
  }
  look(input);
}

void RemotePositions::close() {
  PositionWaiters dropped;  // Goes without the lock.
  std::unique_lock lock(mutex_);
  closed_ = true;
  calm_.wait(lock, [this] { return calling_ == 0; });
  std::swap(dropped, waiters_);
}

// Finds out whom to ask; the caller has marked the input as being asked about.
void RemotePositions::look(const TopicPartition& input) {
  PositionWaiters::ByOffset waiting;
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    ++calling_;
    waiting = waiters_.take_all(input);
  }
  std::erase_if(waiting, [](const auto& one) { return one.second.has_stopped(); });
  for (auto one = waiting.begin(); one != waiting.end();) {
    one = setup_.take_here(input, one->first, one->second) ? waiting.erase(one) : std::next(one);
  }
  std::optional<std::string> server;
  if (!waiting.empty()) server = setup_.owner(input);
  {
    const std::lock_guard lock(mutex_);
    --calling_;
    calm_.notify_all();
    if (closed_) return;
    waiters_.put_back(input, std::move(waiting));
    if (!waiters_.first(input)) {
      asked_about_.erase(input);
      return;
    }
  }
  if (server) {
    ask(*server, input);
  } else {
    look_later(input);
  }
}

void RemotePositions::ask(const std::string& server, const TopicPartition& input) {
  std::optional<Offset> first;
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    first = waiters_.first(input);
  }
  if (!first) return look(input);  // They were forgotten meanwhile.
  setup_.peers->ask(server, peer_position_target(setup_.application_id, input, *first), kPatience,
                    [self = shared_from_this(), input](const std::optional<HttpResponse>& answer) {
                      self->take(input, answer);
                    });
}

void RemotePositions::take(const TopicPartition& input, const std::optional<HttpResponse>& answer) {
  const auto position = position_in(answer);
  std::vector<Waiter> reached;
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    if (position) reached = waiters_.take_passed(input, *position);
  }
  for (const auto& waiter : reached) waiter.done();
  if (position) return look(input);
  look_later(input);
}

void RemotePositions::look_later(const TopicPartition& input) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
  }
  setup_.peers->after(kPause, [self = shared_from_this(), input] { self->look(input); });
}

}  // namespace thalweg::internal
