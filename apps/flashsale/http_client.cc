#include "http_client.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <stdexcept>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>

#include "http_response_parser.h"

namespace thalweg::flashsale {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using tcp = asio::ip::tcp;
using std::chrono::milliseconds;

constexpr std::size_t kOpeningMax = 32;
constexpr std::size_t kReadsAtOnce = 32;
constexpr milliseconds kWatchPeriod{50};
constexpr milliseconds kBackoffFirst{10};
constexpr milliseconds kBackoffMax{200};

}  // namespace

std::string_view name_of(Failure failure) {
  switch (failure) {
    case Failure::kNone:
      return "none";
    case Failure::kConnectionLost:
      return "connection_lost";
    case Failure::kTimeout:
      return "timeout";
    case Failure::kMalformed:
      return "malformed_response";
  }
  return "unknown";
}

RequestWriter::RequestWriter(std::string host, std::string bearer) {
  common_headers_ = " HTTP/1.1\r\nHost: " + std::move(host) + "\r\n";
  if (!bearer.empty()) common_headers_ += "Authorization: Bearer " + std::move(bearer) + "\r\n";
}

std::string RequestWriter::get(std::string_view path) const {
  std::string request = "GET ";
  request.append(path).append(common_headers_).append("\r\n");
  return request;
}

std::string RequestWriter::post(std::string_view path, std::string_view body,
                                std::string_view idempotency_key) const {
  return with_body("POST ", path, body, idempotency_key);
}

std::string RequestWriter::put(std::string_view path, std::string_view body) const {
  return with_body("PUT ", path, body, {});
}

std::string RequestWriter::with_body(std::string_view method, std::string_view path,
                                     std::string_view body,
                                     std::string_view idempotency_key) const {
  std::string request;
  request.reserve(128 + path.size() + common_headers_.size() + body.size());
  request.append(method).append(path).append(common_headers_);
  request.append("Content-Type: application/json\r\nContent-Length: ");
  request.append(std::to_string(body.size())).append("\r\n");
  if (!idempotency_key.empty()) {
    request.append("Idempotency-Key: ").append(idempotency_key).append("\r\n");
  }
  request.append("\r\n").append(body);
  return request;
}

// One keep-alive connection. A read is always under way, so that the end of the connection is seen
// while it idles too. Handlers hold a reference; after close() they do nothing.
class HttpClient::Connection : public std::enable_shared_from_this<Connection> {
 public:
  explicit Connection(HttpClient& pool) : pool_(pool), socket_(pool.io_) {}

  void open() {
    socket_.async_connect(pool_.server_, [self = shared_from_this()](error_code error) {
      if (self->closed_) return;
      if (!error) self->socket_.set_option(tcp::no_delay(true), error);
      if (!error) self->socket_.non_blocking(true, error);
      if (error) return self->pool_.open_failed(self);
      self->read();
      self->is_open_ = true;
      self->pool_.opened(*self);
    });
  }

  /// Sends them all at once; the answers come in their order.
  void send(std::vector<Exchange> exchanges) {
    exchanges_ = std::move(exchanges);
    answered_ = 0;
    outgoing_.clear();
    for (const auto& exchange : exchanges_) outgoing_ += exchange.request;
    error_code error;
    const std::size_t sent = socket_.write_some(asio::buffer(outgoing_), error);
    if (!error && sent == outgoing_.size()) return;
    if (error && error != asio::error::would_block) return;  // The read under way reports it.
    const auto rest = asio::buffer(outgoing_) + (error ? 0 : sent);
    is_writing_ = true;
    asio::async_write(socket_, rest, [self = shared_from_this()](error_code, std::size_t) {
      self->is_writing_ = false;
    });
  }

  // Ends the connection and the exchanges on it.
  void fail(Failure failure) {
    if (closed_) return;
    const auto self = shared_from_this();
    close();
    pool_.lost(self);
    auto unanswered = take_unanswered();
    for (auto& exchange : unanswered) {
      exchange.on_answer({.failure = failure, .status = 0, .body = {}});
    }
  }

