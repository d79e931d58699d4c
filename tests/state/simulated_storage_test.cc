// The disk of simulations: what it forgets in a crash, how it fails, and that its dead stay dead.
#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "state/store_world.h"

namespace thalweg::test {
namespace {

using testing::ElementsAre;

class SimulatedDisk : public testing::Test {
 protected:
  Status append(const std::string& key) {
    WriteBatch batch;
    batch.put(key, "value");
    return disk.journal().append(batch);
  }
  std::vector<std::string> keys() {
    std::vector<std::string> all;
    for (auto at = disk.journal().scan("", "\xff"); at->valid(); at->next()) {
      all.emplace_back(at->key());
    }
    return all;
  }

  SimulatedStorage disk;
};

TEST_F(SimulatedDisk, CrashKeepsWhatWasSyncedAndAPrefixOfTheRest) {
  ASSERT_TRUE(append("a"));
  ASSERT_TRUE(disk.journal().sync());
  for (const char* key : {"b", "c", "d"}) ASSERT_TRUE(append(key));

  EXPECT_EQ(disk.unsynced_batches(), 3U);
  disk.crash(1);

  EXPECT_THAT(keys(), ElementsAre("a", "b"));
}

RC_GTEST_PROP(SimulatedDiskProperty, AfterAnyCrashTheJournalIsAPrefixAtLeastAsLongAsTheLastSync,
              ()) {
  SimulatedStorage disk;
  const auto seed = *rc::gen::arbitrary<std::uint32_t>();
  std::mt19937 random(seed);
  std::vector<std::string> appended;
  std::size_t synced = 0;
  const auto steps = *rc::gen::inRange(0, 60);
  for (int i = 0; i < steps; ++i) {
    switch (random() % 5) {
      case 0:
        RC_ASSERT(disk.journal().sync().has_value());
        synced = appended.size();
        break;
      case 1: {
        disk.crash_at_random(random);
        std::size_t left = 0;
        for (auto at = disk.journal().scan("", "\xff"); at->valid(); at->next()) {
          RC_ASSERT(left < appended.size());
          RC_ASSERT(std::string(at->key()) == appended[left]);
          ++left;
        }
        RC_ASSERT(left >= synced);
        appended.resize(left);
        synced = left;
        break;
      }
      default: {
        appended.push_back(std::to_string(1'000'000 + i));
        WriteBatch batch;
        batch.put(appended.back(), "value");
        RC_ASSERT(disk.journal().append(batch).has_value());
      }
    }
  }
}

TEST_F(SimulatedDisk, HandlesOfADeadProcessAreInert) {
  Journal& journal = disk.journal();
  const auto family = *disk.open_family("table");
  disk.crash();

  std::string value;
  WriteBatch batch;
  batch.put("late", "write");
  EXPECT_EQ(journal.append(batch).error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(journal.sync().error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(journal.get("late", value).error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(family->ingest({}, {}).error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(family->scan()->status().error().code, ErrorCode::kUnavailable);
  EXPECT_TRUE(disk.journal().append(batch));
}

TEST_F(SimulatedDisk, FaultsChangeNothing) {
  disk.fail_next(2, ErrorCode::kNoSpace);

  EXPECT_EQ(append("a").error().code, ErrorCode::kNoSpace);
  EXPECT_EQ(disk.journal().sync().error().code, ErrorCode::kNoSpace);
  ASSERT_TRUE(append("b"));
  EXPECT_THAT(keys(), ElementsAre("b"));
}

TEST_F(SimulatedDisk, FullDiskStaysFullUntilHealed) {
  disk.fail_writes(ErrorCode::kNoSpace);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(append("a").error().code, ErrorCode::kNoSpace);
  disk.heal();
  EXPECT_TRUE(append("a"));
}

TEST_F(SimulatedDisk, CrashBetweenStepsLeavesAnIngestWholeOrUndone) {
  for (const std::string at : {"ingest", "ingested"}) {
    SimulatedStorage fresh;
    const auto family = *fresh.open_family("table");
    fresh.on_step([&](std::string_view step) {
      if (step == at) throw SimulatedCrash{};
    });
    EXPECT_THROW(static_cast<void>(family->ingest({{"a", "1"}}, {7, "c", "l", 1, kNoTimestamp})),
                 SimulatedCrash);
    fresh.on_step({});
    fresh.crash();

    const auto reopened = *fresh.open_family("table");
    std::string value;
    if (at == "ingest") {
      EXPECT_EQ(reopened->checkpoint().error().code, ErrorCode::kNotFound);
      EXPECT_FALSE(*reopened->get("a", value));
    } else {
      EXPECT_EQ(reopened->checkpoint()->next_offset, 7);
      EXPECT_TRUE(*reopened->get("a", value));
    }
  }
}

}  // namespace
}  // namespace thalweg::test
