// Stores of windows: one value per key and window as long as the retention lasts, on every disk.
#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "state/store_world.h"

namespace thalweg::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using namespace std::chrono_literals;

using Windows = WindowStore<std::string, std::string>;

Timestamp at(std::int64_t millis) { return from_millis(millis); }

/// Windows of 10 ms kept for 100 ms, whose segments are of 30 ms.
WindowStoreOptions ten_of_hundred() {
  return {.retention = 100ms, .window_size = 10ms, .segment_interval = 30ms};
}

std::string show(std::unique_ptr<Windows::Iterator> walk) {
  std::string shown;
  for (; walk->valid(); walk->next()) {
    const auto& [key, window] = walk->key();
    shown += (shown.empty() ? "" : " ") + key + std::to_string(to_millis(window.start)) + "=" +
             walk->value().value;
  }
  return shown;
}

std::string changelog_key(const std::string& key, std::int64_t start, std::int32_t sequence) {
  std::string bytes = key;
  Serde<std::int64_t>::serialize(start, bytes);
  Serde<std::int32_t>::serialize(sequence, bytes);
  return bytes;
}

class WindowStoreStory : public testing::TestWithParam<DiskKind> {
 protected:
  World<Windows> world(WindowStoreOptions windows = ten_of_hundred(), bool caching = false) {
    return {
        GetParam(),
        window_store_builder<std::string, std::string>(
            "table", windows, {.persistent = GetParam() != DiskKind::kNone, .caching = caching}),
        caching};
  }
  bool in_memory() const { return GetParam() == DiskKind::kNone; }
};

INSTANTIATE_TEST_SUITE_P(AllDisks, WindowStoreStory,
                         testing::Values(DiskKind::kRocksDb, DiskKind::kSimulated, DiskKind::kNone),
                         [](const auto& parameter) { return to_string(parameter.param); });

TEST_P(WindowStoreStory, AWindowHoldsTheLatestValueOfItsKey) {
  auto store = world();
  store->put("a", "old", at(20));
  store->put("a", "new", at(20));
  store->put("b", "other", at(20));
  store->put("a", "next", at(30));
  store->remove("b", at(20));

  EXPECT_EQ(*store->fetch("a", at(20)), "new");
  EXPECT_EQ(*store->fetch("a", at(30)), "next");
  EXPECT_EQ(store->fetch("b", at(20)), nullptr);
  EXPECT_EQ(store->fetch("a", at(10)), nullptr);
  EXPECT_EQ(store->fetch_with_timestamp("a", at(20))->timestamp, store.record_time);
}

TEST_P(WindowStoreStory, OneKeyIsWalkedByTimeWithinInclusiveBounds) {
  auto store = world();
  for (int start = 0; start <= 90; start += 10) {
    store->put("a", std::to_string(start), at(start));
    store->put("ab", "x", at(start));
    if (start == 40) store.commit();
    if (start == 60) {
      ASSERT_TRUE(store.spill());
    }
  }
  EXPECT_EQ(show(store->fetch("a", at(20), at(50))), "a20=20 a30=30 a40=40 a50=50");
  EXPECT_EQ(show(store->fetch("a", at(20), at(50), true)), "a50=50 a40=40 a30=30 a20=20");
  EXPECT_EQ(show(store->fetch("a", at(51), at(59))), "");
  EXPECT_EQ(show(store->fetch("c", at(0), at(90))), "");
}

// A walk over a store that had spilled made a cursor of its own, which took as long as ten steps of
// it: a quarter of the time of a join whose windows were larger than memory.
TEST(WindowsOnDisk, AreWalkedWithOneCursorUntilTheNextCommit) {
  World<Windows> store(
      DiskKind::kSimulated,
      window_store_builder<std::string, std::string>("table", ten_of_hundred(), {}), false);
  for (int start = 0; start <= 40; start += 10) store->put("a", std::to_string(start), at(start));
  store.commit();
  ASSERT_TRUE(store.spill());
  const auto walk = [&] { return show(store->fetch("a", at(20), at(50))); };
  EXPECT_EQ(walk(), "a20=20 a30=30 a40=40");

  store.disk.simulated().fail_next(1, ErrorCode::kIo, /*reads_too=*/true);
  EXPECT_EQ(walk(), "a20=20 a30=30 a40=40");  // Nothing was asked that could fail.

  store.commit();
  EXPECT_THROW(walk(), StoreError);
  EXPECT_EQ(walk(), "a20=20 a30=30 a40=40");
}

