#include "outside_client.h"

#include <algorithm>
#include <charconv>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include "outside_tls.h"

namespace thalweg {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace ssl = boost::asio::ssl;
using boost::system::error_code;
using Clock = std::chrono::steady_clock;

constexpr std::string_view kPlainPort = "80";
constexpr std::string_view kTlsPort = "443";
/// Kept longer than that, a connection is likely to be one that the server has closed.
constexpr auto kIdleMax = std::chrono::seconds(15);

/// A request on its way.
struct Exchange {
  OutsideRequest request;
  OutsideClient::Done done;
  Clock::time_point deadline;
};

class Origin;

/// One connection, which makes one exchange at a time. Kept alive by its own operations, and by the
/// pool while it is idle.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  /// With TLS if there is a context for it.
  Connection(asio::io_context& io, Origin& origin, ssl::context* tls_context)
      : origin_(origin), tls_context_(tls_context), stream_(io), resolver_(io) {}

  void run(Exchange exchange);
  Clock::time_point idle_since() const { return idle_since_; }
  void close() {
    closed_ = true;  // A name that is being resolved comes all the same.
    resolver_.cancel();
    stream_.cancel();
    error_code ignored;
    stream_.socket().close(ignored);
  }

 private:
  void connect();
  void secure();
  void write();
  void read();
  void finish(const error_code& error, std::string_view doing);
  std::string reason_of(const error_code& error, std::string_view doing);
  void end(std::expected<OutsideReply, std::string> outcome, bool keep);

  /// Calls `use` with what requests go through.
  template <typename Use>
  void through_stream(Use use) {
    if (tls_) {
      use(*tls_);
    } else {
      use(stream_);
    }
  }

  Origin& origin_;
  ssl::context* tls_context_;
  beast::tcp_stream stream_;
  std::optional<ssl::stream<beast::tcp_stream&>> tls_;  // Of this connection to the server alone.
  asio::ip::tcp::resolver resolver_;
  beast::flat_buffer buffer_;
  http::request<http::string_body> request_;
  std::optional<http::response_parser<http::string_body>> parser_;
  std::optional<Exchange> exchange_;
  bool used_before_ = false;  // This connection has made an exchange.
  bool fresh_try_ = false;    // The exchange has been moved to a new connection.
  bool closed_ = false;
  Clock::time_point idle_since_;
};

/// The connections to one server, and who waits for one.
class Origin {
 public:
  Origin(asio::io_context& io, std::size_t connections_max, ssl::context* tls_context)
      : io_(io), connections_max_(connections_max), tls_context_(tls_context) {}

  void start(Exchange exchange) {
    if (auto connection = take_idle()) {
      busy_.push_back(connection);
      connection->run(std::move(exchange));
    } else if (busy_.size() < connections_max_) {
      busy_.push_back(std::make_shared<Connection>(io_, *this, tls_context_));
      std::shared_ptr<Connection>(busy_.back())->run(std::move(exchange));
    } else {
      waiting_.push_back(std::move(exchange));
    }
  }

  /// The connection has ended its exchange, and may be used again if `keep`.
  void released(const std::shared_ptr<Connection>& connection, bool keep) {
    std::erase(busy_, connection);
    if (keep) {
      idle_.push_back(connection);
    } else {
      connection->close();
    }
    while (!waiting_.empty()) {
      Exchange next = std::move(waiting_.front());
      waiting_.pop_front();
      if (next.deadline > Clock::now()) return start(std::move(next));
      next.done(std::unexpected("no connection became free in time"));
    }
  }

  void close() {
    for (auto& exchange : std::exchange(waiting_, {})) {
      exchange.done(std::unexpected("the client is closing"));
    }
    for (const auto& connection : idle_) connection->close();
    idle_.clear();
    for (const auto& connection : std::vector(busy_)) connection->close();
  }

 private:
  std::shared_ptr<Connection> take_idle() {
    const auto too_old = Clock::now() - kIdleMax;
    while (!idle_.empty()) {
      auto connection = std::move(idle_.back());  // The one used last.
      idle_.pop_back();
      if (connection->idle_since() > too_old) return connection;
      connection->close();
    }
    return nullptr;
  }

  asio::io_context& io_;
  std::size_t connections_max_;
  ssl::context* tls_context_;
  std::vector<std::shared_ptr<Connection>> idle_;
  std::vector<std::shared_ptr<Connection>> busy_;
  std::deque<Exchange> waiting_;
};

