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

void RemotePositions::when_processed(const TopicPartition& input, Offset offset, Done done) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    Input& entry = inputs_[input];
    entry.waiting.emplace(offset, std::move(done));
    if (std::exchange(entry.is_asking, true)) return;
  }
  look(input);
}

void RemotePositions::close() {
  std::unique_lock lock(mutex_);
  closed_ = true;
  calm_.wait(lock, [this] { return calling_ == 0; });
  inputs_.clear();
}

// Finds out whom to ask; the caller has marked the input as being asked about.
void RemotePositions::look(const TopicPartition& input) {
  std::multimap<Offset, Done> waiting;
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    ++calling_;
    waiting.swap(inputs_[input].waiting);
  }
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
    Input& entry = inputs_[input];
    entry.waiting.merge(waiting);
    if (entry.waiting.empty()) entry.is_asking = false;
    if (!entry.is_asking) return;
  }
  if (server) {
    ask(*server, input);
  } else {
    look_later(input);
  }
}

void RemotePositions::ask(const std::string& server, const TopicPartition& input) {
  std::string target;
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    target =
        peer_position_target(setup_.application_id, input, inputs_[input].waiting.begin()->first);
  }
  setup_.peers->ask(server, std::move(target), kPatience,
                    [self = shared_from_this(), input](const std::optional<HttpResponse>& answer) {
                      self->take(input, answer);
                    });
}

void RemotePositions::take(const TopicPartition& input, const std::optional<HttpResponse>& answer) {
  const auto position = position_in(answer);
  std::vector<Done> reached;
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    auto& waiting = inputs_[input].waiting;
    const auto end = position ? waiting.lower_bound(*position) : waiting.begin();
    for (auto one = waiting.begin(); one != end; ++one) reached.push_back(std::move(one->second));
    waiting.erase(waiting.begin(), end);
  }
  for (const auto& done : reached) done();
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
