// Versioned stores: what a key's value was at any time of the history that is kept, on every disk.

#include <chrono>
#include <map>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "state/store_world.h"

namespace thalweg::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using namespace std::chrono_literals;

using Versions = VersionedKeyValueStore<std::string, std::string>;

constexpr auto kGone = std::nullopt;
Timestamp at(std::int64_t millis) { return from_millis(millis); }

std::string show(const VersionedRecord<std::string>& record) {
  if (!record) return "none";
  return *record.value + "@" + std::to_string(to_millis(record.timestamp)) +
         (record.valid_to ? "-" + std::to_string(to_millis(*record.valid_to)) : "");
}

class VersionedStoreStory : public testing::TestWithParam<DiskKind> {
 protected:
  /// History of 100 ms, forgotten in pieces of 30 ms.
  World<Versions> world() {
    return {GetParam(),
            versioned_key_value_store_builder<std::string, std::string>(
                "table", {.history_retention = 100ms, .segment_interval = 30ms},
                {.persistent = GetParam() != DiskKind::kNone}),
            true};
  }
};

INSTANTIATE_TEST_SUITE_P(AllDisks, VersionedStoreStory,
                         testing::Values(DiskKind::kRocksDb, DiskKind::kSimulated, DiskKind::kNone),
                         [](const auto& parameter) { return to_string(parameter.param); });

TEST_P(VersionedStoreStory, AKeyHasTheValueItHadAtThatTime) {
  auto store = world();
  store->put("a", "one", at(10));
  store->put("a", "two", at(40));

  EXPECT_EQ(show(store->get("a")), "two@40");
  EXPECT_EQ(show(store->get("a", at(50))), "two@40");
  EXPECT_EQ(show(store->get("a", at(39))), "one@10-40");
  EXPECT_EQ(show(store->get("a", at(9))), "none");
  EXPECT_EQ(show(store->get("b")), "none");
}

TEST_P(VersionedStoreStory, ADeletionEndsWhatWasThereBefore) {
  auto store = world();
  store->put("a", "one", at(10));

  const auto known = store->remove("a", at(20));

  EXPECT_EQ(known, "one");
  EXPECT_EQ(show(store->get("a")), "none");
  EXPECT_EQ(show(store->get("a", at(25))), "none");
  EXPECT_EQ(show(store->get("a", at(15))), "one@10-20");
}

TEST_P(VersionedStoreStory, WhatComesLateGoesBetween) {
  auto store = world();
  store->put("a", "one", at(10));
  store->put("a", "three", at(90));

  const VersionedPut put = store->put("a", "two", at(50));

  EXPECT_TRUE(put.is_put);
  EXPECT_FALSE(put.is_latest());
  EXPECT_EQ(put.valid_to, at(90));
  EXPECT_EQ(show(store->get("a", at(49))), "one@10-50");
  EXPECT_EQ(show(store->get("a", at(60))), "two@50-90");
  EXPECT_EQ(show(store->get("a")), "three@90");
}

TEST_P(VersionedStoreStory, TheSameTimeAgainOverwrites) {
  auto store = world();
  store->put("a", "one", at(10));
  store->put("a", "two", at(40));

  EXPECT_TRUE(store->put("a", "new two", at(40)).is_latest());
  EXPECT_EQ(store->put("a", "new one", at(10)).valid_to, at(40));

  EXPECT_EQ(show(store->get("a")), "new two@40");
  EXPECT_EQ(show(store->get("a", at(20))), "new one@10-40");
}

TEST_P(VersionedStoreStory, OlderThanTheHistoryIsRefusedCountedAndLogged) {
  auto store = world();
  store->put("a", "one", at(300));

  const VersionedPut put = store->put("a", "ancient", at(199));

  EXPECT_FALSE(put.is_put);
  EXPECT_EQ(store.late_writes, 1);
  EXPECT_THAT(store.changelog.open(), SizeIs(2));
  EXPECT_TRUE(store->put("a", "just in time", at(200)).is_put);
}

TEST_P(VersionedStoreStory, TimesBeforeTheHistoryShowNothingButAValueThatStillHolds) {
  auto store = world();
  store->put("old", "still", at(10));
  store->put("a", "one", at(10));
  store->put("a", "two", at(20));
  store->put("clock", "tick", at(500));

  EXPECT_EQ(show(store->get("old", at(30))), "still@10");
  EXPECT_EQ(show(store->get("a", at(15))), "none");
  EXPECT_EQ(show(store->get("a", at(30))), "two@20");
}

