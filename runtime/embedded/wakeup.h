#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include <thalweg/runtime/log.h>

namespace thalweg::internal {

/// A user's wake-up function, called without any lock held, and never once close() has returned.
class Wakeup {
 public:
  void set(std::function<void()> wakeup) {
    const std::lock_guard lock(mutex_);
    wakeup_ = wakeup ? std::make_shared<const std::function<void()>>(std::move(wakeup)) : nullptr;
  }

  void call() {
    std::shared_ptr<const std::function<void()>> wakeup;
    {
      const std::lock_guard lock(mutex_);
      if (!wakeup_) return;
      wakeup = wakeup_;
      ++calls_;
      caller_ = std::this_thread::get_id();
    }
    (*wakeup)();
    {
      const std::lock_guard lock(mutex_);
      --calls_;
    }
    idle_.notify_all();
  }

  /// Waits for calls under way, but for one that this very thread is in.
  void close() {
    std::unique_lock lock(mutex_);
    wakeup_ = nullptr;
    idle_.wait(lock, [&] {
      return calls_ == 0 || (calls_ == 1 && caller_ == std::this_thread::get_id());
    });
  }

 private:
  std::mutex mutex_;
  std::condition_variable idle_;
  std::shared_ptr<const std::function<void()>> wakeup_;
  int calls_ = 0;
  std::thread::id caller_;
};

/// What other threads leave for a consumer: events, and word that there are new records.
class ConsumerMailbox {
 public:
  void post(ConsumerEvent event) {
    {
      const std::lock_guard lock(mutex_);
      events_.push_back(std::move(event));
    }
    has_events_.store(true, std::memory_order_release);
  }

  bool take(ConsumerEvent& event) {
    if (!has_events_.load(std::memory_order_acquire)) return false;
    const std::lock_guard lock(mutex_);
    if (events_.empty()) {
      has_events_.store(false, std::memory_order_relaxed);
      return false;
    }
    event = std::move(events_.front());
    events_.pop_front();
    return true;
  }

  /// Drops what the group said to a member that has left since.
  void forget_assignments() {
    const std::lock_guard lock(mutex_);
    std::erase_if(events_, [](const ConsumerEvent& event) {
      return event.kind == ConsumerEvent::Kind::kAssigned ||
             event.kind == ConsumerEvent::Kind::kRevoking;
    });
  }

  /// Marks that records came. True when the consumer has not been told since it last looked.
  bool mark_records() { return !has_records_.exchange(true, std::memory_order_acq_rel); }
  /// Whether records came since the last call.
  bool take_records() {
    return has_records_.load(std::memory_order_relaxed) &&
           has_records_.exchange(false, std::memory_order_acq_rel);
  }

  Wakeup wakeup;

 private:
  std::mutex mutex_;
  std::deque<ConsumerEvent> events_;
  std::atomic<bool> has_events_ = false;
  std::atomic<bool> has_records_ = false;
};

/// Word that `position` is not among the offsets from `begin` up to `end`, which the log holds.
inline ConsumerEvent out_of_range(const TopicPartition& partition, Offset position, Offset begin,
                                  Offset end) {
  std::string message = "offset " + std::to_string(position) + " is not in the log, which holds " +
                        std::to_string(begin) + " to " + std::to_string(end);
  return {.kind = ConsumerEvent::Kind::kOutOfRange,
          .partitions = {partition},
          .error = {ErrorCode::kNotFound, std::move(message)}};
}

/// Consumers to wake once no lock is held.
using Wakeups = std::vector<std::shared_ptr<ConsumerMailbox>>;

inline void wake(Wakeups& wakeups) {
  for (const auto& mailbox : wakeups) mailbox->wakeup.call();
  wakeups.clear();
}

}  // namespace thalweg::internal
