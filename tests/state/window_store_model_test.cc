// Random lives of a window store against maps by time and key: after any commits, aborts, spills,
// failures and crashes they agree on every walk, on what has expired, and on the store's time.
#include <algorithm>
#include <map>
#include <random>
#include <set>
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
using Store = WindowStore<std::string, std::string>;
/// What a walk shows: key, start, value.
using Shown = std::vector<std::tuple<std::string, std::int64_t, std::string>>;

constexpr std::int64_t kRetention = 100;
constexpr std::int64_t kSegment = 30;

struct Model {
  std::map<std::pair<std::int64_t, std::string>, std::string> entries;
  std::int64_t stream_time = -1;

  /// The start of the first segment that has not expired.
  std::int64_t first_segment() const {
    const auto first = std::max<std::int64_t>(0, stream_time - kRetention);
    return first - first % kSegment;
  }
};

class Life {
 public:
  Life(DiskKind kind, bool caching, bool time_ordered, std::uint32_t seed)
      : random_(seed),
        kind_(kind),
        caching_(caching),
        time_ordered_(time_ordered),
        budget_(small() ? 4096 : 1u << 20),
        world_(kind,
               window_store_builder<std::string, std::string>(
                   "table",
                   {.retention = std::chrono::milliseconds(kRetention),
                    .window_size = 10ms,
                    .segment_interval = std::chrono::milliseconds(kSegment),
                    .time_ordered = time_ordered},
                   {.persistent = kind != DiskKind::kNone, .caching = caching}),
               caching, &budget_) {}

  void step() {
    switch (random_() % 20) {
      case 0:
      case 1:
        commit();
        break;
      case 2:
        world_.abort();
        forget();
        break;
      case 3:
        spill();
        break;
      case 4:
        if (random_() % 3 == 0) restart();
        break;
      case 5:
      case 6:
        check_walks();
        break;
      case 7:
      case 8:
        remove(key(), time());
        break;
      case 9:
      case 10:
        check_one(key(), time());
        break;
      default:
        put(key(), time(), std::string(random_() % 20, static_cast<char>('a' + random_() % 26)));
    }
  }

  void finish() {
    check_walks();
    commit();
    world_.crash();
    check_walks();
  }

 private:
  void commit() {
    world_.commit();
    committed_ = open_;
    late_entries_.clear();
  }
  void forget() {
    open_ = committed_;
    late_entries_.clear();
  }

  bool small() { return random_() % 2 == 0; }
  std::string key() { return std::string(1 + random_() % 2, static_cast<char>(random_() % 3)); }
  /// Now and then later than all before, mostly not: time moves on slowly.
  std::int64_t time() {
    const std::int64_t ahead = random_() % 8 == 0 ? static_cast<std::int64_t>(random_() % 60) : 0;
    const std::int64_t behind = static_cast<std::int64_t>(random_() % 150);
    return std::max<std::int64_t>(0, open_.stream_time + ahead - behind);
  }

  bool in_time(std::int64_t start) const {
    return start >= open_.stream_time - kRetention + (time_ordered_ ? 0 : 1);
  }
  /// A cache shows everything in segments that no commit has dropped.
  bool readable(std::int64_t start) const {
    return caching_ ? start >= committed_.first_segment() : in_time(start);
  }
  /// Whether the store keeps what is put at `start`.
  bool observe(const std::string& key, std::int64_t start) {
    open_.stream_time = std::max(open_.stream_time, start);
    const bool is_live = kind_ == DiskKind::kNone ? in_time(start) : start >= open_.first_segment();
    if (!is_live && (late_entries_.emplace(start, key).second || !caching_)) ++late_;
    return caching_ ? start >= committed_.first_segment() : is_live;
  }
  void put(const std::string& key, std::int64_t start, const std::string& value) {
    world_->put(key, value, from_millis(start));
    if (observe(key, start)) open_.entries[{start, key}] = value;
    RC_ASSERT(world_.late_writes == late_);
  }
  void remove(const std::string& key, std::int64_t start) {
    world_->remove(key, from_millis(start));
    if (observe(key, start)) open_.entries.erase({start, key});
  }

  void spill() {
    if (kind_ == DiskKind::kSimulated && random_() % 3 == 0) {
      world_.disk.simulated().fail_next(1, ErrorCode::kIo);
    }
    auto spill = world_->start_spill(from_millis(1));
    if (!spill) return world_.disk.simulated().heal();
    if (random_() % 2 == 0) {  // Commits go on while it is under way.
      commit();
    }
    if (random_() % 8 != 0) static_cast<void>(spill->run());
    world_.disk.simulated().heal();
  }

