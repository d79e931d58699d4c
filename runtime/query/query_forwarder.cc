#include "query/query_forwarder.h"

#include <memory>
#include <optional>
#include <utility>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include "query/query_context.h"

namespace thalweg::internal {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;

constexpr std::size_t kLargestAnswer = 64u << 20;

/// One request and its answer; every step is bounded by the same deadline.
class Exchange {
 public:
  Exchange(const std::string& server, const std::string& target) : server_(server) {
    request_.method(http::verb::get);
    request_.target(target);
    request_.version(11);
    request_.set(http::field::host, server);
    request_.set(http::field::connection, "close");
    request_.set(QueryForwarder::kForwarded, server);
    parser_.body_limit(kLargestAnswer);
  }

  /// The answer; none when there was no whole one in time.
  std::optional<HttpResponse> run(std::chrono::milliseconds patience) {
    const auto colon = server_.rfind(':');
    resolver_.async_resolve(server_.substr(0, colon), server_.substr(colon + 1),
                            [this](const auto& error, const auto& found) {
                              if (!error) connect(found);
                            });
    context_.run_for(patience);
    if (!parser_.is_done()) return std::nullopt;
    auto& answer = parser_.get();
    HttpResponse response{.status = static_cast<int>(answer.result_int()),
                          .content_type = std::string(answer[http::field::content_type]),
                          .body = std::move(answer.body())};
    for (const char* name : {"Retry-After", QueryForwarder::kServedBy}) {
      if (const auto value = answer[name]; !value.empty()) {
        response.headers.emplace_back(name, std::string(value));
      }
    }
    return response;
  }

 private:
  void connect(const asio::ip::tcp::resolver::results_type& found) {
    stream_.async_connect(found, [this](const auto& error, const auto&) {
      if (error) return;
      http::async_write(stream_, request_, [this](const auto& unsent, std::size_t) {
        if (unsent) return;
        http::async_read(stream_, buffer_, parser_, [](const auto&, std::size_t) {});
      });
    });
  }

  const std::string server_;
  asio::io_context context_;
  asio::ip::tcp::resolver resolver_{context_};
  beast::tcp_stream stream_{context_};
  beast::flat_buffer buffer_;
  http::request<http::empty_body> request_;
  http::response_parser<http::string_body> parser_;
};

}  // namespace

void QueryForwarder::forward(const std::string& server, std::string target, Responder responder) {
  const auto waiting = std::make_shared<Responder>(std::move(responder));
  const bool posted = asker_.post([this, waiting, server, target = std::move(target)] {
    auto answer = Exchange(server, target).run(patience_);
    if (answer) return waiting->send(*std::move(answer));
    auto response = problem(503, "owner_not_reached",
                            "the key is with " + server + ", which does not answer", "ask again");
    response.headers.emplace_back("Retry-After", "1");
    waiting->send(std::move(response));
  });
  if (!posted) waiting->send(QueryContext::busy());
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
    if (is_plain) {
      out += c;
    } else {
      out += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return out;
}

}  // namespace thalweg::internal
