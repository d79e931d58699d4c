// Public topics as JSON and as FlatBuffers: what is written, what readers see, and what happens to
// bytes that are neither.

#include "wire_format.h"

#include <memory>
#include <string>
#include <vector>

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <thalweg/runtime/streams_config.h>
#include <thalweg/schemas/headers.h>

#include "contract/log_fixture.h"
#include "topics.h"
#include "wire_format_log.h"

namespace thalweg::shop {
namespace {

namespace json = boost::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::LogHarness;
using ::testing::Optional;
using testing::Reader;
using ::testing::SizeIs;
using ::testing::ThrowsMessage;
using testing::Writer;
using testing::Written;

json::value arbitrary_value(int depth) {
  using rc::gen::arbitrary;
  switch (*rc::gen::inRange(0, depth > 0 ? 8 : 6)) {
    case 0:
      return nullptr;
    case 1:
      return *arbitrary<bool>();
    case 2:
      return *arbitrary<std::int64_t>();
    case 3:
      return *rc::gen::inRange<std::uint64_t>(1ULL << 63, ~0ULL);
    case 4:
      return static_cast<double>(*rc::gen::inRange(-1'000'000, 1'000'000)) / 8 + 0.0625;
    case 5:
      return json::string(*rc::gen::string<std::string>());
    case 6: {
      json::array array;
      for (int i = *rc::gen::inRange(0, 5); i > 0; --i) array.push_back(arbitrary_value(depth - 1));
      return array;
    }
    default: {
      json::object object;
      for (int i = *rc::gen::inRange(0, 5); i > 0; --i) {
        object["member" + std::to_string(*rc::gen::inRange(0, 100))] = arbitrary_value(depth - 1);
      }
      return object;
    }
  }
}

RC_GTEST_PROP(WireFormat, WhatIsWrittenAsAMessageIsReadAsTheSameJson, ()) {
  json::object object;
  for (int i = *rc::gen::inRange(0, 6); i > 0; --i) {
    object["field" + std::to_string(i)] = arbitrary_value(3);
  }
  boost::system::error_code damaged;  // Strings that are not UTF-8 are no JSON.
  const auto expected = json::parse(json::serialize(object), damaged);
  RC_PRE(!damaged);
  const auto message = message_of(json::serialize(object));
  if (!message) return;
  const auto back = json_of(*message);
  RC_ASSERT(back.has_value());
  RC_ASSERT(json::parse(*back) == expected);
}

RC_GTEST_PROP(WireFormat, DamagedMessagesAreNoneOrOthersButNeverACrash, ()) {
  auto message = *message_of(R"({"orderId":"o-1","items":[{"productId":"lamp","quantity":2}]})");
  for (int i = *rc::gen::inRange(1, 6); i > 0; --i) {
    message[*rc::gen::inRange<std::size_t>(0, message.size())] = *rc::gen::arbitrary<char>();
  }
  message.resize(*rc::gen::inRange<std::size_t>(0, message.size() + 1));
  json_of(message);
}

TEST(WireFormat, AMessageTellsItselfFromJson) {
  EXPECT_TRUE(is_message(*message_of(R"({"a":1})")));
  EXPECT_FALSE(is_message(R"({"orderId":"o-1"})"));
  EXPECT_FALSE(is_message(""));
}

TEST(WireFormat, OnlyObjectsThatAMessageCanHoldBecomeOne) {
  EXPECT_EQ(message_of("[1,2]"), std::nullopt);
  EXPECT_EQ(message_of("{"), std::nullopt);
  EXPECT_EQ(message_of(R"({"a\u0000b":1})"), std::nullopt);
}

/// A shop's log where `order.start` is FlatBuffers, and the log below.
class WireFormatLogTest : public ::testing::Test, private LogHarness {
 protected:
  Log& log() override { return *log_; }
  void settle() override { below_->settle(); }

