// What every key-value store promises its task, on every disk, with the record cache and without.
#include <string>
#include <tuple>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "state/store_world.h"

namespace thalweg::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::Pointee;
using testing::SizeIs;

using Stock = StoreWorld<std::string, std::int64_t>;

class KeyValueStoreContract : public testing::TestWithParam<std::tuple<DiskKind, bool>> {
 protected:
  bool is_cached() const { return std::get<1>(GetParam()); }
  std::int64_t stock_of(const std::string& sku) {
    const std::int64_t* found = stock->get(sku);
    return found ? *found : -1;
  }

  Stock stock{std::get<0>(GetParam()), is_cached()};
};

class KeyValueStoreOnDisk : public KeyValueStoreContract {};

std::string name_of(const testing::TestParamInfo<std::tuple<DiskKind, bool>>& parameter) {
  return to_string(std::get<0>(parameter.param)) +
         (std::get<1>(parameter.param) ? "Cached" : "Uncached");
}

INSTANTIATE_TEST_SUITE_P(AllDisks, KeyValueStoreContract,
                         testing::Combine(testing::Values(DiskKind::kRocksDb, DiskKind::kSimulated,
                                                          DiskKind::kNone),
                                          testing::Bool()),
                         name_of);
INSTANTIATE_TEST_SUITE_P(AllDisks, KeyValueStoreOnDisk,
                         testing::Combine(testing::Values(DiskKind::kRocksDb, DiskKind::kSimulated),
                                          testing::Bool()),
                         name_of);

TEST_P(KeyValueStoreContract, TaskReadsItsOwnWrites) {
  stock->put("sneaker", 7);

  EXPECT_EQ(stock_of("sneaker"), 7);
  EXPECT_EQ(stock_of("boot"), -1);
}

TEST_P(KeyValueStoreContract, KeysThatAreExpectedNeedNotBeThereNorCome) {
  std::vector<std::string> expected;
  for (int i = 0; i < 40; ++i) {
    const std::string sku = "sku-" + std::to_string(i);
    expected.insert(expected.end(), {sku, "no-" + sku});
    if (i % 2 == 0) stock->put(sku, i);
    if (i % 8 == 0) stock->remove(sku);
    if (i == 20) stock.commit();
  }

  stock->expect(expected);
  stock->expect({});

  for (int i = 0; i < 40; ++i) {
    const std::string sku = "sku-" + std::to_string(i);
    EXPECT_EQ(stock_of(sku), i % 2 == 0 && i % 8 != 0 ? i : -1);
    EXPECT_EQ(stock_of("no-" + sku), -1);
  }
}

TEST_P(KeyValueStoreContract, PutWithoutTimeTakesTheRecordsTime) {
  stock.record_time = from_millis(1234);
  stock->put("sneaker", 7);

  EXPECT_EQ(stock->get_with_timestamp("sneaker")->timestamp, from_millis(1234));
}

TEST_P(KeyValueStoreOnDisk, TimestampSurvivesSpillAndRestart) {
  stock->put("sneaker", 7, from_millis(-1), kNoHeaders);
  stock->put("boot", 8, from_millis(1LL << 40), kNoHeaders);
  stock.commit();

  stock.close_and_restart();

  EXPECT_EQ(stock->get_with_timestamp("sneaker")->timestamp, from_millis(-1));
  EXPECT_EQ(stock->get_with_timestamp("boot")->timestamp, from_millis(1LL << 40));
}

TEST_P(KeyValueStoreContract, AbortForgetsEveryWriteOfTheTransaction) {
  stock->put("sneaker", 7);
  stock.commit();

  stock->put("sneaker", 1);
  stock->put("boot", 2);
  stock->remove("sneaker");
  stock.abort();

  EXPECT_THAT(stock.entries(), ElementsAre(Pair("sneaker", 7)));
  EXPECT_EQ(stock_of("sneaker"), 7);
}

TEST_P(KeyValueStoreContract, AbortAfterFlushForgetsAsWell) {
  stock->put("sneaker", 7);
  stock.commit();

  stock->remove("sneaker");
  stock->flush();
  stock->put("boot", 2);
  stock.abort();

  EXPECT_THAT(stock.entries(), ElementsAre(Pair("sneaker", 7)));
}

