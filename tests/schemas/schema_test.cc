// What the JSON views of built-in types promise: valid JSON for any bytes, and errors that say what
// was wrong.
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <thalweg/schemas/json.h>
#include <thalweg/schemas/serde.h>

namespace thalweg {
namespace {

using namespace std::string_literals;
using testing::HasSubstr;

std::string json_of(const SchemaPtr& schema, BytesView bytes) {
  std::string json;
  schema->to_json(bytes, json);
  return json;
}

std::string bytes_of(const SchemaPtr& schema, std::string_view json) {
  std::string bytes;
  schema->from_json(json, bytes);
  return bytes;
}

template <typename T>
std::string json_of(const T& value) {
  std::string bytes;
  Serde<T>::serialize(value, bytes);
  return json_of(Serde<T>::schema(), bytes);
}

template <typename T>
T value_of(std::string_view json) {
  T value{};
  Serde<T>::deserialize(bytes_of(Serde<T>::schema(), json), value);
  return value;
}

template <typename T>
std::string error_from(std::string_view json) {
  try {
    value_of<T>(json);
  } catch (const SerdeError& error) {
    return error.what();
  }
  return "no error";
}

bool is_json(const std::string& text) {
  JsonText json;
  Serde<JsonText>::deserialize(text, json);  // Throws if it is not.
  return text.find('\n') == text.npos;
}

std::vector<SchemaPtr> built_in_schemas() {
  return {Serde<std::int16_t>::schema(), Serde<std::int32_t>::schema(),
          Serde<std::int64_t>::schema(), Serde<float>::schema(),
          Serde<double>::schema(),       Serde<bool>::schema(),
          Serde<std::string>::schema(),  Serde<Bytes>::schema(),
          Serde<Uuid>::schema(),         Serde<JsonText>::schema()};
}

TEST(Schemas, HaveNames) {
  std::vector<std::string> names;
  for (const SchemaPtr& schema : built_in_schemas()) names.emplace_back(schema->name());

  EXPECT_THAT(names, testing::ElementsAre("i16", "i32", "i64", "f32", "f64", "bool", "string",
                                          "bytes", "uuid", "json"));
}

TEST(Schemas, ShowValuesAsJson) {
  EXPECT_EQ(json_of(std::int16_t{-7}), "-7");
  EXPECT_EQ(json_of(std::numeric_limits<std::int64_t>::min()), "-9223372036854775808");
  EXPECT_EQ(json_of(0.1), "0.1");
  EXPECT_EQ(json_of(0.1F), "0.1");
  EXPECT_EQ(json_of(true), "true");
  EXPECT_EQ(json_of("say \"hi\"\n\x01"s), R"("say \"hi\"\n\u0001")");
  EXPECT_EQ(json_of(Bytes{"\x00\xff\x10"s}), R"("AP8Q")");
  EXPECT_EQ(json_of(Uuid{}), R"("00000000-0000-0000-0000-000000000000")");
  EXPECT_EQ(json_of(JsonText{"{\n\"a\": 1\r\n}"}), R"({ "a": 1  })");
}

TEST(Schemas, ShowNumbersThatJsonHasNotAsStrings) {
  EXPECT_EQ(json_of(std::numeric_limits<double>::quiet_NaN()), R"("NaN")");
  EXPECT_EQ(json_of(-std::numeric_limits<float>::infinity()), R"("-Infinity")");
  EXPECT_TRUE(std::isnan(value_of<float>(R"("NaN")")));
  EXPECT_EQ(value_of<double>(R"("Infinity")"), std::numeric_limits<double>::infinity());
}

TEST(Schemas, ShowTextThatIsNotUtf8WithReplacements) {
  const SchemaPtr text = Serde<std::string>::schema();

  EXPECT_EQ(json_of(text, "a\xff!"), "\"a\xef\xbf\xbd!\"");
  EXPECT_EQ(json_of(text, "\xed\x95\x9c"), "\"\xed\x95\x9c\"");
  EXPECT_TRUE(is_json(json_of(text, "\xed\xa0\x80")));      // A surrogate.
  EXPECT_TRUE(is_json(json_of(text, "\xc0\xaf")));          // Overlong.
  EXPECT_TRUE(is_json(json_of(text, "\xf4\x90\x80\x80")));  // Above U+10FFFF.
  EXPECT_TRUE(is_json(json_of(text, "\xf0\x9f\x98")));      // Cut off.
}

TEST(Schemas, ReadValuesFromJson) {
  EXPECT_EQ(value_of<std::int32_t>(" 42\n"), 42);
  EXPECT_EQ(value_of<std::int64_t>("-9223372036854775808"),
            std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(value_of<double>("-1.5e3"), -1500);
  EXPECT_EQ(value_of<bool>(" true "), true);
  EXPECT_EQ(value_of<std::string>(R"("\u00e9\n\ud83d\ude00")"), "é\n😀");
  EXPECT_EQ(value_of<Bytes>(R"("AP8Q")").data, "\x00\xff\x10"s);
  EXPECT_EQ(value_of<Bytes>(R"("AA==")").data, "\0"s);
  EXPECT_EQ(value_of<JsonText>(" [1, 2] ").text, "[1, 2]");
}

TEST(Schemas, SayWhatIsWrongWithJson) {
  EXPECT_EQ(error_from<std::int16_t>("40000"),
            R"(i16 needs a whole number from -32768 to 32767, got "40000")");
  for (const std::string bad :
       {"1.0", "1e3", "007", "-", "", "0x10", "\"5\"", "null", "+1", "1 2"}) {
    EXPECT_THAT(error_from<std::int64_t>(bad), HasSubstr("i64 needs a whole number")) << bad;
  }
  for (const std::string bad : {"", "inf", "nan", "\"nan\"", "1e999", ".5", "01", "0x1p3", "1,2"}) {
    EXPECT_NE(error_from<double>(bad), "no error") << bad;
  }
  EXPECT_EQ(error_from<bool>("1"), R"(bool needs true or false, got "1")");
  EXPECT_EQ(error_from<std::string>("5"), R"(string needs a JSON string, got "5")");
  EXPECT_THAT(error_from<Bytes>(R"("A")"), HasSubstr("no multiple of 4"));
  EXPECT_THAT(error_from<Bytes>(R"("A*==")"), HasSubstr(R"("*" at character 1)"));
  EXPECT_THAT(error_from<Bytes>(R"("AB==")"), HasSubstr("unused bits"));
  EXPECT_THAT(error_from<Bytes>(R"("A===")"), HasSubstr(R"("=" at character 1)"));
  EXPECT_THAT(error_from<Uuid>(R"("none")"), HasSubstr("uuid needs 8-4-4-4-12"));
  EXPECT_THAT(error_from<JsonText>("{"), HasSubstr("not a JSON value"));
}

TEST(Schemas, LongJsonIsCutInTheError) {
  const std::string error = error_from<bool>(std::string(5000, 'x'));

  EXPECT_LT(error.size(), 150U);
  EXPECT_THAT(error, HasSubstr("(5000 bytes)"));
}

RC_GTEST_PROP(Schemas, ShowAnyBytesAsValidJsonOrRefuseThem, (const std::string& bytes)) {
  for (const SchemaPtr& schema : built_in_schemas()) {
    try {
      const std::string json = json_of(schema, bytes);
      RC_ASSERT(is_json(json));
      if (schema->name() != "string") RC_ASSERT(is_json(json_of(schema, bytes_of(schema, json))));
    } catch (const SerdeError&) {
      RC_ASSERT(schema->name() != "string" && schema->name() != "bytes");
    }
  }
}

RC_GTEST_PROP(Schemas, ReadAnyTextOrRefuseIt, ()) {
  const auto text = *rc::gen::container<std::string>(
      rc::gen::elementOf(std::string("0123456789-+.eE\"\\u[]{},: truefalsn\n=AZ\xc3\xff")));
  for (const SchemaPtr& schema : built_in_schemas()) {
    try {
      RC_ASSERT(is_json(json_of(schema, bytes_of(schema, text))));
    } catch (const SerdeError& error) {
      RC_ASSERT(std::string(error.what()).size() > 10);
    }
  }
}

RC_GTEST_PROP(Schemas, RoundTripThroughJson, (std::int64_t integer, double real, float single)) {
  RC_ASSERT(value_of<std::int64_t>(json_of(integer)) == integer);
  RC_ASSERT(value_of<double>(json_of(real)) == real);
  RC_ASSERT(value_of<float>(json_of(single)) == single);
}

RC_GTEST_PROP(Schemas, RoundTripAnyBytesThroughBase64, (const std::string& data)) {
  RC_ASSERT(value_of<Bytes>(json_of(Bytes{data})).data == data);
}

}  // namespace
}  // namespace thalweg
