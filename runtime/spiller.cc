#include "spiller.h"

#include <algorithm>
#include <utility>

#include "phase_board.h"
#include "this_thread.h"

namespace thalweg::internal {

void Spiller::submit(std::shared_ptr<Spill> spill, std::function<void(const Status&)> done) {
  const CommitSequence commit = spill->needs_durable();
  {
    std::lock_guard lock(signal_->mutex);
    signal_->jobs.push_back({std::move(spill), std::move(done)});
  }
  // The signal, not this: the callback may come when the spiller is gone.
  durability_.when_durable(commit, [signal = signal_] {
    std::lock_guard lock(signal->mutex);
    signal->changed.notify_all();
  });
}

std::optional<Spiller::Job> Spiller::take_durable() {
  std::lock_guard lock(signal_->mutex);
  const CommitSequence durable = durability_.durable();
  const auto ready = std::ranges::find_if(signal_->jobs, [&](const Job& job) {
    return job.spill->needs_durable() <= durable;
  });
  if (ready == signal_->jobs.end()) return std::nullopt;
  Job job = std::move(*ready);
  signal_->jobs.erase(ready);
  return job;
}

bool Spiller::run_once() {
  auto job = take_durable();
  if (!job) return false;
  Status status;
  {
    PhaseScope phase(Phase::kSpill);
    status = job->spill->run();
  }
  if (job->done) job->done(status);
  return true;
}

void Spiller::start() {
  thread_ = std::jthread([this](const std::stop_token& stop) {
    name_this_thread("spiller");
    while (!stop.stop_requested()) {
      if (run_once()) continue;
      std::unique_lock lock(signal_->mutex);
      signal_->changed.wait(lock, stop, [this] {
        return std::ranges::any_of(signal_->jobs, [this](const Job& job) {
          return job.spill->needs_durable() <= durability_.durable();
        });
      });
    }
  });
}

void Spiller::stop() {
  if (thread_.joinable()) {
    thread_.request_stop();
    thread_.join();
  }
  std::lock_guard lock(signal_->mutex);
  signal_->jobs.clear();
}

}  // namespace thalweg::internal
