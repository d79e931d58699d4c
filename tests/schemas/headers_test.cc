// What Headers promise: Kafka's order and null values, and a codec that refuses what it did not
// write.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <thalweg/schemas/error.h>
#include <thalweg/schemas/headers.h>

namespace thalweg {
namespace {

using namespace std::string_literals;

std::string encoded(const Headers& headers) {
  std::string bytes;
  headers.encode(bytes);
  return bytes;
}

std::string error_decoding(BytesView bytes) {
  try {
    Headers::decode(bytes);
  } catch (const SerdeError& error) {
    return error.what();
  }
  return "no error";
}

TEST(RecordHeaders, LastOneOfAKeyWins) {
  const Headers headers{{"trace", "1"}, {"other", "2"}, {"trace", "3"}};

  ASSERT_NE(headers.last("trace"), nullptr);
  EXPECT_EQ(headers.last("trace")->value, "3");
  EXPECT_EQ(headers.last("missing"), nullptr);
}

TEST(RecordHeaders, RemovingAKeyRemovesAllOfItAndKeepsTheOrder) {
  Headers headers{{"a", "1"}, {"b", "2"}, {"a", "3"}, {"c", "4"}};

  headers.remove("a");

  EXPECT_EQ(headers, (Headers{{"b", "2"}, {"c", "4"}}));
}

TEST(RecordHeaders, NoHeadersTakeNoBytes) {
  EXPECT_EQ(encoded(kNoHeaders), "");
  EXPECT_TRUE(Headers::decode("").empty());
}

TEST(RecordHeaders, ValueMayBeMissingOrEmpty) {
  const Headers headers{{"gone", std::nullopt}, {"", ""}, {"k", "vv"}};

  EXPECT_EQ(encoded(headers), "\x03\x04gone\x00\x00\x01\x01k\x03vv"s);
  EXPECT_EQ(Headers::decode(encoded(headers)), headers);
}

TEST(RecordHeaders, LongValueHasALengthOfTwoBytes) {
  const Headers headers{{"k", std::string(200, 'x')}};

  EXPECT_EQ(encoded(headers).substr(0, 5), "\x01\x01k\xc9\x01");
  EXPECT_EQ(Headers::decode(encoded(headers)), headers);
}

TEST(RecordHeaders, DamagedBytesSayWhatIsWrongAndWhere) {
  EXPECT_EQ(error_decoding("\x80"), "bad record headers at byte 1: they end within a length");
  EXPECT_EQ(error_decoding("\x01\x05k\x00"s),
            "bad record headers at byte 2: 5 bytes are announced, 2 are left");
  EXPECT_THAT(error_decoding("\x01\x01k\x00!"s), testing::HasSubstr("follow the last header"));
  EXPECT_THAT(error_decoding("\x00"s), testing::HasSubstr("a count of 0"));
  EXPECT_THAT(error_decoding("\x81\x00\x01k\x00"s), testing::HasSubstr("needless bytes"));
  EXPECT_THAT(error_decoding("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"),
              testing::HasSubstr("does not fit 64 bits"));
}

TEST(RecordHeaders, CountThatLiesReservesNoMemory) {
  EXPECT_THAT(error_decoding("\xff\xff\xff\xff\xff\xff\xff\xff\x7f\x00"s),
              testing::HasSubstr("does not fit what follows"));
}

RC_GTEST_PROP(RecordHeaders, DecodeWhatTheyEncoded,
              (const std::vector<std::pair<std::string, rc::Maybe<std::string>>>& pairs)) {
  Headers headers;
  for (const auto& [key, value] : pairs) {
    headers.add(key, value ? std::optional<std::string>(*value) : std::nullopt);
  }
  RC_ASSERT(Headers::decode(encoded(headers)) == headers);
}

RC_GTEST_PROP(RecordHeaders, DecodeAnyBytesOrRefuseThem, ()) {
  // Mostly small numbers, so that many of these are headers up to some point.
  const auto bytes = *rc::gen::container<std::string>(
      rc::gen::oneOf(rc::gen::inRange<char>(0, 5), rc::gen::arbitrary<char>()));
  try {
    RC_ASSERT(encoded(Headers::decode(bytes)) == bytes);
  } catch (const SerdeError&) {
    // Refused, which is the other thing it may do.
  }
}

}  // namespace
}  // namespace thalweg
