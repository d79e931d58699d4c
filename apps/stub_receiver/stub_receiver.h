#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <thalweg/schemas/error.h>

namespace thalweg::stub_receiver {

/// How the next requests are answered. Each count goes down by one with each request it concerns.
struct Behaviour {
  std::int64_t fail_next = 0;  ///< So many are answered with `fail_status`, without any effect.
  int fail_status = 503;
  /// So many take effect at once, and are answered only after `delay`.
  std::int64_t delay_next = 0;
  std::chrono::milliseconds delay{0};
};

/// What was received under one idempotency key.
struct Received {
  std::string path;
  std::string body;
  std::int64_t requests = 0;  ///< All with this key, those that failed included.
  std::int64_t accepted = 0;  ///< Those answered with 2xx; the first has had the effect.
};

/// What a payment provider has in its books for one order.
struct Charge {
  std::int64_t amount = 0;
  std::int64_t charges = 0;  ///< 1, however often it was asked for.
  bool voided = false;
};

/// A receiver of webhooks and a payment provider, for tests and demonstrations: it can delay, fail
/// and count, and honours idempotency keys.
///
///     POST /webhooks/{any}        any body, Idempotency-Key -> 200 {"received":true}
///     POST /payments              {orderId, userId, amount}, Idempotency-Key -> 200 {paymentId}
///     DELETE /payments/{orderId}  takes the charge back, or makes one that is still to come void
///     PUT  /behaviour             {failNext?, failStatus?, delayNext?, delayMs?}
///     GET  /ledger                {requests, received:[...], payments:[...]}
///
/// Thread-safe.
class StubReceiver {
 public:
  /// `listen`: `address:port`; port 0 takes a free one.
  explicit StubReceiver(std::string listen = "127.0.0.1:0");
  ~StubReceiver();  ///< As stop().

  Status start();
  /// Connections are refused from then on; what was counted stays. Not to be started again.
  void stop();
  std::uint16_t port() const;

  void behave(Behaviour behaviour);
  /// Requests that came for a webhook or a payment.
  std::int64_t requests() const;
  std::map<std::string, Received> received() const;  ///< By idempotency key.
  /// Idempotency keys in the order in which their requests came, repeated ones included.
  std::vector<std::string> arrivals() const;
  std::map<std::string, Charge> charges() const;  ///< By order.

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace thalweg::stub_receiver