  // Ends the connection if exchanges are on it, whose answers nobody wants any more.
  void abandon() {
    if (!is_busy() || closed_) return;
    const auto self = shared_from_this();
    take_unanswered();
    close();
    pool_.forget(this);
  }

  void close() {
    closed_ = true;
    error_code ignored;
    socket_.close(ignored);
  }

  bool is_open() const { return is_open_; }
  bool is_overdue(Clock::time_point now) const {
    return is_busy() && exchanges_[answered_].deadline <= now;
  }

 private:
  bool is_busy() const { return answered_ < exchanges_.size(); }

  void read() {
    socket_.async_read_some(asio::buffer(bytes_),
                            [self = shared_from_this()](error_code error, std::size_t count) {
                              if (!self->closed_) self->received(error, count);
                            });
  }

  void received(error_code error, std::size_t count) {
    if (error || !is_busy()) return fail(Failure::kConnectionLost);
    const auto self = shared_from_this();
    auto state = parser_.feed({bytes_.data(), count});
    while (state == HttpResponseParser::State::kComplete) {
      const bool keeps_alive = parser_.keeps_alive();
      answer_first();
      if (closed_) return;
      if (!keeps_alive) return fail(Failure::kConnectionLost);
      state = parser_.next();
      if (!is_busy()) return all_answered();
    }
    if (state == HttpResponseParser::State::kMalformed) return fail(Failure::kMalformed);
    read();
  }

  void answer_first() {
    OnAnswer on_answer = std::move(exchanges_[answered_].on_answer);
    ++answered_;
    --pool_.busy_;
    on_answer({.failure = Failure::kNone, .status = parser_.status(), .body = parser_.body()});
  }

  void all_answered() {
    // Bytes nobody asked for, or an answer before the request was whole: not worth trusting.
    if (is_writing_ || !parser_.is_fresh()) return fail(Failure::kConnectionLost);
    read();
    pool_.became_idle(*this);
  }

  std::vector<Exchange> take_unanswered() {
    std::vector<Exchange> unanswered(
        std::move_iterator(exchanges_.begin() + static_cast<std::ptrdiff_t>(answered_)),
        std::move_iterator(exchanges_.end()));
    pool_.busy_ -= unanswered.size();
    exchanges_.clear();
    answered_ = 0;
    return unanswered;
  }

  HttpClient& pool_;
  tcp::socket socket_;
  HttpResponseParser parser_;
  std::vector<Exchange> exchanges_;
  std::size_t answered_ = 0;  // Of them.
  std::string outgoing_;
  bool is_open_ = false;
  bool is_writing_ = false;
  bool closed_ = false;
  std::array<char, 16384> bytes_;
};

HttpClient::HttpClient(asio::io_context& io, tcp::endpoint server, Options options)
    : io_(io), server_(std::move(server)), options_(options), watchdog_(io) {
  watch_deadlines();
}

HttpClient::~HttpClient() {
  for (const auto& connection : connections_) connection->close();
}

void HttpClient::submit(Lane lane, std::string request, OnAnswer on_answer) {
  waiting_[static_cast<std::size_t>(lane)].push_back(
      {std::move(request), std::move(on_answer), Clock::now() + options_.timeout});
  if (lane == Lane::kCommands) return pump();
  if (std::exchange(will_pump_, true)) return;
  asio::post(io_, [this, alive = std::weak_ptr(alive_)] {
    if (alive.expired()) return;
    will_pump_ = false;
    pump();
  });
}

void HttpClient::abandon_all() {
  for (auto& queue : waiting_) queue.clear();
  const auto held = connections_;  // abandon() takes connections out of the pool.
  for (const auto& connection : held) connection->abandon();
}

