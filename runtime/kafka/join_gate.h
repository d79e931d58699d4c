#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace thalweg::internal {

/// Lets members of one process join a group in one rebalance, where each would cause one of its own
/// and librdkafka joins once a second at most: whoever comes waits for the others that are
/// expected. A broker holds back a rebalance while it knows of members that have asked for an id
/// and not come back with it, so it is with the ids that they wait. Thread-safe.
class JoinGate {
 public:
  /// Another one is about to come.
  void expect() {
    const std::lock_guard lock(mutex_);
    ++expected_;
  }

  /// Returns when all that are expected have come, or false when that takes too long.
  bool come() {
    constexpr std::chrono::milliseconds kLongest(1000);
    std::unique_lock lock(mutex_);
    if (++here_ >= expected_) {
      here_ = expected_ = 0;
      ++opened_;
      changed_.notify_all();
      return true;
    }
    const int before = opened_;
    if (changed_.wait_for(lock, kLongest, [&] { return opened_ != before; })) return true;
    --here_;
    --expected_;
    return false;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int expected_ = 0;
  int here_ = 0;
  int opened_ = 0;  // How often.
};

}  // namespace thalweg::internal
