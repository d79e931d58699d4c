// When listeners and the changelog hear of a change: at each write without the record cache; with
// it once per key and flush, in order of last write.
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "state/store_world.h"

namespace thalweg::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string text(const std::int64_t* value) { return value ? std::to_string(*value) : "none"; }

class RecordCache : public testing::Test {
 protected:
  explicit RecordCache(bool caching = true) : counts(DiskKind::kSimulated, caching) {}

  void listen(bool old_values) {
    counts->set_listener(
        [this](const std::string& key, const std::int64_t* now, const std::int64_t* before,
               Timestamp timestamp, const Headers& headers) {
          heard.push_back(key + ": " + text(before) + " -> " + text(now) + " @" +
                          std::to_string(to_millis(timestamp)) +
                          (headers.empty() ? "" : " " + headers.begin()->key));
          if (on_change) on_change(key, now);
        },
        old_values);
  }
  void put(const std::string& key, std::int64_t value, std::int64_t time = 1) {
    counts->put(key, value, from_millis(time), kNoHeaders);
  }
  void remove(const std::string& key, std::int64_t time = 1) {
    counts->remove(key, from_millis(time), kNoHeaders);
  }
  std::vector<std::string> logged() const {
    std::vector<std::string> keys;
    for (const auto& change : counts.changelog.open()) {
      keys.push_back(change.key + (change.value ? "" : " deleted"));
    }
    return keys;
  }

  StoreWorld<std::string, std::int64_t> counts;
  std::vector<std::string> heard;
  std::function<void(const std::string&, const std::int64_t*)> on_change;
};

class NoRecordCache : public RecordCache {
 protected:
  NoRecordCache() : RecordCache(false) {}
};

TEST_F(RecordCache, ChangesAreHeardOncePerKeyInOrderOfLastWrite) {
  listen(true);
  put("a", 1, 10);
  put("b", 1, 20);
  put("a", 2, 30);

  EXPECT_THAT(heard, IsEmpty());
  EXPECT_THAT(logged(), IsEmpty());
  counts->flush();
  EXPECT_THAT(heard, ElementsAre("b: none -> 1 @20", "a: none -> 2 @30"));
  EXPECT_THAT(logged(), ElementsAre("b", "a"));
}

TEST_F(RecordCache, OldValueIsTheOneLastFlushed) {
  listen(true);
  put("a", 1);
  counts->flush();
  put("a", 2);
  put("a", 3);
  counts->flush();
  counts.commit();
  put("a", 4);
  counts->flush();

  EXPECT_THAT(heard, ElementsAre("a: none -> 1 @1", "a: 1 -> 3 @1", "a: 3 -> 4 @1"));
}

TEST_F(RecordCache, OldValueIsReadFromDiskWhenItIsNotInMemory) {
  listen(true);
  put("a", 1);
  counts.commit();
  counts.close_and_restart();
  listen(true);
  heard.clear();

  remove("a", 5);
  counts->flush();

  EXPECT_THAT(heard, ElementsAre("a: 1 -> none @5"));
}

TEST_F(RecordCache, ListenerThatWantsNoOldValuesGetsNone) {
  listen(false);
  put("a", 1);
  counts.commit();
  put("a", 2);
  counts->flush();

  EXPECT_THAT(heard, ElementsAre("a: none -> 1 @1", "a: none -> 2 @1"));
}

TEST_F(RecordCache, KeyThatCameAndWentBetweenFlushesIsNeverHeardOf) {
  listen(false);
  put("a", 1);
  remove("a");
  remove("never there");
  counts->flush();

  EXPECT_THAT(heard, IsEmpty());
  EXPECT_THAT(logged(), IsEmpty());
}

TEST_F(RecordCache, RemovalOfAKeyOnDiskIsHeardThoughNobodyReadIt) {
  put("a", 1);
  counts.commit();
  counts.close_and_restart();
  listen(false);

  remove("a", 7);
  counts->flush();

  EXPECT_THAT(heard, ElementsAre("a: none -> none @7"));
  EXPECT_THAT(logged(), ElementsAre("a deleted"));
}

TEST_F(RecordCache, HeadersOfTheLastWriteAreHeard) {
  listen(true);
  counts->put("a", 1, from_millis(1), Headers{{"first", "1"}});
  counts->put("a", 2, from_millis(2), Headers{{"second", "2"}});
  counts->put("b", 1, from_millis(3), Headers{{"third", "3"}});
  counts->put("b", 2, from_millis(4), kNoHeaders);
  counts->flush();

  EXPECT_THAT(heard, ElementsAre("a: none -> 2 @2 second", "b: none -> 2 @4"));
}