// Gives waiting requests to idle connections and opens more for those left.
void HttpClient::pump() {
  while (!idle_.empty() && waiting() > 0) {
    if (waiting_[next_lane_].empty()) next_lane_ = 1 - next_lane_;
    auto& queue = waiting_[next_lane_];
    const bool reads = next_lane_ == static_cast<std::size_t>(Lane::kReads);
    const std::size_t count = reads ? std::min(queue.size(), kReadsAtOnce) : 1;
    const auto end = queue.begin() + static_cast<std::ptrdiff_t>(count);
    std::vector<Exchange> exchanges(std::move_iterator(queue.begin()), std::move_iterator(end));
    queue.erase(queue.begin(), end);
    next_lane_ = 1 - next_lane_;
    Connection* connection = idle_.back();
    idle_.pop_back();
    busy_ += count;
    connection->send(std::move(exchanges));
  }
  while (opening_ < std::min(connections_wanted(), kOpeningMax) &&
         connections_.size() < options_.connections_max && Clock::now() >= next_attempt_) {
    open_one();
  }
}

std::size_t HttpClient::connections_wanted() const {
  const auto reads = waiting_[static_cast<std::size_t>(Lane::kReads)].size();
  return waiting() - reads + (reads + kReadsAtOnce - 1) / kReadsAtOnce;
}

void HttpClient::open_one() {
  ++opening_;
  connections_.push_back(std::make_shared<Connection>(*this));
  connections_.back()->open();
}

void HttpClient::opened(Connection& connection) {
  --opening_;
  ++statistics_.connections_opened;
  backoff_ = milliseconds(0);
  became_idle(connection);
}

void HttpClient::open_failed(const std::shared_ptr<Connection>& connection) {
  --opening_;
  ++statistics_.connect_failures;
  connection->close();
  forget(connection.get());
  const auto now = Clock::now();
  if (now < next_attempt_) return;  // One failure of a volley is enough to wait for.
  backoff_ = std::clamp(backoff_ * 2, kBackoffFirst, kBackoffMax);
  next_attempt_ = now + backoff_;
}

void HttpClient::became_idle(Connection& connection) {
  idle_.push_back(&connection);
  if (waiting() > 0) pump();
}

void HttpClient::lost(const std::shared_ptr<Connection>& connection) {
  ++statistics_.connections_lost;
  forget(connection.get());
}

void HttpClient::forget(const Connection* connection) {
  std::erase(idle_, connection);
  std::erase_if(connections_, [&](const auto& held) { return held.get() == connection; });
}

// Runs for as long as the client lives: times requests out and tries to connect again.
void HttpClient::watch_deadlines() {
  watchdog_.expires_after(kWatchPeriod);
  watchdog_.async_wait([this](error_code error) {
    if (error) return;
    const auto now = Clock::now();
    const auto held = connections_;  // fail() takes connections out of the pool.
    for (const auto& connection : held) {
      if (connection->is_overdue(now)) connection->fail(Failure::kTimeout);
    }
    expire_waiting(now);
    pump();
    watch_deadlines();
  });
}

void HttpClient::expire_waiting(Clock::time_point now) {
  for (auto& queue : waiting_) {
    while (!queue.empty() && queue.front().deadline <= now) {
      OnAnswer on_answer = std::move(queue.front().on_answer);
      queue.pop_front();
      on_answer({.failure = Failure::kTimeout, .status = 0, .body = {}});
    }
  }
}

ServerAddress resolve(asio::io_context& io, std::string_view url) {
  constexpr std::string_view scheme = "http://";
  const auto bad = [&](std::string_view why) {
    return std::invalid_argument("url '" + std::string(url) + "': " + std::string(why));
  };
  if (!url.starts_with(scheme)) throw bad("expected http://HOST:PORT");
  std::string_view rest = url.substr(scheme.size());
  if (rest.ends_with('/')) rest.remove_suffix(1);
  const auto colon = rest.rfind(':');
  const auto host = rest.substr(0, colon);
  const auto port = colon == rest.npos ? std::string_view("80") : rest.substr(colon + 1);
  if (host.empty() || port.empty() || rest.find_first_of("/?#") != rest.npos) {
    throw bad("expected http://HOST:PORT without a path");
  }
  error_code error;
  tcp::resolver resolver(io);
  const auto found = resolver.resolve(host, port, error);
  if (error || found.empty()) throw bad("cannot resolve: " + error.message());
  return {std::string(rest), found.begin()->endpoint()};
}

}  // namespace thalweg::flashsale
