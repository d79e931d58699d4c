#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "flashsale/http_response_parser.h"

namespace thalweg::flashsale {
namespace {

using State = HttpResponseParser::State;

constexpr std::string_view kOrder =
    "HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\ncontent-length: 7\r\n\r\n{\"a\":1}";
constexpr std::string_view kChunked =
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    "4\r\nabcd\r\n3;x=y\r\nefg\r\n0\r\nT: 1\r\n\r\n";

TEST(HttpResponseParser, ReadsAResponseHoweverItIsCutIntoPieces) {
  for (const auto response : {kOrder, kChunked}) {
    HttpResponseParser parser;

    for (std::size_t at = 0; at + 1 < response.size(); ++at) {
      ASSERT_EQ(parser.feed(response.substr(at, 1)), State::kMore) << at;
    }

    EXPECT_EQ(parser.feed(response.substr(response.size() - 1)), State::kComplete);
  }
}

TEST(HttpResponseParser, GivesStatusAndBody) {
  HttpResponseParser parser;

  parser.feed(kOrder);

  EXPECT_EQ(parser.status(), 202);
  EXPECT_EQ(parser.body(), "{\"a\":1}");
  EXPECT_TRUE(parser.keeps_alive());
}

TEST(HttpResponseParser, JoinsChunks) {
  HttpResponseParser parser;

  parser.feed(kChunked);

  EXPECT_EQ(parser.body(), "abcdefg");
}

TEST(HttpResponseParser, ReadsResponsesThatArriveTogether) {
  HttpResponseParser parser;

  parser.feed(std::string(kChunked) + std::string(kOrder));

  EXPECT_EQ(parser.next(), State::kComplete);
  EXPECT_EQ(parser.status(), 202);
  EXPECT_EQ(parser.next(), State::kMore);
  EXPECT_TRUE(parser.is_fresh());
}

TEST(HttpResponseParser, SkipsInterimAnswers) {
  HttpResponseParser parser;

  parser.feed("HTTP/1.1 100 Continue\r\n\r\n" + std::string(kOrder));

  EXPECT_EQ(parser.status(), 202);
}

TEST(HttpResponseParser, KnowsWhenTheServerWillClose) {
  HttpResponseParser parser;

  parser.feed("HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");

  EXPECT_EQ(parser.status(), 408);
  EXPECT_FALSE(parser.keeps_alive());
}

TEST(HttpResponseParser, CallsNonsenseMalformed) {
  for (const auto* nonsense :
       {"SSH-2.0-OpenSSH\r\n\r\n", "HTTP/1.1 9999 No\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n"}) {
    HttpResponseParser parser;
    EXPECT_EQ(parser.feed(nonsense), State::kMalformed) << nonsense;
  }
}

}  // namespace
}  // namespace thalweg::flashsale
