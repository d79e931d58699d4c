#include "stub_receiver.h"

#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include <boost/json.hpp>

#include <thalweg/runtime/http_server.h>
#include <thalweg/runtime/json_text.h>

namespace thalweg::stub_receiver {
namespace {

namespace json = boost::json;
using Clock = std::chrono::steady_clock;

HttpResponse answer(int status, const json::object& body) {
  return {.status = status, .body = json::serialize(body)};
}

/// The integer member `name`, if it is there and one.
std::optional<std::int64_t> integer(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  if (!value || !value->is_int64()) return std::nullopt;
  return value->as_int64();
}

/// Sends answers when their time has come.
class DelayedAnswers {
 public:
  ~DelayedAnswers() { stop(); }

  void add(std::chrono::milliseconds after, Responder responder, HttpResponse response) {
    const std::lock_guard lock(mutex_);
    waiting_.emplace(Clock::now() + after, std::pair(std::move(responder), std::move(response)));
    if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
    changed_.notify_one();
  }
  void stop() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
      changed_.notify_one();
    }
    if (thread_.joinable()) thread_.join();
  }

 private:
  void run() {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
      if (waiting_.empty()) {
        changed_.wait(lock);
        continue;
      }
      const auto due = waiting_.begin()->first;
      if (Clock::now() < due) {
        changed_.wait_until(lock, due);
        continue;
      }
      auto [responder, response] = std::move(waiting_.begin()->second);
      waiting_.erase(waiting_.begin());
      lock.unlock();
      responder.send(std::move(response));
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::multimap<Clock::time_point, std::pair<Responder, HttpResponse>> waiting_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace

class StubReceiver::Impl {
 public:
  explicit Impl(std::string listen)
      : server_({.listen = std::move(listen), .limits = {.connections = 4096}}) {
    route("POST", "/webhooks/{event}", [this](HttpRequest&) {
      return answer(200, {{"received", true}});
    });
    route("POST", "/payments", [this](HttpRequest& request) { return charge(request.body()); });
    route("DELETE", "/payments/{order}", [this](HttpRequest& request) {
      charges_[std::string(request.param("order"))].voided = true;
      return answer(200, {{"voided", true}});
    });
    server_.route("PUT", "/behaviour", [this](HttpRequest& request, Responder responder) {
      responder.send(behave_as(request.body()));
    });
    server_.route("GET", "/ledger", [this](HttpRequest&, Responder responder) {
      responder.send(ledger());
    });
  }

  HttpServer& server() { return server_; }
  void stop() {
    server_.stop(std::chrono::milliseconds(0));
    delayed_.stop();
  }

  // Guards the rest.
  mutable std::mutex mutex_;
  Behaviour behaviour_;
  std::int64_t requests_ = 0;
  std::map<std::string, Received> received_;
  std::vector<std::string> arrivals_;
  std::map<std::string, Charge> charges_;

 private:
  template <typename Effect>
  void route(std::string_view method, std::string_view pattern, Effect effect) {
    server_.route(method, pattern, [this, effect](HttpRequest& request, Responder responder) {
      std::unique_lock lock(mutex_);
      Received& entry = count(request);
      if (behaviour_.fail_next > 0) {
        --behaviour_.fail_next;
        const int status = behaviour_.fail_status;
        lock.unlock();
        return responder.send(answer(status, {{"error", "asked to fail"}}));
      }
      HttpResponse response = effect(request);
      if (response.status / 100 == 2) ++entry.accepted;
      if (behaviour_.delay_next == 0) {
        lock.unlock();
        return responder.send(std::move(response));
      }
      --behaviour_.delay_next;
      delayed_.add(behaviour_.delay, std::move(responder), std::move(response));
    });
  }

  Received& count(const HttpRequest& request) {
    ++requests_;
    std::string key(request.header("Idempotency-Key").value_or("none"));
    arrivals_.push_back(key);
    Received& entry = received_[std::move(key)];
    ++entry.requests;
    entry.path = request.path();
    entry.body = request.body();
    return entry;
  }

  HttpResponse charge(const std::string& body) {
    const auto value = parse_json(body);
    const auto* object = value ? value->if_object() : nullptr;
    const auto* order = object ? object->if_contains("orderId") : nullptr;
    const auto amount = object ? integer(*object, "amount") : std::nullopt;
    if (!order || !order->is_string() || !amount) {
      return answer(400, {{"error", "orderId and amount are needed"}});
    }
    const std::string id(order->as_string());
    Charge& charge = charges_[id];
    if (charge.voided) return answer(409, {{"error", "this payment is void"}});
    charge.amount = *amount;
    charge.charges = 1;
    return answer(200, {{"paymentId", "provider-" + id}});
  }

  HttpResponse behave_as(const std::string& body) {
    const auto value = parse_json(body);
    const auto* object = value ? value->if_object() : nullptr;
    if (!object) return problem(400, "bad-request", "the body is not a JSON object");
    const std::lock_guard lock(mutex_);
    behaviour_.fail_next = integer(*object, "failNext").value_or(0);
    behaviour_.fail_status = static_cast<int>(integer(*object, "failStatus").value_or(503));
    behaviour_.delay_next = integer(*object, "delayNext").value_or(0);
    behaviour_.delay = std::chrono::milliseconds(integer(*object, "delayMs").value_or(0));
    return answer(200, {{"ok", true}});
  }

  HttpResponse ledger() {
    const std::lock_guard lock(mutex_);
    json::array received;
    for (const auto& [key, entry] : received_) {
      received.push_back({{"key", key},
                          {"path", entry.path},
                          {"body", entry.body},
                          {"requests", entry.requests},
                          {"accepted", entry.accepted}});
    }
    json::array payments;
    for (const auto& [order, charge] : charges_) {
      payments.push_back({{"orderId", order},
                          {"amount", charge.amount},
                          {"charges", charge.charges},
                          {"voided", charge.voided}});
    }
    return answer(200, {{"requests", requests_},
                        {"received", std::move(received)},
                        {"payments", std::move(payments)}});
  }

  DelayedAnswers delayed_;
  HttpServer server_;
};

StubReceiver::StubReceiver(std::string listen) : impl_(std::make_unique<Impl>(std::move(listen))) {}

StubReceiver::~StubReceiver() { stop(); }

Status StubReceiver::start() { return impl_->server().start(); }

void StubReceiver::stop() { impl_->stop(); }

std::uint16_t StubReceiver::port() const { return impl_->server().port(); }

void StubReceiver::behave(Behaviour behaviour) {
  const std::lock_guard lock(impl_->mutex_);
  impl_->behaviour_ = behaviour;
}

std::int64_t StubReceiver::requests() const {
  const std::lock_guard lock(impl_->mutex_);
  return impl_->requests_;
}

std::map<std::string, Received> StubReceiver::received() const {
  const std::lock_guard lock(impl_->mutex_);
  return impl_->received_;
}

std::vector<std::string> StubReceiver::arrivals() const {
  const std::lock_guard lock(impl_->mutex_);
  return impl_->arrivals_;
}

std::map<std::string, Charge> StubReceiver::charges() const {
  const std::lock_guard lock(impl_->mutex_);
  return impl_->charges_;
}

}  // namespace thalweg::stub_receiver