TEST_P(KeyValueStoreContract, RemovedKeyStaysAwayThroughSpillsAndRestarts) {
  stock->put("sneaker", 7);
  stock.commit();
  ASSERT_TRUE(stock.spill());

  stock->remove("sneaker");
  stock.commit();

  EXPECT_EQ(stock_of("sneaker"), -1);
  ASSERT_TRUE(stock.spill());
  EXPECT_EQ(stock_of("sneaker"), -1);
  stock.crash();
  EXPECT_EQ(stock_of("sneaker"), -1);
  EXPECT_THAT(stock.entries(), IsEmpty());
}

TEST_P(KeyValueStoreContract, CrashLosesNothingThatTheChangelogHolds) {
  stock->put("sneaker", 7);
  stock.commit();
  ASSERT_TRUE(stock.spill());
  stock->put("boot", 8);
  stock.commit();
  stock->put("sandal", 9);  // Never committed.

  stock.crash();

  EXPECT_THAT(stock.entries(), ElementsAre(Pair("boot", 8), Pair("sneaker", 7)));
}

TEST_P(KeyValueStoreOnDisk, RestartAfterASpillReadsOnlyTheChangelogsTail) {
  stock->put("sneaker", 7);
  stock->put("boot", 8);
  stock.commit();
  ASSERT_TRUE(stock.spill());
  stock->put("sandal", 9);
  stock.commit();

  stock.crash();

  EXPECT_EQ(stock.restored_records, 1U);
  EXPECT_THAT(stock.entries(), SizeIs(3));
}

TEST(KeyValueStoreInMemory, RestoresTheWholeChangelogAtEachStart) {
  Stock stock(DiskKind::kNone);
  stock->put("sneaker", 7);
  stock.commit();

  stock.crash();

  EXPECT_FALSE(stock->persistent());
  EXPECT_EQ(stock.restored_records, 1U);
  EXPECT_EQ(stock->start_spill(from_millis(1)), nullptr);
}

TEST_P(KeyValueStoreContract, RestoreReplacesWhatWasReadBefore) {
  stock->put("sneaker", 7);
  stock.commit();
  ASSERT_EQ(stock_of("sneaker"), 7);

  std::string value;
  Serde<std::int64_t>::serialize(41, value);
  const RecordView tail{
      stock.changelog.end(), from_millis(5), BytesView("sneaker"), BytesView(value), {}};
  stock->restore({&tail, 1}, stock.changelog.end() + 1, 2);

  EXPECT_EQ(stock_of("sneaker"), 41);
  EXPECT_EQ(stock->restored_to(), stock.changelog.end() + 1);
}

TEST_P(KeyValueStoreContract, DiscardStartsAgainFromNothing) {
  stock->put("sneaker", 7);
  stock.commit();
  ASSERT_TRUE(stock.spill());
  stock->put("boot", 8);
  stock.commit();

  ASSERT_TRUE(stock->discard());

  EXPECT_EQ(stock->restored_to(), 0);
  EXPECT_THAT(stock.entries(), IsEmpty());
  stock.restore();
  EXPECT_THAT(stock.entries(), ElementsAre(Pair("boot", 8), Pair("sneaker", 7)));
}

TEST_P(KeyValueStoreContract, WalkMergesTheTransactionOverWhatIsCommitted) {
  for (const char* sku : {"a", "c", "e", "g"}) stock->put(sku, 1);
  stock.commit();
  ASSERT_TRUE(stock.spill());
  stock->put("d", 2);
  stock->put("c", 2);
  stock.commit();
  stock->put("b", 3);
  stock->put("d", 3);
  stock->remove("e");

  EXPECT_THAT(stock.entries(),
              ElementsAre(Pair("a", 1), Pair("b", 3), Pair("c", 2), Pair("d", 3), Pair("g", 1)));
  EXPECT_THAT(stock.entries(true),
              ElementsAre(Pair("g", 1), Pair("d", 3), Pair("c", 2), Pair("b", 3), Pair("a", 1)));
}

