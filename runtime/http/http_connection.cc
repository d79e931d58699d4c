#include "http/http_connection.h"

#include <algorithm>
#include <cstring>

#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <spdlog/spdlog.h>

namespace thalweg::internal {

namespace {

constexpr std::size_t kReadBytes = 8u << 10;
constexpr std::size_t kKeptBytes = 64u << 10;   // Larger buffers are given back after the request.
constexpr std::size_t kCopiedBody = 16u << 10;  // Larger bodies are written from where they are.
constexpr std::size_t kHeldBytes = 64u << 10;   // Of answers that wait to be written together.
constexpr int kAnsweredAtATime = 16;             // Of requests that came together, before others.
constexpr std::chrono::milliseconds kLingerTime{1'000};

std::string peer_of(const asio::ip::tcp::socket& socket) {
  boost::system::error_code error;
  const auto endpoint = socket.remote_endpoint(error);
  if (error) return "unknown";
  return endpoint.address().to_string() + ":" + std::to_string(endpoint.port());
}

bool changes_something(std::string_view method) {
  return method != "GET" && method != "HEAD" && method != "OPTIONS";
}

// Takes the same time wherever the first difference is.
bool equal_secrets(std::string_view a, std::string_view b) {
  unsigned difference = a.size() == b.size() ? 0 : 1;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference |= static_cast<unsigned char>(a[i]) ^
                  static_cast<unsigned char>(b.empty() ? 0 : b[i % b.size()]);
  }
  return difference == 0;
}

}  // namespace

void call_ready(ResponseStream::Ready& ready, bool alive) {
  if (!ready) return;
  try {
    ready(alive);
  } catch (const std::exception& error) {
    spdlog::error("http: a callback threw: {}", error.what());
  }
}

void call_all(std::vector<ResponseStream::Ready> all, bool alive) {
  for (auto& ready : all) call_ready(ready, alive);
}

HttpConnection::HttpConnection(std::shared_ptr<HttpLoop> loop, asio::ip::tcp::socket socket)
    : loop_(std::move(loop)),
      socket_(std::move(socket)),
      peer_(peer_of(socket_)),
      input_(limits().header_bytes + kReadBytes) {}

HttpConnection::~HttpConnection() = default;

void HttpConnection::start() {
  boost::system::error_code ignored;
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  socket_.non_blocking(true, ignored);
  set_deadline(limits().header_time);
  read();
}

void HttpConnection::begin_stop() {
  switch (state_) {
    case State::kIdle:
    case State::kHead:
    case State::kBody:
    case State::kLinger:
      close();
      break;
    default:
      if (on_bytes_) return close();
      keep_alive_ = false;
  }
}

void HttpConnection::close() {
  if (state_ == State::kClosed) return;
  const auto self = shared_from_this();
  state_ = State::kClosed;
  boost::system::error_code ignored;
  socket_.close(ignored);
  loop_->remove(*this);
  call_all(std::exchange(writing_ready_, {}), false);
  call_all(std::exchange(pieces_ready_, {}), false);
  if (const auto on_bytes = std::exchange(on_bytes_, {})) on_bytes({});
}

void HttpConnection::check_deadline(Clock::Instant now) {
  if (now < deadline_) return;
  switch (state_) {
    case State::kHead:
      return refuse(problem(408, "header_timeout", "the header did not arrive in time"));
    case State::kBody:
      return refuse(problem(408, "body_timeout", "the body did not arrive in time"));
    case State::kHandler: {
      ++request_number_;  // The answer, should it still come, is too late.
      if (otherwise_) return answer(*std::exchange(otherwise_, std::nullopt));
      keep_alive_ = false;
      auto response =
          problem(503, "answer_timeout", "the answer took too long",
                  "whether the request had an effect is unknown; ask before repeating it");
      response.headers.emplace_back("Retry-After", "1");
      return answer(std::move(response));
    }
    case State::kStream:
      if (writing_) close();
      return;
    case State::kClosed:
      return;
    case State::kIdle:
    case State::kHeld:
    case State::kWrite:
    case State::kLinger:
      return close();
  }
}

// --- Reading
// --------------------------------------------------------------------------------------

void HttpConnection::read() {
  if (reading_) return;
  reading_ = true;
  socket_.async_read_some(
      asio::buffer(input_.data() + input_end_, input_.size() - input_end_),
      [self = shared_from_this()](boost::system::error_code error, std::size_t size) {
        self->on_read(error, size);
      });
}

void HttpConnection::on_read(boost::system::error_code error, std::size_t size) {
  reading_ = false;
  const bool parsing = state_ == State::kIdle || state_ == State::kHead || state_ == State::kBody;
  if (state_ == State::kLinger) {
    if (error) return close();
    input_begin_ = input_end_ = 0;
    return read();
  }
  if (on_bytes_ && state_ == State::kStream) {
    if (error) return close();
    return give_bytes(size);
  }
  if (!parsing) return;  // A refusal is being written; nothing more is wanted.
  if (error == asio::error::eof && state_ != State::kIdle) {
    return refuse(
        problem(400, "incomplete_request", "the connection ended before the request did"));
  }
  if (error) return close();
  input_end_ += size;
  process();
}

void HttpConnection::process() {
  processing_ = true;
  for (int answered = 0;;) {
    if (state_ == State::kHeld) {
      if (++answered > kAnsweredAtATime) {
        process_soon();  // Others have their turn first.
        break;
      }
      next_request();
    }
    if (state_ != State::kIdle && state_ != State::kHead && state_ != State::kBody) break;
    if (!parse_some()) break;
  }
  processing_ = false;
}

// Goes on behind a held answer once everything that is on the stack has returned.
void HttpConnection::process_soon() {
  asio::post(loop_->io(), [self = shared_from_this()] {
    if (self->state_ != State::kHeld) return;
    if (self->keep_alive_) return self->process();
    self->state_ = State::kWrite;  // The server stops: what is answered is all there is.
    self->write_answer();
  });
}

// Makes one step; false: wait for more bytes.
bool HttpConnection::parse_some() {
  while (state_ == State::kIdle && input_begin_ < input_end_ &&
         (input_[input_begin_] == '\r' || input_[input_begin_] == '\n')) {
    ++input_begin_;  // Empty lines before a request are tolerated, but do not move the deadline.
  }
  if (input_begin_ == input_end_) {
    input_begin_ = input_end_ = 0;
    await_input();
    return false;
  }
  if (state_ == State::kIdle) {
    state_ = State::kHead;
    set_deadline(limits().header_time);
    HttpRequestAccess::reset(request_, peer_);
    parser_.emplace(request_, limits());
  }
  beast::error_code error;
  const auto* bytes = input_.data() + input_begin_;
  const auto size = input_end_ - input_begin_;
  input_begin_ += parser_->put(asio::buffer(bytes, size), error);
  if (error == beast::http::error::need_more) {
    need_more();
    return false;
  }
  if (error) {
    const bool line_ended = !request_.method().empty() || std::memchr(bytes, '\n', size) != nullptr;
    refuse(parser_->fault(error, line_ended));
    return false;
  }
  if (state_ == State::kHead && parser_->is_header_done()) {
    begin_body();
  } else if (state_ == State::kBody && parser_->is_done()) {
    dispatch();
  }
  return true;
}

void HttpConnection::need_more() {
  if (input_begin_ > 0) {
    std::memmove(input_.data(), input_.data() + input_begin_, input_end_ - input_begin_);
    input_end_ -= input_begin_;
    input_begin_ = 0;
  }
  if (input_end_ == input_.size()) {
    return refuse(problem(400, "malformed_request", "a line of the chunked body is too long"));
  }
  await_input();
}

// Reads on, once the answers that were held back are written.
void HttpConnection::await_input() {
  if (output_.empty()) return read();
  const auto state = std::exchange(state_, State::kWrite);
  const auto deadline = deadline_;
  set_deadline(limits().write_time);
  asio::async_write(
      socket_, asio::buffer(output_),
      [self = shared_from_this(), state, deadline](boost::system::error_code error, std::size_t) {
        if (self->state_ == State::kClosed) return;
        if (error || self->loop_->stopping()) return self->close();
        self->output_.clear();
        self->state_ = state;
        self->deadline_ = deadline;
        self->read();
      });
}

// The head is complete: refuses what needs no body to be refused, else goes on to the body.
void HttpConnection::begin_body() {
  state_ = State::kBody;
  began_ = system_clock().now();
  deadline_ = began_ + limits().body_time;
  keep_alive_ = parser_->keep_alive() && !loop_->stopping();
  http11_ = parser_->http11();
  head_only_ = request_.method() == "HEAD";
  if (auto response = refusal()) {
    return parser_->is_done() ? answer(*std::move(response)) : refuse(*response);
  }
  if (parser_->is_done()) return dispatch();
  if (parser_->expects_continue() && input_begin_ == input_end_) {
    output_ += "HTTP/1.1 100 Continue\r\n\r\n";
  }
}

std::optional<HttpResponse> HttpConnection::refusal() {
  // About the server as a whole.
  if (request_.method() == "OPTIONS" && request_.path() == "*") {
    return HttpResponse{.status = 204, .content_type = {}};
  }
  if (const char* fault = HttpRequestAccess::parse_target(request_, segments_)) {
    return problem(400, "bad_target", fault);
  }
  if (parser_->expectation_unknown()) {
    return problem(417, "unknown_expectation", "the only expectation understood is 100-continue");
  }
  route_ = loop_->shared().router.find(request_, segments_);
  if (route_) {
    if (auto fault = origin_fault()) return fault;
    if (auto fault = token_fault()) return fault;
    return HttpRouter::parameter_fault(*route_, request_);
  }
  auto allowed = loop_->shared().router.allowed(request_, segments_);
  if (allowed.empty()) {
    return problem(404, "no_such_path", "nothing is at " + std::string(request_.path()));
  }
  auto response =
      request_.method() == "OPTIONS"
          ? HttpResponse{.status = 204, .content_type = {}}
          : problem(405, "method_not_allowed",
                    std::string(request_.path()) + " has no " + std::string(request_.method()),
                    "it has " + allowed);
  response.headers.emplace_back("Allow", std::move(allowed));
  return response;
}

// Pages of other sites may not change anything.
std::optional<HttpResponse> HttpConnection::origin_fault() const {
  const auto origin = request_.header("Origin");
  if (!origin || !changes_something(request_.method())) return std::nullopt;
  const auto scheme_end = origin->find("://");
  const auto host = request_.header("Host");
  if (host && scheme_end != std::string_view::npos && origin->substr(scheme_end + 3) == *host) {
    return std::nullopt;
  }
  return problem(403, "cross_origin", "pages of another site may not change anything here");
}

std::optional<HttpResponse> HttpConnection::token_fault() const {
  const auto& token = loop_->shared().options.bearer_token;
  if (token.empty() || route_->options.without_token) return std::nullopt;
  const auto given = request_.bearer_token();
  if (equal_secrets(given, token)) return std::nullopt;
  auto response =
      given.empty()
          ? problem(401, "token_required", "this request needs the server's bearer token",
                    "send the header 'Authorization: Bearer <token>'")
          : problem(401, "token_refused", "the token of this request is not the server's");
  response.headers.emplace_back("WWW-Authenticate",
                                given.empty() ? "Bearer" : "Bearer error=\"invalid_token\"");
  return response;
}

void HttpConnection::dispatch() {
  state_ = State::kHandler;
  ++request_number_;
  otherwise_.reset();
  set_deadline(limits().answer_time);
  call_handler(Responder(shared_from_this(), request_number_));
  if (state_ == State::kHandler) write_held();
}

// A handler that takes its time does not keep back the answers before its own. What the socket does
// not take now is written with that.
void HttpConnection::write_held() {
  if (output_.empty()) return;
  boost::system::error_code error;  // The next write meets it as well.
  output_.erase(0, socket_.write_some(asio::buffer(output_), error));
}

void HttpConnection::call_handler(Responder responder) {
  const auto number = request_number_;
  try {
    route_->handler(request_, std::move(responder));
  } catch (const std::exception& error) {
    spdlog::error("http: {} {} threw: {}", route_->method, route_->pattern, error.what());
    // The responder was destroyed while the exception passed, which has answered with a 500, unless
    // the handler had kept it elsewhere.
    if (state_ == State::kHandler && number == request_number_) {
      answer(problem(500, "internal", "the request could not be handled",
                     "the server's log says why"));
    }
  }
}

// --- Answering
// ------------------------------------------------------------------------------------

void HttpConnection::send(std::shared_ptr<HttpConnection> connection, HttpMail&& mail) {
  auto& loop = *connection->loop_;
  if (loop.on_thread()) return connection->deliver(mail);
  mail.connection = std::move(connection);
  const auto keep = mail.connection;
  if (keep->loop_->post(std::move(mail))) return;
  call_ready(mail.ready, false);
  if (mail.on_bytes) mail.on_bytes({});
}

void HttpConnection::deliver(HttpMail& mail) {
  const bool current = mail.request == request_number_;
  switch (mail.kind) {
    case HttpMail::Kind::kAnswer:
      if (current && state_ == State::kHandler) answer(std::move(mail.response));
      break;
    case HttpMail::Kind::kExpire:
      if (!current || state_ != State::kHandler) break;
      otherwise_ = std::move(mail.response);
      set_deadline(mail.after);
      break;
    case HttpMail::Kind::kCall:
      break;  // Not for a connection.
    case HttpMail::Kind::kStream:
      if (current && state_ == State::kHandler) begin_stream(std::move(mail.response));
      break;
    case HttpMail::Kind::kUpgrade:
      if (current && state_ == State::kHandler) {
        begin_upgrade(std::move(mail.response.body), std::move(mail.on_bytes));
      } else if (mail.on_bytes) {
        mail.on_bytes({});
      }
      break;
    case HttpMail::Kind::kPiece:
      if (current && state_ == State::kStream && !finished_) {
        add_piece(std::move(mail.response.body), std::move(mail.ready));
      } else {
        call_ready(mail.ready, false);
      }
      break;
    case HttpMail::Kind::kFinish:
      if (current && state_ == State::kStream) finish_stream();
      break;
    case HttpMail::Kind::kBreak:
      if (current && state_ == State::kStream && !finished_) close();
      break;
  }
}

void HttpConnection::answer(HttpResponse response) {
  state_ = State::kWrite;
  set_deadline(limits().write_time);
  if (loop_->stopping()) keep_alive_ = false;
  status_ = response.status;
  write_head(response, {.date = loop_->date(), .keep_alive = keep_alive_, .http11 = http11_},
             output_);
  if (!head_only_ && has_body(response.status)) {
    if (response.body.size() <= kCopiedBody) {
      output_ += response.body;
    } else {
      output_body_ = std::move(response.body);
    }
  }
  // A client that has sent its next request already gets several answers with one write.
  const bool more = keep_alive_ && input_begin_ < input_end_;
  if (!more || !output_body_.empty() || output_.size() > kHeldBytes) return write_answer();
  loop_->answered(status_, began_);
  state_ = State::kHeld;
  // Not within this call: it may be the end of anything, under whatever lock, and the next request
  // is any handler's.
  if (!processing_) process_soon();
}

// Answers a request of which not all was read: the connection cannot go on.
void HttpConnection::refuse(const HttpResponse& response) {
  if (state_ != State::kBody) {
    http11_ = true;
    head_only_ = false;
    began_ = system_clock().now();
  }
  keep_alive_ = false;
  answer(response);
}

void HttpConnection::write_answer() {
  const auto written = [self = shared_from_this()](boost::system::error_code error, std::size_t) {
    self->on_written(error);
  };
  if (output_body_.empty()) {
    asio::async_write(socket_, asio::buffer(output_), written);
  } else {
    asio::async_write(
        socket_,
        std::array<asio::const_buffer, 2>{asio::buffer(output_), asio::buffer(output_body_)},
        written);
  }
}

void HttpConnection::on_written(boost::system::error_code error) {
  if (state_ == State::kClosed) return;
  if (error) return close();
  output_.clear();
  output_body_ = {};
  loop_->answered(status_, began_);
  next_request();
}

void HttpConnection::next_request() {
  if (output_.empty() && output_.capacity() > kKeptBytes) output_ = {};
  if (pieces_.capacity() > kKeptBytes) pieces_ = {};
  auto& body = HttpRequestAccess::body(request_);
  if (body.capacity() > kKeptBytes) body = {};
  parser_.reset();
  if (!keep_alive_) return linger();
  state_ = State::kIdle;
  set_deadline(limits().idle_time);
  if (!processing_) process();
}

// Closing at once, with bytes unread, would make the client's system throw the answer away.
void HttpConnection::linger() {
  boost::system::error_code error;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, error);
  if (error || loop_->stopping()) return close();
  state_ = State::kLinger;
  set_deadline(kLingerTime);
  input_begin_ = input_end_ = 0;
  read();
}

}  // namespace thalweg::internal
