#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <thalweg/schemas/error.h>

namespace thalweg {

class MetricsRegistry;

namespace internal {
class HttpConnection;
struct HttpRequestAccess;
}  // namespace internal

/// A request as a handler sees it. Views stay valid as long as the request.
class HttpRequest {
 public:
  std::string_view method() const { return text(method_); }
  /// The path as it was sent: percent-encoded, without the query.
  std::string_view path() const { return text(path_); }
  /// The decoded path segment that `{name}` of the route stands for; empty when it has no such
  /// name.
  std::string_view param(std::string_view name) const;
  /// The decoded value of the first query parameter of that name (`?name` alone: empty). Throws
  /// std::logic_error for one that its route does not know, as that could never be there.
  std::optional<std::string_view> query(std::string_view name) const;
  /// The first header of that name, in any case.
  std::optional<std::string_view> header(std::string_view name) const;
  /// The token it comes with, empty if with none: `Authorization: Bearer <token>`, or the parameter
  /// `access_token` of a GET. What changes something needs the header: a link is followed too
  /// easily.
  std::string_view bearer_token() const;
  /// The client's `address:port`.
  std::string_view peer() const { return text(peer_); }
  const std::string& body() const { return body_; }
  std::string take_body() { return std::move(body_); }

 private:
  friend struct internal::HttpRequestAccess;
  // All text is kept in one piece, whose memory serves every request of a connection in turn.
  struct Slice {
    std::uint32_t begin = 0;
    std::uint32_t size = 0;
  };
  struct Pair {
    Slice name;
    Slice value;
  };
  std::string_view text(Slice slice) const { return {text_.data() + slice.begin, slice.size}; }
  bool may_have(std::string_view parameter) const;

  std::string text_;
  std::string body_;
  Slice method_, path_, peer_;
  std::vector<Pair> headers_, query_, params_;
  const std::vector<std::string>* known_ = nullptr;  // Query parameters, by its route; null: any.
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "application/json";
  std::string body = {};
  /// Further headers; Content-Length, Date, Connection and Content-Type are the server's.
  std::vector<std::pair<std::string, std::string>> headers = {};
};

/// An error as RFC 9457 `application/problem+json`: status, title, `code` for programs, `detail`
/// for people, and a `hint` what to do (left out when empty).
HttpResponse problem(int status, std::string_view code, std::string_view detail,
                     std::string_view hint = {});

/// The rest of an answer that is written piece by piece. Used from any thread, by one at a time.
class ResponseStream {
 public:
  /// Called from the server's thread: true when the client has taken the piece and the next may
  /// follow, false when it is gone, or wants no more.
  using Ready = std::move_only_function<void(bool)>;

  ResponseStream() = default;
  ResponseStream(ResponseStream&& other) noexcept;
  ResponseStream& operator=(ResponseStream&& other) noexcept;
  /// A stream that is not finished ends in a broken connection, so that nobody takes the part for
  /// the whole.
  ~ResponseStream();

  /// Sends `piece`. Wait for `ready` before the next: that is the back-pressure.
  void write(std::string piece, Ready ready);
  /// Ends the answer.
  void finish();

 private:
  friend class Responder;
  ResponseStream(std::shared_ptr<internal::HttpConnection> connection, std::uint64_t request);
  std::shared_ptr<internal::HttpConnection> connection_;
  std::uint64_t request_ = 0;
};

/// The right, and the duty, to answer one request: now, or later and from any thread. Dropped
/// without an answer it sends a 500. May outlive the server; its answer then goes nowhere.
class Responder {
 public:
  Responder() = default;
  Responder(Responder&& other) noexcept;
  Responder& operator=(Responder&& other) noexcept;
  ~Responder();

  /// Answers. The responder is empty afterwards.
  void send(HttpResponse response);
  /// Answers `otherwise` unless another answer has begun `after` from now. To within a quarter of a
  /// second; it replaces the server's own limit for this request.
  void answer_within(std::chrono::milliseconds after, HttpResponse otherwise);
  /// Begins an answer of unknown length; `head.body` is its first piece.
  ResponseStream stream(HttpResponse head);
  /// Leaves HTTP: `head` is sent as it is, a whole 101 head, and from then on the connection is
  /// bytes both ways. `on_bytes` is called from the server's thread with what the client sends, and
  /// once with nothing when the connection has ended: perhaps within this call, as a client may
  /// send more with its request than that; `stream` is set before. Pieces of the stream are sent as
  /// they are; finish() ends the connection. What WebSocket::accept() is made of.
  void upgrade(std::string head, ResponseStream& stream,
               std::function<void(std::string_view bytes)> on_bytes);
  explicit operator bool() const { return connection_ != nullptr; }

