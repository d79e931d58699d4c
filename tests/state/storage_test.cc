// What the storage port promises, on both of its forms: journals of atomic batches, families that
// are written whole.
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "state/store_world.h"

namespace thalweg::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

WriteBatch batch_of(std::initializer_list<std::pair<std::string, std::string>> entries) {
  WriteBatch batch;
  for (const auto& [key, value] : entries) batch.put(key, value);
  return batch;
}

Checkpoint checkpoint_at(Offset offset) {
  return {offset, "cluster", "app-table-changelog", 3, from_millis(77)};
}

class StorageContract : public testing::TestWithParam<DiskKind> {
 protected:
  Journal& journal() { return disk.storage()->journal(); }
  std::shared_ptr<Family> family(const std::string& name = "app/0_0/table") {
    auto opened = disk.storage()->open_family(name);
    EXPECT_TRUE(opened);
    return *opened;
  }
  static std::string get(const auto& from, BytesView key) {
    std::string value;
    const auto found = from.get(key, value);
    EXPECT_TRUE(found);
    return *found ? value : "none";
  }
  static std::vector<std::string> keys(std::unique_ptr<StorageCursor> cursor) {
    std::vector<std::string> all;
    for (; cursor->valid(); cursor->next()) all.emplace_back(cursor->key());
    EXPECT_TRUE(cursor->status());
    return all;
  }

  Disk disk{GetParam()};
};

INSTANTIATE_TEST_SUITE_P(BothForms, StorageContract,
                         testing::Values(DiskKind::kRocksDb, DiskKind::kSimulated),
                         [](const auto& parameter) { return to_string(parameter.param); });

TEST_P(StorageContract, BatchIsVisibleOnceAppended) {
  ASSERT_TRUE(journal().append(batch_of({{"a", "1"}, {"b", "2"}})));
  WriteBatch second;
  second.put("c", "3");
  second.remove("a");
  ASSERT_TRUE(journal().append(second));

  EXPECT_EQ(get(journal(), "a"), "none");
  EXPECT_EQ(get(journal(), "b"), "2");
  EXPECT_EQ(get(journal(), "c"), "3");
}

