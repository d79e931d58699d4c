#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include <thalweg/schemas/headers.h>
#include <thalweg/topology/async_options.h>
#include <thalweg/topology/internal/async_inbox.h>
#include <thalweg/topology/kstream.h>

// Calls to the outside, made by KStream::map_async():
//
//     payments.map_async<Receipt>(
//                 [client](AsyncCall<std::string, Payment, Receipt> call) {
//                   client->post(std::move(call));  // Returns at once; answers later.
//                 },
//                 {.name = "charge", .store = "charges", .max_in_flight = 32, .timeout = 5s})
//         .filter(is_completed)
//         ...
//
// What holds:
//
// - Effects in the log happen exactly once. A record is written to a store, the *outbox*, in the
//   transaction that commits its offset, and leaves it in the one that has what follows from the
//   answer.
// - Calls happen at least once. An attempt starts after the commit that says so has become durable;
//   after a crash, or when the task has moved, those that were under way are made again, with the
//   same number and idempotency key. An attempt that took too long may still arrive, too.
// - Order: records of one key are called for one after the other, in their order; the next one when
//   all attempts of the one before are over. Records without a key, and those of different keys,
//   wait for nobody. Keys are compared within a task: repartition() first if the key has changed.
// - Retries follow a schedule that is kept in the outbox and survives restarts.
// - The topology is never held up: records that have to wait do so in the outbox, which is a store
//   like any other and grows on disk.
// - At a clean close, no new calls start, and those under way are waited for, at most for the
//   timeout; so their answers are not lost.

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

#include <thalweg/topology/internal/map_async_dsl.h>
