#include <random>

#include "contract/embedded_story.h"

// Retention, truncation and compaction of the embedded log.

namespace thalweg::testing {
namespace {

using std::chrono::hours;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class EmbeddedUpkeep : public EmbeddedStory {
 protected:
  EmbeddedUpkeep() {
    options_.compaction_records_min = 1;
    options_.compaction_dirty_ratio = 0;
    options_.tail_bytes = 0;  // So that reading shows what the disk has.
    reopen();
    create({.name = "stock", .cleanup = CleanupPolicy::kCompact});
    create({.name = "events", .retention = hours(1)});
  }

  std::int64_t now() { return to_millis(clock_.wall_clock()); }
  void upkeep() {
    const Status done = log_->maintain();
    ASSERT_TRUE(done) << done.error().message;
  }
  /// How many keys of that kind the journal has.
  int keys(char kind) {
    const std::string first(1, kind);
    const std::string end(1, static_cast<char>(kind + 1));
    int count = 0;
    auto cursor = storage_.journal().scan(first, end);
    for (cursor->seek(first); cursor->valid(); cursor->next()) ++count;
    return count;
  }
  /// Closes the batch before it: the newest is never compacted.
  void last_word() { write(kStock, {{"last", "word"}}); }

  const TopicPartition kStock{"stock", 0};
  const TopicPartition kEvents{"events", 0};
};

TEST_F(EmbeddedUpkeep, OldRecordsGoAndNewOnesStay) {
  write(kEvents, {{"a", "old", now()}});
  clock_.advance(hours(2));
  write(kEvents, {{"b", "new", now()}});

  upkeep();

  EXPECT_THAT(all_of(kEvents), ElementsAre(Written{"b", "new", now()}));
  EXPECT_EQ(log_->range(kEvents)->begin, 1);
}

TEST_F(EmbeddedUpkeep, EverythingMayGoAndTheEndStays) {
  write(kEvents, {{"a", "old", now()}, {"b", "old", now()}});
  clock_.advance(hours(2));

  upkeep();
  reopen();

  EXPECT_EQ(log_->range(kEvents)->begin, 2);
  EXPECT_EQ(log_->range(kEvents)->end, 2);
  write(kEvents, {{"c", "next", now()}});
  EXPECT_EQ(log_->range(kEvents)->end, 3);
}

TEST_F(EmbeddedUpkeep, RecordsWithoutATimeCountFromWhenTheyWereWritten) {
  write(kEvents, {{"a", "v", -1}});
  upkeep();
  EXPECT_THAT(all_of(kEvents), SizeIs(1));

  clock_.advance(hours(2));
  upkeep();

  EXPECT_THAT(all_of(kEvents), IsEmpty());
}

TEST_F(EmbeddedUpkeep, WithoutRetentionNothingGoes) {
  create({.name = "ledger"});
  write({"ledger", 0}, {{"a", "v", 1}});
  clock_.advance(hours(100'000));

  upkeep();

  EXPECT_THAT(all_of({"ledger", 0}), SizeIs(1));
}

TEST_F(EmbeddedUpkeep, AReaderThatFellBehindRetentionIsToldSo) {
  write(kEvents, {{"a", "old", now()}});
  Reader reader(*this, {});
  reader->assign(kEvents, 0, 0);
  clock_.advance(hours(2));
  write(kEvents, {{"b", "new", now()}});
  upkeep();

  EXPECT_THAT(reader.read(), IsEmpty());
  EXPECT_EQ(reader.event().kind, ConsumerEvent::Kind::kOutOfRange);
}

TEST_F(EmbeddedUpkeep, DeletedRecordsAreRemovedFromDiskUpToTheirBatch) {
  write(kStock, {{"a", "1"}, {"b", "2"}});
  write(kStock, {{"c", "3"}, {"d", "4"}});
  log_->delete_records(kStock, 3);

  upkeep();
  reopen();

  EXPECT_EQ(log_->range(kStock)->begin, 3);
  EXPECT_THAT(all_of(kStock), ElementsAre(Written{"d", "4"}));
}

TEST_F(EmbeddedUpkeep, WhatADeletedTopicLeavesGoesWithTheNextPass) {
  write(kStock, {{"shoe", "1"}});
  write(kEvents, {{"a", "1", now()}});
  log_->delete_records(kStock, 1);
  upkeep();
  write(kStock, {{"shoe", "2"}});
  ASSERT_TRUE(log_->delete_topic("stock"));
  reopen();
  create({.name = "stock"});
  write(kStock, {{"shoe", "3"}});
  EXPECT_EQ(keys('b'), 3);

  upkeep();

  EXPECT_EQ(keys('b'), 2);
  EXPECT_EQ(keys('p'), 0);
  EXPECT_THAT(all_of(kStock), ElementsAre(Written{"shoe", "3"}));
  EXPECT_THAT(all_of(kEvents), SizeIs(1));
}

TEST_F(EmbeddedUpkeep, MuchIsRemovedInStepsOfWhichEachMayBeTheLast) {
  constexpr int kBatches = 20'003;
  const auto fill = [&] {
    for (int i = 0; i < kBatches; ++i) write(kStock, {{"shoe", std::to_string(i)}});
    sync();
  };
  fill();
  log_->delete_records(kStock, kBatches - 1);

  upkeep();
  crash(1);

  EXPECT_EQ(log_->range(kStock)->begin, 10'000);
  EXPECT_EQ(keys('b'), kBatches - 10'000);
  fill();
  ASSERT_TRUE(log_->delete_topic("stock"));
  sync();
  upkeep();
  EXPECT_EQ(keys('b'), 0);
  crash(1);
  EXPECT_EQ(keys('b'), 2 * kBatches - 20'000);
}

TEST_F(EmbeddedUpkeep, CompactionKeepsTheLatestOfEachKeyAtItsOffset) {
  write(kStock, {{"shoe", "1"}, {"bag", "1"}, {"shoe", "2"}});
  write(kStock, {{"bag", "2"}, {"hat", "1"}});
  last_word();

  upkeep();

  EXPECT_THAT(all_of(kStock), ElementsAre(Written{"shoe", "2"}, Written{"bag", "2"},
                                          Written{"hat", "1"}, Written{"last", "word"}));
  EXPECT_THAT(offsets_, ElementsAre(2, 3, 4, 5));
}

TEST_F(EmbeddedUpkeep, CompactionNeverTouchesTheNewestBatch) {
  write(kStock, {{"shoe", "1"}, {"shoe", "2"}, {"shoe", "3"}});

  upkeep();

  EXPECT_THAT(all_of(kStock), SizeIs(3));
}

TEST_F(EmbeddedUpkeep, AReaderInTheMiddleGoesOnAfterCompaction) {
  write(kStock, {{"shoe", "1"}, {"bag", "1"}});
  Reader reader(*this, {});
  reader->assign(kStock, 0, 0);
  std::vector<RecordBatch> batches;
  reader->fetch(batches, 1);
  write(kStock, {{"shoe", "2"}, {"bag", "2"}});
  last_word();

  upkeep();
  reader->assign(kStock, batches.back().next, 0);

  EXPECT_THAT(reader.read(),
              ElementsAre(Written{"shoe", "2"}, Written{"bag", "2"}, Written{"last", "word"}));
}

TEST_F(EmbeddedUpkeep, PositionsThatWereCompactedAwayAreStillInRange) {
  for (int i = 0; i < 10; ++i) write(kStock, {{"shoe", std::to_string(i)}});
  last_word();
  upkeep();
  Reader reader(*this, {});

  reader->assign(kStock, 3, 0);

  EXPECT_THAT(reader.read(), ElementsAre(Written{"shoe", "9"}, Written{"last", "word"}));
  EXPECT_EQ(reader.next(), 11);
}

TEST_F(EmbeddedUpkeep, TombstonesStayForADayAndThenGo) {
  write(kStock, {{"shoe", "1"}});
  write(kStock, {{"shoe", std::nullopt}});
  last_word();
  upkeep();
  EXPECT_THAT(all_of(kStock), ElementsAre(Written{"shoe", std::nullopt}, Written{"last", "word"}));

  clock_.advance(hours(26));
  last_word();
  upkeep();

  EXPECT_THAT(all_of(kStock), ElementsAre(Written{"last", "word"}, Written{"last", "word"}));
}

TEST_F(EmbeddedUpkeep, CompactionWaitsUntilEnoughIsNew) {
  options_.compaction_dirty_ratio = 0.5;
  options_.compaction_records_min = 3;
  reopen();
  write(kStock, {{"shoe", "1"}});
  write(kStock, {{"shoe", "2"}});
  last_word();
  upkeep();
  EXPECT_THAT(all_of(kStock), SizeIs(3));

  last_word();
  upkeep();

  EXPECT_THAT(all_of(kStock), SizeIs(3));
  EXPECT_THAT(offsets_, ElementsAre(1, 2, 3));
}

TEST_F(EmbeddedUpkeep, CompactionInSmallStepsEndsWithTheSame) {
  options_.compaction_bytes = 1;  // A batch per pass.
  reopen();
  for (int i = 0; i < 20; ++i) write(kStock, {{std::to_string(i % 3), std::to_string(i)}});
  last_word();

  for (int pass = 0; pass < 25; ++pass) upkeep();

  EXPECT_THAT(all_of(kStock), ElementsAre(Written{"2", "17"}, Written{"0", "18"},
                                          Written{"1", "19"}, Written{"last", "word"}));
}

TEST_F(EmbeddedUpkeep, WhatWasCompactedStaysSoAfterARestart) {
  for (int i = 0; i < 20; ++i) write(kStock, {{"shoe", std::to_string(i)}});
  last_word();
  upkeep();

  reopen();

  EXPECT_THAT(all_of(kStock), ElementsAre(Written{"shoe", "19"}, Written{"last", "word"}));
  EXPECT_EQ(log_->range(kStock)->end, 21);
}

// The table that a changelog stands for is the same before and after any number of passes, crashes
// and restarts.
TEST_F(EmbeddedUpkeep, TheTableOfACompactedTopicNeverChanges) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  options_.compaction_bytes = 2'000;
  std::map<std::string, std::string> table;
  for (int round = 0; round < 300; ++round) {
    const std::string key = std::to_string(random() % 40);
    std::vector<Written> records = {{key, std::to_string(round), now()}};
    table[key] = std::to_string(round);
    if (random() % 5 == 0) {
      const std::string gone = std::to_string(random() % 40);
      records.push_back({gone, std::nullopt, now()});
      table.erase(gone);
    }
    ASSERT_EQ(write(kStock, records), Kind::kCommitted);
    if (random() % 10 == 0) upkeep();
    if (random() % 20 == 0) clock_.advance(hours(13));
    if (random() % 30 == 0) {
      sync();
      upkeep();
      writer_.reset();
      storage_.crash_at_random(random);
      log_.reset();
      open();
    }

    if (round % 10 != 0) continue;
    std::map<std::string, std::string> seen;
    for (const Written& record : all_of(kStock)) {
      if (record.value) {
        seen[*record.key] = *record.value;
      } else {
        seen.erase(*record.key);
      }
    }
    ASSERT_EQ(seen, table) << "round " << round;
    ASSERT_TRUE(std::ranges::is_sorted(offsets_, std::ranges::less_equal{}));
  }
}

TEST_F(EmbeddedUpkeep, AFullDiskDuringUpkeepIsReportedAndLosesNothing) {
  for (int i = 0; i < 20; ++i) write(kStock, {{std::to_string(i % 3), std::to_string(i)}});
  const auto before = all_of(kStock);
  storage_.fail_writes(ErrorCode::kNoSpace);

  const Status done = log_->maintain();

  EXPECT_EQ(done.error().code, ErrorCode::kNoSpace);
  EXPECT_EQ(log_->status().error().code, ErrorCode::kNoSpace);
  EXPECT_EQ(all_of(kStock), before);
  storage_.heal();
  upkeep();
  EXPECT_THAT(all_of(kStock), SizeIs(4));  // Three keys, one of them once more in the newest batch.
}

}  // namespace
}  // namespace thalweg::testing
