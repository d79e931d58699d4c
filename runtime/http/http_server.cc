#include <charconv>
#include <fcntl.h>
#include <future>
#include <stdexcept>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <thalweg/runtime/http_server.h>

#include "http/http_connection.h"

namespace thalweg {

using internal::HttpConnection;
using internal::HttpLoop;
using internal::HttpMail;
namespace asio = boost::asio;
using asio::ip::tcp;

// --- ResponseStream and Responder
// -----------------------------------------------------------------

ResponseStream::ResponseStream(std::shared_ptr<HttpConnection> connection, std::uint64_t request)
    : connection_(std::move(connection)), request_(request) {}

ResponseStream::ResponseStream(ResponseStream&& other) noexcept
    : connection_(std::exchange(other.connection_, nullptr)), request_(other.request_) {}

ResponseStream& ResponseStream::operator=(ResponseStream&& other) noexcept {
  std::swap(connection_, other.connection_);
  std::swap(request_, other.request_);
  return *this;
}

ResponseStream::~ResponseStream() {
  if (!connection_) return;
  HttpConnection::send(std::move(connection_),
                       {.request = request_, .kind = HttpMail::Kind::kBreak});
}

void ResponseStream::write(std::string piece, Ready ready) {
  if (!connection_) {
    if (ready) ready(false);
    return;
  }
  HttpConnection::send(connection_, {.request = request_,
                                     .kind = HttpMail::Kind::kPiece,
                                     .response = {.body = std::move(piece)},
                                     .ready = std::move(ready)});
}

void ResponseStream::finish() {
  if (!connection_) return;
  HttpConnection::send(std::move(connection_),
                       {.request = request_, .kind = HttpMail::Kind::kFinish});
}

Responder::Responder(std::shared_ptr<HttpConnection> connection, std::uint64_t request)
    : connection_(std::move(connection)), request_(request) {}

Responder::Responder(Responder&& other) noexcept
    : connection_(std::exchange(other.connection_, nullptr)), request_(other.request_) {}

Responder& Responder::operator=(Responder&& other) noexcept {
  std::swap(connection_, other.connection_);
  std::swap(request_, other.request_);
  return *this;
}

Responder::~Responder() {
  if (!connection_) return;
  send(problem(500, "internal", "the request was dropped without an answer",
               "whether it had an effect is unknown; the server's log may say why"));
}

void Responder::send(HttpResponse response) {
  if (!connection_) return;
  HttpConnection::send(
      std::move(connection_),
      {.request = request_, .kind = HttpMail::Kind::kAnswer, .response = std::move(response)});
}

void Responder::answer_within(std::chrono::milliseconds after, HttpResponse otherwise) {
  if (!connection_) return;
  HttpConnection::send(connection_, {.request = request_,
                                     .kind = HttpMail::Kind::kExpire,
                                     .response = std::move(otherwise),
                                     .after = after});
}

ResponseStream Responder::stream(HttpResponse head) {
  if (!connection_) return {};
  ResponseStream stream(connection_, request_);
  HttpConnection::send(
      std::move(connection_),
      {.request = request_, .kind = HttpMail::Kind::kStream, .response = std::move(head)});
  return stream;
}

void Responder::upgrade(std::string head, ResponseStream& stream,
                        std::function<void(std::string_view)> on_bytes) {
  if (!connection_) return;
  stream = ResponseStream(connection_, request_);
  HttpConnection::send(std::move(connection_), {.request = request_,
                                                .kind = HttpMail::Kind::kUpgrade,
                                                .response = {.body = std::move(head)},
                                                .on_bytes = std::move(on_bytes)});
}

// --- HttpServer
// -----------------------------------------------------------------------------------

namespace {

constexpr int kBacklog = 4096;

Result<tcp::endpoint> parse_listen(const std::string& listen) {
  const auto bad = [&](std::string_view what) {
    return failure(ErrorCode::kInvalid, "cannot listen on '" + listen + "': " + std::string(what));
  };
  const auto colon = listen.rfind(':');
  if (colon == std::string::npos) return bad("expected host:port");
  auto host = listen.substr(0, colon);
  unsigned port = 0;
  const char* end = listen.data() + listen.size();
  const auto [last, fault] = std::from_chars(listen.data() + colon + 1, end, port);
  if (fault != std::errc{} || last != end || port > 65535)
    return bad("the port must be 0 to 65535");
  if (host == "localhost") host = "127.0.0.1";
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  boost::system::error_code error;
  const auto address = asio::ip::make_address(host, error);
  if (error) return bad("the host must be an IP address or 'localhost'");
  return tcp::endpoint(address, static_cast<std::uint16_t>(port));
}

}  // namespace

class HttpServer::Impl {
 public:
  explicit Impl(HttpServerOptions options) : shared_(std::make_shared<internal::HttpShared>()) {
    shared_->options = std::move(options);
  }

