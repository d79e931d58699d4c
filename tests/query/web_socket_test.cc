// WebSockets as a client of another make sees them: Beast's.

#include <atomic>
#include <chrono>
#include <string>
#include <string_view>
#include <thread>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thalweg/runtime/http_server.h>
#include <thalweg/runtime/web_socket.h>

#include "query/raw_client.h"

namespace thalweg {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;
using ::testing::HasSubstr;

class Client {
 public:
  explicit Client(std::uint16_t port, const std::string& protocol = {}) : socket_(io_) {
    socket_.next_layer().connect({asio::ip::address_v4::loopback(), port});
    socket_.set_option(websocket::stream_base::decorator([&](websocket::request_type& request) {
      if (!protocol.empty()) request.set(beast::http::field::sec_websocket_protocol, protocol);
    }));
    socket_.handshake(response_, "127.0.0.1:" + std::to_string(port), "/ws");
  }

  std::string protocol() {
    return std::string(response_[beast::http::field::sec_websocket_protocol]);
  }
  void send(const std::string& text) { socket_.write(asio::buffer(text)); }
  /// The next message, or the code with which the server said goodbye.
  std::string read() {
    beast::flat_buffer buffer;
    beast::error_code error;
    socket_.read(buffer, error);
    if (error == websocket::error::closed) return "closed " + std::to_string(code());
    return error ? error.message() : beast::buffers_to_string(buffer.data());
  }
  std::uint16_t code() { return socket_.reason().code; }
  websocket::stream<asio::ip::tcp::socket>& socket() { return socket_; }

 private:
  asio::io_context io_;
  websocket::stream<asio::ip::tcp::socket> socket_;
  websocket::response_type response_;
};

class WebSocketTest : public ::testing::Test {
 protected:
  void SetUp() override {
    server_.route("GET", "/ws", [this](HttpRequest& request, Responder responder) {
      WebSocket::Options options{.protocols = {"v12.stomp", "other"}};
      options.on_text = [](WebSocket& socket, std::string text) {
        const std::string_view said = text;
        if (said == "flood") {
          const std::string much(64u << 10, 'x');
          for (int i = 0; i < 1'000; ++i) socket.send(much);
        } else if (said == "bye") {
          socket.close(1000, "bye");
        } else {
          socket.send("echo " + text);
        }
      };
      options.on_end = [this] { ended_.fetch_add(1); };
      WebSocket::accept(request, std::move(responder), std::move(options));
    });
    ASSERT_TRUE(server_.start().has_value());
  }

  void expect_ended(int times) {
    while (ended_ < times) std::this_thread::yield();
    EXPECT_EQ(ended_, times);
  }

  HttpServer server_{HttpServerOptions{}};
  std::atomic<int> ended_ = 0;
};

TEST_F(WebSocketTest, CarriesMessagesOfAnySizeBothWays) {
  Client client(server_.port());

  for (const std::size_t size : {0u, 1u, 125u, 126u, 65'535u}) {
    const std::string text(size, 'a');
    client.send(text);
    EXPECT_EQ(client.read(), "echo " + text);
  }
}

TEST_F(WebSocketTest, PutsFragmentsTogetherAndAnswersPings) {
  Client client(server_.port());
  bool answered = false;
  client.socket().control_callback([&](websocket::frame_type type, beast::string_view text) {
    answered |= type == websocket::frame_type::pong && text == "well?";
  });

  client.socket().write_some(false, asio::buffer("one ", 4));
  client.socket().ping("well?");
  client.socket().write_some(true, asio::buffer("two", 3));

  EXPECT_EQ(client.read(), "echo one two");
  EXPECT_TRUE(answered);
}

TEST_F(WebSocketTest, ChoosesASubprotocolThatBothKnow) {
  EXPECT_EQ(Client(server_.port(), "v10.stomp, other").protocol(), "other");
  EXPECT_EQ(Client(server_.port(), "other, v12.stomp").protocol(), "v12.stomp");
  EXPECT_EQ(Client(server_.port(), "nothing").protocol(), "");
}

TEST_F(WebSocketTest, EndsAsEitherSideWishes) {
  Client one(server_.port());
  one.send("bye");
  EXPECT_EQ(one.read(), "closed 1000");

  Client two(server_.port());
  two.socket().close(websocket::close_code::normal);
  expect_ended(2);
}

TEST_F(WebSocketTest, AMessageThatIsTooLongOrNoTextEndsIt) {
  Client long_one(server_.port());
  long_one.send(std::string(70'000, 'a'));
  EXPECT_EQ(long_one.read(), "closed 1009");

  Client binary(server_.port());
  binary.socket().binary(true);
  binary.send("x");
  EXPECT_EQ(binary.read(), "closed 1003");

  Client garbage(server_.port());
  garbage.send("\xC3\x28");
  EXPECT_EQ(garbage.read(), "closed 1007");

  Client unmasked(server_.port());
  asio::write(unmasked.socket().next_layer(), asio::buffer("\x81\x01x", 3));
  EXPECT_EQ(unmasked.read(), "closed 1002");
}

TEST_F(WebSocketTest, AClientThatDoesNotReadIsClosedAndOthersNoticeNothing) {
  Client stalled(server_.port());
  stalled.send("flood");
  Client other(server_.port());

  other.send("hello");
  EXPECT_EQ(other.read(), "echo hello");

  std::size_t messages = 0;
  std::string last;
  while ((last = stalled.read()).size() == 64u << 10) ++messages;
  EXPECT_EQ(last, "closed 1013");
  EXPECT_LT(messages * (64u << 10), 2u << 20) << "about a mebibyte is kept for it";
}

// The answer to such a message waited for a lock that its own thread held: one client that did not
// wait for the end of its handshake stopped the server for everybody.
TEST_F(WebSocketTest, MessagesThatComeWithTheHandshakeAreAnswered) {
  const std::string unmasked_mask(4, '\0');
  testing::RawClient hasty(server_.port());
  hasty.send("GET /ws HTTP/1.1\r\nHost: shop\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
             "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
             "\x81\x83" + unmasked_mask + "one" + "\x81\x83" + unmasked_mask + "bye");

  const std::string answer = hasty.read_to_end();

  EXPECT_THAT(answer, ::testing::StartsWith("HTTP/1.1 101 "));
  EXPECT_THAT(answer, HasSubstr("\r\n\r\n\x81\x08" "echo one"));
  EXPECT_THAT(answer, ::testing::EndsWith("\x03\xE8" "bye")) << "it is closed with 1000";
  expect_ended(1);
}

TEST_F(WebSocketTest, WhatIsNoHandshakeIsRefused) {
  using testing::RawClient;
  EXPECT_EQ(RawClient(server_.port()).get("/ws").status, 426);
  EXPECT_EQ(RawClient(server_.port())
                .get("/ws", "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                            "Sec-WebSocket-Version: 8\r\n")
                .status,
            426);
  EXPECT_EQ(RawClient(server_.port())
                .get("/ws", "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                            "Sec-WebSocket-Version: 13\r\n"
                            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                            "Origin: http://evil.example\r\n")
                .status,
            403);
}

TEST_F(WebSocketTest, OpenSocketsDoNotHoldUpAStop) {
  Client client(server_.port());
  client.send("hello");
  client.read();

  server_.stop(std::chrono::hours(1));  // As long as it would wait for an answer.

  expect_ended(1);
}

}  // namespace
}  // namespace thalweg
