#include "order_watch.h"

#include <utility>

#include "gateway_context.h"
#include "text.h"
#include "topologies.h"

namespace thalweg::shop {
namespace {

constexpr std::chrono::milliseconds kPause{2};
constexpr std::chrono::milliseconds kPauseForOthers{20};  // Each look may ask other processes.

}  // namespace

HttpResponse payment_answer(const std::string& order_id, const Order& order) {
  if (order.status == OrderStatus::COMPLETED) {
    HttpResponse response;
    JsonWriter(response.body).text("paymentId", order.payment_id).text("status", "COMPLETED").end();
    return response;
  }
  if (order.status != OrderStatus::CANCELLED) return {.status = 0};
  const std::string reason = fb::EnumNameReason(order.reason);
  if (order.reason == Reason::INSUFFICIENT_BALANCE || order.reason == Reason::PAYMENT_FAILED) {
    return problem(402, reason, "the payment of order " + order_id + " was refused: " + reason);
  }
  return problem(409, "order_cancelled", "order " + order_id + " is cancelled: " + reason);
}

OrderWatch::OrderWatch(StreamsApplication& orders)
    : orders_(orders),
      schedule_(orders.environment().peers ? kPauseForOthers : kPause),
      thread_([this] { run(); }) {}

OrderWatch::~OrderWatch() { close(); }

void OrderWatch::close() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void OrderWatch::finish_all() {
  {
    const std::lock_guard lock(mutex_);
    is_over_ = true;
    wakes_at_ = now();
  }
  changed_.notify_all();
}

void OrderWatch::answer_when_decided(std::string order_id, std::chrono::milliseconds patience,
                                     Answer answer, Responder responder) {
  const auto since = now();
  const auto until = since + patience;
  bool is_first = false;
  {
    const std::lock_guard lock(mutex_);
    const auto first = is_over_ ? since : since + schedule_.first();
    const auto look_at = std::min<Clock::Instant>(first, until);
    arrived_.push_back({std::move(order_id), answer, std::move(responder), since, until, look_at});
    is_first = look_at < wakes_at_;
    if (is_first) wakes_at_ = look_at;
  }
  if (is_first) changed_.notify_all();
}

void OrderWatch::run() {
  std::vector<Waiting> waiting;
  std::unique_lock lock(mutex_);
  while (!closing_) {
    wakes_at_ = Clock::Instant::max();
    for (auto& one : std::exchange(arrived_, {})) waiting.push_back(std::move(one));
    for (const auto& one : waiting) wakes_at_ = std::min(wakes_at_, one.look_at);
    if (is_over_ && !waiting.empty()) wakes_at_ = now();
    while (!closing_ && now() < wakes_at_) changed_.wait_until(lock, wakes_at_);
    const bool is_over = is_over_;
    lock.unlock();
    look(waiting, is_over);
    lock.lock();
  }
}

void OrderWatch::look(std::vector<Waiting>& waiting, bool is_over) {
  auto orders = orders_.store<std::string, Order>(stores::kOrders);
  const auto time = now();
  std::erase_if(waiting, [&](Waiting& one) {
    if (!is_over && one.look_at > time) return false;
    if (orders && try_answer(*orders, one, time, is_over || time >= one.until)) return true;
    if (is_over || time >= one.until) {
      one.responder.send(unavailable(
          {ErrorCode::kUnavailable, "order " + one.order_id + " cannot be read at the moment"}));
      return true;
    }
    const std::lock_guard lock(mutex_);
    one.look_at = std::min<Clock::Instant>(time + schedule_.next(time - one.since), one.until);
    return false;
  });
}

bool OrderWatch::try_answer(Orders& orders, Waiting& waiting, Clock::Instant now, bool is_over) {
  const auto order = orders.get(waiting.order_id);
  if (!order || !*order) return false;
  auto response = waiting.answer(waiting.order_id, (*order)->value, is_over);
  if (response.status == 0) return false;
  {
    const std::lock_guard lock(mutex_);
    schedule_.decided(now - waiting.since);
  }
  auto pending = std::make_shared<std::pair<Responder, HttpResponse>>(std::move(waiting.responder),
                                                                      std::move(response));
  orders_.environment().log->durability().when_durable(
      orders.last_commit(), [pending] { pending->first.send(std::move(pending->second)); });
  return true;
}

}  // namespace thalweg::shop