 private:
  friend class internal::HttpConnection;
  Responder(std::shared_ptr<internal::HttpConnection> connection, std::uint64_t request);
  std::shared_ptr<internal::HttpConnection> connection_;
  std::uint64_t request_ = 0;
};

/// Every limit is answered with a clear 4xx or by closing the connection, and holds up nobody else.
struct HttpServerLimits {
  std::size_t header_bytes = 8u << 10;  ///< Request line and headers; beyond: 431.
  std::size_t header_fields = 100;      ///< 431.
  std::size_t uri_bytes = 4u << 10;     ///< 414.
  std::size_t body_bytes = 1u << 20;    ///< 413.
  std::size_t connections = 512;        ///< 503.
  std::chrono::milliseconds header_time{
      5'000};  ///< From its first byte to the end of the headers: 408.
  std::chrono::milliseconds body_time{10'000};  ///< For the whole body: 408.
  std::chrono::milliseconds idle_time{
      60'000};  ///< Between requests; then the connection is closed.
  std::chrono::milliseconds answer_time{30'000};  ///< For the handler's answer; then 503.
  std::chrono::milliseconds write_time{
      30'000};  ///< For the client to take an answer, or a piece of it.
};

struct HttpServerOptions {
  /// `host:port`; port 0 takes a free one. Addresses other than loopback are refused unless
  /// `allow_remote` is set together with `bearer_token` or `allow_remote_without_token`.
  std::string listen = "127.0.0.1:0";
  int threads = 1;
  HttpServerLimits limits = {};
  bool allow_remote = false;
  /// For servers that know their clients by other means (signed tokens in handlers, a proxy).
  bool allow_remote_without_token = false;
  /// Not empty: whatever is asked for needs `Authorization: Bearer <token>`, unless its route says
  /// otherwise. A GET may bring it as the parameter `access_token` (RFC 6750, 2.3), for clients
  /// that set no headers, as EventSource.
  std::string bearer_token = {};
  /// What somebody sets so that `allow_remote` is true, for the error that says so.
  std::string allow_remote_by = "allow_remote in HttpServerOptions";
};

struct HttpRouteOptions {
  /// For everybody, or for those whom the handler itself knows: the server's token is not asked
  /// for.
  bool without_token = false;
};

/// An HTTP/1.1 server: keep-alive, pipelining (answered in order), HEAD from GET, 404 and 405, and
/// 400 for a query parameter that the route does not know: what is mistyped is not ignored.
///
/// Handlers run on the server's threads and must not block them; an answer that has to wait keeps
/// the Responder and sends it from wherever the wait ends.
///
///     HttpServer server({.listen = "127.0.0.1:8080"});
///     server.route("GET", "/greetings/{name}?in", [](HttpRequest& request, Responder responder) {
///       responder.send({.content_type = "text/plain",
///                       .body = greeting(request.param("name"), request.query("in"))});
///     });
///     auto started = server.start();
class HttpServer {
 public:
  /// The request lives until the handler returns; take out of it what is needed longer. A handler
  /// that throws is answered with a 500.
  using Handler = std::function<void(HttpRequest& request, Responder responder)>;

  explicit HttpServer(HttpServerOptions options = {});
  ~HttpServer();  ///< As stop().
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// Sends requests whose path fits `pattern` to `handler`; `{name}` stands for one segment, which
  /// is not empty. Where several patterns fit, the one with the earlier literal segment wins.
  /// Behind the path stand the query parameters that the handler reads, `?limit&cursor`; without
  /// them the route knows none, and with `?*` it takes any. `access_token` every route knows.
  /// Before start() only. Throws std::invalid_argument for a bad pattern, or one that is there
  /// already.
  void route(std::string_view method, std::string_view pattern, Handler handler,
             HttpRouteOptions options = {});
  /// What is asked before a route's handler: an answer instead of the handler's, or nothing.
  using Check = std::function<std::optional<HttpResponse>(const HttpRequest& request)>;
  /// Asks `check` before the handler of a route that is there already; of several, the last comes
  /// first. `pattern` is that of its path alone. Before start() only. Throws std::invalid_argument
  /// where there is no such route.
  void check(std::string_view method, std::string_view pattern, Check check);

  /// Binds, so that clients can connect; their requests wait until start(). Optional: a server that
  /// has much to prepare is then never refused, only slow. kInvalid: an address that cannot be, or
  /// may not be, listened on; kIo: one that is taken.
  Status listen();
  /// Begins to answer; binds first, with the errors of listen(), if that was not done. Counts
  /// requests, connections and latencies in `metrics`, if given, which must outlive the server.
  Status start(MetricsRegistry* metrics = nullptr);
  /// As given.
  const HttpServerOptions& options() const;
  /// The port listened on; 0 before listen().
  std::uint16_t port() const;
  /// Runs `work` soon on one of the server's threads, or never once the server has stopped: for
  /// what follows a wait, on whose thread it must not run.
  void post(std::move_only_function<void()> work);
  /// Takes no more requests, waits up to `drain` for the answers of running ones, and stops. May be
  /// called again, from any thread but the server's own.
  void stop(std::chrono::milliseconds drain = std::chrono::seconds(5));

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace thalweg
