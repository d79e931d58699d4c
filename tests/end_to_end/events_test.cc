// What customers are told while they listen: over server-sent events, from where they stopped.

#include <chrono>
#include <string>
#include <vector>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/write.hpp>
#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "end_to_end/shop_story.h"

namespace thalweg::end_to_end {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using ::testing::HasSubstr;

/// A browser's EventSource, as far as it is needed. Reads block; the test's own time limit ends
/// them.
class Listener {
 public:
  Listener(std::uint16_t port, const std::string& target, const std::string& headers)
      : socket_(io_) {
    socket_.connect({asio::ip::address_v4::loopback(), port});
    asio::write(socket_, asio::buffer("GET " + target + " HTTP/1.1\r\nHost: shop\r\n" + headers +
                                      "Accept: text/event-stream\r\n\r\n"));
    status_ = line();
  }

  const std::string& status() const { return status_; }
  /// The next event: its id and data.
  std::pair<std::string, json::object> next() {
    std::string id;
    for (;;) {
      const std::string text = line();
      if (text.starts_with("id: ")) id = text.substr(4);
      if (text.starts_with("data: ")) return {id, json::parse(text.substr(6)).as_object()};
    }
  }

 private:
  std::string line() {
    const auto size = asio::read_until(socket_, asio::dynamic_buffer(buffer_), "\n");
    std::string text = buffer_.substr(0, size);
    buffer_.erase(0, size);
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
    return text;
  }

  asio::io_context io_;
  asio::ip::tcp::socket socket_;
  std::string buffer_;
  std::string status_;
};

class Events : public ShopStory {
 protected:
  void SetUp() override { open_shop(); }

  Listener listen(const std::string& user, const std::string& headers = {},
                  const std::string& target = "/events") {
    return Listener(shop_.port(), target, "X-User: " + user + "\r\n" + headers);
  }
};

TEST_F(Events, TellACustomerHowTheirOrdersEnded) {
  auto ada = listen("ada");
  EXPECT_THAT(ada.status(), HasSubstr("200"));

  const auto fine = customer_.order("ada", "lamp", 2);
  const auto first = ada.next();
  customer_.order("cleo", "lamp", 1);
  const auto too_many = customer_.order("ada", "lamp", 1'000);
  const auto second = ada.next();

  EXPECT_EQ(first.first, "1");
  EXPECT_EQ(first.second.at("destination"), "/queue/notifications");
  EXPECT_EQ(first.second.at("body").at("type"), "ORDER_COMPLETED");
  EXPECT_EQ(first.second.at("body").at("orderId"), json::string_view(fine));
  EXPECT_EQ(second.first, "2") << "nothing of cleo's";
  EXPECT_EQ(second.second.at("body").at("type"), "ORDER_CANCELLED");
  EXPECT_EQ(second.second.at("body").at("orderId"), json::string_view(too_many));
}

TEST_F(Events, GoOnWhereAClientStoppedEvenAfterAKill) {
  const auto first = customer_.order("ada", "lamp", 1);
  EXPECT_EQ(listen("ada").next().second.at("body").at("orderId"), json::string_view(first));
  const auto second = customer_.order("ada", "lamp", 1);
  EXPECT_EQ(listen("ada", "Last-Event-ID: 1\r\n").next().first, "2");
  shop_.process().kill_hard();
  shop_.start_and_wait();

  auto again = listen("ada", "Last-Event-ID: 1\r\n");

  const auto event = again.next();
  EXPECT_EQ(event.first, "2");
  EXPECT_EQ(event.second.at("body").at("orderId"), json::string_view(second));
}

TEST_F(Events, TellTheResultOfACouponRequestWhichIsThenNotified) {
  customer_.request("POST", "/coupons",
                    R"({"couponId":"ten-off","quantity":1,"validFrom":"2020-01-01T00:00:00Z",)"
                    R"("validUntil":"2120-01-01T00:00:00Z"})");
  auto cleo = listen("cleo");

  const auto answer = customer_.request("POST", "/coupons/issue",
                                        R"({"userId":"cleo","couponId":"ten-off"})");
  const std::string request(json::parse(answer.body).at("requestId").as_string());
  const auto body = cleo.next().second.at("body");

  EXPECT_EQ(body.at("type"), "COUPON_RESULT");
  EXPECT_EQ(body.at("requestId"), json::string_view(request));
  EXPECT_EQ(body.at("success"), true);
  std::string status;
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (status != "NOTIFIED" && std::chrono::steady_clock::now() < until) {
    const auto row = json::parse(customer_.request("GET", "/coupons/requests/" + request).body);
    status = row.at("status").as_string();
  }
  EXPECT_EQ(status, "NOTIFIED");
}

TEST_F(Events, OfAnOrderAreForItsCustomerAlone) {
  const auto first = customer_.order("ada", "lamp", 1);
  EXPECT_EQ(customer_.end_of(first), completed());
  const auto second = customer_.order("ada", "lamp", 1);
  const std::string target = "/events?destination=/topic/order/" + second;

  const auto event = listen("ada", {}, target).next();

  EXPECT_EQ(event.second.at("body").at("orderId"), json::string_view(second));
  EXPECT_EQ(event.second.at("destination"), json::string_view("/topic/order/" + second));
  EXPECT_THAT(listen("cleo", {}, target).status(), HasSubstr("403"));
  EXPECT_THAT(listen("ada", {}, "/events?destination=/topic/order/none").status(),
              HasSubstr("404"));
  EXPECT_THAT(listen("ada", "Last-Event-ID: never\r\n").status(), HasSubstr("400"));
}

}  // namespace
}  // namespace thalweg::end_to_end
