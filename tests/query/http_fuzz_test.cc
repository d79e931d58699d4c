#include <random>

#include <boost/json.hpp>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <thalweg/runtime/json_text.h>

#include "http/http_request.h"
#include "query/http_story.h"
#include "query/query_text.h"

namespace thalweg::testing {
namespace {

using internal::HttpRequestAccess;

// A target taken apart: what is wrong with it, or its decoded segments.
struct ParsedTarget {
  explicit ParsedTarget(const std::string& target) {
    HttpRequestAccess::reset(request, "peer");
    HttpRequestAccess::set_method(request, "GET");
    HttpRequestAccess::set_target(request, target);
    fault = HttpRequestAccess::parse_target(request, slices);
  }
  std::string segment(std::size_t i) {
    return std::string(HttpRequestAccess::view(request, slices.at(i)));
  }
  HttpRequest request;
  std::vector<HttpRequestAccess::Slice> slices;
  const char* fault = nullptr;
};

std::string encoded(const std::string& text) {
  std::string out;
  for (const char c : text) {
    char hex[4];
    std::snprintf(hex, sizeof hex, "%%%02X", static_cast<unsigned char>(c));
    out += hex;
  }
  return out;
}

// Bytes that the parser makes decisions about, far more often than chance would.
rc::Gen<std::string> targets() {
  return rc::gen::map(
      rc::gen::container<std::string>(rc::gen::oneOf(
          rc::gen::elementOf(std::string("//%%%..?&=+#2eEfF0cC4")), rc::gen::arbitrary<char>())),
      [](std::string text) { return "/" + text; });
}

rc::Gen<std::string> texts() {
  return rc::gen::suchThat(
      rc::gen::container<std::string>(rc::gen::inRange<char>(1, 127)),
      [](const std::string& text) { return !text.empty() && text != "." && text != ".."; });
}

RC_GTEST_PROP(HttpTarget, WhateverItIsNothingDangerousComesOut, ()) {
  ParsedTarget parsed(*targets());

  if (parsed.fault) return;
  for (std::size_t i = 0; i < parsed.slices.size(); ++i) {
    const auto segment = parsed.segment(i);
    RC_ASSERT(is_utf8(segment));
    RC_ASSERT(segment.find('\0') == std::string::npos);
    RC_ASSERT(segment != "." && segment != "..");
  }
}

RC_GTEST_PROP(HttpTarget, EncodedTextComesBackAsItWas, ()) {
  const std::string segment = *texts(), name = *texts(), value = *texts();

  ParsedTarget parsed("/a/" + encoded(segment) + "?x=1&" + encoded(name) + "=" + encoded(value));

  RC_ASSERT(parsed.fault == nullptr);
  RC_ASSERT(parsed.slices.size() == 2u);
  RC_ASSERT(parsed.segment(1) == segment);
  RC_ASSERT(name == "x" || parsed.request.query(name) == value);
}

RC_GTEST_PROP(Base64, BytesComeBackAsTheyWere, (const std::string& bytes)) {
  for (const bool url : {false, true}) {
    std::string text;
    internal::append_base64(bytes, url, text);
    RC_ASSERT(internal::decode_base64(text) == bytes);
  }
}

RC_GTEST_PROP(JsonText, AnyBytesBecomeValidJson, (const std::string& bytes)) {
  std::string json;
  append_json_string(bytes, json);

  RC_ASSERT(internal::check_json_text(json).has_value());
  RC_ASSERT(!is_utf8(bytes) || internal::json_string(json) == bytes);
}

TEST(JsonText, OfWrongUtf8NothingIsTakenForRight) {
  for (const char* bytes : {"\x80", "\xc0\xaf", "\xc3", "\xe0\x80\x80", "\xed\xa0\x80",
                            "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "a\xff"}) {
    EXPECT_FALSE(is_utf8(bytes));
  }
  EXPECT_TRUE(is_utf8("\xc3\xa9 \xe2\x82\xac \xf0\x9f\x8c\x8a"));
}

class HttpFuzz : public HttpStory {
 protected:
  // One of the requests, with a few bytes changed, removed or doubled.
  std::string mutated() {
    static const std::string kRequests[] = {
        "GET /hello/you?access_token=b HTTP/1.1\r\nHost: t\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 4\r\n\r\nbody",
        "POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"};
    auto request = kRequests[random_() % 3];
    for (auto changes = random_() % 4 + 1; changes > 0; --changes) {
      const auto at = random_() % request.size();
      switch (random_() % 3) {
        case 0:
          request[at] = static_cast<char>(random_());
          break;
        case 1:
          request.erase(at, random_() % 5);
          break;
        default:
          request.insert(at, request.substr(at, random_() % 9));
      }
    }
    return request;
  }
  std::mt19937 random_{20240607};
};

TEST_F(HttpFuzz, BrokenRequestsHarmNobodyAndEachConnectionEnds) {
  serve();
  for (int i = 0; i < 2000; ++i) {
    const auto client = connect();
    client->send(mutated());
    client->finish_sending();
    client->read_to_end();
  }

  EXPECT_TRUE(serves_others());
}

TEST(JsonFromOutside, HasOnlyNumbersThatCanBeWrittenAgain) {
  const std::string long_number(400, '9');

  for (const std::string& text :
       {std::string("1e400"), std::string(R"({"a":[1,{"b":-1e400}]})"), long_number}) {
    const auto value = parse_json(text);
    ASSERT_FALSE(value.has_value()) << text;
    EXPECT_EQ(value.error().message, "JSON: a number is too large");
  }
  EXPECT_TRUE(parse_json(R"({"a":[1,{"b":-1e300}],"c":1e-400})").has_value());
}

}  // namespace
}  // namespace thalweg::testing
