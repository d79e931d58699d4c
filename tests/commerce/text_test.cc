// The shop's own small writers: JSON, times, ids.

#include "text.h"

#include <gtest/gtest.h>

namespace thalweg::shop {
namespace {

std::string json_of(std::string_view text) {
  std::string out;
  JsonWriter(out).text("t", text).end();
  return out;
}

TEST(JsonWriter, EscapesWhatJsonDoesNotAllow) {
  EXPECT_EQ(json_of("plain-1"), R"({"t":"plain-1"})");
  EXPECT_EQ(json_of("a\"b\\c"), R"({"t":"a\"b\\c"})");
  EXPECT_EQ(json_of("line\nend"), R"({"t":"line\nend"})");
  EXPECT_EQ(json_of("K\xc3\xb6ln"), "{\"t\":\"K\xc3\xb6ln\"}");
}

TEST(JsonWriter, NeverWritesBytesThatAreNotUtf8) {
  EXPECT_TRUE(is_utf8(json_of("broken \xff\xfe text")));
}

TEST(Iso8601, IsUtcWithMilliseconds) {
  EXPECT_EQ(iso8601(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(iso8601(1'709'164'799'007), "2024-02-28T23:59:59.007Z");
  EXPECT_EQ(iso8601(1'709'164'800'000), "2024-02-29T00:00:00.000Z");
}

TEST(Iso8601, IsReadAsItIsWritten) {
  for (const std::int64_t millis : {0LL, 1'709'164'799'007LL, 1'709'164'800'000LL}) {
    EXPECT_EQ(parse_iso8601(iso8601(millis)), millis);
  }
}

TEST(Iso8601, IsReadWithAnyFractionAndOffset) {
  EXPECT_EQ(parse_iso8601("2024-02-29T00:00:00Z"), 1'709'164'800'000);
  EXPECT_EQ(parse_iso8601("2024-02-29T00:00:00.5Z"), 1'709'164'800'500);
  EXPECT_EQ(parse_iso8601("2024-02-29T00:00:00.123456789Z"), 1'709'164'800'123);
  EXPECT_EQ(parse_iso8601("2024-02-29T02:30:00+02:30"), 1'709'164'800'000);
  EXPECT_EQ(parse_iso8601("2024-02-28T22:00:00-02:00"), 1'709'164'800'000);
}

TEST(Iso8601, IsNotReadFromAnythingElse) {
  for (const char* text :
       {"", "2024", "2024-02-30T00:00:00Z", "2024-02-28 00:00:00Z", "2024-02-28T24:00:00Z",
        "2024-02-28T00:60:00Z", "2024-02-28T00:00:00", "2024-02-28T00:00:00.Z",
        "2024-02-28T00:00:00.1234567890Z", "2024-02-28T00:00:00Zx", "1969-12-31T23:59:59Z",
        "2024-02-28T00:00:00+2:00", "+024-02-28T00:00:00Z"}) {
    EXPECT_EQ(parse_iso8601(text), std::nullopt) << text;
  }
}

TEST(DerivedId, IsTheSameForTheSameNameOnly) {
  EXPECT_EQ(derived_id("order", "ann\nk1"), derived_id("order", "ann\nk1"));
  EXPECT_NE(derived_id("order", "ann\nk1"), derived_id("order", "ann\nk2"));
  EXPECT_NE(derived_id("order", "ann\nk1"), derived_id("payment", "ann\nk1"));
  EXPECT_EQ(derived_id("order", "x").size(), 36u);
}

}  // namespace
}  // namespace thalweg::shop
