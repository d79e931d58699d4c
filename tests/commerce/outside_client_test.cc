// The client with which the shop calls other people's servers, against one that can fail.

#include <future>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thalweg/runtime/http_server.h>

#include "outside_client.h"
#include "stub_receiver.h"

namespace thalweg::shop {
namespace {

using ::testing::HasSubstr;
using stub_receiver::StubReceiver;
using namespace std::chrono_literals;

class CallingTheOutside : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto started = receiver_.start();
    ASSERT_TRUE(started) << started.error().message;
  }
  std::future<std::expected<OutsideReply, std::string>> send(
      const std::string& key, std::chrono::milliseconds timeout = 5s,
      std::optional<std::uint16_t> port = std::nullopt) {
    auto url = OutsideUrl::parse("http://127.0.0.1:" +
                                 std::to_string(port.value_or(receiver_.port())) +
                                 "/webhooks/test");
    std::promise<std::expected<OutsideReply, std::string>> promise;
    auto future = promise.get_future();
    client_->send({.url = *url,
                   .headers = {{"Idempotency-Key", key}},
                   .body = "{}",
                   .timeout = timeout},
                  [promise = std::move(promise)](auto reply) mutable {
                    promise.set_value(std::move(reply));
                  });
    return future;
  }

  StubReceiver receiver_;
  std::unique_ptr<OutsideClient> client_ = std::make_unique<OutsideClient>(4);
};

TEST_F(CallingTheOutside, BringsBackStatusAndBody) {
  const auto reply = send("a").get();
  ASSERT_TRUE(reply) << reply.error();
  EXPECT_EQ(reply->status, 200);
  EXPECT_EQ(reply->body, R"({"received":true})");

  receiver_.behave({.fail_next = 1, .fail_status = 418});
  EXPECT_EQ(send("b").get()->status, 418);
}

TEST_F(CallingTheOutside, SendsMoreRequestsThanItHasConnections) {
  receiver_.behave({.delay_next = 40, .delay = 20ms});
  std::vector<std::future<std::expected<OutsideReply, std::string>>> replies;
  for (int i = 0; i < 40; ++i) replies.push_back(send(std::to_string(i)));
  for (auto& reply : replies) EXPECT_EQ(reply.get().value().status, 200);

  EXPECT_EQ(receiver_.requests(), 40);
}

TEST_F(CallingTheOutside, SaysThatNobodyListens) {
  const std::uint16_t port = receiver_.port();
  receiver_.stop();
  const auto reply = send("a", 5s, port).get();
  ASSERT_FALSE(reply);
  EXPECT_THAT(reply.error(), HasSubstr("connecting: Connection refused"));
}

TEST_F(CallingTheOutside, WaitsNoLongerThanItWasTold) {
  receiver_.behave({.delay_next = 1, .delay = 10s});
  const auto reply = send("a", 100ms).get();
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error(), "waiting for the answer: no answer within 100 ms");
  EXPECT_EQ(send("b").get().value().status, 200) << "on another connection";
}

TEST_F(CallingTheOutside, AnswersEverybodyWhenItCloses) {
  receiver_.behave({.delay_next = 10, .delay = 10s});
  std::vector<std::future<std::expected<OutsideReply, std::string>>> replies;
  for (int i = 0; i < 10; ++i) replies.push_back(send(std::to_string(i), 60s));
  client_.reset();
  for (auto& reply : replies) EXPECT_FALSE(reply.get());
}

TEST(OutsideConnections, AreUsedAgainAndReplacedWhenTheServerHasClosedThem) {
  std::set<std::string> peers;
  const auto count_peers = [&peers](HttpRequest& request, Responder responder) {
    peers.insert(std::string(request.peer()));
    responder.send({.body = "{}"});
  };
  auto server = std::make_unique<HttpServer>();
  server->route("POST", "/", count_peers);
  ASSERT_TRUE(server->start());
  OutsideClient client;
  const auto url = OutsideUrl::parse("http://127.0.0.1:" + std::to_string(server->port()));
  const auto call = [&] {
    std::promise<int> promise;
    auto status = promise.get_future();
    client.send({.url = *url}, [promise = std::move(promise)](auto reply) mutable {
      promise.set_value(reply ? reply->status : 0);
    });
    return status.get();
  };
  for (int i = 0; i < 5; ++i) EXPECT_EQ(call(), 200);
  EXPECT_EQ(peers.size(), 1U);

  server.reset();
  server = std::make_unique<HttpServer>(HttpServerOptions{.listen = "127.0.0.1:" + url->port});
  server->route("POST", "/", count_peers);
  ASSERT_TRUE(server->start());
  EXPECT_EQ(call(), 200) << "the call that finds its connection closed";
  EXPECT_EQ(peers.size(), 2U);
}

TEST(OutsideUrls, AreTakenApart) {
  const auto url = OutsideUrl::parse("http://example.com:8080/hooks/shop/").value();
  EXPECT_EQ(url.host, "example.com");
  EXPECT_EQ(url.port, "8080");
  EXPECT_EQ(url.path, "/hooks/shop");
  EXPECT_EQ(url.authority(), "example.com:8080");
  EXPECT_EQ(OutsideUrl::parse("http://[::1]").value().host, "::1");
  EXPECT_EQ(OutsideUrl::parse("http://[::1]").value().authority(), "[::1]");
  EXPECT_FALSE(url.secure);
  const auto secure = OutsideUrl::parse("https://example.com/hooks").value();
  EXPECT_TRUE(secure.secure);
  EXPECT_EQ(secure.port, "443");
  EXPECT_EQ(secure.authority(), "example.com");
  EXPECT_EQ(OutsideUrl::parse("https://a:8443").value().authority(), "a:8443");
  EXPECT_EQ(OutsideUrl::parse("https://a:80").value().authority(), "a:80");
  for (const char* bad : {"", "example.com", "ftp://a", "http://", "http://:80", "http://a:0",
                          "http://a:x", "http://user@a"}) {
    EXPECT_FALSE(OutsideUrl::parse(bad)) << bad;
  }
}

}  // namespace
}  // namespace thalweg::shop
