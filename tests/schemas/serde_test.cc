// What the built-in serdes promise: the bytes of Java's serialisers, and a clear error for any
// others.
#include <array>
#include <cmath>
#include <limits>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <thalweg/schemas/json.h>
#include <thalweg/schemas/serde.h>

namespace thalweg {
namespace {

using namespace std::string_literals;

template <typename T>
std::string serialized(const T& value) {
  std::string bytes;
  Serde<T>::serialize(value, bytes);
  return bytes;
}

template <typename T>
T deserialized(BytesView bytes) {
  T value{};
  Serde<T>::deserialize(bytes, value);
  return value;
}

/// The error's sentence, or "no error".
template <typename T>
std::string error_reading(BytesView bytes) {
  try {
    deserialized<T>(bytes);
  } catch (const SerdeError& error) {
    return error.what();
  }
  return "no error";
}

TEST(Serdes, IntegersAreBigEndian) {
  EXPECT_EQ(serialized(std::int16_t{0x0102}), "\x01\x02");
  EXPECT_EQ(serialized(std::int32_t{-2}), "\xff\xff\xff\xfe");
  EXPECT_EQ(serialized(std::int64_t{1100}), "\0\0\0\0\0\0\x04\x4c"s);
  EXPECT_EQ(deserialized<std::int16_t>("\xff\x00"s), -256);
  EXPECT_EQ(deserialized<std::int32_t>("\x7f\xff\xff\xff"), std::numeric_limits<int>::max());
  EXPECT_EQ(deserialized<std::int64_t>("\x80\0\0\0\0\0\0\0"s),
            std::numeric_limits<std::int64_t>::min());
}

TEST(Serdes, FloatingPointIsBigEndianIeee754) {
  EXPECT_EQ(serialized(1.0F), "\x3f\x80\0\0"s);
  EXPECT_EQ(serialized(-2.5), "\xc0\x04\0\0\0\0\0\0"s);
  EXPECT_EQ(deserialized<double>("\x3f\xf0\0\0\0\0\0\0"s), 1.0);
  EXPECT_TRUE(std::isnan(deserialized<float>("\x7f\xc0\0\0"s)));
}

TEST(Serdes, BoolIsOneByte) {
  EXPECT_EQ(serialized(true), "\x01");
  EXPECT_EQ(serialized(false), "\0"s);
  EXPECT_EQ(error_reading<bool>("\x02"), "bool needs a byte 0 or 1, got 2");
  EXPECT_EQ(error_reading<bool>("\x80"), "bool needs a byte 0 or 1, got 128");
  EXPECT_EQ(error_reading<bool>(""), "bool needs 1 byte, got 0");
}

TEST(Serdes, TextAndBytesAreThemselves) {
  EXPECT_EQ(serialized("한글"s), "\xed\x95\x9c\xea\xb8\x80");
  EXPECT_EQ(serialized(Bytes{"\0\xff"s}), "\0\xff"s);
  EXPECT_EQ(deserialized<std::string>(""), "");
}

TEST(Serdes, UuidIsThirtySixCharactersOfText) {
  const std::string text = "00112233-4455-6677-8899-aabbccddeeff";

  EXPECT_EQ(serialized(uuid_from_string(text)), text);
  EXPECT_EQ(deserialized<Uuid>("00112233-4455-6677-8899-AABBCCDDEEFF"), uuid_from_string(text));
  EXPECT_EQ(uuid_from_string(text).bytes[15], 0xff);
}

TEST(Serdes, UuidWithAWrongShapeIsShownInTheError) {
  const std::string text = "00112233-4455-6677-8899-aabbccddeeff";
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string wrong = text;
    wrong[i] = 'g';
    EXPECT_THAT(error_reading<Uuid>(wrong), testing::HasSubstr(wrong));
  }
  EXPECT_THAT(error_reading<Uuid>(text.substr(1)), testing::HasSubstr("8-4-4-4-12"));
}

TEST(Serdes, WrongLengthSaysWhatWasNeeded) {
  EXPECT_EQ(error_reading<std::int64_t>("12345"), "int64 needs 8 bytes, got 5");
  EXPECT_EQ(error_reading<std::int32_t>(""), "int32 needs 4 bytes, got 0");
  EXPECT_EQ(error_reading<std::int16_t>("123"), "int16 needs 2 bytes, got 3");
  EXPECT_EQ(error_reading<float>("1"), "float needs 4 bytes, got 1");
  EXPECT_EQ(error_reading<double>("123456789"), "double needs 8 bytes, got 9");
}

TEST(Serdes, SerializeAppends) {
  std::string out = "before";
  Serde<std::int16_t>::serialize(0x4142, out);
  Serde<std::string>::serialize("!", out);

  EXPECT_EQ(out, "beforeAB!");
}

TEST(Serdes, DeserializeOverwritesWhatWasThere) {
  std::string reused = "something longer";
  Serde<std::string>::deserialize("short", reused);

  EXPECT_EQ(reused, "short");
}

TEST(JsonTexts, KeepTheBytesAsTheyAre) {
  const std::string text = " { \"a\" : [1, 2.50, \"\\u00e9\"] } ";

  EXPECT_EQ(deserialized<JsonText>(text).text, text);
  EXPECT_EQ(serialized(JsonText{text}), text);
  EXPECT_EQ(serialized(JsonText{}), "null");
}

TEST(JsonTexts, AreExactlyOneValue) {
  for (const std::string bad : {"", " ", "{", "[1,]", "{} {}", "tru", "'a'", "{\"a\":}", "01",
                                "\"\xff\"", "// note\n1", "1 2", "NaN", "\"a\nb\""}) {
    EXPECT_THAT(error_reading<JsonText>(bad), testing::HasSubstr("not a JSON value")) << bad;
  }
  EXPECT_THAT(error_reading<JsonText>("{\"a\":x}"), testing::HasSubstr("at byte 5"));
}

TEST(JsonTexts, NestedTooDeeplyAreRefused) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };

  EXPECT_EQ(error_reading<JsonText>(nested(64)), "no error");
  EXPECT_THAT(error_reading<JsonText>(nested(65)), testing::HasSubstr("too deep"));
}

