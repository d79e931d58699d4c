// The journal's index by itself: what threads that meet in it must not do to each other.
#include "state/journal_index.h"

#include <string>

#include <gtest/gtest.h>

#include "state/store_world.h"

namespace thalweg::test {
namespace {

using internal::JournalIndex;

TEST(JournalIndexStory, AScanDoesNotSaveAKeyFromARemovalUnderWay) {
  TemporaryDirectory directory;
  auto index = *JournalIndex::open(directory.path(), rocksdb::NewLRUCache(1u << 20));
  JournalIndex::Changes changes;
  changes.put("k", "small");
  ASSERT_TRUE(index->apply(changes));
  changes.clear();

  ASSERT_TRUE(index->remove_range("a", "z", changes));
  EXPECT_TRUE(index->scan("", "")->valid());  // Another thread's.
  ASSERT_TRUE(index->apply(changes));

  std::string stored;
  EXPECT_FALSE(*index->get("k", stored));
  EXPECT_FALSE(index->scan("", "")->valid());
}

}  // namespace
}  // namespace thalweg::test