TEST_P(StorageContract, SyncedBatchesSurviveARestart) {
  const std::string blob(100'000, 'x');
  ASSERT_TRUE(journal().append(batch_of({{"a", blob}, {"b", "2"}})));
  ASSERT_TRUE(journal().sync());

  disk.restart();

  EXPECT_EQ(get(journal(), "a"), blob);
  EXPECT_EQ(get(journal(), "b"), "2");
}

TEST_P(StorageContract, RemovedRangeLeavesItsEnd) {
  ASSERT_TRUE(journal().append(batch_of({{"a", "1"}, {"b", "2"}, {"c", "3"}, {"d", "4"}})));
  WriteBatch trim;
  trim.remove_range("b", "d");
  trim.remove_range("z", "a");  // Nothing.
  ASSERT_TRUE(journal().append(trim));

  EXPECT_THAT(keys(journal().scan("a", "z")), ElementsAre("a", "d"));
}

TEST_P(StorageContract, CursorStaysWithinItsBoundsBothWays) {
  ASSERT_TRUE(journal().append(batch_of({{"a", ""}, {"b", ""}, {"d", ""}, {"f", ""}})));
  auto cursor = journal().scan("b", "f");

  EXPECT_EQ(cursor->key(), "b");
  cursor->seek("a");
  EXPECT_EQ(cursor->key(), "b");
  cursor->seek("c");
  EXPECT_EQ(cursor->key(), "d");
  cursor->seek("e");
  EXPECT_FALSE(cursor->valid());
  cursor->seek_for_previous("c");
  EXPECT_EQ(cursor->key(), "b");
  cursor->previous();
  EXPECT_FALSE(cursor->valid());
  cursor->seek_for_previous("z");
  EXPECT_EQ(cursor->key(), "d");
  cursor->seek_for_previous("a");
  EXPECT_FALSE(cursor->valid());
  cursor->seek_to_last();
  EXPECT_EQ(cursor->key(), "d");
  EXPECT_THAT(keys(journal().scan("x", "y")), IsEmpty());
}

TEST_P(StorageContract, CursorShowsTheJournalAsItWas) {
  ASSERT_TRUE(journal().append(batch_of({{"a", "1"}, {"b", "2"}})));
  auto cursor = journal().scan("a", "z");

  WriteBatch later;
  later.put("aa", "3");
  later.remove("b");
  ASSERT_TRUE(journal().append(later));

  EXPECT_THAT(keys(std::move(cursor)), ElementsAre("a", "b"));
  EXPECT_THAT(keys(journal().scan("a", "z")), ElementsAre("a", "aa"));
}

TEST_P(StorageContract, IngestedEntriesAndCheckpointSurviveARestart) {
  ASSERT_TRUE(family()->ingest({{"a", "1"}, {"b", "2"}, {"c", "3"}}, checkpoint_at(10)));
  ASSERT_TRUE(family()->ingest({{"a", std::nullopt}, {"b", "22"}}, checkpoint_at(20)));

  disk.restart();

  EXPECT_EQ(*family()->checkpoint(), checkpoint_at(20));
  EXPECT_EQ(get(*family(), "a"), "none");
  EXPECT_EQ(get(*family(), "b"), "22");
  EXPECT_THAT(keys(family()->scan()), ElementsAre("b", "c"));
}

TEST_P(StorageContract, IngestDropsWhatIsBeforeABoundWithIt) {
  ASSERT_TRUE(family()->ingest({{"a", "1"}, {"b", "2"}, {"c", "3"}}, checkpoint_at(10)));
  ASSERT_TRUE(family()->ingest({{"c", "33"}, {"d", "4"}}, checkpoint_at(20), "c"));

  EXPECT_THAT(keys(family()->scan()), ElementsAre("c", "d"));
  EXPECT_EQ(get(*family(), "b"), "none");
  EXPECT_EQ(get(*family(), "c"), "33");
  EXPECT_EQ(family()->checkpoint()->next_offset, 20);

  disk.restart();
  EXPECT_THAT(keys(family()->scan()), ElementsAre("c", "d"));
}

TEST_P(StorageContract, NewFamilyHasNoCheckpoint) {
  EXPECT_EQ(family()->checkpoint().error().code, ErrorCode::kNotFound);
  EXPECT_EQ(family()->approximate_entries(), 0U);
  EXPECT_THAT(keys(family()->scan()), IsEmpty());
}

TEST_P(StorageContract, CheckpointAloneMayBeIngested) {
  ASSERT_TRUE(family()->ingest({}, checkpoint_at(5)));

  EXPECT_EQ(*family()->checkpoint(), checkpoint_at(5));
  EXPECT_THAT(keys(family()->scan()), IsEmpty());
}

TEST_P(StorageContract, NoUserKeyIsTheReservedOne) {
  const std::string reserved("\0checkpoint", 11);
  ASSERT_TRUE(family()->ingest({{"", "empty"}, {reserved, "user"}}, checkpoint_at(5)));

  EXPECT_EQ(*family()->checkpoint(), checkpoint_at(5));
  EXPECT_EQ(get(*family(), reserved), "user");
  EXPECT_THAT(keys(family()->scan()), ElementsAre("", reserved));
}

TEST_P(StorageContract, EntriesMustAscend) {
  EXPECT_EQ(family()->ingest({{"b", "1"}, {"a", "2"}}, checkpoint_at(5)).error().code,
            ErrorCode::kInvalid);
  EXPECT_EQ(family()->ingest({{"a", "1"}, {"a", "2"}}, checkpoint_at(5)).error().code,
            ErrorCode::kInvalid);
  EXPECT_EQ(family()->checkpoint().error().code, ErrorCode::kNotFound);
}

TEST_P(StorageContract, FamilyCursorWalksBackwards) {
  ASSERT_TRUE(family()->ingest({{"a", "1"}, {"b", "2"}, {"c", "3"}}, checkpoint_at(3)));
  auto cursor = family()->scan();

  cursor->seek_to_last();
  EXPECT_EQ(cursor->key(), "c");
  cursor->seek_for_previous("bb");
  EXPECT_EQ(cursor->key(), "b");
  cursor->seek("b");
  EXPECT_EQ(cursor->key(), "b");
  cursor->previous();
  cursor->previous();
  EXPECT_FALSE(cursor->valid());
}

TEST_P(StorageContract, DroppedFamilyIsEmptyWhenItComesBack) {
  const auto old = family();
  ASSERT_TRUE(old->ingest({{"a", "1"}}, checkpoint_at(3)));
  ASSERT_TRUE(family("other")->ingest({{"a", "other"}}, checkpoint_at(4)));

  ASSERT_TRUE(disk.storage()->drop_family("app/0_0/table"));
  ASSERT_TRUE(disk.storage()->drop_family("never there"));

  EXPECT_THAT(disk.storage()->families(), ElementsAre("other"));
  EXPECT_EQ(family()->checkpoint().error().code, ErrorCode::kNotFound);
  EXPECT_EQ(get(*family("other"), "a"), "other");
  EXPECT_FALSE(old->ingest({{"late", "1"}}, checkpoint_at(9)));
  EXPECT_EQ(family()->checkpoint().error().code, ErrorCode::kNotFound);
}

TEST_P(StorageContract, ManyIngestsAreOneFamily) {
  for (int round = 0; round < 40; ++round) {
    std::vector<std::string> keys_of_round;
    for (int key = 0; key < 50; ++key) keys_of_round.push_back(std::to_string(1000 + key * 7 % 50));
    std::sort(keys_of_round.begin(), keys_of_round.end());
    const std::string value = "round " + std::to_string(round);
    std::vector<Family::Entry> entries;
    for (const auto& key : keys_of_round) entries.push_back({key, BytesView(value)});
    ASSERT_TRUE(family()->ingest(entries, checkpoint_at(round)));
  }

  EXPECT_EQ(family()->checkpoint()->next_offset, 39);
  EXPECT_EQ(keys(family()->scan()).size(), 50U);
  EXPECT_EQ(get(*family(), "1049"), "round 39");
}

TEST(CheckpointCodec, ReadsWhatItWrote) {
  const Checkpoint checkpoint = checkpoint_at(1LL << 40);

  EXPECT_EQ(*Checkpoint::decode(checkpoint.encode()), checkpoint);
  EXPECT_EQ(*Checkpoint::decode(Checkpoint{}.encode()), Checkpoint{});
}

TEST(CheckpointCodec, AnyFlippedBitIsFound) {
  const std::string whole = checkpoint_at(4711).encode();
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    std::string damaged = whole;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    const auto read = Checkpoint::decode(damaged);
    ASSERT_FALSE(read) << "bit " << bit;
    EXPECT_EQ(read.error().code, ErrorCode::kCorrupt);
  }
}

TEST(CheckpointCodec, AnyMissingOrAddedByteIsFound) {
  const std::string whole = checkpoint_at(4711).encode();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(Checkpoint::decode(BytesView(whole).substr(0, size))) << size << " bytes";
  }
  EXPECT_FALSE(Checkpoint::decode(whole + '\0'));
}

}  // namespace
}  // namespace thalweg::test
