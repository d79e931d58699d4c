#pragma once

#include <algorithm>
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

/// When to look whether an order is decided: first at half the age at which the latest ones were,
/// then each time its age has grown by a sixth. So what is told is late by a sixth at most, and an
/// order costs half a dozen looks, whether the shop is fast or slow. For one thread.
class LookSchedule {
 public:
  using Duration = std::chrono::nanoseconds;

  /// `shortest` is between two looks.
  explicit LookSchedule(Duration shortest) : shortest_(shortest) {}
  Duration first() const { return std::clamp<Duration>(usual_ / 2, shortest_, kLongest); }
  Duration next(Duration age) const { return std::clamp<Duration>(age / 6, shortest_, kLongest); }
  void decided(Duration age) { usual_ += (age - usual_) / 256; }

 private:
  static constexpr Duration kLongest = std::chrono::milliseconds(200);
  Duration shortest_;
  Duration usual_{0};
};

/// Waits until orders are decided, for requests that asked to wait. Thread-safe; its thread does
/// nothing while nobody waits.
class OrderWatch {
 public:
  /// What is answered: when the order is COMPLETED or CANCELLED and that is durable, or when the
  /// time is over, with the order as it is then. An answer of status 0 means: wait on.
  using Answer = HttpResponse (*)(const std::string& order_id, const Order& order, bool is_over);

  explicit OrderWatch(StreamsApplication& orders);
  ~OrderWatch();  ///< As close().

  /// The order exists already.
  void answer_when_decided(std::string order_id, std::chrono::milliseconds patience, Answer answer,
                           Responder responder);
  /// Answers all who wait, and whoever asks from now on, with the order as it is.
  void finish_all();
  void close();

 private:
  struct Waiting {
    std::string order_id;
    Answer answer;
    Responder responder;
    Clock::Instant since;
    Clock::Instant until;
    Clock::Instant look_at;
  };
  using Orders = ReadOnlyKeyValueStore<std::string, Order>;
  void run();
  /// Answers those that are due and can be answered; with `is_over` all.
  void look(std::vector<Waiting>& waiting, bool is_over);
  bool try_answer(Orders& orders, Waiting& waiting, Clock::Instant now, bool is_over);
  Clock::Instant now() const { return orders_.environment().clock->now(); }

  StreamsApplication& orders_;
  std::mutex mutex_;  // Guards what follows, but for the thread.
  std::condition_variable changed_;
  std::vector<Waiting> arrived_;  // Not known to the thread yet.
  Clock::Instant wakes_at_;       // When the thread looks next.
  LookSchedule schedule_;
  bool is_over_ = false;  // Nobody waits any longer.
  bool closing_ = false;
  std::thread thread_;  // Last, as it uses the others.
};

}  // namespace thalweg::shop
