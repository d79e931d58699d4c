#include "end_to_end/web_socket_client.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/json/parse.hpp>

namespace thalweg::end_to_end {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;
using asio::ip::tcp;

struct WebSocketClient::Impl {
  asio::io_context io;
  websocket::stream<tcp::socket> socket{io};
};

WebSocketClient::WebSocketClient(std::uint16_t port, const std::string& user,
                                 const std::string& protocol, int receive_bytes)
    : impl_(std::make_unique<Impl>()) {
  auto& socket = impl_->socket;
  socket.next_layer().open(tcp::v4());
  if (receive_bytes > 0) {
    socket.next_layer().set_option(asio::socket_base::receive_buffer_size(receive_bytes));
  }
  socket.next_layer().connect({asio::ip::address_v4::loopback(), port});
  socket.set_option(websocket::stream_base::decorator([&](websocket::request_type& request) {
    request.set("X-User", user);
    if (!protocol.empty()) request.set(beast::http::field::sec_websocket_protocol, protocol);
  }));
  socket.handshake("127.0.0.1:" + std::to_string(port), "/ws");
}

WebSocketClient::~WebSocketClient() = default;

void WebSocketClient::send(const std::string& text) { impl_->socket.write(asio::buffer(text)); }

std::string WebSocketClient::read() {
  beast::flat_buffer buffer;
  beast::error_code error;
  impl_->socket.read(buffer, error);
  // The server may be gone before our answer to its last word: that it was said is what counts.
  const auto reason = impl_->socket.reason();
  if (error && reason) return "closed " + std::to_string(reason.code);
  return error ? error.message() : beast::buffers_to_string(buffer.data());
}

boost::json::object WebSocketClient::read_json() { return boost::json::parse(read()).as_object(); }

}  // namespace thalweg::end_to_end
