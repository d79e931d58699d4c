#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>

#include <thalweg/schemas/headers.h>
#include <thalweg/topology/async_options.h>
#include <thalweg/topology/internal/async_inbox.h>

// What a function given to KStream::map_async() gets, and what goes on downstream.

namespace thalweg {

/// What happened to a record.
enum class AsyncStep : std::uint8_t {
  kStarted,    ///< An attempt is about to be made.
  kCompleted,  ///< It succeeded.
  kRetrying,   ///< It failed, and another one will follow.
  kGivenUp,    ///< It failed, and no other will follow.
};

/// One step of a record on its way: what map_async() sends downstream, with the record's key,
/// timestamp and headers.
template <typename V, typename R>
struct AsyncOutcome {
  AsyncStep step = AsyncStep::kStarted;
  V value = {};                      ///< The record's.
  std::optional<R> response = {};    ///< Of kCompleted.
  std::string error = {};            ///< Why the attempt failed.
  bool refused = false;              ///< Of kGivenUp: by refuse(), whatever attempts were left.
  std::int32_t attempt = 1;          ///< The number of the attempt, from 1 on.
  Timestamp at = kNoTimestamp;       ///< When it happened, by the application's clock.
  std::optional<Timestamp> next_attempt = {};  ///< Of kRetrying.
};

/// One attempt: what to send, and where the answer goes. Movable, owned by whoever makes the call.
///
/// succeed(), fail() or refuse() ends it, from any thread; what comes after the first is ignored,
/// and so is what comes after the timeout. One that is destroyed without an answer has failed.
template <typename K, typename V, typename R>
class AsyncCall {
 public:
  using Response = R;

  const K& key() const { return request_.key; }
  const V& value() const { return request_.value; }
  const Headers& headers() const { return request_.headers; }
  Timestamp timestamp() const { return request_.timestamp; }
  /// The same for each attempt for this record, of no other record ever.
  const std::string& idempotency_key() const { return request_.idempotency_key; }
  std::int32_t attempt() const { return request_.attempt; }
  /// From the moment in which the function was called.
  std::chrono::milliseconds timeout() const { return request_.timeout; }
  /// Stops when nobody waits for the answer any more.
  const std::stop_token& stop_token() const { return request_.stop_token; }

  void succeed(R response) { answer({.response = std::move(response)}); }
  /// To be tried again, if any retries are left.
  void fail(std::string error) { answer({.error = std::move(error)}); }
  /// Not to be tried again: it would fail the same way.
  void refuse(std::string error) { answer({.error = std::move(error), .is_final = true}); }

  AsyncCall(AsyncCall&& other) noexcept = default;
  AsyncCall& operator=(AsyncCall&& other) noexcept {
    if (this == &other) return *this;
    give_up();
    request_ = std::move(other.request_);
    inbox_ = std::move(other.inbox_);
    return *this;
  }
  ~AsyncCall() { give_up(); }

  /// Made by map_async(), and by tests of functions given to it.
  AsyncCall(internal::AsyncRequest<K, V> request, std::shared_ptr<internal::AsyncInbox<R>> inbox)
      : request_(std::move(request)), inbox_(std::move(inbox)) {}

 private:
  void give_up() {
    if (inbox_) fail("the call was given up without an answer");
  }
  void answer(internal::AsyncAnswer<R> answer) {
    const auto inbox = std::exchange(inbox_, nullptr);
    if (!inbox) return;
    answer.number = request_.number;
    answer.attempt = request_.attempt;
    inbox->put(std::move(answer));
  }

  internal::AsyncRequest<K, V> request_;
  std::shared_ptr<internal::AsyncInbox<R>> inbox_;  // Null: answered.
};

}  // namespace thalweg
