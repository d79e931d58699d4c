// Stores of windows that are only ever read key by key, as joins and windowed aggregations do:
// random lives against a plain list, and what such a read asks of the disk.
#include <algorithm>
#include <chrono>
#include <memory>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "state/store_world.h"

namespace thalweg::test {
namespace {

using namespace std::chrono_literals;

using Windows = WindowStore<std::string, std::string>;
using Sessions = SessionStore<std::string, std::string>;
/// What a walk shows: start and end of the window, and the value.
using Shown = std::vector<std::tuple<std::int64_t, std::int64_t, std::string>>;

constexpr std::int64_t kRetention = 100;

Timestamp at(std::int64_t millis) { return from_millis(millis); }

std::string time_bytes(std::int64_t time) {
  std::string bytes;
  Serde<std::int64_t>::serialize(time, bytes);
  return bytes;
}

Shown show(const std::string& key, auto walk) {
  Shown shown;
  for (; walk->valid(); walk->next()) {
    EXPECT_EQ(walk->key().key, key);
    const Window& window = walk->key().window;
    shown.emplace_back(to_millis(window.start), to_millis(window.end), walk->value().value);
  }
  return shown;
}

std::shared_ptr<StoreBuilder> windows(DiskKind kind, bool retain_duplicates,
                                      std::chrono::milliseconds retention,
                                      std::chrono::milliseconds segment) {
  return window_store_builder<std::string, std::string>(
      "table",
      {.retention = retention,
       .window_size = 10ms,
       .segment_interval = segment,
       .retain_duplicates = retain_duplicates},
      {.persistent = kind != DiskKind::kNone, .caching = false});
}

/// The life of a store, but for what is written to it and asked of it.
template <typename Store, typename Model>
class Life {
 public:
  Life(DiskKind kind, std::shared_ptr<StoreBuilder> builder, std::uint32_t seed)
      : random_(seed), kind_(kind), world_(kind, std::move(builder), false) {}
  virtual ~Life() = default;

  void step() {
    switch (random_() % 24) {
      case 0:
      case 1:
        commit();
        break;
      case 2:
        world_.abort();
        open_ = committed_;
        break;
      case 3:
        spill();
        break;
      case 4:
        if (random_() % 3 == 0) restart();
        break;
      case 5:
      case 6:
      case 7:
      case 8:
      case 9:
      case 10:
        check(key());
        break;
      default:
        write(key(), time());
    }
  }
  void finish() {
    check_all();
    commit();
    under_way_.reset();
    world_.crash();
    check_all();
  }

 protected:
  virtual void write(const std::string& key, std::int64_t time) = 0;
  virtual void check(const std::string& key) = 0;

  /// Keys that begin with one another, also with what may be a time, so that their windows lie
  /// between the windows of others.
  static const std::vector<std::string>& keys() {
    static const std::vector<std::string> kKeys = {
        "",
        "a",
        "aa",
        std::string("a\0", 2),
        std::string(1, '\0'),
        std::string(9, '\xff'),
        "a" + time_bytes(50),
        "a" + time_bytes(120) + std::string(4, '\0'),
        time_bytes(80),
        std::string(8, '\0'),
    };
    return kKeys;
  }
  const std::string& key() { return keys()[random_() % keys().size()]; }
  std::int64_t time() {
    const std::int64_t ahead = random_() % 8 == 0 ? static_cast<std::int64_t>(random_() % 60) : 0;
    const std::int64_t behind =
        static_cast<std::int64_t>(random_() % (random_() % 4 == 0 ? 130 : 8));
    return std::max<std::int64_t>(0, open_.stream_time + ahead - behind);
  }
  /// Some removals move the store's time on only once they are restored: none here does.
  bool removes(std::int64_t time) { return random_() % 4 == 0 && time <= open_.stream_time; }
  bool readable(std::int64_t time) const { return time > open_.stream_time - kRetention; }

  std::mt19937 random_;
  DiskKind kind_;
  World<Store> world_;
  Model open_;
  Model committed_;

