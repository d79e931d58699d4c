#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include <thalweg/runtime/http_server.h>
#include <thalweg/runtime/streams_application.h>

namespace thalweg::shop {

/// Holds requests until the application first runs and has caught up, as after a crash, and then
/// stays open: a customer sees a slow answer, not a refused one, and never a state older than an
/// answer given before. (What is answered is durable as a command; what a crash takes back of its
/// processing, or comes before it, is done from the durable command, and until then nobody looks.)
/// Thread-safe.
class ReadyGate : public std::enable_shared_from_this<ReadyGate> {
 public:
  using Work = std::move_only_function<void(Responder)>;

  /// Follows the states of `application`, which is not started yet. Both must outlive close().
  static std::shared_ptr<ReadyGate> of(HttpServer& server, StreamsApplication& application);

  bool is_open() const { return is_open_.load(std::memory_order_acquire); }
  /// Runs `work` on a thread of the server once the gate opens, or answers 503: after ten seconds,
  /// when too many wait already, or when the application has failed.
  void hold(Responder responder, Work work);
  /// Answers all that wait, and holds no more.
  void close();

 private:
  struct Held {
    Responder responder;
    Work work;
    Clock::Instant until;
  };
  struct CatchUp;

  ReadyGate(HttpServer& server, StreamsApplication& application)
      : server_(server), application_(application) {}
  void changed(StreamsApplication::State state);
  /// Opens once everything is processed that was in the application's inputs now.
  void catch_up(std::uint64_t round);
  void open(std::uint64_t round);
  void shut(bool for_good);

  HttpServer& server_;
  StreamsApplication& application_;
  std::atomic<bool> is_open_ = false;
  std::mutex mutex_;  // Guards those below.
  std::deque<Held> held_;  // The oldest first.
  std::uint64_t round_ = 0;  // Of getting ready: what an earlier one waited for no longer counts.
  bool is_over_ = false;
};

}  // namespace thalweg::shop
