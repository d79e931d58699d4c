#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include <thalweg/schemas/headers.h>
#include <thalweg/schemas/timestamp.h>

namespace thalweg::internal {

/// What an attempt is about; a copy, since the call outlives the record's turn.
template <typename K, typename V>
struct AsyncRequest {
  std::int64_t number = 0;
  std::int32_t attempt = 1;
  K key = {};
  V value = {};
  Headers headers = {};
  Timestamp timestamp = kNoTimestamp;
  std::string idempotency_key = {};
  std::chrono::milliseconds timeout = {};
  std::stop_token stop_token = {};
};

template <typename R>
struct AsyncAnswer {
  std::int64_t number = 0;
  std::int32_t attempt = 0;
  std::optional<R> response = {};  ///< Null: it failed.
  std::string error = {};
  bool is_final = false;  ///< It would fail again.
};

/// Answers on their way from whatever thread makes the calls to the task. Shared by both sides; the
/// task's may go first.
template <typename R>
class AsyncInbox {
 public:
  /// `wakeup` may be called from any thread, and may be empty.
  explicit AsyncInbox(std::function<void()> wakeup) : wakeup_(std::move(wakeup)) {}

  void put(AsyncAnswer<R> answer) {
    {
      const std::lock_guard lock(mutex_);
      answers_.push_back(std::move(answer));
    }
    if (wakeup_) wakeup_();
  }
  std::vector<AsyncAnswer<R>> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(answers_, {});
  }

 private:
  const std::function<void()> wakeup_;
  std::mutex mutex_;
  std::vector<AsyncAnswer<R>> answers_;
};

}  // namespace thalweg::internal