TEST_P(VersionedStoreStory, AllVersionsAreShownOldestFirst) {
  auto store = world();
  store->put("a", "one", at(10));
  store->put("a", kGone, at(20));
  store->put("a", "two", at(50));

  std::string shown;
  for (const auto& version : store->versions("a")) shown += show(version) + " ";

  EXPECT_EQ(shown, "one@10-20 two@50 ");
}

TEST_P(VersionedStoreStory, TheChangelogGetsEachWriteAsItWasMade) {
  auto store = world();
  store->put("a", "one", at(40));
  store->put("a", "earlier", at(10));
  store->put("a", kGone, at(60));

  EXPECT_THAT(store.changelog.open(),
              ElementsAre(Changelog::Change{"a", "one", at(40)},
                          Changelog::Change{"a", "earlier", at(10)},
                          Changelog::Change{"a", std::nullopt, at(60)}));
}

TEST_P(VersionedStoreStory, AnAbortForgetsWritesAndTime) {
  auto store = world();
  store->put("a", "one", at(10));
  store.commit();
  store->put("a", "two", at(500));
  store.abort();

  EXPECT_EQ(show(store->get("a")), "one@10");
  EXPECT_TRUE(store->put("a", "two", at(20)).is_put);
}

TEST_P(VersionedStoreStory, HistoriesSurviveACrash) {
  auto store = world();
  store->put("a", "one", at(10));
  store->put("a", "two", at(40));
  store.commit();
  ASSERT_TRUE(store.spill());
  store->put("a", "late", at(20));
  store->put("b", "open", at(50));
  store.commit();
  store->put("a", "never committed", at(60));

  store.crash();

  EXPECT_EQ(show(store->get("a")), "two@40");
  EXPECT_EQ(show(store->get("a", at(30))), "late@20-40");
  EXPECT_EQ(show(store->get("a", at(15))), "one@10-20");
  EXPECT_EQ(show(store->get("b")), "open@50");
}

TEST_P(VersionedStoreStory, ViewsShowTheLatestCommittedVersions) {
  auto store = world();
  store->put("a", "one", at(10));
  store->put("a", "two", at(40));
  store->put("b", "gone", at(10));
  store->put("b", kGone, at(20));
  store.commit();
  store->put("a", "three", at(50));

  const auto view = store->view();

  EXPECT_EQ((*view->get("a"))->value, "two");
  EXPECT_EQ((*view->get("a"))->timestamp, at(40));
  EXPECT_FALSE((*view->get("b")).has_value());
  EXPECT_THAT(*view->scan({}), SizeIs(1));
}