  void write(LogHarness& harness, const char* topic, const std::string& value,
             const std::string& headers = {}) {
    Writer writer(harness, {});
    ASSERT_EQ(writer.init(), Writer::Kind::kReady);
    writer->begin();
    ASSERT_TRUE(writer.send({topic, 0}, {"o-1", value, 5, headers}));
    ASSERT_EQ(writer.flush(), Writer::Kind::kFlushed);
    ASSERT_EQ(writer.commit(), Writer::Kind::kCommitted);
  }
  std::vector<Written> read(LogHarness& harness, const char* topic) {
    Reader reader(harness, {});
    reader->assign({topic, 0}, 0, 7);
    return reader.read();
  }
  LogHarness& shop() { return *this; }
  LogHarness& below() { return *below_; }

  std::unique_ptr<LogHarness> below_ = testing::simulated_log();
  std::unique_ptr<Log> log_ = with_wire_formats(below_->log(), {topics::kOrderStart});
};

TEST_F(WireFormatLogTest, ATopicThatIsSwitchedHoldsMessagesAndShowsJson) {
  std::string headers;
  Headers{{"traceparent", "00-1"}}.encode(headers);
  write(shop(), topics::kOrderStart, R"({"orderId":"o-1"})", headers);

  const auto stored = read(below(), topics::kOrderStart);
  ASSERT_THAT(stored, SizeIs(1));
  EXPECT_THAT(json_of(*stored[0].value), Optional(std::string(R"({"orderId":"o-1"})")));
  const Headers seen = Headers::decode(stored[0].headers);
  EXPECT_EQ(seen.last(kContentType)->value, kFlatBuffersType);
  EXPECT_EQ(seen.last("traceparent")->value, "00-1");

  const auto shown = read(shop(), topics::kOrderStart);
  ASSERT_THAT(shown, SizeIs(1));
  EXPECT_EQ(shown[0].value, R"({"orderId":"o-1"})");
}

TEST_F(WireFormatLogTest, OtherTopicsAreLeftAlone) {
  write(shop(), topics::kOrderCancel, R"({"orderId":"o-1"})");
  write(shop(), topics::kOrderEvents, *message_of(R"({"orderId":"o-1"})"));

  EXPECT_EQ(read(below(), topics::kOrderCancel)[0].value, R"({"orderId":"o-1"})");
  EXPECT_EQ(read(shop(), topics::kOrderEvents)[0].value, message_of(R"({"orderId":"o-1"})"));
}

TEST_F(WireFormatLogTest, AReaderTakesBothWhateverIsSwitched) {
  write(below(), topics::kOrderCancel, *message_of(R"({"orderId":"o-1"})"));
  write(below(), topics::kOrderStart, R"({"orderId":"o-2"})");

  EXPECT_EQ(read(shop(), topics::kOrderCancel)[0].value, R"({"orderId":"o-1"})");
  EXPECT_EQ(read(shop(), topics::kOrderStart)[0].value, R"({"orderId":"o-2"})");
}

TEST_F(WireFormatLogTest, WhatIsNoJsonPassesAsItIs) {
  write(shop(), topics::kOrderStart, "no json");

  EXPECT_EQ(read(below(), topics::kOrderStart)[0].value, "no json");
  EXPECT_THAT(read(below(), topics::kOrderStart)[0].headers, IsEmpty());
}

TEST(WireFormatSettings, NameTheTopicsThatAreSwitched) {
  StreamsConfigBuilder builder;
  builder.allow(wire_format_keys());
  builder.set("wire.format.order.start", "flatbuffers", "test");
  builder.set("wire.format.order-completed", "json", "test");
  EXPECT_THAT(read_wire_formats(builder), ElementsAre("order.start"));

  builder.set("wire.format.order-completed", "xml", "test");
  EXPECT_THAT([&] { read_wire_formats(builder); },
              ThrowsMessage<ConfigError>(HasSubstr("wire.format.order-completed is xml")));
}

}  // namespace
}  // namespace thalweg::shop