TEST_P(KeyValueStoreContract, ARangeHoldsBothItsBounds) {
  for (const char* sku : {"a", "b", "c", "d"}) stock->put(sku, 1);
  stock.commit();
  ASSERT_TRUE(stock.spill());

  std::vector<std::string> keys;
  for (auto at = stock->range("b", "d"); at->valid(); at->next()) keys.push_back(at->key());
  EXPECT_THAT(keys, ElementsAre("b", "c", "d"));
  keys.clear();
  for (auto at = stock->range("b", "d", true); at->valid(); at->next()) keys.push_back(at->key());
  EXPECT_THAT(keys, ElementsAre("d", "c", "b"));
  EXPECT_FALSE(stock->range("c", "b")->valid());
  EXPECT_FALSE(stock->range("c", "b", true)->valid());
}

TEST_P(KeyValueStoreContract, ARangeThatEndsWithAKeyLeavesOutLongerOnes) {
  for (const char* sku : {"a", "ab", "b"}) stock->put(sku, 1);
  stock.commit();

  std::vector<std::string> keys;
  for (auto at = stock->range("a", "a"); at->valid(); at->next()) keys.push_back(at->key());

  EXPECT_THAT(keys, ElementsAre("a"));
}

TEST_P(KeyValueStoreContract, WhatIsThereIsNotPutIfAbsent) {
  EXPECT_EQ(stock->put_if_absent("shoe", 3), nullptr);
  EXPECT_EQ(*stock->put_if_absent("shoe", 5), 3);

  EXPECT_THAT(stock.entries(), ElementsAre(Pair("shoe", 3)));
}

TEST_P(KeyValueStoreContract, AllEntriesOfAListArePut) {
  stock->put_all({{"shoe", 3}, {"hat", 1}, {"shoe", 4}});
  stock.commit();

  EXPECT_THAT(stock.entries(), ElementsAre(Pair("hat", 1), Pair("shoe", 4)));
  EXPECT_EQ(stock->all(true)->key(), "shoe");
  EXPECT_EQ(stock->approximate_num_entries(), 2);
}

TEST_P(KeyValueStoreContract, PrefixScanStopsBehindThePrefix) {
  for (const char* sku : {"shoe", "shoe/red", "shoe/blue", "shof", "sho"}) stock->put(sku, 1);
  stock.commit();
  stock->put("shoe/green", 2);

  std::vector<std::string> keys;
  for (auto at = stock->prefix_scan("shoe/"); at->valid(); at->next()) keys.push_back(at->key());

  EXPECT_THAT(keys, ElementsAre("shoe/blue", "shoe/green", "shoe/red"));
}

TEST_P(KeyValueStoreContract, PrefixOfHighestBytesHasNoEnd) {
  stock->put("\xff\xff", 1);
  stock->put("\xff\xff\x01", 2);
  stock->put("\xfe", 3);

  std::vector<std::string> keys;
  for (auto at = stock->prefix_scan("\xff\xff"); at->valid(); at->next()) keys.push_back(at->key());

  EXPECT_THAT(keys, ElementsAre("\xff\xff", "\xff\xff\x01"));
}