  const HttpServerOptions& options() const { return shared_->options; }
  internal::HttpRouter& router() {
    if (started_) throw std::invalid_argument("routes are added before the server is started");
    return shared_->router;
  }

  Status listen() {
    if (acceptor_) return failure(ErrorCode::kInvalid, "the HTTP server listens already");
    const auto endpoint = parse_listen(shared_->options.listen);
    if (!endpoint) return std::unexpected(endpoint.error());
    if (auto allowed = check_remote(*endpoint); !allowed) return allowed;
    for (int i = 0; i < std::max(1, shared_->options.threads); ++i) {
      loops_.push_back(std::make_shared<HttpLoop>(shared_));
    }
    if (auto bound = bind(*endpoint); !bound) {
      acceptor_.reset();
      loops_.clear();
      return bound;
    }
    return {};
  }

  Status start(MetricsRegistry* metrics) {
    if (started_) return failure(ErrorCode::kInvalid, "the HTTP server was started before");
    if (!acceptor_) {
      if (auto listening = listen(); !listening) return listening;
    }
    started_ = true;
    int number = 0;
    for (auto& loop : loops_) loop->start(number++, metrics);
    asio::post(loops_[0]->io(), [this] { accept(); });
    return {};
  }

  std::uint16_t port() const { return port_; }

  void post(std::move_only_function<void()> work) {
    if (!started_) return;
    auto& loop = *loops_[next_post_.fetch_add(1, std::memory_order_relaxed) % loops_.size()];
    loop.post(
        {.kind = HttpMail::Kind::kCall, .ready = [work = std::move(work)](bool alive) mutable {
           if (alive) work();
         }});
  }

  void stop(std::chrono::milliseconds drain) {
    const std::lock_guard lock(stop_mutex_);
    if (!started_ || stopped_) return;
    stopped_ = true;
    std::promise<void> closed;
    asio::post(loops_[0]->io(), [&] {  // Afterwards no loop gets another connection.
      boost::system::error_code ignored;
      acceptor_->close(ignored);
      retry_->cancel();
      closed.set_value();
    });
    closed.get_future().wait();
    const auto deadline = system_clock().now() + drain;
    for (auto& loop : loops_) loop->begin_stop(deadline);
    for (auto& loop : loops_) loop->join();
    retry_.reset();
    acceptor_.reset();
  }

 private:
  Status check_remote(const tcp::endpoint& endpoint) const {
    const auto& options = shared_->options;
    if (endpoint.address().is_loopback()) return {};
    const auto refused = [&](std::string_view what) {
      return failure(ErrorCode::kInvalid, "will not listen on '" + options.listen +
                                              "', which others can reach: " + std::string(what));
    };
    if (!options.allow_remote) return refused("set " + options.allow_remote_by);
    if (options.bearer_token.empty() && !options.allow_remote_without_token) {
      return refused("set a bearer token, or allow remote access without one explicitly");
    }
    return {};
  }

