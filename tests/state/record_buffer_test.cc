// Buffers of records that wait for their time: what comes out when, and what survives.

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thalweg/state/record_buffer.h>

#include "state/store_world.h"

namespace thalweg::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

Timestamp at(std::int64_t millis) { return from_millis(millis); }

class RecordBufferStory : public testing::TestWithParam<DiskKind> {
 protected:
  void hold(const std::string& key, const std::string& value, std::int64_t time) {
    buffer_->put(key, value, {.timestamp = at(time), .offset = 7, .topic = "in", .partition = 0});
  }
  /// Takes everything out.
  std::vector<std::string> drain() {
    std::vector<std::string> out;
    for (; buffer_->records() > 0; buffer_->remove_first()) {
      const auto held = buffer_->first();
      out.push_back(held.key + "=" + held.value + "@" +
                    std::to_string(to_millis(held.origin.timestamp)));
    }
    return out;
  }

  World<RecordBuffer> buffer_{GetParam(), record_buffer_builder("table"), true};
};

INSTANTIATE_TEST_SUITE_P(AllDisks, RecordBufferStory,
                         testing::Values(DiskKind::kRocksDb, DiskKind::kSimulated, DiskKind::kNone),
                         [](const auto& parameter) { return to_string(parameter.param); });

TEST_P(RecordBufferStory, RecordsComeOutByTimeThenByKeyThenAsTheyCame) {
  hold("b", "1", 20);
  hold("a", "2", 20);
  hold("b", "3", 20);
  hold("z", "4", 10);

  EXPECT_EQ(buffer_->min_time(), at(10));
  EXPECT_EQ(buffer_->stream_time(), at(20));
  EXPECT_THAT(drain(), ElementsAre("z=4@10", "a=2@20", "b=1@20", "b=3@20"));
  EXPECT_EQ(buffer_->min_time(), kEndOfTime);
}

TEST_P(RecordBufferStory, WhatARecordCameWithComesOutWithIt) {
  Headers headers;
  headers.add("h", "x");
  buffer_->put("a", "1", {at(5), 7, "topic", 3, headers});

  const auto held = buffer_->first();

  EXPECT_EQ(held.origin.offset, 7);
  EXPECT_EQ(held.origin.topic, "topic");
  EXPECT_EQ(held.origin.partition, 3);
  EXPECT_EQ(held.origin.headers, headers);
}

TEST_P(RecordBufferStory, TheChangelogIsKafkaStreams) {
  using namespace std::string_literals;
  hold("k0", "\0\0\0\0\0\0\0\x0d"s, 1);
  buffer_->remove_first();

  const std::string key = "\0\0\0\0\0\0\0\0\1k0\0\0\0\1"s;
  const std::string value =
      "\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\7\0\0\0\2in\0\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff"
      "\0\0\0\x08\0\0\0\0\0\0\0\x0d\0\0\0\0\0\0\0\0"s;
  EXPECT_THAT(buffer_.changelog.open(),
              ElementsAre(Changelog::Change{key, value, kNoTimestamp},
                          Changelog::Change{key, std::nullopt, kNoTimestamp}));
}

TEST_P(RecordBufferStory, AnAbortBringsBackWhatWasCommitted) {
  hold("a", "1", 10);
  buffer_.commit();
  buffer_->remove_first();
  hold("b", "2", 50);

  buffer_.abort();

  EXPECT_EQ(buffer_->stream_time(), at(10));
  EXPECT_THAT(drain(), ElementsAre("a=1@10"));
}

TEST_P(RecordBufferStory, ACrashLosesNeitherRecordsNorTimeNorNumbers) {
  hold("a", "1", 10);
  hold("b", "gone", 90);
  buffer_.commit();
  ASSERT_TRUE(buffer_.spill());
  hold("a", "2", 10);
  buffer_.commit();
  hold("c", "never committed", 95);

  buffer_.crash();
  hold("a", "3", 10);

  EXPECT_EQ(buffer_->stream_time(), at(90));
  EXPECT_THAT(drain(), ElementsAre("a=1@10", "a=2@10", "a=3@10", "b=gone@90"));
}

TEST_P(RecordBufferStory, TimeOutlivesTheRecords) {
  hold("a", "1", 10);
  hold("b", "2", 90);
  EXPECT_THAT(drain(), SizeIs(2));
  buffer_.commit();

  buffer_.crash();

  EXPECT_EQ(buffer_->records(), 0u);
  EXPECT_EQ(buffer_->stream_time(), at(90));
}

TEST_P(RecordBufferStory, ADamagedPlaceIsRefused) {
  const std::string short_key = "short";
  const std::vector<RecordView> records{{.offset = 0, .key = short_key, .value = "x"}};

  EXPECT_THROW(buffer_->restore(records, 1, 1), SerdeError);
}

TEST_P(RecordBufferStory, ADiscardForgetsEverything) {
  hold("a", "1", 10);
  buffer_.commit();

  ASSERT_TRUE(buffer_->discard());

  EXPECT_THAT(drain(), IsEmpty());
  EXPECT_EQ(buffer_->stream_time(), kNoTimestamp);
}

}  // namespace
}  // namespace thalweg::test
