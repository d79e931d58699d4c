#include "embedded/log_durability.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "this_thread.h"

namespace thalweg::internal {

namespace {

constexpr std::chrono::milliseconds kRetryFirst{20};
constexpr std::chrono::milliseconds kRetryMax{1'000};

}  // namespace

void LogDurability::when_durable(CommitSequence commit, std::function<void()> done) {
  if (commit > durable()) {
    const std::lock_guard lock(mutex_);
    // Asked again under the lock: the sync that covers it may just have run its callbacks.
    if (commit > durable()) {
      waiting_.emplace(commit, std::move(done));
      return;
    }
  }
  done();
}

void LogDurability::publish(CommitSequence commit) {
  {
    const std::lock_guard lock(mutex_);
    visible_.store(commit, std::memory_order_release);
  }
  due_.notify_one();
}

bool LogDurability::step() {
  {
    const std::lock_guard syncing(sync_mutex_);
    const CommitSequence target = visible();
    if (target <= durable()) return false;
    Status status = journal_.sync();
    const std::lock_guard lock(mutex_);
    failed_.store(!status, std::memory_order_release);
    status_ = std::move(status);
    if (!status_) return true;
    durable_.store(target, std::memory_order_release);
  }
  run_callbacks();
  return true;
}

void LogDurability::run_callbacks() {
  std::vector<std::function<void()>> due;
  {
    const std::lock_guard lock(mutex_);
    const auto end = waiting_.upper_bound(durable());
    for (auto entry = waiting_.begin(); entry != end; ++entry) {
      due.push_back(std::move(entry->second));
    }
    waiting_.erase(waiting_.begin(), end);
  }
  for (const auto& done : due) done();
}

Status LogDurability::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

void LogDurability::start() {
  thread_ = std::thread([this] { run(); });
}

void LogDurability::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  due_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void LogDurability::run() {
  name_this_thread("log-sync");
  auto retry = kRetryFirst;
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      due_.wait(lock, [this] { return stopping_ || visible() > durable(); });
      if (stopping_) return;
    }
    step();
    if (!failed()) {
      retry = kRetryFirst;
      continue;
    }
    std::unique_lock lock(mutex_);
    if (due_.wait_for(lock, retry, [this] { return stopping_; })) return;
    retry = std::min(retry * 2, kRetryMax);
  }
}

}  // namespace thalweg::internal
