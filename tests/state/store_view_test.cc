// What queries see from other threads: committed entries only, each answer of one moment.
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "state/store_world.h"

namespace thalweg::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class StoreQueries : public testing::TestWithParam<DiskKind> {
 protected:
  std::vector<std::string> keys(const StoreView::Scan& scan = {}) {
    std::vector<std::string> all;
    const auto answer = table->view()->scan(scan);
    for (const auto& entry : *answer) all.push_back(entry.key);
    return all;
  }

  StoreWorld<std::string, std::string> table{GetParam()};
};

INSTANTIATE_TEST_SUITE_P(AllDisks, StoreQueries,
                         testing::Values(DiskKind::kRocksDb, DiskKind::kSimulated, DiskKind::kNone),
                         [](const auto& parameter) { return to_string(parameter.param); });

TEST_P(StoreQueries, NeverShowWhatIsNotCommitted) {
  table->put("a", "committed");
  table.commit();
  table->put("a", "open");
  table->put("b", "open");
  table->flush();

  EXPECT_EQ((*table->view()->get("a"))->value, "committed");
  EXPECT_EQ(*table->view()->get("b"), std::nullopt);
  EXPECT_THAT(keys(), ElementsAre("a"));
  EXPECT_EQ(table->view()->last_commit(), 1U);
}

TEST_P(StoreQueries, PageThroughAScanFromKeyToKey) {
  for (const char* key : {"a", "b", "c", "d", "e"}) table->put(key, "1");
  table.commit();
  ASSERT_TRUE(table.spill());
  table->remove("b");
  table->put("bb", "2");
  table.commit();

  EXPECT_THAT(keys({.limit = 2}), ElementsAre("a", "bb"));
  EXPECT_THAT(keys({.from = std::string("bb\0", 3), .limit = 2}), ElementsAre("c", "d"));
  EXPECT_THAT(keys({.from = "c", .to = "e"}), ElementsAre("c", "d"));
  EXPECT_THAT(keys({.to = "d", .reverse = true, .limit = 2}), ElementsAre("c", "bb"));
  EXPECT_THAT(keys({.limit = 0}), IsEmpty());
}

TEST_P(StoreQueries, ViewOfAClosedStoreIsUnavailable) {
  table->put("a", "1");
  table.commit();
  const auto view = table->view();

  table.crash();

  EXPECT_EQ(view->get("a").error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(view->scan({}).error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(view->approximate_entries(), 0U);
}

TEST_P(StoreQueries, ViewStaysTheStoresThroughADiscard) {
  const auto view = table->view();
  table->put("a", "1");
  table.commit();
  ASSERT_TRUE(table.spill());

  ASSERT_TRUE(table->discard());

  EXPECT_EQ(*view->get("a"), std::nullopt);
  table.restore();
  EXPECT_EQ((*view->get("a"))->value, "1");
}

// Every commit writes one number under all keys, so an answer of one moment holds one number only.
TEST_P(StoreQueries, AnswersAreOfOneMomentWhileTheTaskGoesOn) {
  constexpr int kCommits = 300;
  const std::vector<std::string> all{"a", "b", "c", "d", "e", "f"};
  const auto view = table->view();
  std::atomic<bool> done = false;
  std::atomic<int> torn = 0;
  std::atomic<int> backwards = 0;
  std::atomic<int> answers = 0;
  std::vector<std::thread> readers;
  for (int reader = 0; reader < 2; ++reader) {
    readers.emplace_back([&, reader] {
      std::string last;
      while (!done || answers == 0) {
        if (reader == 0) {
          const auto entries = view->scan({.reverse = true});
          for (const auto& entry : *entries) torn += entry.value != entries->front().value;
          if (!entries->empty()) ++answers;
        } else if (const auto entry = *view->get("c")) {
          backwards += entry->value < last;
          last = entry->value;
          ++answers;
        }
      }
    });
  }
  // One thread writes to disk, as in the application.
  std::shared_ptr<Spill> spill;
  std::thread spiller;
  for (int i = 0; i < kCommits; ++i) {
    for (const auto& key : all) table->put(key, std::to_string(100'000 + i));
    if (i % 10 == 3) {
      table->put("open", "aborted");
      table.abort();
      continue;
    }
    table.commit();
    if (i % 20 == 0) {
      if (spiller.joinable()) spiller.join();
      spill = table->start_spill(from_millis(i));
      if (spill) spiller = std::thread([spill] { EXPECT_TRUE(spill->run()); });
    }
  }
  if (spiller.joinable()) spiller.join();
  while (answers == 0) std::this_thread::yield();
  done = true;
  for (auto& reader : readers) reader.join();

  EXPECT_EQ(torn, 0);
  EXPECT_EQ(backwards, 0);
  EXPECT_EQ((*view->get("f"))->value, std::to_string(100'000 + kCommits - 1));
}

// What a table takes of memory is counted by its task at each commit. The order of keys is part of
// it, and a query makes it. Nothing but the table's lock is between the two threads here, so the
// thread sanitizer sees what it does not cover.
TEST_P(StoreQueries, MakeTheOrderOfKeysWhileTheTaskCommits) {
  const auto view = table->view();
  std::atomic<bool> committed = false;
  std::size_t seen = 0;
  std::thread reader([&] {
    while (!committed.load(std::memory_order_relaxed)) std::this_thread::yield();
    seen = view->scan({})->size();
  });

  table->put("a", "1");
  table.commit();
  committed.store(true, std::memory_order_relaxed);
  table->put("b", "1");
  table.commit();
  reader.join();

  EXPECT_GE(seen, 1U);
  EXPECT_THAT(keys(), ElementsAre("a", "b"));
}

TEST(StoreMemory, CleanValuesGoWhenTheyTakeMoreThanTheirShare) {
  MemoryBudget budget(200'000);
  StoreWorld<std::int64_t, std::int64_t> table(DiskKind::kSimulated, true, &budget);
  for (std::int64_t i = 0; i < 20'000; ++i) {
    table->put(i, i);
    if (i % 500 == 499) {
      table.commit();
      ASSERT_TRUE(table.spill());
    }
  }

  EXPECT_LT(budget.cached(), budget.limit() * 3 / 4);
  EXPECT_LT(budget.used(), budget.limit());
  for (std::int64_t i = 0; i < 20'000; i += 7) ASSERT_EQ(*table->get(i), i);
  EXPECT_LT(budget.used(), budget.limit());
}

TEST(StoreMemory, ClosedStoreGivesAllOfItBack) {
  MemoryBudget budget(1u << 20);
  {
    StoreWorld<std::string, std::string> table(DiskKind::kSimulated, true, &budget);
    for (int i = 0; i < 1000; ++i) table->put(std::to_string(i), std::string(100, 'x'));
    table.commit();
    const auto view = table->view();
    auto spill = table->start_spill(from_millis(1));
    for (int i = 0; i < 1000; i += 2) table->put(std::to_string(i), std::string(200, 'y'));
    table.commit();
    table->put("open", "value");
    EXPECT_GT(budget.used(), 300'000U);
  }

  EXPECT_EQ(budget.used(), 0U);
  EXPECT_EQ(budget.cached(), 0U);
}

}  // namespace
}  // namespace thalweg::test
