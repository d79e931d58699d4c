#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <thalweg/runtime/clock.h>
#include <thalweg/runtime/http_server.h>
#include <thalweg/runtime/streams_application.h>

#include "model.h"

namespace thalweg::shop {

/// The answer of `POST /orders/{id}/pay` for an order in that state; status 0 while it is
/// undecided.
HttpResponse payment_answer(const std::string& order_id, const Order& order);

/// Waits for the outcome of payments, for requests that asked to wait. Thread-safe; its thread does
/// nothing while nobody waits.
class OrderWatch {
 public:
  explicit OrderWatch(StreamsApplication& orders);
  ~OrderWatch();  ///< As close().

  /// Answers once the order is COMPLETED or CANCELLED and that is durable; with 202 if that takes
  /// longer than five seconds.
  void answer_when_decided(std::string order_id, Responder responder);
  void close();

 private:
  struct Waiting {
    std::string order_id;
    Responder responder;
    Clock::Instant until;
  };
  void run();
  bool try_answer(Waiting& waiting);
  Clock::Instant now() const { return orders_.environment().clock->now(); }

  StreamsApplication& orders_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Waiting> waiting_;
  bool closing_ = false;
  std::thread thread_;  // Last, as it uses the others.
};

}  // namespace thalweg::shop
