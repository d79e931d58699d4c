// A processor alone: what it asks for is what the test has set, what it does is written down.

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thalweg/runtime/mock_processor_context.h>
#include <thalweg/state/stores.h>

namespace thalweg {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::ThrowsMessage;
using namespace std::chrono_literals;
using Text = std::string;

/// Counts by key; tells the counts each second, and large ones to a child of their own.
struct Counter final : Processor<Text, Text, Text, std::int64_t> {
  void init(ProcessorContext<Text, std::int64_t>& context) override {
    Processor::init(context);
    counts = &context.key_value_store<Text, std::int64_t>("counts");
    ticking = context.schedule(1s, PunctuationType::kStreamTime, [this](Timestamp) {
      for (auto row = counts->all(); row->valid(); row->next()) {
        this->context().forward(row->key(), row->value().value);
      }
    });
  }
  void process(const RecordRef<Text, Text>& record) override {
    if (record.value.empty()) return context().task().dropped(context().name(), "empty");
    const std::int64_t* before = counts->get(record.key);
    const std::int64_t now = (before ? *before : 0) + 1;
    counts->put(record.key, now);
    record.headers.add("seen", Text(context().task().metadata().topic));
    context().forward(record.key, now);
    if (now < 3) return;
    context().forward(record.key, now, record.timestamp + 1ms, kNoHeaders, "large");
    context().task().request_commit();
    context().task().count("large-counts", context().name());
    ticking.cancel();
  }
  KeyValueStore<Text, std::int64_t>* counts = nullptr;
  Cancellable ticking;
};

class CounterAlone : public ::testing::Test {
 protected:
  CounterAlone() {
    context_.add_state_store(key_value_store_builder<Text, std::int64_t>("counts"));
    counter_.init(context_);
  }
  void comes(const Text& key, std::int64_t time) {
    context_.process(counter_, key, "v", from_millis(time), {{"h", "x"}});
  }

  MockProcessorContext<Text, std::int64_t> context_;
  Counter counter_;
};

TEST_F(CounterAlone, ForwardsWithTheTimeAndHeadersOfItsRecord) {
  context_.task().set_record_metadata("orders", 2, 17);
  comes("k", 7);

  ASSERT_EQ(context_.forwarded().size(), 1u);
  const auto& forwarded = context_.forwarded().front();
  EXPECT_EQ(forwarded.key, "k");
  EXPECT_EQ(forwarded.value, 1);
  EXPECT_EQ(forwarded.timestamp, from_millis(7));
  EXPECT_EQ(forwarded.headers.last("h")->value, "x");
  EXPECT_EQ(forwarded.headers.last("seen")->value, "orders");
  context_.reset_forwards();
  EXPECT_THAT(context_.forwarded(), IsEmpty());
}

TEST_F(CounterAlone, ForwardsToOneChildOrToAll) {
  for (int i = 0; i < 3; ++i) comes("k", 10 + i);

  EXPECT_EQ(context_.forwarded().size(), 4u);
  EXPECT_EQ(context_.forwarded("small").size(), 3u);
  const auto large = context_.forwarded("large");
  ASSERT_EQ(large.size(), 4u);
  EXPECT_EQ(large.back().child, "large");
  EXPECT_EQ(large.back().timestamp, from_millis(13));
}

TEST_F(CounterAlone, TicksWhenTheTestSaysSo) {
  comes("a", 7);
  comes("b", 8);
  context_.reset_forwards();
  ASSERT_EQ(context_.scheduled_punctuators().size(), 1u);
  const CapturedPunctuator& ticking = context_.scheduled_punctuators().front();
  EXPECT_EQ(ticking.interval, 1s);
  EXPECT_EQ(ticking.type, PunctuationType::kStreamTime);

  ticking.punctuator(from_millis(1000));
  ASSERT_EQ(context_.forwarded().size(), 2u);
  EXPECT_EQ(context_.forwarded().back().timestamp, from_millis(1000));
  EXPECT_TRUE(context_.forwarded().back().headers.empty());

  EXPECT_FALSE(ticking.cancelled());
  for (int i = 0; i < 3; ++i) comes("k", 10 + i);
  EXPECT_TRUE(ticking.cancelled());
}

TEST_F(CounterAlone, IsSeenToCommitToDropAndToCount) {
  EXPECT_FALSE(context_.task().committed());
  for (int i = 0; i < 3; ++i) comes("k", 10 + i);
  EXPECT_TRUE(context_.task().committed());
  EXPECT_EQ(context_.task().counted("large-counts"), 1u);
  context_.task().reset_commit();
  EXPECT_FALSE(context_.task().committed());

  context_.process(counter_, "k", "", from_millis(20));
  EXPECT_THAT(context_.task().drops(), ElementsAre("empty"));
}

TEST_F(CounterAlone, WritesIntoStoresThatTheTestReads) {
  comes("k", 7);
  auto& counts = context_.key_value_store<Text, std::int64_t>("counts");
  EXPECT_EQ(*counts.get("k"), 1);
  EXPECT_EQ(counts.get_with_timestamp("k")->timestamp, from_millis(7));
}

TEST(MockedTask, IsWhatTheTestSays) {
  StreamsConfig config;
  config.application_id = "shop";
  config.state_dir = "/data";
  MockProcessorContext<Text, Text> context(config, {2, 5});
  context.task().set_stream_time(from_millis(11));
  context.task().set_wall_clock_time(from_millis(22));

  EXPECT_EQ(context.task().application_id(), "shop");
  EXPECT_EQ(context.task().task_id(), (TaskId{2, 5}));
  EXPECT_EQ(context.task().app_configs().at("application.id"), "shop");
  EXPECT_EQ(context.task().state_dir(), "/data/shop/2_5");
  EXPECT_EQ(context.task().stream_time(), from_millis(11));
  EXPECT_EQ(context.task().wall_clock_time(), from_millis(22));
}

TEST(MockedTask, HasNoStoresButThoseOfTheTest) {
  MockProcessorContext<Text, std::int64_t> context;
  Counter counter;
  EXPECT_THAT([&] { counter.init(context); },
              ThrowsMessage<StreamsError>(HasSubstr("the test has added no store counts")));
}

struct Doubler final : FixedKeyProcessor<Text, std::int64_t> {
  void process(const RecordRef<Text, std::int64_t>& record) override {
    context().forward(record.value * 2);
  }
};

TEST(MockedFixedKeyContext, ForwardsWithTheKeyOfTheRecord) {
  MockFixedKeyProcessorContext<Text, std::int64_t> context;
  Doubler doubler;
  doubler.init(context);
  context.process(doubler, "k", 21, from_millis(3));

  ASSERT_EQ(context.forwarded().size(), 1u);
  EXPECT_EQ(context.forwarded().front().key, "k");
  EXPECT_EQ(context.forwarded().front().value, 42);
  EXPECT_THROW(context.forward(1), StreamsError) << "there is no record, so there is no key";
}

}  // namespace
}  // namespace thalweg
