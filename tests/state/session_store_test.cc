// Session stores: sessions of a key found by the time they touch, on every disk.
#include <chrono>
#include <optional>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thalweg/state/internal/window_scan.h>

#include "state/store_world.h"

namespace thalweg::test {
namespace {

using namespace std::chrono_literals;

using Sessions = SessionStore<std::string, std::string>;

Timestamp at(std::int64_t millis) { return from_millis(millis); }
Windowed<std::string> session(const std::string& key, std::int64_t start, std::int64_t end) {
  return {key, {at(start), at(end)}};
}

std::string show(std::unique_ptr<Sessions::Iterator> walk) {
  std::string shown;
  for (; walk->valid(); walk->next()) {
    const auto& [key, window] = walk->key();
    shown += (shown.empty() ? "" : " ") + key + std::to_string(to_millis(window.start)) + "-" +
             std::to_string(to_millis(window.end)) + "=" + walk->value().value;
  }
  return shown;
}

class SessionStoreStory : public testing::TestWithParam<DiskKind> {
 protected:
  bool in_memory() const { return GetParam() == DiskKind::kNone; }

  World<Sessions> store{GetParam(),
                        session_store_builder<std::string, std::string>(
                            "table", 100ms, {.persistent = GetParam() != DiskKind::kNone}),
                        false};
};

INSTANTIATE_TEST_SUITE_P(AllDisks, SessionStoreStory,
                         testing::Values(DiskKind::kRocksDb, DiskKind::kSimulated, DiskKind::kNone),
                         [](const auto& parameter) { return to_string(parameter.param); });

TEST_P(SessionStoreStory, ASessionIsFoundByItsExactTimes) {
  store->put(session("a", 10, 20), "1");
  EXPECT_EQ(*store->fetch_session("a", at(10), at(20)), "1");
  EXPECT_EQ(store->fetch_session("a", at(10), at(21)), nullptr);
  store->remove(session("a", 10, 20));
  EXPECT_EQ(store->fetch_session("a", at(10), at(20)), nullptr);
}

TEST_P(SessionStoreStory, SessionsAreFoundByWhatTheyTouch) {
  store->put(session("a", 0, 5), "1");
  store->put(session("a", 20, 40), "2");
  store.commit();
  ASSERT_TRUE(store.spill());
  store->put(session("a", 60, 60), "3");
  store->put(session("ab", 20, 40), "x");

  EXPECT_EQ(show(store->find_sessions("a", at(5), at(60))), "a0-5=1 a20-40=2 a60-60=3");
  EXPECT_EQ(show(store->find_sessions("a", at(6), at(59))), "a20-40=2");
  EXPECT_EQ(show(store->find_sessions("a", at(6), at(59), true)), "a20-40=2");
  EXPECT_EQ(show(store->find_sessions("a", at(41), at(59))), "");
  EXPECT_EQ(show(store->fetch("a", true)), "a60-60=3 a20-40=2 a0-5=1");
  EXPECT_EQ(
      show(store->fetch(std::string("a"), std::string("ab"))),
      in_memory() ? "a0-5=1 a20-40=2 ab20-40=x a60-60=3" : "a0-5=1 a20-40=2 a60-60=3 ab20-40=x");
}

TEST_P(SessionStoreStory, ClosedSessionsComeByEndStartAndKey) {
  store->put(session("b", 1, 9), "1");
  store->put(session("a", 5, 9), "2");
  store->put(session("a", 1, 9), "3");
  store->put(session("c", 8, 8), "4");
  store->put(session("c", 10, 10), "5");

  EXPECT_EQ(show(store->find_sessions(at(0), at(9))),
            in_memory() ? "c8-8=4 a5-9=2 a1-9=3 b1-9=1" : "c8-8=4 a1-9=3 b1-9=1 a5-9=2");
}

TEST_P(SessionStoreStory, ASessionExpiresByItsEnd) {
  store->put(session("a", 0, 50), "1");
  store->put(session("b", 140, 150), "2");
  EXPECT_EQ(show(store->fetch(std::nullopt, std::nullopt)), "b140-150=2");
  store->put(session("a", 0, 51), "3");
  EXPECT_EQ(show(store->fetch("a")), "a0-51=3");
}

TEST_P(SessionStoreStory, CrashBringsBackSessionsAndStreamTime) {
  store->put(session("a", 0, 50), "1");
  store.commit();
  ASSERT_TRUE(store.spill());
  store->put(session("a", 60, 70), "2");
  store.commit();
  store->remove(session("a", 0, 50));
  store.crash();

  EXPECT_EQ(store->stream_time(), at(70));
  EXPECT_EQ(show(store->fetch("a")), "a0-50=1 a60-70=2");
}

TEST_P(SessionStoreStory, ARemovalIsNeverLateButInACacheItIsAWriteLikeAnyOther) {
  store->put(session("b", 240, 250), "now");
  store->remove(session("a", 0, 10));
  EXPECT_EQ(store.late_writes, 0u);

  World<Sessions> cached(GetParam(),
                         session_store_builder<std::string, std::string>(
                             "table", 100ms, {.persistent = !in_memory(), .caching = true}),
                         true);
  cached->put(session("b", 240, 250), "now");
  cached->remove(session("c", 300, 310));
  EXPECT_EQ(cached->stream_time(), at(310));
  cached->remove(session("a", 0, 10));
  cached.commit();
  EXPECT_EQ(cached.late_writes, in_memory() ? 1u : 0u);  // On disk its segment is still there.
}

// Kafka Streams counts when the cache is flushed, and then an entry is there once.
TEST_P(SessionStoreStory, ACachedEntryIsLateOnceHoweverOftenItWasWritten) {
  for (const bool caching : {true, false}) {
    World<Sessions> world(GetParam(),
                          session_store_builder<std::string, std::string>(
                              "table", 100ms, {.persistent = !in_memory(), .caching = caching}),
                          caching);
    world->put(session("b", 200'240, 200'250), "now");  // Several segments later, too.
    world->put(session("a", 0, 10), "1");
    world->put(session("a", 0, 10), "2");
    world->put(session("c", 0, 10), "3");
    EXPECT_EQ(world.late_writes, caching ? 2u : 3u);
    world.commit();
    world->put(session("a", 0, 10), "4");
    EXPECT_EQ(world.late_writes, caching ? 3u : 4u);
  }
}

TEST_P(SessionStoreStory, WhatATableRemovesFromItsCacheIsNotLate) {
  World<Sessions> cached(GetParam(),
                         session_store_builder<std::string, std::string>(
                             "table", 100ms, {.persistent = !in_memory(), .caching = true}),
                         true, nullptr, 1'000'000);
  cached->set_listener([](const Windowed<std::string>&, const std::string*, const std::string*,
                          Timestamp, const Headers&) {},
                       false);
  cached->put(session("b", 240, 250), "now");
  cached->remove(session("a", 0, 10));
  cached.commit();
  EXPECT_EQ(cached.late_writes, 0u);
}

TEST_P(SessionStoreStory, KeysOnTheChangelogAreThoseOfKafkaStreams) {
  store->put(session("k", 1, 2), "v");
  EXPECT_EQ(store.changelog.changes().back().key,
            std::string("k\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\1", 17));
}

TEST(CachedSessions, AreFoundInTheSegmentsThatAreThereHoweverFarApart) {
  World<Sessions> store(DiskKind::kNone,
                        session_store_builder<std::string, std::string>(
                            "table", 1min, {.persistent = false, .caching = true}),
                        true);
  constexpr std::int64_t kNow = 1'750'000'000'000;
  store->put(session("a", 0, 5), "1");
  store->put(session("b", kNow, kNow), "x");
  store->put(session("a", kNow, kNow + 1), "2");

  const std::string now = std::to_string(kNow);
  const std::string later = std::to_string(kNow + 1);
  EXPECT_EQ(show(store->fetch("a")), "a0-5=1 a" + now + "-" + later + "=2");
  EXPECT_EQ(show(store->fetch("a", true)), "a" + now + "-" + later + "=2 a0-5=1");
  EXPECT_EQ(show(store->fetch("c")), "");
}

TEST(WindowScans, AskForTheSegmentsThatAreThereWhenTheyMayBeMany) {
  internal::WindowScan scan{.segments = {.retention = 60'000, .interval = 60'000},
                            .first = "a",
                            .last = "a",
                            .to = 1'750'000'000'000};
  const std::set<std::int64_t> present = {60'000, 1'749'999'960'000, 1'750'000'020'000};

  scan.plan(0, at(1'750'000'000'000), [&](std::int64_t segment) {
    const auto next = present.lower_bound(segment);
    return next == present.end() ? std::nullopt : std::optional(*next);
  });

  EXPECT_EQ(scan.ranges.size(), 2U);
}

}  // namespace
}  // namespace thalweg::test
