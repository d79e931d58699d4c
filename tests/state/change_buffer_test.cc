// Buffers of changes: one change a key, by time, as they were committed after whatever happens.
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thalweg/schemas/error.h>
#include <thalweg/state/change_buffer.h>
#include <thalweg/state/windowed.h>

#include "state/store_world.h"

namespace thalweg::test {
namespace {

Timestamp at(std::int64_t millis) { return from_millis(millis); }

class ChangeBufferStory : public testing::TestWithParam<DiskKind> {
 protected:
  void put(std::int64_t time, const std::string& key, const std::string& value,
           std::optional<BytesView> old_value = {}) {
    buffer->put(at(time), key, old_value, value, {at(time), 7, "topic", 1, {{"h", "x"}}});
  }
  std::string take_all() {
    std::string taken;
    while (buffer->records() > 0) {
      const auto time = to_millis(buffer->min_time());
      const auto [key, change] = buffer->first();
      taken += key + "@" + std::to_string(time) + "=" + change.new_value.value_or("null") + " ";
      buffer->remove_first();
    }
    return taken;
  }

  World<ChangeBuffer> buffer{
      GetParam(), change_buffer_builder("buffer", true, {}, bytes_schema(), bytes_schema()), false};
};

INSTANTIATE_TEST_SUITE_P(AllDisks, ChangeBufferStory,
                         testing::Values(DiskKind::kRocksDb, DiskKind::kSimulated, DiskKind::kNone),
                         [](const auto& parameter) { return to_string(parameter.param); });

TEST_P(ChangeBufferStory, ChangesLeaveByTimeAndThenByKey) {
  put(5, "b", "1");
  put(5, "a", "2");
  put(3, "c", "3");
  EXPECT_EQ(buffer->min_time(), at(3));
  EXPECT_EQ(take_all(), "c@3=3 a@5=2 b@5=1 ");
  EXPECT_EQ(buffer->min_time(), kEndOfTime);
  EXPECT_EQ(buffer->bytes(), 0u);
}

TEST_P(ChangeBufferStory, ChangesAreLoggedInTheOrderOfAJavaHashSet) {
  for (const char* key : {"b", "q", "a"}) put(1, key, "1");
  buffer->flush();

  std::vector<std::string> keys;
  for (const auto& change : buffer.changelog.open()) keys.push_back(change.key);
  EXPECT_THAT(keys, ::testing::ElementsAre("q", "a", "b"));  // In places 0, 0 and 1 of 16.
}

TEST_P(ChangeBufferStory, ANewerChangeTakesTheOldOnesPlace) {
  put(3, "a", "first", "before");
  put(9, "b", "1");
  put(20, "a", "last", "first");
  EXPECT_EQ(buffer->records(), 2u);
  EXPECT_EQ(buffer->find("a")->prior, "before");
  EXPECT_EQ(buffer->find("a")->old_value, "first");
  EXPECT_EQ(buffer->find("c"), nullptr);
  EXPECT_EQ(take_all(), "a@3=last b@9=1 ");
}

TEST_P(ChangeBufferStory, SizeIsKafkaStreamsEstimate) {
  put(3, "key", "value", "old");
  // Time, key, prior (also the old value), new value; timestamp, offset, topic, partition, header.
  EXPECT_EQ(buffer->bytes(), 8u + 3 + 3 + 5 + 8 + 8 + 5 + 4 + 2);
}

TEST_P(ChangeBufferStory, LogsEachKeyOnceACommitAndTombstonesForWhatLeft) {
  put(3, "a", "1");
  put(3, "a", "2");
  put(4, "b", "3");
  buffer.commit();
  buffer->remove_first();
  buffer.commit();
  const auto& changes = buffer.changelog.changes();
  ASSERT_EQ(changes.size(), 5u);  // Two of them end the transactions.
  EXPECT_EQ(changes[0].key, "a");
  EXPECT_EQ(changes[1].key, "b");
  EXPECT_EQ(changes[3], (Changelog::Change{"a", std::nullopt, kNoTimestamp}));
}

TEST_P(ChangeBufferStory, AbortBringsBackWhatWasCommitted) {
  put(3, "a", "1");
  put(4, "b", "2");
  buffer.commit();
  buffer->remove_first();
  put(5, "c", "3");
  put(9, "b", "changed");
  buffer.abort();
  EXPECT_EQ(buffer->records(), 2u);
  EXPECT_EQ(take_all(), "a@3=1 b@4=2 ");
}

TEST_P(ChangeBufferStory, CrashBringsBackWhatWasCommittedWithItsRecords) {
  put(3, "a", "1", "0");
  put(4, "b", "2");
  buffer.commit();
  ASSERT_TRUE(buffer.spill());
  buffer->remove_first();
  put(5, "c", "3");
  buffer.commit();
  const std::size_t bytes = buffer->bytes();
  put(1, "d", "uncommitted");
  buffer.crash();

  EXPECT_EQ(buffer->bytes(), bytes);
  const auto* change = buffer->find("c");
  ASSERT_NE(change, nullptr);
  EXPECT_EQ(change->origin.topic, "topic");
  EXPECT_EQ(change->origin.offset, 7);
  EXPECT_EQ(change->origin.headers, (Headers{{"h", "x"}}));
  EXPECT_EQ(take_all(), "b@4=2 c@5=3 ");
}

TEST_P(ChangeBufferStory, RefusesAChangelogOfOtherBytes) {
  const std::vector<RecordView> records = {{0, kNoTimestamp, "key", "not a change", {}}};
  buffer->restore(records, 1, 1);
  EXPECT_THROW(buffer->records(), SerdeError);
}

}  // namespace
}  // namespace thalweg::test
