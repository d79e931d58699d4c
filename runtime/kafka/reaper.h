#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

namespace thalweg::internal {

/// Ends clients in threads of their own, since leaving a group and closing connections may take as
/// long as the brokers let it.
class Reaper {
 public:
  /// Waits for the clients that end, but not for ever: a broker that is gone must not keep the
  /// process.
  void wait() {
    std::unique_lock lock(state_->mutex);
    state_->changed.wait_for(lock, kPatience, [this] { return state_->under_way == 0; });
  }

  void run(std::function<void()> end) {
    {
      std::lock_guard lock(state_->mutex);
      ++state_->under_way;
    }
    std::thread([state = state_, end = std::move(end)]() mutable {
      end();
      end = nullptr;
      std::lock_guard lock(state->mutex);
      --state->under_way;
      state->changed.notify_all();
    }).detach();
  }

 private:
  static constexpr std::chrono::seconds kPatience{5};
  struct State {
    std::mutex mutex;
    std::condition_variable changed;
    int under_way = 0;
  };
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace thalweg::internal
