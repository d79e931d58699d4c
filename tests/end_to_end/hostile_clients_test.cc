// Clients that mean harm, against the shop as it is shipped: each gets a clear 4xx or is let go,
// and customers who come at the same time notice nothing.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "end_to_end/shop_story.h"

namespace thalweg::end_to_end {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::Lt;
using testing::RawClient;
using testing::RawResponse;

class HostileClients : public ShopStory {
 protected:
  void SetUp() override { open_shop(); }

  void TearDown() override {
    // Whatever was done to the shop, it still sells.
    EXPECT_EQ(customer_.end_of(customer_.order("ada", "lamp", 1)), completed());
  }

  RawResponse order_with(const std::string& body) {
    return customer_.request("POST", "/orders", body);
  }

  static std::string nested(int depth) {
    return std::string(static_cast<std::size_t>(depth), '[') +
           std::string(static_cast<std::size_t>(depth), ']');
  }
};

auto is_a_clear_refusal() { return AllOf(Ge(400), Lt(500)); }

TEST_F(HostileClients, ABodyThatIsTooLargeIsRefused) {
  const auto answer = order_with(std::string(64u << 20, ' '));

  // A server may close before it has been told everything; then the answer can be lost on the way.
  EXPECT_THAT(answer.status, AnyOf(413, 0));
}

TEST_F(HostileClients, AnAnnouncedBodyThatIsTooLargeIsRefusedBeforeItIsSent) {
  RawClient client(shop_.port());

  client.send("POST /orders HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n");

  EXPECT_EQ(client.read().status, 413);
}

TEST_F(HostileClients, AMalformedBodyIsRefusedWithAReason) {
  const auto trailing = R"({"userId":"ada","items":[{"productId":"lamp","quantity":1}]} more)";
  for (const auto* body : {"", "{", "nonsense", "[]", "{\"userId\":", "\xff\xfe", "null",
                           "1e999999", trailing}) {
    const auto answer = order_with(body);
    EXPECT_EQ(answer.status, 400) << body;
    EXPECT_THAT(answer.header("content-type"), HasSubstr("application/problem+json")) << body;
  }
}

TEST_F(HostileClients, EveryFaultOfABodyIsNamed) {
  const auto answer = order_with(R"({"userId":7,"items":[{"productId":"lamp","quantity":0}]})");

  EXPECT_EQ(answer.status, 400);
  EXPECT_THAT(answer.body, AllOf(HasSubstr("userId"), HasSubstr("quantity")));
}

TEST_F(HostileClients, NumbersThatNoShopCanHoldAreRefused) {
  for (const auto* quantity : {"-1", "0", "1.5", "1e30", "9223372036854775808", "\"1\"", "null",
                               "99999999999999999999999999999"}) {
    const auto answer = order_with(
        R"({"userId":"ada","items":[{"productId":"lamp","quantity":)" + std::string(quantity) +
        "}]}");
    EXPECT_EQ(answer.status, 400) << quantity;
  }
}

TEST_F(HostileClients, NestingWithoutEndIsRefused) {
  for (const int depth : {200, 10'000, 100'000}) {
    EXPECT_EQ(order_with(nested(depth)).status, 400) << depth;
    EXPECT_EQ(order_with(R"({"userId":"ada","items":)" + nested(depth) + "}").status, 400) << depth;
  }
}

TEST_F(HostileClients, AnOrderOfNothingIsRefused) {
  EXPECT_EQ(order_with(R"({"userId":"ada","items":[]})").status, 400);
}

TEST_F(HostileClients, UnknownThingsAreNotFound) {
  const auto moon = R"({"userId":"ada","items":[{"productId":"moon","quantity":1}]})";

  EXPECT_EQ(order_with(moon).status, 404);
  EXPECT_EQ(customer_.request("GET", "/orders/none").status, 404);
  EXPECT_EQ(customer_.request("GET", "/products/moon/stock").status, 404);
  EXPECT_EQ(customer_.request("GET", "/no/such/path").status, 404);
  EXPECT_EQ(customer_.request("DELETE", "/orders").status, 405);
}

TEST_F(HostileClients, PathsThatClimbLeadNowhere) {
  for (const auto* path : {"/../../etc/passwd", "/products/%2e%2e%2f%2e%2e/stock", "/orders/%00",
                           "/orders/%zz", "/orders/%ff%fe"}) {
    EXPECT_THAT(customer_.request("GET", path).status, is_a_clear_refusal()) << path;
  }
}

TEST_F(HostileClients, HeadersWithoutEndAreRefused) {
  const std::string endless = "X: " + std::string(100'000, 'a') + "\r\n";

  const auto answer = customer_.request("GET", "/readyz", {}, endless);

  EXPECT_THAT(answer.status, AnyOf(431, 0));
}

TEST_F(HostileClients, FramingThatCanBeReadInTwoWaysIsRefused) {
  for (const auto* headers :
       {"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: 2\r\nContent-Length: 3\r\n", "Content-Length: -1\r\n",
        "Transfer-Encoding: chunked, gzip\r\n"}) {
    RawClient client(shop_.port());
    client.send("POST /orders HTTP/1.1\r\nHost: x\r\n" + std::string(headers) + "\r\n{}");
    EXPECT_THAT(client.read().status, AnyOf(is_a_clear_refusal(), 501)) << headers;
  }
}

TEST_F(HostileClients, AChunkOfImpossibleSizeIsRefused) {
  for (const auto* size : {"ffffffffffffffff", "-1", "zz"}) {
    RawClient client(shop_.port());
    client.send("POST /orders HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" +
                std::string(size) + "\r\n");
    EXPECT_THAT(client.read().status, is_a_clear_refusal()) << size;
  }
}

TEST_F(HostileClients, HalfSentRequestsHoldUpNobody) {
  std::vector<std::unique_ptr<RawClient>> idlers;
  for (int idler = 0; idler < 100; ++idler) {
    idlers.push_back(std::make_unique<RawClient>(shop_.port()));
    const std::string begun = "POST /orders HTTP/1.1\r\nHost: x\r\nContent-Le";
    idlers.back()->send(idler % 2 == 0 ? begun : begun + "ngth: 100\r\n\r\n{\"user");
  }

  EXPECT_EQ(customer_.end_of(customer_.order("ada", "lamp", 1)), completed());
}

TEST_F(HostileClients, ARequestThatIsNeverFinishedIsGivenUpWithATimeout) {
  RawClient client(shop_.port());

  client.send("POST /orders HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{");

  EXPECT_EQ(client.read().status, 408);
}

TEST_F(HostileClients, TheSameKeyWithAnotherBodyIsAConflictNotASecondOrder) {
  const std::string key = "Idempotency-Key: one\r\n";
  const auto first = customer_.request(
      "POST", "/orders", R"({"userId":"ada","items":[{"productId":"lamp","quantity":1}]})", key);
  const auto again = customer_.request(
      "POST", "/orders", R"({"userId":"ada","items":[{"productId":"lamp","quantity":1}]})", key);
  const auto other = customer_.request(
      "POST", "/orders", R"({"userId":"ada","items":[{"productId":"lamp","quantity":2}]})", key);

  EXPECT_EQ(first.status, 202);
  EXPECT_EQ(again.status, 202);
  EXPECT_EQ(again.body, first.body);
  EXPECT_THAT(other.status, is_a_clear_refusal());
}

}  // namespace
}  // namespace thalweg::end_to_end
