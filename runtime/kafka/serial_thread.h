#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace thalweg::internal {

/// A thread that does one thing after another: the calls of librdkafka that block.
class SerialThread {
 public:
  /// With `idle`, the thread calls that while there is nothing to do; `interrupt`, called from any
  /// thread, makes it return.
  explicit SerialThread(std::function<void()> idle = {}, std::function<void()> interrupt = {})
      : idle_(std::move(idle)), interrupt_(std::move(interrupt)), thread_([this] { run(); }) {}
  ~SerialThread() { stop(); }

  void post(std::function<void()> task) {
    {
      std::lock_guard lock(mutex_);
      tasks_.push_back(std::move(task));
    }
    changed_.notify_one();
    if (interrupt_) interrupt_();
  }

  /// Finishes what is under way, drops what is not and joins the thread.
  void stop() {
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
      tasks_.clear();
    }
    changed_.notify_one();
    if (interrupt_) interrupt_();
    if (thread_.joinable()) thread_.join();
  }

 private:
  void run() {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
      if (!tasks_.empty()) {
        auto task = std::move(tasks_.front());
        tasks_.pop_front();
        lock.unlock();
        task();
        task = nullptr;
        lock.lock();
      } else if (idle_) {
        lock.unlock();
        idle_();
        lock.lock();
      } else {
        changed_.wait(lock, [this] { return stopping_ || !tasks_.empty(); });
      }
    }
  }

  std::function<void()> idle_;
  std::function<void()> interrupt_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> tasks_;
  bool stopping_ = false;
  std::thread thread_;  // Last, as it uses the others.
};

}  // namespace thalweg::internal
