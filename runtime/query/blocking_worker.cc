#include "query/blocking_worker.h"

#include <spdlog/spdlog.h>

namespace thalweg::internal {

namespace {

constexpr std::size_t kJobsMax = 64;

}  // namespace

BlockingWorker::BlockingWorker() : thread_([this] { run(); }) {}

BlockingWorker::~BlockingWorker() { close(); }

bool BlockingWorker::post(std::move_only_function<void()> job) {
  const std::lock_guard lock(mutex_);
  if (closing_ || jobs_.size() >= kJobsMax) return false;
  jobs_.push_back(std::move(job));
  changed_.notify_one();
  return true;
}

void BlockingWorker::close() {
  std::deque<std::move_only_function<void()>> dropped;
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
    dropped.swap(jobs_);
    changed_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

bool BlockingWorker::closing() const {
  const std::lock_guard lock(mutex_);
  return closing_;
}

void BlockingWorker::run() {
  for (;;) {
    std::move_only_function<void()> job;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return closing_ || !jobs_.empty(); });
      if (closing_) return;
      job = std::move(jobs_.front());
      jobs_.pop_front();
    }
    try {
      job();
    } catch (const std::exception& error) {
      spdlog::error("queries: {}", error.what());
    }
  }
}

}  // namespace thalweg::internal
