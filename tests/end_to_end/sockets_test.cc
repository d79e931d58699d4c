// What customers are told over WebSockets, plain and with STOMP, by a client of another make.

#include <string>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "end_to_end/shop_story.h"

namespace thalweg::end_to_end {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace json = boost::json;
namespace websocket = beast::websocket;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class Socket {
 public:
  Socket(std::uint16_t port, const std::string& user, const std::string& protocol = {})
      : socket_(io_) {
    socket_.next_layer().connect({asio::ip::address_v4::loopback(), port});
    socket_.set_option(websocket::stream_base::decorator([&](websocket::request_type& request) {
      request.set("X-User", user);
      if (!protocol.empty()) request.set(beast::http::field::sec_websocket_protocol, protocol);
    }));
    socket_.handshake("127.0.0.1:" + std::to_string(port), "/ws");
  }

  void send(const std::string& text) { socket_.write(asio::buffer(text)); }
  std::string read() {
    beast::flat_buffer buffer;
    beast::error_code error;
    socket_.read(buffer, error);
    if (error == websocket::error::closed) {
      return "closed " + std::to_string(socket_.reason().code);
    }
    return error ? error.message() : beast::buffers_to_string(buffer.data());
  }
  json::object read_json() { return json::parse(read()).as_object(); }

 private:
  asio::io_context io_;
  websocket::stream<asio::ip::tcp::socket> socket_;
};

std::string frame(const std::string& text) { return text + std::string(1, '\0'); }

class Sockets : public ShopStory {
 protected:
  void SetUp() override { open_shop(); }
};

TEST_F(Sockets, TellACustomerHowTheirOrdersEnd) {
  Socket ada(shop_.port(), "ada");
  ada.send(R"({"op":"subscribe","destination":"/queue/notifications"})");

  const auto order = customer_.order("ada", "lamp", 1);
  const auto message = ada.read_json();

  EXPECT_EQ(message.at("destination"), "/queue/notifications");
  EXPECT_EQ(message.at("id"), 1);
  EXPECT_EQ(message.at("body").at("type"), "ORDER_COMPLETED");
  EXPECT_EQ(message.at("body").at("orderId"), json::string_view(order));
}

TEST_F(Sockets, TellOfOneOrderUntilUnsubscribed) {
  const auto first = customer_.order("ada", "lamp", 1);
  const std::string topic = "/topic/order/" + first;
  Socket ada(shop_.port(), "ada");

  ada.send(R"({"op":"subscribe","destination":")" + topic + "\"}");
  EXPECT_EQ(ada.read_json().at("destination"), json::string_view(topic));
  ada.send(R"({"op":"unsubscribe","destination":")" + topic + "\"}");
  ada.send(R"({"op":"subscribe","destination":"/queue/notifications","lastEventId":1})");
  const auto second = customer_.order("ada", "lamp", 1);

  EXPECT_EQ(ada.read_json().at("body").at("orderId"), json::string_view(second));
}

TEST_F(Sockets, AreForOnesOwnOrdersAlone) {
  const auto order = customer_.order("ada", "lamp", 1);
  Socket cleo(shop_.port(), "cleo");

  cleo.send(R"({"op":"subscribe","destination":"/topic/order/)" + order + "\"}");
  EXPECT_THAT(cleo.read(), AllOf(HasSubstr("refused"), HasSubstr("another user")));
  cleo.send(R"({"op":"subscribe","destination":"/queue/others"})");
  EXPECT_THAT(cleo.read(), HasSubstr("destination is neither"));
  cleo.send(R"({"op":"dance"})");
  EXPECT_THAT(cleo.read(), AllOf(HasSubstr("destination is missing"), HasSubstr("op is neither")));
  cleo.send("dance");
  EXPECT_THAT(cleo.read(), HasSubstr("not a JSON object"));
}

TEST_F(Sockets, SpeakStomp) {
  Socket ada(shop_.port(), "ada", "v12.stomp");
  ada.send(frame("CONNECT\naccept-version:1.2\nhost:shop\n\n"));
  EXPECT_THAT(ada.read(), AllOf(StartsWith("CONNECTED\n"), HasSubstr("version:1.2")));
  ada.send(frame("SUBSCRIBE\nid:s0\ndestination:/user/queue/notifications\nreceipt:r0\n\n"));
  EXPECT_THAT(ada.read(), AllOf(StartsWith("RECEIPT\n"), HasSubstr("receipt-id:r0")));

  const auto order = customer_.order("ada", "lamp", 1);

  EXPECT_THAT(ada.read(),
              AllOf(StartsWith("MESSAGE\nsubscription:s0\nmessage-id:1\n"),
                    HasSubstr("destination:/user/queue/notifications\n"),
                    HasSubstr(R"("type":"ORDER_COMPLETED")"), HasSubstr(order)));
  ada.send(frame("DISCONNECT\nreceipt:r1\n\n"));
  EXPECT_THAT(ada.read(), HasSubstr("receipt-id:r1"));
  EXPECT_EQ(ada.read(), "closed 1000");
}

TEST_F(Sockets, TellStompClientsWhatIsWrong) {
  Socket early(shop_.port(), "ada", "v12.stomp");
  early.send(frame("SUBSCRIBE\nid:s0\ndestination:/queue/notifications\n\n"));
  EXPECT_THAT(early.read(), AllOf(StartsWith("ERROR\n"), HasSubstr("CONNECT comes first")));
  EXPECT_EQ(early.read(), "closed 1002");

  Socket strange(shop_.port(), "ada", "v12.stomp");
  strange.send(frame("CONNECT\naccept-version:1.2\n\n"));
  strange.read();
  strange.send(frame("SEND\ndestination:/queue/notifications\n\nhello"));
  EXPECT_THAT(strange.read(), HasSubstr("SEND is not understood"));
}

}  // namespace
}  // namespace thalweg::end_to_end
