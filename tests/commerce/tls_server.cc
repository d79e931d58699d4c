#include "tls_server.h"

#include <atomic>
#include <deque>
#include <mutex>
#include <thread>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <openssl/ssl.h>

namespace thalweg::shop {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
namespace ssl = boost::asio::ssl;
using boost::asio::ip::tcp;

}  // namespace

class TlsServer::Impl {
 public:
  Impl(const Certificate& certificate, Manner manner) : manner_(manner) {
    context_.use_certificate_chain(asio::buffer(certificate.certificate));
    context_.use_private_key(asio::buffer(certificate.key), ssl::context::pem);
    asio::co_spawn(io_, listen(), asio::detached);
    thread_ = std::thread([this] { io_.run(); });
  }
  ~Impl() {
    io_.stop();
    thread_.join();
  }

  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
  std::string asked_for() const {
    const std::lock_guard lock(mutex_);
    return asked_for_;
  }

  std::atomic<int> connections_ = 0;
  std::atomic<int> handshakes_ = 0;
  std::atomic<int> requests_ = 0;

 private:
  asio::awaitable<void> listen() {
    for (;;) {
      tcp::socket socket = co_await acceptor_.async_accept(asio::use_awaitable);
      ++connections_;
      if (manner_ == Manner::kSilent) {
        silent_.push_back(std::move(socket));
      } else {
        asio::co_spawn(io_, serve(std::move(socket)), asio::detached);
      }
    }
  }

  asio::awaitable<void> serve(tcp::socket socket) {
    ssl::stream<tcp::socket> stream(std::move(socket), context_);
    co_await stream.async_handshake(ssl::stream_base::server, asio::use_awaitable);
    note_name(stream.native_handle());
    ++handshakes_;
    boost::beast::flat_buffer buffer;
    for (;;) {
      http::request<http::string_body> request;
      co_await http::async_read(stream, buffer, request, asio::use_awaitable);
      ++requests_;
      http::response<http::string_body> response(http::status::ok, request.version());
      response.body() = "{}";
      response.prepare_payload();
      co_await http::async_write(stream, response, asio::use_awaitable);
      if (manner_ == Manner::kClosesAfter) co_return;
    }
  }

  void note_name(SSL* session) {
    const char* name = SSL_get_servername(session, TLSEXT_NAMETYPE_host_name);
    const std::lock_guard lock(mutex_);
    asked_for_ = name ? name : "";
  }

  const Manner manner_;
  asio::io_context io_{1};
  ssl::context context_{ssl::context::tls_server};
  tcp::acceptor acceptor_{io_, {asio::ip::address_v4::loopback(), 0}};
  std::deque<tcp::socket> silent_;
  mutable std::mutex mutex_;
  std::string asked_for_;
  std::thread thread_;
};

TlsServer::TlsServer(const Certificate& certificate, Manner manner)
    : impl_(std::make_unique<Impl>(certificate, manner)) {}

TlsServer::~TlsServer() = default;

std::uint16_t TlsServer::port() const { return impl_->port(); }
int TlsServer::connections() const { return impl_->connections_; }
int TlsServer::handshakes() const { return impl_->handshakes_; }
int TlsServer::requests() const { return impl_->requests_; }
std::string TlsServer::asked_for() const { return impl_->asked_for(); }

}  // namespace thalweg::shop
