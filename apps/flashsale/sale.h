#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/steady_timer.hpp>

#include "latency.h"
#include "poll_schedule.h"
#include "shop.h"

namespace thalweg::flashsale {

struct SaleOptions {
  double rate = 1000;    ///< Orders per second offered, whatever comes back.
  bool retries = false;  ///< One more attempt, same key, after no answer or a 5xx.
  std::chrono::milliseconds retry_pause{1000};  ///< Before it; at most a second.
  double side_rate = 2;  ///< Restocks and deposits per second, each repeated until answered.
  PollSchedule polls{};
  std::chrono::milliseconds drain{90'000};  ///< How long to wait for the last orders to finish.
  bool shows_progress = true;
};

struct SaleResult {
  std::uint64_t offered = 0;
  std::uint64_t accepted = 0;  ///< 202 within the attempts allowed.
  std::uint64_t settled = 0;   ///< 202 only when asked once more after the load.
  std::uint64_t refused = 0;   ///< Any other answer that is final.
  std::uint64_t retries = 0;
  std::uint64_t completed = 0;
  std::uint64_t cancelled = 0;
  std::uint64_t unfinished = 0;
  std::uint64_t polls = 0;
  std::uint64_t poll_errors = 0;
  std::uint64_t side_commands = 0;
  std::uint64_t not_found = 0;                    ///< GET said 404 of an order that had its 202.
  std::map<int, std::uint64_t> statuses;          ///< Answers to POST /orders by code.
  std::map<std::string, std::uint64_t> failures;  ///< POST /orders without an answer, by kind.
  std::map<std::string, std::uint64_t> reasons;   ///< Why orders were cancelled.
  Latency accept;                                 ///< Intended send to 202.
  Latency completion;       ///< Intended send to the GET that said COMPLETED or CANCELLED.
  double load_seconds = 0;  ///< From the first intended send to the last answer to an order.
  std::vector<Observed::Order> orders;  ///< As last read, in the ledger's numbering.
};

/// An open-loop sale: order i is due at start + i / rate, and its latencies count from then,
/// however late it was really sent. A slow shop shows in the numbers instead of slowing the clock.
///
/// run() belongs to one thread; stop(), waiting() and answered() may be used from others.
class Sale {
 public:
  Sale(const Shop& shop, const OrderPlan& plan, const Names& names, Journal& journal,
       SaleOptions options);

  /// Offers every order of the plan, then waits until all that was accepted is finished and all
  /// that was not answered is settled, for at most `drain`.
  SaleResult run();

  /// Offers no further orders; run() goes on to wait for those under way.
  void stop() { stops_.store(true, std::memory_order_relaxed); }
  /// Orders offered and not answered yet.
  std::uint64_t waiting() const { return waiting_.load(std::memory_order_relaxed); }
  /// Orders answered so far, with whatever.
  std::uint64_t answered() const { return offered_.load(std::memory_order_relaxed) - waiting(); }

 private:
  using Clock = std::chrono::steady_clock;
  enum class Phase : std::uint8_t { kOffered, kRetried, kSettling, kAccepted, kFinished, kRefused };
  struct Tracked {
    Phase phase = Phase::kOffered;
    std::string id;
    std::uint32_t ledger_index = 0;
    Clock::time_point accepted_at;
  };
  // What a slot of the timer wheel holds: the next thing to do for one order or side command.
  struct Due {
    enum class What : std::uint8_t { kPoll, kSend, kSide } what;
    std::uint64_t index;
  };

  Clock::time_point intended(std::uint64_t index) const;
  void tick();
  void work(Clock::time_point now);
  void turn_wheel(Clock::time_point now);
  void later(std::chrono::milliseconds delay, Due due);
  bool is_over(Clock::time_point now) const;

  void send_order(std::uint64_t index);
  void order_answered(std::uint64_t index, const Answer& answer);
  void order_accepted(std::uint64_t index, const std::string& id);
  void order_failed(std::uint64_t index);
  void poll(std::uint64_t index);
  void polled(std::uint64_t index, const Answer& answer);
  void finished(std::uint64_t index, const Answer& answer);
  void send_side(std::uint64_t index);
  Ledger::Unresolved side_command(std::uint64_t index) const;
  void show_progress(Clock::time_point now);
  void note_unresolved();

  const Shop shop_;
  const OrderPlan& plan_;
  const Names& names_;
  Journal& journal_;
  SaleOptions options_;
  std::chrono::nanoseconds gap_;       // Between two orders.
  std::chrono::nanoseconds side_gap_;  // Between two side commands.
  boost::asio::steady_timer timer_;
  std::shared_ptr<void> alive_ = std::make_shared<int>();  // Until run() returns.
  std::vector<Tracked> orders_;
  std::vector<std::vector<Due>> wheel_;  // One slot a millisecond.
  std::uint64_t wheel_at_ = 0;           // Milliseconds since start_ already turned.
  std::uint64_t next_ = 0;
  std::uint64_t next_side_ = 0;
  std::map<std::uint64_t, Ledger::Unresolved> open_sides_;
  std::uint64_t open_ = 0;  // Orders offered and neither finished nor refused.
  Clock::time_point start_;
  Clock::time_point last_answer_;
  Clock::time_point load_ended_;  // When the last order was offered.
  Clock::time_point next_progress_;
  bool is_loading_ = true;
  std::atomic<bool> stops_{false};
  std::atomic<std::uint64_t> waiting_{0};
  std::atomic<std::uint64_t> offered_{0};
  SaleResult result_;
};

}  // namespace thalweg::flashsale
