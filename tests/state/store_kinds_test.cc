// Key-value stores that keep less: only what was used last, or no timestamps.

#include <chrono>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "state/store_world.h"

namespace thalweg::test {
namespace {

using ::testing::ElementsAre;
using Store = KeyValueStore<std::string, std::int64_t>;

class StoreOfTheLastUsed : public ::testing::Test {
 protected:
  static std::shared_ptr<StoreBuilder> builder(bool logs_evictions) {
    return key_value_store_builder<std::string, std::int64_t>(
        "table", {.max_entries = 2, .logs_evictions = logs_evictions});
  }
  std::vector<std::string> keys() {
    std::vector<std::string> keys;
    for (auto entry = world_->all(); entry->valid(); entry->next()) keys.push_back(entry->key());
    return keys;
  }
  std::vector<std::string> logged(World<Store>& world) {
    std::vector<std::string> lines;
    for (const auto& change : world.changelog.open()) {
      lines.push_back(change.key + (change.value ? "" : " deleted"));
    }
    return lines;
  }

  World<Store> world_{DiskKind::kNone, builder(true), false};
};

TEST_F(StoreOfTheLastUsed, ForgetsWhatWasUsedLongestAgo) {
  world_->put("a", 1);
  world_->put("b", 2);
  EXPECT_TRUE(world_->get("a"));
  world_->put("c", 3);

  EXPECT_THAT(keys(), ElementsAre("a", "c"));
  EXPECT_FALSE(world_->get("b"));
}

TEST_F(StoreOfTheLastUsed, ForgetsNothingForAKeyThatIsThere) {
  world_->put("a", 1);
  world_->put("b", 2);
  world_->put("a", 3);
  world_->remove("b");
  world_->put("c", 4);

  EXPECT_THAT(keys(), ElementsAre("a", "c"));
}

TEST_F(StoreOfTheLastUsed, TellsTheChangelogWhatItForgetsIfAskedTo) {
  world_->put("a", 1);
  world_->put("b", 2);
  world_->put("c", 3);
  EXPECT_THAT(logged(world_), ElementsAre("a", "b", "a deleted", "c"));

  World<Store> silent(DiskKind::kNone, builder(false), false);
  silent->put("a", 1);
  silent->put("b", 2);
  silent->put("c", 3);
  EXPECT_THAT(logged(silent), ElementsAre("a", "b", "c"));
}

TEST_F(StoreOfTheLastUsed, DoesNotTellItsListener) {
  std::vector<std::string> heard;
  world_->set_listener(
      [&heard](const std::string& key, const std::int64_t* value, const std::int64_t*, Timestamp,
               const Headers&) { heard.push_back(key + (value ? "" : " gone")); },
      false);

  world_->put("a", 1);
  world_->put("b", 2);
  world_->put("c", 3);

  EXPECT_THAT(heard, ElementsAre("a", "b", "c"));
}

TEST_F(StoreOfTheLastUsed, HasBackWhatAnAbortedTransactionPushedOut) {
  world_->put("a", 1);
  world_->put("b", 2);
  world_.commit();

  world_->put("c", 3);
  world_.abort();

  EXPECT_THAT(keys(), ElementsAre("a", "b"));
}

TEST_F(StoreOfTheLastUsed, KeepsToItsSizeAfterARestore) {
  World<Store> world(DiskKind::kNone, builder(false), false);
  for (const char* key : {"a", "b", "c"}) world->put(key, 1);
  world.commit();
  world.crash();

  EXPECT_FALSE(world->get("a"));
  EXPECT_TRUE(world->get("b"));
  EXPECT_TRUE(world->get("c"));
}

// --- Of what was used last, behind a record cache ---------------------------------------------

class CachedStoreOfTheLastUsed : public ::testing::Test {
 protected:
  static constexpr std::size_t kPlenty = 1'000'000;

  explicit CachedStoreOfTheLastUsed(std::size_t cache_bytes = kPlenty)
      : world_(DiskKind::kNone,
               key_value_store_builder<std::string, std::int64_t>(
                   "table", {.caching = true, .max_entries = 2, .logs_evictions = false}),
               true, nullptr, cache_bytes) {
    world_->set_listener(
        [this](const std::string& key, const std::int64_t* value, const std::int64_t* before,
               Timestamp, const Headers&) {
          heard_.push_back(key + ": " + (before ? std::to_string(*before) : "none") + " -> " +
                           (value ? std::to_string(*value) : "none"));
        },
        true);
  }
  void put(const std::string& key, std::int64_t value) {
    world_->put(key, value);
    world_.commit();
  }
  std::vector<std::string> logged() {
    std::vector<std::string> lines;
    for (const auto& record : world_.changelog.read(0)) {
      lines.push_back(std::string(*record.key) + (record.value ? "" : " deleted"));
    }
    return lines;
  }

