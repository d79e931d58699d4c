#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace thalweg::internal {

/// One thread for what may wait for a log's answer, which a server's thread must not. Thread-safe.
class BlockingWorker {
 public:
  BlockingWorker();
  ~BlockingWorker();  ///< As close().

  /// False when too much is waiting already, or the worker is closed; the job is then dropped.
  bool post(std::move_only_function<void()> job);
  /// Ends after the job in hand; others are dropped.
  void close();
  bool closing() const;

 private:
  void run();

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::move_only_function<void()>> jobs_;
  bool closing_ = false;
  std::thread thread_;  // Last, as it uses the others.
};

}  // namespace thalweg::internal