void Connection::run(Exchange exchange) {
  exchange_ = std::move(exchange);
  OutsideRequest& request = exchange_->request;
  request_ = {};
  request_.version(11);
  request_.method_string(request.method);
  request_.target(request.url.path.empty() ? "/" : request.url.path);
  request_.set(http::field::host, request.url.authority());
  request_.set(http::field::user_agent, "thalweg");
  for (const auto& [name, value] : request.headers) request_.set(name, value);
  request_.body() = std::move(request.body);
  request_.prepare_payload();
  fresh_try_ = false;
  stream_.expires_at(exchange_->deadline);
  if (used_before_) {
    write();
  } else {
    connect();
  }
}

void Connection::connect() {
  const OutsideUrl& url = exchange_->request.url;
  // A resolver knows no deadline: the attempt as a whole has one where it is waited for.
  resolver_.async_resolve(
      url.host, url.port, [self = shared_from_this()](const error_code& error, auto endpoints) {
        if (error) return self->finish(error, "resolving the name");
        if (self->closed_) return self->finish(asio::error::operation_aborted, "connecting");
        self->stream_.async_connect(endpoints, [self](const error_code& failed, const auto&) {
          if (failed) return self->finish(failed, "connecting");
          error_code ignored;
          self->stream_.socket().set_option(asio::ip::tcp::no_delay(true), ignored);
          self->secure();
        });
      });
}

void Connection::secure() {
  if (!tls_context_) return write();
  tls_.emplace(stream_, *tls_context_);
  const std::string& host = exchange_->request.url.host;
  if (const auto expected = expect_host(tls_->native_handle(), host); !expected) {
    return end(std::unexpected(expected.error().message), false);
  }
  tls_->async_handshake(ssl::stream_base::client,
                        [self = shared_from_this()](const error_code& error) {
                          if (error) return self->finish(error, "agreeing on TLS");
                          self->write();
                        });
}

void Connection::write() {
  through_stream([this](auto& stream) {
    http::async_write(stream, request_,
                      [self = shared_from_this()](const error_code& error, std::size_t) {
                        if (error) return self->finish(error, "sending");
                        self->read();
                      });
  });
}

void Connection::read() {
  parser_.emplace();
  parser_->body_limit(exchange_->request.reply_bytes_max);
  through_stream([this](auto& stream) {
    http::async_read(stream, buffer_, *parser_,
                     [self = shared_from_this()](const error_code& error, std::size_t) {
                       self->finish(error, "waiting for the answer");
                     });
  });
}

void Connection::finish(const error_code& error, std::string_view doing) {
  if (!error) {
    OutsideReply reply{static_cast<int>(parser_->get().result_int()),
                       std::move(parser_->get().body())};
    for (const auto& field : parser_->get()) {
      reply.headers.emplace_back(field.name_string(), field.value());
    }
    used_before_ = true;
    idle_since_ = Clock::now();
    const bool keep = parser_->get().keep_alive();
    return end(std::move(reply), keep);
  }
  // A connection that was kept may have been closed by the server meanwhile.
  const bool nothing_came = !parser_ || !parser_->got_some();
  if (used_before_ && !fresh_try_ && nothing_came && error != beast::error::timeout &&
      error != asio::error::operation_aborted) {
    used_before_ = false;
    fresh_try_ = true;
    buffer_.clear();
    parser_.reset();
    stream_.close();
    stream_.expires_at(exchange_->deadline);
    return connect();
  }
  end(std::unexpected(reason_of(error, doing)), false);
}

std::string Connection::reason_of(const error_code& error, std::string_view doing) {
  const OutsideRequest& request = exchange_->request;
  if (error == beast::error::timeout) {
    return std::string(doing) + ": no answer within " + std::to_string(request.timeout.count()) +
           " ms";
  }
  // OpenSSL itself says no more than that a certificate failed.
  if (tls_) {
    if (auto why = distrust(tls_->native_handle(), request.url.host); !why.empty()) return why;
  }
  return std::string(doing) + ": " + error.message();
}

void Connection::end(std::expected<OutsideReply, std::string> outcome, bool keep) {
  Exchange exchange = *std::exchange(exchange_, std::nullopt);
  parser_.reset();
  if (keep) {
    stream_.expires_never();
  } else {
    used_before_ = false;
  }
  const auto self = shared_from_this();
  origin_.released(self, keep);
  exchange.done(std::move(outcome));
}

}  // namespace