TEST_P(KeyValueStoreContract, LongWalkCrossesManyChunks) {
  constexpr int kKeys = 3000;
  for (int i = 0; i < kKeys; ++i) {
    stock->put(std::to_string(100'000 + i), i);
    if (i % 1000 == 999) {
      stock.commit();
      ASSERT_TRUE(stock.spill());
    }
  }
  for (int i = 0; i < kKeys; i += 2) stock->remove(std::to_string(100'000 + i));

  const auto left = stock.entries();
  ASSERT_THAT(left, SizeIs(kKeys / 2));
  EXPECT_THAT(left.front(), Pair("100001", 1));
  EXPECT_THAT(left.back(), Pair("102999", 2999));
  auto backwards = stock.entries(true);
  std::reverse(backwards.begin(), backwards.end());
  EXPECT_EQ(backwards, left);
}

TEST_P(KeyValueStoreContract, EntriesMayBeRemovedDuringAWalk) {
  for (int i = 0; i < 100; ++i) stock->put(std::to_string(1000 + i), i);
  stock.commit();
  for (int i = 0; i < 100; i += 3) stock->put(std::to_string(1000 + i), -i);

  int seen = 0;
  for (auto at = stock->all(); at->valid(); at->next()) {
    ++seen;
    stock->remove(std::string(at->key()));
  }

  EXPECT_EQ(seen, 100);
  EXPECT_THAT(stock.entries(), IsEmpty());
}

TEST_P(KeyValueStoreContract, EmptyKeyAndEmptyValueAreKeptAsTheyAre) {
  StoreWorld<std::string, std::string> texts(std::get<0>(GetParam()), is_cached());
  texts->put("", "of the empty key");
  texts->put("without text", "");
  texts.commit();
  ASSERT_TRUE(texts.spill());

  EXPECT_THAT(texts->get(""), Pointee(std::string("of the empty key")));
  EXPECT_THAT(texts.entries(), ElementsAre(Pair("", "of the empty key"), Pair("without text", "")));
}

TEST_P(KeyValueStoreContract, UncommittedBytesGrowWithWritesAndGoWithTheTransaction) {
  const auto idle = stock->uncommitted_bytes();
  for (int i = 0; i < 100; ++i) stock->put(std::to_string(i), i);
  const auto open = stock->uncommitted_bytes();
  stock.commit();

  EXPECT_GT(open, idle + 100 * sizeof(std::int64_t));
  EXPECT_EQ(stock->uncommitted_bytes(), idle);
}

TEST_P(KeyValueStoreOnDisk, SpillFreesWhatWasNotOnDisk) {
  stock->put("sneaker", 7);
  stock.commit();
  EXPECT_GT(stock->unspilled_bytes(), 0U);

  ASSERT_TRUE(stock.spill());

  EXPECT_EQ(stock->unspilled_bytes(), 0U);
  EXPECT_EQ(stock->start_spill(from_millis(2)), nullptr);
}

TEST_P(KeyValueStoreOnDisk, OnlyOneSpillIsUnderWayAtATime) {
  stock->put("sneaker", 7);
  stock.commit();
  auto first = stock->start_spill(from_millis(1));
  stock->put("boot", 8);
  stock.commit();

  EXPECT_EQ(first->needs_durable(), 1U);
  EXPECT_EQ(stock->start_spill(from_millis(2)), nullptr);
  EXPECT_THAT(stock.entries(), ElementsAre(Pair("boot", 8), Pair("sneaker", 7)));
  ASSERT_TRUE(first->run());
  auto second = stock->start_spill(from_millis(2));
  ASSERT_NE(second, nullptr);
  EXPECT_EQ(second->needs_durable(), 2U);
}

TEST_P(KeyValueStoreOnDisk, SpillNobodyRunsIsTakenBack) {
  stock->put("sneaker", 7);
  stock->put("boot", 1);
  stock.commit();
  stock->start_spill(from_millis(1)).reset();
  stock->put("boot", 2);
  stock.commit();

  ASSERT_TRUE(stock.spill());

  EXPECT_THAT(stock.entries(), ElementsAre(Pair("boot", 2), Pair("sneaker", 7)));
}

TEST_P(KeyValueStoreOnDisk, SpillOfAClosedStoreWritesNothing) {
  stock->put("sneaker", 7);
  stock.commit();
  auto late = stock->start_spill(from_millis(1));

  stock.crash();  // The store is opened again, and owns the family now.

  EXPECT_EQ(late->run().error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(stock->restored_to(), stock.changelog.end());
  EXPECT_EQ(stock_of("sneaker"), 7);
}

TEST_P(KeyValueStoreContract, ChangelogAndTableGetTheSameBytes) {
  stock->put("sneaker", 7, from_millis(11), kNoHeaders);
  stock->put("boot", 8, from_millis(12), kNoHeaders);
  stock->put("sneaker", 9, from_millis(13), kNoHeaders);
  stock.commit();

  const auto view = stock->view();
  const auto folded = stock.changelog.fold();
  for (const auto& [key, expected] : folded) {
    const auto entry = view->get(key);
    ASSERT_TRUE(entry && *entry);
    EXPECT_EQ((*entry)->value, expected.first);
    EXPECT_EQ((*entry)->timestamp, expected.second);
  }
  EXPECT_THAT(folded, SizeIs(2));
}

}  // namespace
}  // namespace thalweg::test
