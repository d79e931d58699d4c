#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include <thalweg/runtime/http_server.h>
#include <thalweg/runtime/streams_application.h>

namespace thalweg::shop {

/// Holds requests while the application is getting or restoring its tasks, as after a crash, and
/// lets them go on when it runs: a customer sees a slow answer, not a refused one. Thread-safe.
class ReadyGate {
 public:
  using Work = std::move_only_function<void(Responder)>;

  /// Follows the states of `application`, which is not started yet. Both must outlive close().
  static std::shared_ptr<ReadyGate> of(HttpServer& server, StreamsApplication& application);

  bool is_open() const { return is_open_.load(std::memory_order_acquire); }
  /// Runs `work` on a thread of the server once the application runs, or answers 503: after ten
  /// seconds, when too many wait already, or when the application has failed.
  void hold(Responder responder, Work work);
  /// Answers all that wait, and holds no more.
  void close();

 private:
  struct Held {
    Responder responder;
    Work work;
    Clock::Instant until;
  };

  ReadyGate(HttpServer& server, const Clock& clock) : server_(server), clock_(clock) {}
  void changed(StreamsApplication::State state);
  void refuse(std::vector<Held> held);

  HttpServer& server_;
  const Clock& clock_;
  std::atomic<bool> is_open_ = false;
  std::mutex mutex_;  // Guards the two below.
  std::vector<Held> held_;
  bool is_over_ = false;
};

}  // namespace thalweg::shop
