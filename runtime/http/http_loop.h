#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <thalweg/runtime/clock.h>
#include <thalweg/runtime/metrics.h>

#include "http/http_router.h"

namespace thalweg::internal {

namespace asio = boost::asio;

class HttpConnection;

/// What all threads of one server share; outlives it as long as a Responder is kept.
struct HttpShared {
  HttpServerOptions options;
  HttpRouter router;
  std::atomic<std::size_t> connections = 0;
};

/// An answer, or a piece of one, on its way to the thread of its connection; or (kCall) work for
/// any thread.
struct HttpMail {
  enum class Kind : std::uint8_t {
    kAnswer,
    kExpire,
    kStream,
    kUpgrade,
    kPiece,
    kFinish,
    kBreak,
    kCall
  };
  std::shared_ptr<HttpConnection> connection = {};
  std::uint64_t request = 0;
  Kind kind = Kind::kAnswer;
  HttpResponse response = {};
  ResponseStream::Ready ready = {};
  std::chrono::milliseconds after{0};  ///< Of kExpire.
  std::function<void(std::string_view)> on_bytes = {};  ///< Of kUpgrade.
};

/// One thread of a server with the connections it owns; they are touched by no other.
///
/// Answers come in bursts (all that one sync made durable), so they are handed over in a mailbox
/// that wakes the thread once per burst. Deadlines are kept by one tick that looks at all
/// connections, not by a timer for each.
class HttpLoop : public std::enable_shared_from_this<HttpLoop> {
 public:
  explicit HttpLoop(std::shared_ptr<HttpShared> shared);
  ~HttpLoop();

  /// `number` tells the threads of a server apart in `metrics`, which may be null.
  void start(int number, MetricsRegistry* metrics);
  /// Closes connections with nothing to answer, and at `deadline` all of them; then the thread
  /// ends.
  void begin_stop(Clock::Instant deadline);
  void join();

  asio::io_context& io() { return io_; }
  bool on_thread() const { return std::this_thread::get_id() == thread_id_.load(); }
  HttpShared& shared() { return *shared_; }
  bool stopping() const { return stopping_; }
  std::string_view date() const { return date_; }

  /// Takes a connection just accepted. From this thread.
  void add(asio::ip::tcp::socket socket);
  void remove(HttpConnection& connection);
  /// From any thread. False when the server has stopped; the mail is then untouched.
  bool post(HttpMail&& mail);
  void answered(int status, Clock::Instant began);

 private:
  void count_in(MetricsRegistry& metrics, int number);
  void deliver_mail();
  void schedule_tick();
  void tick();

  std::shared_ptr<HttpShared> shared_;
  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  asio::steady_timer timer_;
  std::chrono::milliseconds tick_interval_;
  std::string date_;
  std::vector<std::shared_ptr<HttpConnection>> connections_;
  bool stopping_ = false;
  Clock::Instant stop_deadline_{};
  std::vector<Counter*> requests_;  // By hundreds of the status.
  LatencyHistogram* latency_ = nullptr;
  Gauge* open_ = nullptr;
  std::thread thread_;
  std::atomic<std::thread::id> thread_id_{};

  std::mutex mutex_;  // Guards the two below.
  std::vector<HttpMail> mail_;
  bool mail_closed_ = false;
  std::vector<HttpMail> delivering_;
};

}  // namespace thalweg::internal
