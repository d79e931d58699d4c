#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include <thalweg/runtime/clock.h>
#include <thalweg/runtime/peers.h>

#include "peer_protocol.h"
#include "this_thread.h"

namespace thalweg {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;

constexpr std::size_t kLargestAnswer = 64u << 20;
constexpr std::size_t kIdleMax = 64;  // Connections kept for each server.

using Deadline = Clock::Instant;
using Finished = std::move_only_function<void(std::optional<HttpResponse>)>;

/// A connection to one server, for one question at a time.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(asio::io_context& context, std::string server)
      : server_(std::move(server)), resolver_(context), stream_(context) {}

  const std::string& server() const { return server_; }
  /// Whether a question was answered here before: its end may have been closed since.
  bool is_used() const { return is_used_; }
  bool can_stay() const { return can_stay_; }
  void break_off() {
    resolver_.cancel();
    stream_.close();
  }

  void ask(const std::string& target, const std::string& authorization, Deadline deadline,
           Finished finished) {
    finished_ = std::move(finished);
    request_ = {};
    request_.method(http::verb::get);
    request_.target(target);
    request_.version(11);
    request_.set(http::field::host, server_);
    request_.set(kForwardedHeader, server_);
    if (!authorization.empty()) request_.set(http::field::authorization, authorization);
    stream_.expires_at(deadline);
    if (is_used_) return write();
    const auto colon = server_.rfind(':');
    resolver_.async_resolve(
        server_.substr(0, colon), colon == server_.npos ? "80" : server_.substr(colon + 1),
        [self = shared_from_this()](const auto& error, const auto& found) {
          if (error) return self->finish({});
          self->stream_.async_connect(found, [self](const auto& refused, const auto&) {
            if (refused) return self->finish({});
            self->stream_.socket().set_option(asio::ip::tcp::no_delay(true));
            self->write();
          });
        });
  }

 private:
  void write() {
    parser_.emplace();
    parser_->body_limit(kLargestAnswer);
    http::async_write(
        stream_, request_, [self = shared_from_this()](const auto& error, std::size_t) {
          if (error) return self->finish({});
          http::async_read(self->stream_, self->buffer_, *self->parser_,
                           [self](const auto& fault, std::size_t) { self->read(!fault); });
        });
  }
  void read(bool whole) {
    if (!whole) return finish({});
    is_used_ = true;
    can_stay_ = parser_->get().keep_alive();
    auto& answer = parser_->get();
    HttpResponse response{.status = static_cast<int>(answer.result_int()),
                          .content_type = std::string(answer[http::field::content_type]),
                          .body = std::move(answer.body())};
    for (const char* name : {"Retry-After", kServedByHeader, internal::kFirstReadableHeader}) {
      if (const auto value = answer[name]; !value.empty()) {
        response.headers.emplace_back(name, std::string(value));
      }
    }
    finish(std::move(response));
  }
  void finish(std::optional<HttpResponse> response) {
    if (!response) can_stay_ = false;
    stream_.expires_never();
    std::exchange(finished_, {})(std::move(response));
  }

  const std::string server_;
  asio::ip::tcp::resolver resolver_;
  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
  http::request<http::empty_body> request_;
  std::optional<http::response_parser<http::string_body>> parser_;
  Finished finished_;
  bool is_used_ = false;
  bool can_stay_ = false;
};

class HttpPeers final : public Peers {
 public:
  explicit HttpPeers(const std::string& token)
      : authorization_(token.empty() ? token : std::string("Bearer ").append(token)),
        thread_([this] {
          internal::name_this_thread("peers");
          context_.run();
        }) {}
  ~HttpPeers() override { close(); }

  void ask(const std::string& server, std::string target, std::chrono::milliseconds patience,
           Answer answer) override {
    auto question = std::make_shared<Question>(
        server, std::move(target), system_clock().now() + patience, std::move(answer));
    const std::lock_guard lock(mutex_);
    // Else it ends here, and says so.
    if (!closed_) asio::post(context_, [this, question] { send(question); });
  }
  void after(std::chrono::milliseconds pause, std::move_only_function<void()> work) override {
    auto timer = std::make_shared<asio::steady_timer>(context_, pause);
    timer->async_wait([timer, work = std::make_shared<std::move_only_function<void()>>(
                                  std::move(work))](const auto& error) {
      if (!error) (*work)();
    });
  }
  void close() override {
    {
      const std::lock_guard lock(mutex_);
      if (std::exchange(closed_, true)) return;
    }
    context_.stop();
    thread_.join();
    // What was under way ends in this thread.
    for (const auto& connection : busy_) connection->break_off();
    context_.restart();
    context_.poll();
    idle_.clear();
  }

 private:
  struct Question {
    ~Question() {
      if (answer) answer({});  // The peers were closed.
    }
    std::string server;
    std::string target;
    Deadline deadline;
    Answer answer;
  };

  void send(const std::shared_ptr<Question>& question) {
    if (is_closed()) return;
    std::shared_ptr<Connection> connection;
    auto& idle = idle_[question->server];
    if (idle.empty()) {
      connection = std::make_shared<Connection>(context_, question->server);
    } else {
      connection = std::move(idle.back());
      idle.pop_back();
    }
    busy_.insert(connection);
    const bool was_used = connection->is_used();
    connection->ask(question->target, authorization_, question->deadline,
                    [this, connection, question, was_used](std::optional<HttpResponse> response) {
                      take(connection, question, was_used, std::move(response));
                    });
  }
  void take(const std::shared_ptr<Connection>& connection,
            const std::shared_ptr<Question>& question, bool was_used,
            std::optional<HttpResponse> response) {
    busy_.erase(connection);
    const bool in_time = system_clock().now() < question->deadline;
    if (!response && was_used && in_time && !is_closed()) {
      // The other side had closed it: it did so to those beside it, too.
      idle_[question->server].clear();
      return send(question);
    }
    auto& idle = idle_[connection->server()];
    if (connection->can_stay() && idle.size() < kIdleMax) idle.push_back(connection);
    std::exchange(question->answer, {})(std::move(response));
  }

  bool is_closed() {
    const std::lock_guard lock(mutex_);
    return closed_;
  }

  const std::string authorization_;  // Empty: none.
  asio::io_context context_;
  asio::executor_work_guard<asio::io_context::executor_type> work_{context_.get_executor()};
  // The thread's own.
  std::map<std::string, std::vector<std::shared_ptr<Connection>>> idle_;
  std::set<std::shared_ptr<Connection>> busy_;

  std::mutex mutex_;
  bool closed_ = false;  // Guarded by it.
  std::thread thread_;   // Last, as it uses the others.
};

}  // namespace

std::unique_ptr<Peers> http_peers(const std::string& token) {
  return std::make_unique<HttpPeers>(token);
}

}  // namespace thalweg