TEST_P(VersionedStoreStory, AWriteCostsTheSameHoweverLongTheHistoryIs) {
  World<Versions> store{GetParam(),
                        versioned_key_value_store_builder<std::string, std::string>(
                            "table", {.history_retention = 100s, .segment_interval = 100ms},
                            {.persistent = GetParam() != DiskKind::kNone}),
                        true};
  for (int i = 0; i < 10'000; ++i) store->put("a", "a value of some length", at(i * 10));
  store.commit();

  store->put("a", "latest", at(100'000));
  store->put("a", "late", at(50'005));
  store->flush();

  EXPECT_LT(store->uncommitted_bytes(), 4'000u);
  EXPECT_EQ(show(store->get("a", at(50'007))), "late@50005-50010");
  EXPECT_EQ(store->versions("a").size(), 10'002u);
}

TEST_P(VersionedStoreStory, RowsOfAllSegmentsAreFoundAgainAfterARestart) {
  auto store = world();
  for (int i = 0; i < 10; ++i) store->put("a", std::to_string(i), at(i * 10));
  store.commit();

  store.close_and_restart();

  EXPECT_EQ(show(store->get("a", at(5))), GetParam() == DiskKind::kNone ? "none" : "0@0-10");
  store.restore();
  EXPECT_EQ(show(store->get("a", at(5))), "0@0-10");
  EXPECT_EQ(show(store->get("a", at(45))), "4@40-50");
}

TEST_P(VersionedStoreStory, WhatWasDeletedIsSweptOutOnceItsHistoryHasExpired) {
  auto store = world();
  for (int i = 0; i < 100; ++i) {
    store->put("key-" + std::to_string(i), "value", at(10));
    store->put("key-" + std::to_string(i), kGone, at(20));
  }
  store.commit();
  store->put("clock", "tick", at(1'000));
  for (int i = 0; i < 10; ++i) store.commit();

  // One by one they can no longer be seen; only a store opened anew can tell that they are gone.
  ASSERT_TRUE(store.spill());
  EXPECT_THAT(*store->view()->scan({.limit = 1000}), SizeIs(1));
  EXPECT_LE(store->view()->approximate_entries(), 101u);
  for (int i = 0; i < 100; ++i) {
    EXPECT_THAT(store->versions("key-" + std::to_string(i)), IsEmpty());
  }
}

TEST_P(VersionedStoreStory, RandomHistoriesAreThoseOfAModel) {
  constexpr std::int64_t kRetention = 100;
  std::mt19937 random(static_cast<std::uint32_t>(GetParam()) + 1);
  for (int story = 0; story < 20; ++story) {
    auto store = world();
    std::map<std::int64_t, std::optional<std::string>> model;  // Of key "a".
    std::int64_t stream_time = -1;
    for (int step = 0; step < 300; ++step) {
      const auto time = std::max<std::int64_t>(
          0, step * 3 - static_cast<std::int64_t>(random() % (random() % 2 == 0 ? 5 : 150)));
      std::optional<std::string> value;
      // A deletion at the very time of a value leaves no trace that a later write could meet.
      if (random() % 4 != 0 || model.contains(time)) value = std::to_string(step);
      const bool is_late = time < stream_time - kRetention;
      const VersionedPut put = store->put("a", value, at(time));
      EXPECT_TRUE(!is_late || !put.is_put);
      if (put.is_put) model[time] = value;
      stream_time = std::max(stream_time, is_late ? stream_time : time);
      if (random() % 10 == 0) store.commit();
      if (random() % 50 == 0) {
        store.commit();
        store.crash();
      }
      const auto asked = stream_time - static_cast<std::int64_t>(random() % kRetention);
      auto known = model.upper_bound(asked);
      const auto found = store->get("a", at(asked));
      if (known == model.begin() || !std::prev(known)->second) {
        EXPECT_FALSE(found) << "story " << story << ", step " << step << ", as of " << asked;
      } else {
        EXPECT_TRUE(found && *found.value == *std::prev(known)->second)
            << "story " << story << ", step " << step << ", as of " << asked;
      }
      if (HasFailure()) return;
    }
  }
}

TEST(VersionedStores, DamagedRowsAreRefused) {
  const internal::VersionSegmentSerde<std::string> serde{AnySerde<std::string>{}};
  std::string bytes;
  serde.serialize({.next = 9, .versions = {{1, "one"}, {5, std::nullopt}}}, bytes);
  internal::VersionSegment<std::string> segment;
  serde.deserialize(bytes, segment);
  ASSERT_THAT(segment.versions, SizeIs(2));
  EXPECT_EQ(segment.next, 9);

  for (const std::size_t size : {0u, 7u, 8u, 9u, 18u, 22u, 25u}) {
    EXPECT_THROW(serde.deserialize(BytesView(bytes).substr(0, size), segment), SerdeError) << size;
  }
  bytes[8] = 7;
  EXPECT_THROW(serde.deserialize(bytes, segment), SerdeError);
}

TEST(VersionedStores, TimesThatMakeNoSenseAreRefused) {
  const auto build = [](VersionedStoreOptions versions) {
    return versioned_key_value_store_builder<std::string, std::string>("table", versions);
  };
  EXPECT_THROW(build({.history_retention = -1ms}), std::invalid_argument);
  EXPECT_THROW(build({.history_retention = 1ms, .segment_interval = 0ms}), std::invalid_argument);
}

TEST(VersionedStores, TheChangelogIsNotCompactedBeforeTheHistoryHasExpired) {
  const auto builder = versioned_key_value_store_builder<std::string, std::string>(
      "table", {.history_retention = 1h});

  EXPECT_THAT(builder->changelog_config(),
              ElementsAre(testing::Pair("min.compaction.lag.ms", "90000000")));
}

}  // namespace
}  // namespace thalweg::test