  std::vector<std::string> heard_;
  World<Store> world_;
};

class StoreOfTheLastUsedWithASmallCache : public CachedStoreOfTheLastUsed {
 protected:
  StoreOfTheLastUsedWithASmallCache() : CachedStoreOfTheLastUsed(0) {}
};

TEST_F(CachedStoreOfTheLastUsed, TheCacheGoesOnShowingWhatTheStoreHasForgotten) {
  for (const char* key : {"a", "b", "c"}) put(key, 1);

  EXPECT_TRUE(world_->get("a"));
}

TEST_F(CachedStoreOfTheLastUsed, WhatTheStoreHasForgottenHasNoOldValue) {
  for (const char* key : {"a", "b", "c"}) put(key, 1);
  put("a", 2);
  put("c", 2);

  EXPECT_THAT(heard_, ElementsAre("a: none -> 1", "b: none -> 1", "c: none -> 1", "a: none -> 2",
                                  "c: 1 -> 2"));
}

TEST_F(CachedStoreOfTheLastUsed, DeletingWhatTheStoreHasForgottenIsNoChange) {
  for (const char* key : {"a", "b", "c"}) put(key, 1);
  world_->remove("a");
  world_->remove("b");
  world_.commit();

  EXPECT_THAT(heard_, ElementsAre("a: none -> 1", "b: none -> 1", "c: none -> 1", "b: 1 -> none"));
  EXPECT_THAT(logged(), ElementsAre("a", "b", "c", "b deleted"));
  EXPECT_FALSE(world_->get("a"));
}

TEST_F(StoreOfTheLastUsedWithASmallCache, WhatIsForgottenGoesWithTheNextFlush) {
  for (const char* key : {"a", "b", "c"}) put(key, 1);

  EXPECT_FALSE(world_->get("a"));
  EXPECT_TRUE(world_->get("b"));
  EXPECT_THAT(logged(), ElementsAre("a", "b", "c"));
}

TEST_F(CachedStoreOfTheLastUsed, ShowsNoMoreThanItsSizeAfterARestore) {
  for (const char* key : {"a", "b", "c"}) put(key, 1);
  world_.crash();

  EXPECT_FALSE(world_->get("a"));
  EXPECT_TRUE(world_->get("b"));
  EXPECT_TRUE(world_->get("c"));
}

TEST(StoreWithoutTimestamps, ReadsEntriesBackWithNone) {
  World<Store> world(
      DiskKind::kSimulated,
      key_value_store_builder<std::string, std::int64_t>("table", {.timestamps = false}), false);
  world->put("a", 1, from_millis(7), kNoHeaders);

  EXPECT_EQ(*world->get_with_timestamp("a"), (ValueAndTimestamp<std::int64_t>{1, kNoTimestamp}));
  auto all = world->all();
  ASSERT_TRUE(all->valid());
  EXPECT_EQ(all->value().timestamp, kNoTimestamp);
  EXPECT_EQ(world.changelog.open().front().timestamp, from_millis(7));
}

TEST(StoreWithRoomForNothing, IsRefused) {
  EXPECT_THROW((key_value_store_builder<std::string, std::int64_t>("table", {.max_entries = 0})),
               std::invalid_argument);
}

/// A key that counts how many of it there are.
struct Row {
  explicit Row(std::string name = {}) : id(std::move(name)) { ++live; }
  Row(const Row& other) : id(other.id) { ++live; }
  Row& operator=(const Row& other) = default;
  ~Row() { --live; }
  friend bool operator==(const Row&, const Row&) = default;

  std::string id;
  inline static int live = 0;
};

struct RowSerde {
  static void serialize(const Row& row, std::string& out) { out += row.id; }
  static void deserialize(BytesView bytes, Row& out) { out.id = bytes; }
  static SchemaPtr schema() { return AnySerde<std::string>().schema(); }
};

}  // namespace
}  // namespace thalweg::test

template <>
struct std::hash<thalweg::test::Row> {
  std::size_t operator()(const thalweg::test::Row& row) const {
    return std::hash<std::string>{}(row.id);
  }
};

namespace thalweg::test {
namespace {

TEST(StoreWithATimeToLive, KeepsOneNoteOfAKeyThatIsWrittenOverAndOver) {
  using Rows = KeyValueStore<Row, std::int64_t>;
  World<Rows> rows(
      DiskKind::kNone,
      key_value_store_builder<Row, std::int64_t>(
          "table", {.persistent = false, .caching = true, .time_to_live = std::chrono::hours(1)},
          AnySerde<Row>(RowSerde{})),
      true);
  const auto put = [&](const std::string& key, std::int64_t time) {
    rows->put(Row(key), time, from_millis(time), kNoHeaders);
  };
  put("hot", 0);
  const int before = Row::live;

  for (int time = 1; time < 100'000; ++time) put("hot", time);

  EXPECT_EQ(Row::live, before);
  put("other", 3'600'000 + 50'000);
  EXPECT_TRUE(rows->get(Row("hot")));
  put("other", 3'600'000 + 99'999);
  EXPECT_FALSE(rows->get(Row("hot")));
}

}  // namespace
}  // namespace thalweg::test