 private:
  void check_all() {
    for (const auto& key : keys()) check(key);
  }
  void commit() {
    world_.commit();
    committed_ = open_;
  }
  /// Begins a spill, or ends the one under way: well, badly or not at all.
  void spill() {
    if (!under_way_) {
      under_way_ = world_->start_spill(at(1));
      return;
    }
    if (random_() % 4 == 0) world_.disk.simulated().fail_next(1, ErrorCode::kIo);
    if (random_() % 4 != 0) static_cast<void>(under_way_->run());
    world_.disk.simulated().heal();
    under_way_.reset();
  }
  void restart() {
    under_way_.reset();
    if (random_() % 2 == 0) {
      world_.crash();
    } else {
      world_.abort();
      world_.close_and_restart();
      if (kind_ == DiskKind::kNone) world_.restore();
    }
    open_ = committed_;
  }

  std::shared_ptr<Spill> under_way_;
};

struct Put {
  std::string key;
  std::int64_t start;
  std::string value;
};
struct Puts {
  std::vector<Put> puts;  // In the order of writing.
  std::int64_t stream_time = -1;
};

class WindowLife final : public Life<Windows, Puts> {
 public:
  WindowLife(DiskKind kind, bool retain_duplicates, std::uint32_t seed)
      : Life(kind, windows(kind, retain_duplicates, std::chrono::milliseconds(kRetention), 30ms),
             seed),
        retain_duplicates_(retain_duplicates) {}

 private:
  void write(const std::string& key, std::int64_t start) override {
    if (!retain_duplicates_) {
      std::erase_if(open_.puts,
                    [&](const Put& put) { return put.key == key && put.start == start; });
    }
    if (removes(start)) return world_->remove(key, at(start));  // Duplicates stay.
    std::string value(random_() % 40, static_cast<char>('a' + random_() % 26));
    world_->put(key, value, at(start));
    open_.puts.push_back({key, start, std::move(value)});
    open_.stream_time = std::max(open_.stream_time, start);
  }

  void check(const std::string& key) override {
    const std::int64_t from = time();
    const std::int64_t to = from + static_cast<std::int64_t>(random_() % 60);
    const bool reverse = random_() % 2 == 0;
    RC_ASSERT(show(key, world_->fetch(key, at(from), at(to), reverse)) ==
              expected(key, from, to, reverse));
    RC_ASSERT(show(key, world_->fetch(key, at(0), at(1000000), !reverse)) ==
              expected(key, 0, 1000000, !reverse));
  }
  Shown expected(const std::string& key, std::int64_t from, std::int64_t to, bool reverse) const {
    Shown shown;
    for (const auto& put : open_.puts) {
      if (put.key != key || put.start < from || put.start > to || !readable(put.start)) continue;
      shown.emplace_back(put.start, put.start + 10, put.value);
    }
    std::ranges::stable_sort(shown, {}, [](const auto& row) { return std::get<0>(row); });
    if (reverse) std::ranges::reverse(shown);
    return shown;
  }

  const bool retain_duplicates_;
};

class SessionLife final : public Life<Sessions, Puts> {
 public:
  SessionLife(DiskKind kind, std::uint32_t seed)
      : Life(kind,
             session_store_builder<std::string, std::string>(
                 "table", std::chrono::milliseconds(kRetention),
                 {.persistent = kind != DiskKind::kNone, .caching = false}),
             seed) {}

