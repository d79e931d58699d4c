#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

namespace thalweg::flashsale {

/// Why a request has no answer.
enum class Failure : std::uint8_t {
  kNone,
  kConnectionLost,  ///< It was sent and the connection ended: its effect is unknown.
  kTimeout,         ///< No answer in time, or no connection to send it on.
  kMalformed,       ///< What came back is not HTTP.
};
std::string_view name_of(Failure failure);

struct Answer {
  Failure failure = Failure::kNone;
  int status = 0;         ///< 0 exactly when there is a failure.
  std::string_view body;  ///< Valid during the call.

  bool ok() const { return status / 100 == 2; }
};

using OnAnswer = std::move_only_function<void(const Answer&)>;

/// The requests a client sends, whole, ready for the wire.
class RequestWriter {
 public:
  /// `host` goes into the Host header, `bearer`, if any, into Authorization.
  RequestWriter(std::string host, std::string bearer = {});

  std::string get(std::string_view path) const;
  /// `idempotency_key` may be empty.
  std::string post(std::string_view path, std::string_view body,
                   std::string_view idempotency_key = {}) const;
  std::string put(std::string_view path, std::string_view body) const;

 private:
  std::string with_body(std::string_view method, std::string_view path, std::string_view body,
                        std::string_view idempotency_key) const;
  std::string common_headers_;
};

/// Sends requests over a pool of keep-alive connections to one server: commands one at a time on
/// each, reads that are submitted together together on one (pipelined), since they are answered at
/// once and a system call for each would take more from the server than its answer.
///
/// The pool opens connections as they are needed, up to a limit, and prefers those used last, so a
/// fast server is served by few. A request that finds none free waits; commands and reads that wait
/// take turns, so that neither starves the other.
/// While the server cannot be reached, requests wait and the pool tries to connect again until they
/// time out: a request fails with kConnectionLost only when it was already on its way.
///
/// Belongs to the thread that runs `io`. Callbacks come from there, never from within submit().
class HttpClient {
 public:
  struct Options {
    std::size_t connections_max = 256;
    std::chrono::milliseconds timeout{10'000};
  };
  struct Statistics {
    std::uint64_t connections_opened = 0;
    std::uint64_t connections_lost = 0;  ///< Ended by the server or the network, idle ones too.
    std::uint64_t connect_failures = 0;
  };
  enum class Lane : std::uint8_t { kCommands, kReads };

  HttpClient(boost::asio::io_context& io, boost::asio::ip::tcp::endpoint server, Options options);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  void submit(Lane lane, std::string request, OnAnswer on_answer);
  /// Forgets every request that is not answered yet: its callback is never called.
  void abandon_all();

  /// Requests sent or waiting.
  std::size_t unanswered() const { return busy_ + waiting(); }
  /// Requests on a connection.
  std::size_t in_flight() const { return busy_; }
  std::size_t connections() const { return connections_.size(); }
  const Statistics& statistics() const { return statistics_; }

 private:
  class Connection;
  using Clock = std::chrono::steady_clock;
  struct Exchange {
    std::string request;
    OnAnswer on_answer;
    Clock::time_point deadline;
  };

  std::size_t waiting() const { return waiting_[0].size() + waiting_[1].size(); }
  std::size_t connections_wanted() const;
  void pump();
  void open_one();
  void opened(Connection& connection);
  void open_failed(const std::shared_ptr<Connection>& connection);
  void became_idle(Connection& connection);
  void lost(const std::shared_ptr<Connection>& connection);
  void forget(const Connection* connection);
  void watch_deadlines();
  void expire_waiting(Clock::time_point now);

  boost::asio::io_context& io_;
  const boost::asio::ip::tcp::endpoint server_;
  const Options options_;
  std::vector<std::shared_ptr<Connection>> connections_;  // Shared with the handlers under way.
  std::vector<Connection*> idle_;                         // The one used last is at the back.
  std::deque<Exchange> waiting_[2];                       // By lane.
  std::size_t next_lane_ = 0;
  std::size_t opening_ = 0;
  std::size_t busy_ = 0;
  bool will_pump_ = false;
  std::shared_ptr<void> alive_ = std::make_shared<int>();  // Posted calls see whether it is gone.
  Clock::time_point next_attempt_{};
  std::chrono::milliseconds backoff_{0};
  boost::asio::steady_timer watchdog_;
  Statistics statistics_;
};

/// The parts of http://host:port.
struct ServerAddress {
  std::string host;
  boost::asio::ip::tcp::endpoint endpoint;
};
/// Throws std::invalid_argument naming what is wrong with `url`.
ServerAddress resolve(boost::asio::io_context& io, std::string_view url);

}  // namespace thalweg::flashsale
