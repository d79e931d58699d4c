// Frames of STOMP 1.2.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "stomp_frame.h"

namespace thalweg::shop {
namespace {

TEST(Stomp, AFrameHasACommandHeadersAndABody) {
  const auto frame =
      parse_stomp("SUBSCRIBE\r\nid:s0\r\ndestination:/topic/order/1\nid:s1\n\nbody" +
                  std::string(1, '\0'));

  ASSERT_TRUE(frame.has_value());
  EXPECT_EQ(frame->command, "SUBSCRIBE");
  EXPECT_EQ(frame->header("id"), "s0") << "the first of a name counts";
  EXPECT_EQ(frame->header("destination"), "/topic/order/1");
  EXPECT_EQ(frame->header("receipt"), "");
  EXPECT_EQ(frame->body, "body");
}

TEST(Stomp, HeadersComeThroughTheirEscapes) {
  const StompFrame frame{.command = "MESSAGE", .headers = {{"a:b", "line\nand \\ and :"}}};

  EXPECT_EQ(to_text(frame), "MESSAGE\na\\cb:line\\nand \\\\ and \\c\n\n" + std::string(1, '\0'));
  const auto again = parse_stomp(to_text(frame));
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->headers, frame.headers);
}

TEST(Stomp, LineEndsAloneAreAHeartBeat) {
  EXPECT_EQ(parse_stomp("\n")->command, "");
  EXPECT_EQ(parse_stomp("\r\n\n")->command, "");
}

TEST(Stomp, WhatIsNoFrameIsRefused) {
  EXPECT_EQ(parse_stomp("SUBSCRIBE").error(), "the command has no end");
  EXPECT_EQ(parse_stomp("SUBSCRIBE\nid:s0").error(), "the headers have no end");
  EXPECT_EQ(parse_stomp("SUBSCRIBE\nid\n\n").error(), "a header has no colon");
  EXPECT_EQ(parse_stomp("SUBSCRIBE\nid:\\t\n\n").error(), "a header has an unknown escape");
}

}  // namespace
}  // namespace thalweg::shop