  Status bind(const tcp::endpoint& endpoint) {
    acceptor_.emplace(loops_[0]->io());
    retry_.emplace(loops_[0]->io());
    boost::system::error_code error;
    acceptor_->open(endpoint.protocol(), error);
    // Programs that this one starts must not keep the port.
    if (!error) ::fcntl(acceptor_->native_handle(), F_SETFD, FD_CLOEXEC);
    if (!error) acceptor_->set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor_->bind(endpoint, error);
    if (!error) acceptor_->listen(kBacklog, error);
    if (!error) port_ = acceptor_->local_endpoint(error).port();
    if (!error) return {};
    retry_.reset();
    return failure(ErrorCode::kIo,
                   "cannot listen on '" + shared_->options.listen + "': " + error.message());
  }

  void accept() {
    auto& loop = *loops_[next_loop_++ % loops_.size()];
    acceptor_->async_accept(loop.io(),
                            [this, &loop](boost::system::error_code error, tcp::socket socket) {
                              if (!acceptor_->is_open()) return;
                              if (error) return accept_later();
                              admit(loop, std::move(socket));
                              accept();
                            });
  }

  // Out of file descriptors or memory: others will be given back.
  void accept_later() {
    retry_->expires_after(std::chrono::milliseconds(50));
    retry_->async_wait([this](boost::system::error_code error) {
      if (!error && acceptor_->is_open()) accept();
    });
  }

  void admit(HttpLoop& loop, tcp::socket socket) {
    if (shared_->connections.fetch_add(1) >= shared_->options.limits.connections) {
      shared_->connections.fetch_sub(1);
      return turn_away(std::move(socket));
    }
    if (&loop == loops_[0].get()) return loop.add(std::move(socket));
    asio::post(loop.io(), [keep = loop.shared_from_this(), moved = std::move(socket)]() mutable {
      keep->add(std::move(moved));
    });
  }

  void turn_away(tcp::socket socket) {
    auto response =
        problem(503, "too_many_connections", "this server has all the connections it takes");
    response.headers.emplace_back("Retry-After", "1");
    std::string text;
    internal::write_head(response, {.date = loops_[0]->date(), .keep_alive = false}, text);
    text += response.body;
    boost::system::error_code ignored;
    socket.non_blocking(true, ignored);
    socket.write_some(asio::buffer(text), ignored);
    socket.shutdown(tcp::socket::shutdown_send, ignored);
  }

  std::shared_ptr<internal::HttpShared> shared_;
  std::vector<std::shared_ptr<HttpLoop>> loops_;
  std::optional<tcp::acceptor> acceptor_;
  std::optional<asio::steady_timer> retry_;
  std::size_t next_loop_ = 0;
  std::uint16_t port_ = 0;
  bool started_ = false;
  bool stopped_ = false;
  std::atomic<std::size_t> next_post_ = 0;
  std::mutex stop_mutex_;
};

HttpServer::HttpServer(HttpServerOptions options)
    : impl_(std::make_unique<Impl>(std::move(options))) {}

HttpServer::~HttpServer() { stop(); }

void HttpServer::route(std::string_view method, std::string_view pattern, Handler handler,
                       HttpRouteOptions options) {
  impl_->router().add(method, pattern, std::move(handler), options);
}

void HttpServer::check(std::string_view method, std::string_view pattern, Check check) {
  impl_->router().check(method, pattern, std::move(check));
}

Status HttpServer::listen() { return impl_->listen(); }

Status HttpServer::start(MetricsRegistry* metrics) { return impl_->start(metrics); }

const HttpServerOptions& HttpServer::options() const { return impl_->options(); }

std::uint16_t HttpServer::port() const { return impl_->port(); }

void HttpServer::post(std::move_only_function<void()> work) { impl_->post(std::move(work)); }

void HttpServer::stop(std::chrono::milliseconds drain) { impl_->stop(drain); }

}  // namespace thalweg
