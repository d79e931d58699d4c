// What customers are told over WebSockets, plain and with STOMP, by a client of another make.

#include <string>

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "end_to_end/shop_story.h"
#include "end_to_end/web_socket_client.h"

namespace thalweg::end_to_end {
namespace {

namespace json = boost::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class Sockets : public ShopStory {
 protected:
  void SetUp() override { open_shop(); }
};

TEST_F(Sockets, TellACustomerHowTheirOrdersEnd) {
  WebSocketClient ada(shop_.port(), "ada");
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
  WebSocketClient ada(shop_.port(), "ada");

  ada.send(R"({"op":"subscribe","destination":")" + topic + "\"}");
  EXPECT_EQ(ada.read_json().at("destination"), json::string_view(topic));
  ada.send(R"({"op":"unsubscribe","destination":")" + topic + "\"}");
  ada.send(R"({"op":"subscribe","destination":"/queue/notifications","lastEventId":1})");
  const auto second = customer_.order("ada", "lamp", 1);

  EXPECT_EQ(ada.read_json().at("body").at("orderId"), json::string_view(second));
}

TEST_F(Sockets, AreForOnesOwnOrdersAlone) {
  const auto order = customer_.order("ada", "lamp", 1);
  WebSocketClient cleo(shop_.port(), "cleo");

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
  WebSocketClient ada(shop_.port(), "ada", "v12.stomp");
  ada.send(stomp("CONNECT\naccept-version:1.2\nhost:shop\n\n"));
  EXPECT_THAT(ada.read(), AllOf(StartsWith("CONNECTED\n"), HasSubstr("version:1.2")));
  ada.send(stomp("SUBSCRIBE\nid:s0\ndestination:/user/queue/notifications\nreceipt:r0\n\n"));
  EXPECT_THAT(ada.read(), AllOf(StartsWith("RECEIPT\n"), HasSubstr("receipt-id:r0")));

  const auto order = customer_.order("ada", "lamp", 1);

  EXPECT_THAT(ada.read(),
              AllOf(StartsWith("MESSAGE\nsubscription:s0\nmessage-id:1\n"),
                    HasSubstr("destination:/user/queue/notifications\n"),
                    HasSubstr(R"("type":"ORDER_COMPLETED")"), HasSubstr(order)));
  ada.send(stomp("DISCONNECT\nreceipt:r1\n\n"));
  EXPECT_THAT(ada.read(), HasSubstr("receipt-id:r1"));
  EXPECT_EQ(ada.read(), "closed 1000");
}

TEST_F(Sockets, TellStompClientsWhatIsWrong) {
  WebSocketClient early(shop_.port(), "ada", "v12.stomp");
  early.send(stomp("SUBSCRIBE\nid:s0\ndestination:/queue/notifications\n\n"));
  EXPECT_THAT(early.read(), AllOf(StartsWith("ERROR\n"), HasSubstr("CONNECT comes first")));
  EXPECT_EQ(early.read(), "closed 1002");

  WebSocketClient strange(shop_.port(), "ada", "v12.stomp");
  strange.send(stomp("CONNECT\naccept-version:1.2\n\n"));
  strange.read();
  strange.send(stomp("SEND\ndestination:/queue/notifications\n\nhello"));
  EXPECT_THAT(strange.read(), HasSubstr("SEND is not understood"));
}

}  // namespace
}  // namespace thalweg::end_to_end