Result<OutsideUrl> OutsideUrl::parse(std::string_view url) {
  const auto bad = [url](const char* why) {
    return failure(ErrorCode::kInvalid, std::string(url) + " " + why);
  };
  constexpr std::string_view kPlain = "http://";
  constexpr std::string_view kSecure = "https://";
  OutsideUrl parsed;
  parsed.secure = url.starts_with(kSecure);
  if (!parsed.secure && !url.starts_with(kPlain)) {
    return bad("does not begin with http:// or https://");
  }
  parsed.port = parsed.secure ? kTlsPort : kPlainPort;
  std::string_view rest = url.substr(parsed.secure ? kSecure.size() : kPlain.size());
  if (const auto slash = rest.find('/'); slash != rest.npos) {
    parsed.path = rest.substr(slash);
    rest = rest.substr(0, slash);
    while (parsed.path.ends_with('/')) parsed.path.pop_back();
  }
  if (rest.find('@') != rest.npos) return bad("has a user name, which is not supported");
  const auto bracket = rest.find(']');
  const auto colon = rest.find(':', bracket == rest.npos ? 0 : bracket);
  if (colon != rest.npos) {
    parsed.port = rest.substr(colon + 1);
    std::uint16_t port = 0;
    const auto [end, error] =
        std::from_chars(parsed.port.data(), parsed.port.data() + parsed.port.size(), port);
    if (error != std::errc() || end != parsed.port.data() + parsed.port.size() || port == 0) {
      return bad("has a port that is no number from 1 to 65535");
    }
    rest = rest.substr(0, colon);
  }
  if (rest.starts_with('[') && rest.ends_with(']')) rest = rest.substr(1, rest.size() - 2);
  if (rest.empty()) return bad("names no host");
  parsed.host = rest;
  return parsed;
}

std::string OutsideUrl::authority() const {
  std::string text = host.find(':') == host.npos ? host : '[' + host + ']';
  if (port != (secure ? kTlsPort : kPlainPort)) text += ':' + port;
  return text;
}

std::string_view OutsideReply::header(std::string_view name) const {
  for (const auto& [field, value] : headers) {
    if (beast::iequals(field, name)) return value;
  }
  return {};
}

Status check_ca_file(const std::string& file) {
  return believe(ssl::context(ssl::context::tls_client).native_handle(), file);
}

class OutsideClient::Impl {
 public:
  Impl(std::size_t connections_max, std::string ca_file)
      : connections_max_(connections_max), ca_file_(std::move(ca_file)) {}

  ~Impl() {
    if (!thread_.joinable()) return;
    asio::post(io_, [this] {
      closing_ = true;
      for (auto& [name, origin] : origins_) origin->close();
    });
    work_.reset();
    thread_.join();
  }

  void send(OutsideRequest request, Done done) {
    std::call_once(started_, [this] { thread_ = std::thread([this] { io_.run(); }); });
    asio::post(io_, [this, request = std::move(request), done = std::move(done)]() mutable {
      if (closing_) return done(std::unexpected("the client is closing"));
      const auto deadline = Clock::now() + request.timeout;
      const auto origin = origin_of(request.url);
      if (!origin) return done(std::unexpected(origin.error().message));
      (*origin)->start({std::move(request), std::move(done), deadline});
    });
  }

 private:
  Result<Origin*> origin_of(const OutsideUrl& url) {
    if (url.secure) {
      if (const auto ready = prepare_tls(); !ready) return std::unexpected(ready.error());
    }
    auto& origin = origins_[(url.secure ? "https " : "http ") + url.host + ' ' + url.port];
    if (!origin) {
      origin = std::make_unique<Origin>(io_, connections_max_, url.secure ? &*tls_ : nullptr);
    }
    return origin.get();
  }

  /// Only for the first https: the system's authorities take a while to read.
  Status prepare_tls() {
    if (tls_) return {};
    ssl::context context(ssl::context::tls_client);
    if (auto ready = believe(context.native_handle(), ca_file_); !ready) return ready;
    tls_.emplace(std::move(context));
    return {};
  }

  const std::size_t connections_max_;
  const std::string ca_file_;
  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_ = asio::make_work_guard(io_);
  // The rest belongs to the client's thread.
  std::optional<ssl::context> tls_;
  std::map<std::string, std::unique_ptr<Origin>> origins_;
  bool closing_ = false;
  std::once_flag started_;
  std::thread thread_;
};

OutsideClient::OutsideClient(std::size_t connections_max, std::string ca_file)
    : impl_(std::make_unique<Impl>(connections_max, std::move(ca_file))) {}

OutsideClient::~OutsideClient() = default;

void OutsideClient::send(OutsideRequest request, Done done) {
  impl_->send(std::move(request), std::move(done));
}

}  // namespace thalweg