 private:
  /// A session of 5 ms, by its end.
  static Windowed<std::string> session(const std::string& key, std::int64_t end) {
    return {key, {at(std::max<std::int64_t>(0, end - 5)), at(end)}};
  }
  void write(const std::string& key, std::int64_t end) override {
    std::erase_if(open_.puts, [&](const Put& put) { return put.key == key && put.start == end; });
    if (removes(end)) return world_->remove(session(key, end));
    std::string value(random_() % 40, static_cast<char>('a' + random_() % 26));
    world_->put(session(key, end), value);
    open_.puts.push_back({key, end, std::move(value)});
    open_.stream_time = std::max(open_.stream_time, end);
  }
  void check(const std::string& key) override {
    const std::int64_t earliest_end = time();
    const bool reverse = random_() % 2 == 0;
    Shown expected;
    for (const auto& put : open_.puts) {
      if (put.key != key || put.start < earliest_end || !readable(put.start)) continue;
      expected.emplace_back(std::max<std::int64_t>(0, put.start - 5), put.start, put.value);
    }
    std::ranges::sort(expected, {}, [](const auto& row) { return std::get<1>(row); });
    if (reverse) std::ranges::reverse(expected);
    RC_ASSERT(show(key, world_->find_sessions(key, at(earliest_end), kEndOfTime, reverse)) ==
              expected);
  }
};

RC_GTEST_PROP(WindowsByKey, AgreeWithAListOnASimulatedDisk, ()) {
  const auto seed = *rc::gen::noShrink(rc::gen::arbitrary<std::uint32_t>());
  WindowLife life(DiskKind::kSimulated, *rc::gen::arbitrary<bool>(), seed);
  for (int i = *rc::gen::inRange(1, 400); i > 0; --i) life.step();
  life.finish();
}
RC_GTEST_PROP(WindowsByKey, AgreeWithAListInMemory, ()) {
  const auto seed = *rc::gen::noShrink(rc::gen::arbitrary<std::uint32_t>());
  WindowLife life(DiskKind::kNone, *rc::gen::arbitrary<bool>(), seed);
  for (int i = *rc::gen::inRange(1, 400); i > 0; --i) life.step();
  life.finish();
}
RC_GTEST_PROP(SessionsByKey, AgreeWithAListOnASimulatedDisk, ()) {
  const auto seed = *rc::gen::noShrink(rc::gen::arbitrary<std::uint32_t>());
  SessionLife life(DiskKind::kSimulated, seed);
  for (int i = *rc::gen::inRange(1, 400); i > 0; --i) life.step();
  life.finish();
}
RC_GTEST_PROP(SessionsByKey, AgreeWithAListInMemory, ()) {
  const auto seed = *rc::gen::noShrink(rc::gen::arbitrary<std::uint32_t>());
  SessionLife life(DiskKind::kNone, seed);
  for (int i = *rc::gen::inRange(1, 400); i > 0; --i) life.step();
  life.finish();
}

TEST(WindowsByKeyOnRocksDb, AgreeWithAList) {
  for (std::uint32_t seed = 1; seed <= 4; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    WindowLife life(DiskKind::kRocksDb, seed % 2 == 0, seed);
    for (int i = 0; i < 250; ++i) life.step();
    life.finish();
  }
}
TEST(SessionsByKeyOnRocksDb, AgreeWithAList) {
  for (std::uint32_t seed = 1; seed <= 2; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    SessionLife life(DiskKind::kRocksDb, seed);
    for (int i = 0; i < 250; ++i) life.step();
    life.finish();
  }
}

TEST(WindowsByKey, AWalkShowsWhatIsWrittenAheadOfIt) {
  World<Windows> store(DiskKind::kSimulated, windows(DiskKind::kSimulated, true, 1h, 1h), false);
  store->put("a", "1", at(10));
  store->put("b", "late", at(2000));
  store.commit();
  store->put("a", "2", at(20));

  std::vector<std::string> shown;
  int more = 600;  // The open transaction keeps so many rows of one key in another way than few.
  for (auto walk = store->fetch("a", at(0), at(2000)); walk->valid(); walk->next()) {
    shown.push_back(walk->value().value);
    if (more == 0) continue;
    store->put("b", "x", at(20 + more));
    store->put("a", "y", at(1000 - more--));
  }

  ASSERT_EQ(shown.size(), 602U);
  EXPECT_EQ(shown[0] + shown[1], "12");
  EXPECT_TRUE(std::all_of(shown.begin() + 2, shown.end(), [](const auto& v) { return v == "y"; }));
}

TEST(WindowsByKey, AWalkBackwardsShowsWhatTheOpenTransactionLeaves) {
  World<Windows> store(DiskKind::kNone, windows(DiskKind::kNone, false, 1h, 30ms), false);
  store->put("a", "1", at(10));
  store->put("a", "3", at(30));
  store.commit();
  store->put("a", "4", at(40));
  store->remove("a", at(30));

  EXPECT_EQ(show("a", store->fetch("a", at(0), at(100), true)),
            (Shown{{40, 50, "4"}, {10, 20, "1"}}));
}

TEST(WindowsByKey, AWalkShowsWhatAListenerWroteOverWhatItWasTold) {
  World<Windows> store(DiskKind::kSimulated, windows(DiskKind::kSimulated, false, 1h, 1h), false);
  ASSERT_EQ(show("a", store->fetch("a", at(0), at(100))), Shown{});
  store->set_listener(
      [&](const Windowed<std::string>& key, const std::string* value, const std::string*, Timestamp,
          const Headers&) {
        if (*value == "told") store->put(key.key, "over it", key.window.start);
      },
      false);
  store->put("a", "told", at(10));
  store->put("a", "other", at(20));

  EXPECT_EQ(show("a", store->fetch("a", at(0), at(100))),
            (Shown{{10, 20, "over it"}, {20, 30, "other"}}));
}

TEST(WindowsByKey, WhatIsNewerThanAllOnDiskIsNotLookedForThere) {
  World<Windows> store(DiskKind::kSimulated, windows(DiskKind::kSimulated, true, 1h, 1h), false);
  store->put("a", "spilled", at(40));
  store->put("a", "spilled late", at(10));
  store.commit();
  ASSERT_TRUE(store.spill());
  store->put("a", "new", at(50));
  store.commit();

  for (const bool restarted : {false, true}) {
    if (restarted) store.crash();  // Restores what was not spilled.
    store.disk.simulated().fail_next(1, ErrorCode::kIo, /*reads_too=*/true);
    EXPECT_EQ(show("a", store->fetch("a", at(41), at(100))), (Shown{{50, 60, "new"}}));
    EXPECT_THROW(static_cast<void>(store->fetch("a", at(40), at(100))), StoreError);
    EXPECT_EQ(show("a", store->fetch("a", at(40), at(100), true)),
              (Shown{{50, 60, "new"}, {40, 50, "spilled"}}));
  }
}

TEST(WindowsByKey, AWindowThatIsNewerThanAllOnDiskIsNotLookedForThere) {
  World<Windows> store(DiskKind::kSimulated, windows(DiskKind::kSimulated, false, 1h, 1h), false);
  store->put("a", "spilled", at(40));
  store.commit();
  ASSERT_TRUE(store.spill());
  store.crash();

  store.disk.simulated().fail_next(1, ErrorCode::kIo, /*reads_too=*/true);
  EXPECT_EQ(store->fetch("a", at(41)), nullptr);
  EXPECT_THROW(static_cast<void>(store->fetch("a", at(40))), StoreError);
  ASSERT_NE(store->fetch("a", at(40)), nullptr);
}

TEST(WindowsByKeyOnRocksDb, ManyWindowsOfOneKeyAreReadPieceByPieceFromAllLevels) {
  World<Windows> store(DiskKind::kRocksDb, windows(DiskKind::kRocksDb, false, 1h, 1h), false);
  Shown all;
  for (const int level : {0, 1, 2}) {  // Spilled, committed, open.
    for (std::int64_t start = 0; start < 900; ++start) {
      store->put("b", "neighbour", at(start));
      if (start % 3 == level) store->put("a", std::to_string(level), at(start));
    }
    if (level < 2) store.commit();
    if (level < 1) {
      ASSERT_TRUE(store.spill());
    }
  }
  for (std::int64_t start = 0; start < 900; ++start) {
    all.emplace_back(start, start + 10, std::to_string(start % 3));
  }

  EXPECT_EQ(show("a", store->fetch("a", at(0), at(1000))), all);
  std::ranges::reverse(all);
  EXPECT_EQ(show("a", store->fetch("a", at(0), at(1000), true)), all);
}

}  // namespace
}  // namespace thalweg::test
