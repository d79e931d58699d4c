#include "order_watch.h"

#include <utility>

#include "text.h"
#include "topologies.h"

namespace thalweg::shop {
namespace {

constexpr std::chrono::milliseconds kPatience{5'000};
constexpr std::chrono::milliseconds kPause{5};
constexpr std::chrono::milliseconds kPauseForOthers{20};  // Each look may ask other processes.

}  // namespace

HttpResponse payment_answer(const std::string& order_id, const Order& order) {
  if (order.status == OrderStatus::COMPLETED) {
    HttpResponse response;
    JsonWriter(response.body)
        .text("paymentId", order.payment_id)
        .text("status", "COMPLETED")
        .end();
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
    : orders_(orders), thread_([this] { run(); }) {}

OrderWatch::~OrderWatch() { close(); }

void OrderWatch::close() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void OrderWatch::answer_when_decided(std::string order_id, Responder responder) {
  Waiting waiting{std::move(order_id), std::move(responder), now() + kPatience};
  if (try_answer(waiting)) return;
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(waiting));
  }
  changed_.notify_all();
}

void OrderWatch::run() {
  std::unique_lock lock(mutex_);
  while (!closing_) {
    changed_.wait(lock, [this] { return closing_ || !waiting_.empty(); });
    auto waiting = std::exchange(waiting_, {});
    lock.unlock();
    std::erase_if(waiting, [this](Waiting& one) { return try_answer(one); });
    lock.lock();
    for (auto& one : waiting) waiting_.push_back(std::move(one));
    changed_.wait_for(lock, orders_.environment().peers ? kPauseForOthers : kPause,
                      [this] { return closing_; });
  }
}

bool OrderWatch::try_answer(Waiting& waiting) {
  const auto view = orders_.store<std::string, Order>(stores::kOrders);
  if (view) {
    const auto order = view->get(waiting.order_id);
    if (order && *order) {
      auto response = payment_answer(waiting.order_id, (*order)->value);
      if (response.status != 0) {
        auto pending = std::make_shared<std::pair<Responder, HttpResponse>>(
            std::move(waiting.responder), std::move(response));
        orders_.environment().log->durability().when_durable(
            view->last_commit(), [pending] { pending->first.send(std::move(pending->second)); });
        return true;
      }
    }
  }
  if (now() < waiting.until) return false;
  HttpResponse undecided{.status = 202};
  JsonWriter(undecided.body)
      .text("orderId", waiting.order_id)
      .text("status", "PROCESSING")
      .text("message", "The payment is not decided yet.")
      .end();
  waiting.responder.send(std::move(undecided));
  return true;
}

}  // namespace thalweg::shop