TEST_P(WindowStoreStory, WhatIsSpilledBetweenTwoWalksOfATransactionIsSeenByTheSecond) {
  auto store = world();
  store->put("a", "1", at(10));
  store.commit();
  ASSERT_TRUE(store.spill());
  store->put("a", "2", at(20));
  store->remove("a", at(10));
  store.commit();
  EXPECT_EQ(show(store->fetch("a", at(0), at(50))), "a20=2");

  ASSERT_TRUE(store.spill());
  EXPECT_EQ(show(store->fetch("a", at(0), at(50))), "a20=2");
  EXPECT_EQ(show(store->fetch("a", at(0), at(50), true)), "a20=2");
}

TEST_P(WindowStoreStory, SeveralKeysComeSegmentBySegmentOrInMemoryByTime) {
  auto store = world();
  store->put("b", "1", at(0));
  store->put("a", "2", at(10));
  store->put("c", "3", at(20));
  store.commit();
  ASSERT_TRUE(store.spill());
  store->put("a", "4", at(40));
  store->put("b", "5", at(30));

  const auto all = in_memory() ? "b0=1 a10=2 c20=3 b30=5 a40=4" : "a10=2 b0=1 c20=3 a40=4 b30=5";
  EXPECT_EQ(show(store->all()), all);
  EXPECT_EQ(show(store->all(true)),
            in_memory() ? "a40=4 b30=5 c20=3 a10=2 b0=1" : "b30=5 a40=4 c20=3 b0=1 a10=2");
  EXPECT_EQ(show(store->fetch_all(at(10), at(30))),
            in_memory() ? "a10=2 c20=3 b30=5" : "a10=2 c20=3 b30=5");
  EXPECT_EQ(show(store->fetch("b", "c", at(0), at(40))), "b0=1 c20=3 b30=5");
  EXPECT_EQ(show(store->fetch(std::nullopt, "a", at(0), at(40))), "a10=2 a40=4");
  EXPECT_EQ(show(store->fetch("b", std::nullopt, at(10), at(40))), "c20=3 b30=5");
  EXPECT_EQ(show(store->fetch("c", "a", at(0), at(40))), "");
}

TEST_P(WindowStoreStory, TimeOrderedStoresAreWalkedByTimeAndThenByKey) {
  auto windows = ten_of_hundred();
  windows.time_ordered = true;
  auto store = world(windows);
  store->put("b", "1", at(0));
  store->put("a", "2", at(10));
  store->put("a", "3", at(0));
  store.commit();
  ASSERT_TRUE(store.spill());
  store->put("c", "4", at(5));

  EXPECT_EQ(show(store->all()), "a0=3 b0=1 c5=4 a10=2");
  EXPECT_EQ(show(store->fetch("a", at(0), at(10))), "a0=3 a10=2");
  EXPECT_EQ(*store->fetch("b", at(0)), "1");
}

TEST_P(WindowStoreStory, WhatIsOlderThanTheRetentionCannotBeRead) {
  auto store = world();
  store->put("a", "first", at(0));
  store->put("a", "second", at(1));
  store->put("b", "later", at(100));

  EXPECT_EQ(store->stream_time(), at(100));
  EXPECT_EQ(store->fetch("a", at(0)), nullptr);
  EXPECT_EQ(*store->fetch("a", at(1)), "second");
  EXPECT_EQ(show(store->fetch("a", at(0), at(100))), "a1=second");
  EXPECT_EQ(show(store->all()), "a1=second b100=later");
}

TEST_P(WindowStoreStory, AWriteThatComesTooLateIsLoggedCountedAndForgotten) {
  auto store = world();
  store->put("b", "now", at(160));  // The first segment that is kept begins at 60.
  std::vector<std::string> heard;
  store->set_listener(
      [&](const Windowed<std::string>& key, const std::string* value, const std::string*, Timestamp,
          const Headers&) { heard.push_back(key.key + "=" + *value); },
      false);
  store->put("a", "late", at(59));

  EXPECT_EQ(store.late_writes, 1u);
  EXPECT_THAT(heard, ElementsAre("a=late"));
  EXPECT_EQ(store.changelog.changes().back().key, changelog_key("a", 59, 0));
  EXPECT_EQ(show(store->all()), "b160=now");

  store->put("a", "in time or not", at(60));
  EXPECT_EQ(store.late_writes, in_memory() ? 2u : 1u);  // In memory nothing outlasts retention.
  EXPECT_EQ(show(store->all()), "b160=now");
}