  void restart() {
    if (random_() % 2 == 0) {
      world_.crash();
    } else {
      world_.abort();
      world_.close();
      world_.disk.restart();
      world_.open();
      if (kind_ == DiskKind::kNone) world_.restore();
    }
    forget();
  }

  void check_one(const std::string& key, std::int64_t start) {
    const std::string* found = world_->fetch(key, from_millis(start));
    const auto expected = open_.entries.find({start, key});
    const bool is_there = expected != open_.entries.end() && readable(start);
    RC_ASSERT((found != nullptr) == is_there);
    if (found) RC_ASSERT(*found == expected->second);
  }

  /// What a walk over the keys [first, last] within [from, to] is to show.
  Shown expected(const std::string& first, const std::string& last, std::int64_t from,
                 std::int64_t to, bool reverse) const {
    Shown shown;
    for (const auto& [at, value] : open_.entries) {
      const auto& [start, key] = at;
      if (!readable(start) || start < from || start > to) continue;
      if (key >= first && key <= last) shown.emplace_back(key, start, value);
    }
    if (kind_ != DiskKind::kNone) {  // The order of stored keys.
      std::ranges::sort(shown, {}, [this](const auto& entry) {
        const auto& [key, start, value] = entry;
        return std::tuple(time_ordered_ ? start : start / kSegment, key + bytes_of(start));
      });
    }
    if (reverse) std::ranges::reverse(shown);
    return shown;
  }
  static std::string bytes_of(std::int64_t start) {
    std::string bytes;
    Serde<std::int64_t>::serialize(start, bytes);
    return bytes;
  }
  static Shown show(std::unique_ptr<Store::Iterator> walk) {
    Shown shown;
    for (; walk->valid(); walk->next()) {
      shown.emplace_back(walk->key().key, to_millis(walk->key().window.start), walk->value().value);
    }
    return shown;
  }

  void check_walks() {
    RC_ASSERT(to_millis(world_->stream_time()) == open_.stream_time);
    const bool reverse = random_() % 2 == 0;
    auto first = key();
    auto last = key();
    const std::int64_t from = time();
    const std::int64_t to = from + static_cast<std::int64_t>(random_() % 80);
    const std::string highest(4, '\x7f');
    RC_ASSERT(show(world_->all(reverse)) == expected("", highest, 0, open_.stream_time, reverse));
    RC_ASSERT(show(world_->fetch(first, from_millis(from), from_millis(to), reverse)) ==
              expected(first, first, from, to, reverse));
    if (last < first) std::swap(first, last);
    RC_ASSERT(show(world_->fetch(first, last, from_millis(from), from_millis(to), reverse)) ==
              expected(first, last, from, to, reverse));
    RC_ASSERT(show(world_->fetch(std::nullopt, last, from_millis(from), from_millis(to),
                                 reverse)) == expected("", last, from, to, reverse));
    RC_ASSERT(show(world_->fetch_all(from_millis(from), from_millis(to), reverse)) ==
              expected("", highest, from, to, reverse));
  }

  std::mt19937 random_;
  DiskKind kind_;
  bool caching_;
  bool time_ordered_;
  MemoryBudget budget_;
  World<Store> world_;
  Model committed_;
  Model open_;
  std::size_t late_ = 0;
  /// Those counted since the last flush: a cache hands on, and counts, each once.
  std::set<std::pair<std::int64_t, std::string>> late_entries_;
};

void live(DiskKind kind, int steps) {
  const auto seed = *rc::gen::noShrink(rc::gen::arbitrary<std::uint32_t>());
  const bool caching = *rc::gen::arbitrary<bool>();
  const bool time_ordered = *rc::gen::arbitrary<bool>();
  Life life(kind, caching, time_ordered, seed);
  for (int i = *rc::gen::inRange(1, steps); i > 0; --i) life.step();
  life.finish();
}

RC_GTEST_PROP(WindowStoreModel, AgreesWithAMapOnASimulatedDisk, ()) {
  live(DiskKind::kSimulated, 400);
}
RC_GTEST_PROP(WindowStoreModel, AgreesWithAMapInMemory, ()) { live(DiskKind::kNone, 400); }

TEST(WindowStoreModelOnRocksDb, AgreesWithAMap) {
  for (std::uint32_t seed = 1; seed <= 4; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Life life(DiskKind::kRocksDb, seed % 2 == 0, seed % 3 == 0, seed);
    for (int i = 0; i < 250; ++i) life.step();
    life.finish();
  }
}

}  // namespace
}  // namespace thalweg::test
