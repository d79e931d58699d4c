#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <utility>

namespace thalweg::internal {

/// Lets members of one process join a group in one rebalance, where each would cause one of its own
/// and librdkafka joins once a second at most: whoever comes waits for the others that are
/// expected. A broker holds back a rebalance while it knows of members that have asked for an id
/// and not come back with it, so it is with the ids that they wait. Thread-safe.
class JoinGate {
 public:
  /// Another one is about to come. Returns how many are waited for, it included.
  int expect() {
    const std::lock_guard lock(mutex_);
    return ++expected_;
  }

  /// Returns when all that are expected have come and nobody holds the gate, or false when that
  /// takes too long. Who has come says by left() that its request is on its way.
  bool come() {
    std::unique_lock lock(mutex_);
    const int before = opened_;
    ++here_;
    open_if_all_are_here();
    if (changed_.wait_for(lock, kLongest, [&] { return opened_ != before; })) return true;
    expected_ = --here_;  // Who is not here by now has gone elsewhere.
    return false;
  }
  void left() {
    const std::lock_guard lock(mutex_);
    if (leaving_ > 0 && --leaving_ == 0) changed_.notify_all();
  }

  /// Keeps a gate shut as long as it lives, and until all who came have left then, or that takes
  /// too long. One at a time.
  class Hold {
   public:
    explicit Hold(std::shared_ptr<JoinGate> gate) : gate_(std::move(gate)) {
      const std::lock_guard lock(gate_->mutex_);
      gate_->is_held_ = true;
    }
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;
    ~Hold() {
      std::unique_lock lock(gate_->mutex_);
      gate_->is_held_ = false;
      gate_->open_if_all_are_here();
      gate_->changed_.wait_for(lock, kLongest,
                               [this] { return gate_->here_ == 0 && gate_->leaving_ == 0; });
    }

   private:
    const std::shared_ptr<JoinGate> gate_;
  };

 private:
  static constexpr std::chrono::milliseconds kLongest{1000};

  void open_if_all_are_here() {
    if (is_held_ || here_ < expected_ || here_ == 0) return;
    leaving_ = here_;
    here_ = expected_ = 0;
    ++opened_;
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_held_ = false;
  int expected_ = 0;
  int here_ = 0;
  int leaving_ = 0;
  int opened_ = 0;  // How often.
};

}  // namespace thalweg::internal
