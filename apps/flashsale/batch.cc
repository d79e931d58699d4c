#include "batch.h"

#include <cstdio>
#include <memory>
#include <vector>

#include <boost/asio/steady_timer.hpp>

namespace thalweg::flashsale {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kPause{20};
constexpr std::chrono::seconds kProgressPeriod{2};

class Batch {
 public:
  Batch(boost::asio::io_context& io, HttpClient& client, std::size_t count,
        std::function<std::string(std::size_t)> request,
        std::function<Verdict(std::size_t, const Answer&)> judge, BatchOptions options)
      : io_(io),
        client_(client),
        count_(count),
        request_(std::move(request)),
        judge_(std::move(judge)),
        options_(std::move(options)),
        deadline_(Clock::now() + options_.patience),
        next_progress_(Clock::now() + kProgressPeriod),
        timer_(io) {}

  BatchResult run() {
    tick();
    while (result_.done < count_ && !gave_up_ && Clock::now() < deadline_) {
      fill_window();
      io_.run_one();
    }
    result_.is_complete = result_.done == count_;
    if (result_.is_complete) result_.error.clear();
    if (!result_.is_complete && result_.error.empty()) result_.error = "no answer in time";
    abandon();
    return std::move(result_);
  }

 private:
  void fill_window() {
    while (under_way_ < options_.window && !gave_up_) {
      if (next_ < count_) {
        send(next_++);
      } else {
        return;
      }
    }
  }

  void send(std::size_t index) {
    ++under_way_;
    // An answer that comes after run() has returned finds nobody at home.
    client_.submit(HttpClient::Lane::kCommands, request_(index),
                   [this, alive = std::weak_ptr(alive_), index](const Answer& answer) {
                     if (!alive.expired()) answered(index, answer);
                   });
  }

  void answered(std::size_t index, const Answer& answer) {
    --under_way_;
    const Verdict verdict = judge_(index, answer);
    if (verdict == Verdict::kDone) {
      ++result_.done;
      return;
    }
    result_.error = options_.what + ": " + describe(answer);
    if (verdict == Verdict::kGiveUp) {
      gave_up_ = true;
    } else {
      ++under_way_;  // Keeps its place in the window while it pauses.
      again_.push_back(index);
    }
  }

  void tick() {
    timer_.expires_after(kPause);
    timer_.async_wait([this, alive = std::weak_ptr(alive_)](boost::system::error_code) {
      if (alive.expired()) return;
      for (const std::size_t index : std::exchange(again_, {})) {
        ++result_.repeated;
        --under_way_;
        send(index);
      }
      show_progress();
      tick();
    });
  }

  void show_progress() {
    if (!options_.shows_progress || Clock::now() < next_progress_) return;
    next_progress_ += kProgressPeriod;
    std::fprintf(stderr, "%s: %zu of %zu\n", options_.what.c_str(), result_.done, count_);
  }

  void abandon() {
    alive_.reset();
    timer_.cancel();
  }

  boost::asio::io_context& io_;
  HttpClient& client_;
  const std::size_t count_;
  std::function<std::string(std::size_t)> request_;
  std::function<Verdict(std::size_t, const Answer&)> judge_;
  const BatchOptions options_;
  const Clock::time_point deadline_;
  Clock::time_point next_progress_;
  boost::asio::steady_timer timer_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>();  // Watched by late answers.
  std::vector<std::size_t> again_;
  std::size_t next_ = 0;
  std::size_t under_way_ = 0;
  bool gave_up_ = false;
  BatchResult result_;
};

}  // namespace

BatchResult run_batch(boost::asio::io_context& io, HttpClient& client, std::size_t count,
                      std::function<std::string(std::size_t)> request,
                      std::function<Verdict(std::size_t, const Answer&)> judge,
                      BatchOptions options) {
  Batch batch(io, client, count, std::move(request), std::move(judge), std::move(options));
  return batch.run();
}

Verdict expect_success(const Answer& answer) {
  if (answer.ok()) return Verdict::kDone;
  return answer.status == 0 || answer.status / 100 == 5 ? Verdict::kAgain : Verdict::kGiveUp;
}

std::string describe(const Answer& answer) {
  if (answer.failure != Failure::kNone) return std::string(name_of(answer.failure));
  return "HTTP " + std::to_string(answer.status) + ": " + std::string(answer.body.substr(0, 300));
}

}  // namespace thalweg::flashsale