TEST(AnySerdes, UseTheTypesOwnSerdeUnlessTold) {
  struct Text {
    void serialize(const std::int64_t& value, std::string& out) const {
      out += prefix + std::to_string(value);
    }
    void deserialize(BytesView bytes, std::int64_t& out) const {
      out = std::stoll(std::string(bytes.substr(prefix.size())));
    }
    SchemaPtr schema() const { return bytes_schema(); }
    std::string prefix;
  };
  std::string own;
  std::string text;

  AnySerde<std::int64_t>().serialize(7, own);
  AnySerde<std::int64_t>(Text{"n="}).serialize(7, text);

  EXPECT_EQ(own, "\0\0\0\0\0\0\0\x07"s);
  EXPECT_EQ(text, "n=7");
}

/// Whatever the bytes, reading either gives a value that is written as the same bytes, or throws
/// SerdeError.
template <typename T>
void reads_back_or_throws(const std::string& bytes) {
  try {
    const T value = deserialized<T>(bytes);
    RC_ASSERT(serialized(value) == bytes);
  } catch (const SerdeError&) {
    // Refused, which is the other thing it may do.
  }
}

RC_GTEST_PROP(Serdes, ReadAnyBytesOrRefuseThem, (const std::string& bytes)) {
  reads_back_or_throws<std::int16_t>(bytes);
  reads_back_or_throws<std::int32_t>(bytes);
  reads_back_or_throws<std::int64_t>(bytes);
  reads_back_or_throws<bool>(bytes);
  reads_back_or_throws<std::string>(bytes);
  reads_back_or_throws<Bytes>(bytes);
  reads_back_or_throws<JsonText>(bytes);
}

RC_GTEST_PROP(Serdes, ReadBackEveryNumber,
              (std::int16_t a, std::int32_t b, std::int64_t c, float d, double e, bool f)) {
  RC_ASSERT(deserialized<std::int16_t>(serialized(a)) == a);
  RC_ASSERT(deserialized<std::int32_t>(serialized(b)) == b);
  RC_ASSERT(deserialized<std::int64_t>(serialized(c)) == c);
  RC_ASSERT(deserialized<float>(serialized(d)) == d);
  RC_ASSERT(deserialized<double>(serialized(e)) == e);
  RC_ASSERT(deserialized<bool>(serialized(f)) == f);
}

RC_GTEST_PROP(Uuids, ReadBackFromTheirText, (const std::array<std::uint8_t, 16>& bytes)) {
  const Uuid uuid{bytes};
  RC_ASSERT(uuid_from_string(to_string(uuid)) == uuid);
}

RC_GTEST_PROP(Uuids, ReadAnyTextOrRefuseIt, ()) {
  // Near misses: digits and dashes of about the right length.
  const auto text = *rc::gen::resize(
      40, rc::gen::container<std::string>(rc::gen::elementOf(std::string("0123456789abcdefAF-g"))));
  try {
    RC_ASSERT(to_string(uuid_from_string(text)).size() == text.size());
  } catch (const SerdeError&) {
    // Refused, which is the other thing it may do.
  }
}

}  // namespace
}  // namespace thalweg