TEST_P(WindowStoreStory, WithoutTimestampsTheyAreGoneWhenEntriesAreReadAgain) {
  World<Windows> store(
      GetParam(),
      window_store_builder<std::string, std::string>(
          "table", ten_of_hundred(), {.persistent = !in_memory(), .timestamps = false}),
      false);
  store->put("a", "value", at(20), at(27), kNoHeaders);

  EXPECT_EQ(store->fetch_with_timestamp("a", at(20))->timestamp, kNoTimestamp);
  EXPECT_EQ(store->fetch("a", at(0), at(50))->value().timestamp, kNoTimestamp);
  EXPECT_EQ(store->all()->value().value, "value");
  EXPECT_EQ(store.changelog.changes().back().timestamp, at(27));
}

TEST(CachedWindows, ReadTimestampsFromTheCacheThatTheStoreDoesNotKeep) {
  World<Windows> store(DiskKind::kSimulated,
                       window_store_builder<std::string, std::string>(
                           "table", ten_of_hundred(), {.caching = true, .timestamps = false}),
                       true);
  store->put("a", "value", at(20), at(27), kNoHeaders);

  EXPECT_EQ(store->fetch_with_timestamp("a", at(20))->timestamp, at(27));
}

TEST(CachedWindows, ShowWhatHasExpiredAsLongAsTheCacheHasRoom) {
  for (const std::size_t cache_bytes : {std::size_t{0}, std::size_t{1'000'000}}) {
    World<Windows> store(DiskKind::kSimulated,
                         window_store_builder<std::string, std::string>("table", ten_of_hundred(),
                                                                        {.caching = true}),
                         true, nullptr, cache_bytes);
    store->put("a", "old", at(20));
    store.commit();
    store->put("a", "new", at(100'000));
    store.commit();

    EXPECT_EQ(store->fetch("a", at(20)) != nullptr, cache_bytes > 0);
    EXPECT_EQ(*store->fetch("a", at(100'000)), "new");
    EXPECT_TRUE(store.spill());
    store->put("b", "newest", at(200'000));
    store.commit();
    EXPECT_EQ(store->fetch("a", at(20)), nullptr) << "on disk nothing is kept for the cache";
  }
}

TEST_P(WindowStoreStory, ViewsTellWhatTheStoreShows) {
  auto store = world();
  EXPECT_LT(store->view()->first_readable(), at(0));
  store->put("a", "first", at(0));
  store->put("b", "later", at(100));
  EXPECT_LT(store->view()->first_readable(), at(0)) << "nothing is committed";
  store.commit();
  const auto view = store->view();
  EXPECT_EQ(view->first_readable(), at(1));
  ASSERT_TRUE(store->discard());
  EXPECT_LT(view->first_readable(), at(0));
  store.restore();
  EXPECT_EQ(view->first_readable(), at(1));
}

TEST(CachedWindows, AreShownByViewsUntilTheirSegmentGoes) {
  World<Windows> store(
      DiskKind::kSimulated,
      window_store_builder<std::string, std::string>("table", ten_of_hundred(), {.caching = true}),
      true);
  store->put("a", "value", at(0));
  store->put("a", "value", at(145));
  store.commit();

  EXPECT_EQ(store->view()->first_readable(), at(30));
}

TEST_P(WindowStoreStory, ExpiredSegmentsLeaveMemoryAndDisk) {
  auto store = world();
  for (int start = 0; start < 60; ++start) store->put("a", "value", at(start));
  store.commit();
  ASSERT_TRUE(store.spill());
  store->put("a", "value", at(159));
  store.commit();
  ASSERT_TRUE(store.spill());

  std::size_t kept = 0;
  const auto entries = store->view()->scan({.limit = 1000});
  ASSERT_TRUE(entries);
  kept = entries->size();
  EXPECT_EQ(kept, 31u) << "30 entries of the segment from 30 on, and the last";
}

TEST_P(WindowStoreStory, KeysOnTheChangelogAreThoseOfKafkaStreams) {
  auto store = world();
  store->put("k", "v", at(20));
  store->remove("k", at(20));

  ASSERT_EQ(store.changelog.changes().size(), 2u);
  EXPECT_EQ(store.changelog.changes()[0],
            (Changelog::Change{changelog_key("k", 20, 0), "v", store.record_time}));
  EXPECT_EQ(store.changelog.changes()[1],
            (Changelog::Change{changelog_key("k", 20, 0), std::nullopt, store.record_time}));
}

TEST_P(WindowStoreStory, DuplicatesAreAllKeptInOrder) {
  auto windows = ten_of_hundred();
  windows.retain_duplicates = true;
  auto store = world(windows, true);
  store->put("a", "1", at(20));
  store->put("a", "2", at(20));
  store->put("a", "0", at(10));
  store.commit();
  store->remove("a", at(20));
  store->put("a", "3", at(20));

  EXPECT_EQ(show(store->fetch("a", at(0), at(30))), "a10=0 a20=1 a20=2 a20=3");
  EXPECT_EQ(store.changelog.changes().back().key, changelog_key("a", 20, 5));
  store.commit();

  store.crash();
  store->put("a", "4", at(20));
  EXPECT_EQ(show(store->fetch("a", at(0), at(30))), "a10=0 a20=1 a20=2 a20=3 a20=4");
}

TEST_P(WindowStoreStory, CrashBringsBackEntriesAndStreamTime) {
  auto store = world();
  store->put("a", "1", at(20));
  store->put("a", "2", at(50));
  store.commit();
  ASSERT_TRUE(store.spill());
  store->put("a", "3", at(110));
  store.commit();
  store->put("a", "uncommitted", at(400));
  store.crash();

  EXPECT_EQ(store->stream_time(), at(110));
  EXPECT_EQ(show(store->all()), "a20=1 a50=2 a110=3");
  store.restored_records = 0;
  store.close_and_restart();
  if (in_memory()) store.restore();
  EXPECT_EQ(store->stream_time(), at(110));
  EXPECT_EQ(show(store->all()), "a20=1 a50=2 a110=3");
}

TEST_P(WindowStoreStory, AbortTakesStreamTimeBack) {
  auto store = world();
  store->put("a", "1", at(20));
  store.commit();
  store->put("a", "2", at(200));
  store.abort();

  EXPECT_EQ(store->stream_time(), at(20));
  EXPECT_EQ(show(store->all()), "a20=1");
}

TEST_P(WindowStoreStory, CachedChangesComeAtFlushOncePerWindow) {
  auto store = world(ten_of_hundred(), true);
  std::vector<std::string> heard;
  store->set_listener(
      [&](const Windowed<std::string>& key, const std::string* value, const std::string* old,
          Timestamp, const Headers&) {
        heard.push_back(key.key + std::to_string(to_millis(key.window.end)) + "=" + *value + "<" +
                        (old ? *old : ""));
      },
      true);
  store->put("a", "1", at(20));
  store->put("b", "1", at(20));
  store->put("a", "2", at(20));
  EXPECT_THAT(heard, IsEmpty());
  store.commit();
  EXPECT_THAT(heard, ElementsAre("b30=1<", "a30=2<"));
  store->put("a", "3", at(20));
  store.commit();
  EXPECT_EQ(heard.back(), "a30=3<2");
}

TEST(WindowStoreBuilder, RefusesTimesThatDoNotFit) {
  const auto build = [](WindowStoreOptions windows) {
    return window_store_builder<std::string, std::string>("s", windows);
  };
  EXPECT_THROW(build({.retention = 9ms, .window_size = 10ms}), std::invalid_argument);
  EXPECT_THROW(build({.retention = -1ms, .window_size = 0ms}), std::invalid_argument);
  EXPECT_THROW(build({.retention = 10ms, .window_size = 1ms, .segment_interval = 0ms}),
               std::invalid_argument);
}

TEST(WindowStoreBuilder, ChangelogIsDeletedADayBehindTheRetention) {
  const auto builder = window_store_builder<std::string, std::string>(
      "s", {.retention = 1s, .window_size = 1s}, {.changelog_config = {{"cleanup.policy", "x"}}});
  EXPECT_THAT(builder->changelog_config(),
              ElementsAre(std::pair<std::string, std::string>("cleanup.policy", "x"),
                          std::pair<std::string, std::string>("retention.ms", "86401000")));
}

}  // namespace
}  // namespace thalweg::test