TEST_F(RecordCache, WritesOfAListenerAreFlushedInTheSamePass) {
  listen(true);
  on_change = [this](const std::string& key, const std::int64_t* now) {
    if (key.size() < 3 && now) put(key + "x", *now + 1);
  };
  put("a", 1);
  counts->flush();

  EXPECT_THAT(heard, ElementsAre("a: none -> 1 @1", "ax: none -> 2 @1", "axx: none -> 3 @1"));
}

TEST_F(RecordCache, ListenerMayOverwriteTheVeryKeyItIsToldOf) {
  listen(true);
  const std::int64_t* shown = nullptr;
  on_change = [&](const std::string& key, const std::int64_t* now) {
    if (*now >= 3) return;
    put(key, *now + 1);
    counts->get(key);
    shown = now;
    EXPECT_EQ(*shown, *counts->get(key) - 1) << "what a listener looks at must not change";
  };
  put("a", 1);
  counts->flush();
  EXPECT_THAT(heard, ElementsAre("a: none -> 1 @1", "a: 1 -> 2 @1", "a: 2 -> 3 @1"));

  counts.commit();
  EXPECT_EQ(*counts->get("a"), 3);
  EXPECT_EQ(counts.entries().size(), 1U);
}

TEST_F(RecordCache, ListenerThatThrowsLeavesAStoreThatCanAbort) {
  listen(true);
  put("a", 1);
  counts.commit();
  on_change = [](const std::string&, const std::int64_t*) {
    throw std::runtime_error("user code");
  };
  put("a", 2);
  put("b", 2);

  EXPECT_THROW(counts->flush(), std::runtime_error);
  counts.abort();

  on_change = nullptr;
  EXPECT_THAT(counts.entries(), ElementsAre(testing::Pair("a", 1)));
}

TEST_F(RecordCache, FlushSaysWhetherThereWasAnything) {
  EXPECT_FALSE(counts->flush());
  put("a", 1);
  EXPECT_TRUE(counts->flush());
  EXPECT_FALSE(counts->flush());
}

TEST_F(RecordCache, BuilderThatAsksForNoCachingGetsNone) {
  const auto builder = key_value_store_builder<std::string, std::int64_t>("plain");
  const auto store = builder->build();
  StoreContext context;
  context.caching = true;
  ASSERT_TRUE(store->open(context));

  EXPECT_FALSE((dynamic_cast<KeyValueStore<std::string, std::int64_t>&>(*store).cached()));
  EXPECT_TRUE(counts->cached());
}

TEST_F(NoRecordCache, EachWriteIsHeardAtOnce) {
  listen(true);
  put("a", 1, 10);
  put("a", 2, 20);
  remove("a", 30);

  EXPECT_THAT(heard, ElementsAre("a: none -> 1 @10", "a: 1 -> 2 @20", "a: 2 -> none @30"));
  EXPECT_THAT(logged(), ElementsAre("a", "a", "a deleted"));
  counts->flush();
  EXPECT_THAT(logged(), testing::SizeIs(3));
}

TEST_F(NoRecordCache, RemovalOfAMissingKeyIsHeardAndLogged) {
  listen(true);
  remove("never there", 5);

  EXPECT_THAT(heard, ElementsAre("never there: none -> none @5"));
  EXPECT_THAT(logged(), ElementsAre("never there deleted"));
}

TEST_F(NoRecordCache, ListenerMayWriteTheKeyItIsToldOf) {
  listen(true);
  on_change = [this](const std::string& key, const std::int64_t* now) {
    if (now && *now < 3) put(key, *now + 1);
  };
  put("a", 1);

  EXPECT_THAT(heard, ElementsAre("a: none -> 1 @1", "a: 1 -> 2 @1", "a: 2 -> 3 @1"));
  counts.commit();
  EXPECT_EQ(*counts->get("a"), 3);
  counts.crash();
  EXPECT_EQ(*counts->get("a"), 3);
}

TEST_F(NoRecordCache, OnlyTheLastWriteOfAKeyReachesCommittedState) {
  for (int i = 0; i < 5; ++i) put("a", i, i);
  put("b", 1);
  remove("b");
  counts.commit();

  EXPECT_EQ(counts->get_with_timestamp("a")->timestamp, from_millis(4));
  EXPECT_EQ(counts->view()->approximate_entries(), 1U);
}

}  // namespace
}  // namespace thalweg::test
