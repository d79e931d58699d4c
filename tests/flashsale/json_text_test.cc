#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "flashsale/json_text.h"

namespace thalweg::flashsale {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Optional;

TEST(JsonText, FindsAMemberAtTheTopAndNotInside) {
  const auto order = R"({"shipment": {"status": "LOST"}, "l": ["status"], "status": "COMPLETED"})";

  EXPECT_THAT(json_string_member(order, "status"), Optional(std::string("COMPLETED")));
}

TEST(JsonText, IsNotFooledByAValueThatLooksLikeAKey) {
  const auto order = R"({"name": "\"status\": 1 }", "status": 2})";

  EXPECT_THAT(json_integer_member(order, "status"), Optional(2));
}

TEST(JsonText, AMissingMemberIsNone) {
  EXPECT_EQ(json_member(R"({"a": 1})", "b"), std::nullopt);
  EXPECT_EQ(json_integer_member(R"({"a": "1"})", "a"), std::nullopt);
  EXPECT_EQ(json_string_member(R"({"a": null})", "a"), std::nullopt);
}

TEST(JsonText, TextThatIsNotJsonIsNone) {
  for (const auto* text : {"", "{", "{\"a\"", "{\"a\":",
                           "{\"b\":\"", "{\"b\":[", "<html>", "{\"b\" 1}",
                           "{\"b\":{\"a\":1}", "[1,2"}) {
    EXPECT_EQ(json_member(text, "a"), std::nullopt) << text;
  }
}

TEST(JsonText, ListsElementsAndMembersInOrder) {
  EXPECT_THAT(json_elements(R"([1, {"a": [2, 3]}, "x,y"])"),
              ElementsAre("1", R"({"a": [2, 3]})", R"("x,y")"));
  EXPECT_THAT(json_elements("[]"), IsEmpty());
  EXPECT_THAT(json_members(R"({"a": 1, "b": {}})"),
              ElementsAre(std::pair("a", "1"), std::pair("b", "{}")));
}

TEST(JsonText, WhatIsWrittenIsReadBack) {
  const std::string text = "quote \" backslash \\ line\nbell\x07 \xc3\xa9";
  std::string written;

  append_json_string(written, text);

  EXPECT_THAT(json_string(written), Optional(text));
}

TEST(JsonText, ResolvesEscapes) {
  EXPECT_THAT(json_string(R"("\u0041\u00e9\u20ac\/")"), 
              Optional(std::string("A\xc3\xa9\xe2\x82\xac/")));
  EXPECT_EQ(json_string(R"("\u00g0")"), std::nullopt);
  EXPECT_EQ(json_string(R"("\x")"), std::nullopt);
}

}  // namespace
}  // namespace thalweg::flashsale
