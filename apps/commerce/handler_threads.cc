#include "handler_threads.h"

#include <exception>
#include <utility>

#include <spdlog/spdlog.h>

namespace thalweg::shop {
namespace {

constexpr std::size_t kMostWaiting = 20'000;
constexpr std::size_t kMostWaitingOfOne = 200;  // Twice the subscriptions that it may have.

}  // namespace

HandlerThreads::HandlerThreads(int threads) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { serve(); });
}

HandlerThreads::~HandlerThreads() { close(); }

bool HandlerThreads::run(Work work) {
  {
    const std::lock_guard lock(mutex_);
    if (closing_ || waiting_.size() >= kMostWaiting) return false;
    waiting_.push_back(std::move(work));
  }
  changed_.notify_one();
  return true;
}

void HandlerThreads::close() {
  std::deque<Work> dropped;
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
    dropped.swap(waiting_);
  }
  changed_.notify_all();
  for (auto& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void HandlerThreads::serve() {
  for (;;) {
    Work work;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return closing_ || !waiting_.empty(); });
      if (closing_) return;
      work = std::move(waiting_.front());
      waiting_.pop_front();
    }
    try {
      work();
    } catch (const std::exception& error) {
      spdlog::error("a request failed: {}", error.what());
    }
  }
}

void InOrder::add(Work work) {
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(work));
    if (std::exchange(busy_, true)) return;
  }
  begin();
}

bool InOrder::try_add(Work work) {
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() >= kMostWaitingOfOne) return false;
  }
  add(std::move(work));
  return true;
}

void InOrder::begin() {
  if (run_([self = shared_from_this()] { self->next(); })) return;
  const std::lock_guard lock(mutex_);
  waiting_.clear();
  busy_ = false;
}

void InOrder::next() {
  Work work;
  {
    const std::lock_guard lock(mutex_);
    work = std::move(waiting_.front());
    waiting_.pop_front();
  }
  try {
    work();
  } catch (const std::exception& error) {
    spdlog::error("a message failed: {}", error.what());
  }
  {
    const std::lock_guard lock(mutex_);
    busy_ = !waiting_.empty();
    if (!busy_) return;
  }
  begin();
}

}  // namespace thalweg::shop
