#pragma once

#include <mutex>
#include <shared_mutex>

namespace thalweg::internal {

/// A shared mutex whose writer waits only for readers that came before it: the one of glibc lets a
/// steady stream of readers starve a writer for ever.
class FairSharedMutex {
 public:
  void lock() {
    std::lock_guard turn(turnstile_);
    mutex_.lock();
  }
  void unlock() { mutex_.unlock(); }
  void lock_shared() {
    std::lock_guard turn(turnstile_);
    mutex_.lock_shared();
  }
  void unlock_shared() { mutex_.unlock_shared(); }

 private:
  std::mutex turnstile_;
  std::shared_mutex mutex_;
};

}  // namespace thalweg::internal
