// Random lives of a store against two maps: what is committed and what the open transaction makes
// of it. After any commits, aborts, spills, failures, crashes and restarts they agree, and the
// changelog folds to the same table.
#include <map>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "state/store_world.h"

namespace thalweg::test {
namespace {

using Model = std::map<std::string, std::string>;

class Life {
 public:
  Life(DiskKind kind, bool caching, bool old_values, std::uint32_t seed)
      : random_(seed),
        kind_(kind),
        budget_(small() ? 4096 : 1u << 20),
        world_(kind, caching, &budget_),
        old_values_(old_values) {
    listen();
  }

  void step() {
    switch (random_() % 20) {
      case 0:
        world_.commit();
        committed_ = open_;
        check_committed();
        break;
      case 1:
        world_.abort();
        open_ = told_ = committed_;
        break;
      case 2:
        world_->flush();
        break;
      case 3:
        spill();
        break;
      case 4:
        if (random_() % 3 == 0) restart();
        break;
      case 5:
        check_walk();
        break;
      case 6:
        check_range();
        break;
      case 7:
      case 8:
      case 9:
        remove(key());
        break;
      case 10:
      case 11:
      case 12:
        check_key(key());
        break;
      default:
        put(key(), std::string(random_() % 20, static_cast<char>('a' + random_() % 26)));
    }
  }

  void finish() {
    check_walk();
    world_.commit();
    committed_ = open_;
    check_committed();
    world_.crash();
    listen();
    check_walk();
  }

 private:
  bool small() { return random_() % 2 == 0; }
  std::string key() {
    return std::string(1 + random_() % 2, static_cast<char>('a' + random_() % 8));
  }

  void listen() {
    told_ = committed_;
    world_->set_listener(
        [this](const std::string& key, const std::string* now, const std::string* before, Timestamp,
               const Headers&) {
          const auto known = told_.find(key);
          if (old_values_) {
            RC_ASSERT((before != nullptr) == (known != told_.end()));
            if (before) RC_ASSERT(*before == known->second);
          }
          if (now) {
            told_[key] = *now;
          } else if (known != told_.end()) {
            told_.erase(known);
          }
        },
        old_values_);
  }

  void put(const std::string& key, const std::string& value) {
    world_->put(key, value);
    open_[key] = value;
  }
  void remove(const std::string& key) {
    world_->remove(key);
    open_.erase(key);
  }

  void spill() {
    if (kind_ == DiskKind::kSimulated && random_() % 3 == 0) {
      world_.disk.simulated().fail_next(1, ErrorCode::kIo);
    }
    auto spill = world_->start_spill(from_millis(1));
    if (!spill) return world_.disk.simulated().heal();
    if (random_() % 2 == 0) {  // Commits go on while it is under way.
      world_.commit();
      committed_ = open_;
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
      RC_ASSERT(world_->restored_to() == world_.changelog.end());
    }
    open_ = committed_;
    listen();
  }

  void check_key(const std::string& key) {
    const std::string* found = world_->get(key);
    const auto expected = open_.find(key);
    RC_ASSERT((found != nullptr) == (expected != open_.end()));
    if (found) RC_ASSERT(*found == expected->second);
  }
  void check_walk() {
    using Entries = std::vector<std::pair<std::string, std::string>>;
    RC_ASSERT(world_.entries() == Entries(open_.begin(), open_.end()));
    RC_ASSERT(world_.entries(true) == Entries(open_.rbegin(), open_.rend()));
  }
  void check_range() {
    auto from = key();
    auto to = key();
    if (to < from) std::swap(from, to);
    std::vector<std::string> expected;
    for (auto at = open_.lower_bound(from); at != open_.upper_bound(to); ++at) {
      expected.push_back(at->first);
    }
    std::vector<std::string> found;
    for (auto at = world_->range(from, to, false); at->valid(); at->next()) {
      found.push_back(at->key());
    }
    RC_ASSERT(found == expected);
  }
  void check_committed() {
    Model folded;
    for (const auto& [key, value] : world_.changelog.fold()) folded[key] = value.first;
    RC_ASSERT(folded == committed_);
    RC_ASSERT(told_ == committed_);
    Model viewed;
    const auto answer = world_->view()->scan({.limit = 1000});
    for (const auto& entry : *answer) viewed[entry.key] = entry.value;
    RC_ASSERT(viewed == committed_);
  }

  std::mt19937 random_;
  DiskKind kind_;
  MemoryBudget budget_;
  StoreWorld<std::string, std::string> world_;
  bool old_values_;
  Model committed_;
  Model open_;
  Model told_;  // What the listener knows.
};

void live(DiskKind kind, int steps) {
  const auto seed = *rc::gen::noShrink(rc::gen::arbitrary<std::uint32_t>());
  const bool caching = *rc::gen::arbitrary<bool>();
  const bool old_values = *rc::gen::arbitrary<bool>();
  Life life(kind, caching, old_values, seed);
  for (int i = *rc::gen::inRange(1, steps); i > 0; --i) life.step();
  life.finish();
}

RC_GTEST_PROP(StoreModel, AgreesWithAMapOnASimulatedDisk, ()) { live(DiskKind::kSimulated, 400); }
RC_GTEST_PROP(StoreModel, AgreesWithAMapInMemory, ()) { live(DiskKind::kNone, 400); }

TEST(StoreModelOnRocksDb, AgreesWithAMap) {
  for (std::uint32_t seed = 1; seed <= 4; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Life life(DiskKind::kRocksDb, seed % 2 == 0, seed % 3 == 0, seed);
    for (int i = 0; i < 250; ++i) life.step();
    life.finish();
  }
}

}  // namespace
}  // namespace thalweg::test
