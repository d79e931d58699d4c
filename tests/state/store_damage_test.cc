// What a store does when the disk lies, refuses or is gone: it keeps what is committed, and
// believes nothing that is not whole and its own.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "state/store_world.h"

namespace thalweg::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

constexpr const char* kFamily = "app/0_0/table";

class StoreOnABadDisk : public testing::TestWithParam<DiskKind> {
 protected:
  void committed_and_spilled(const std::string& key, std::int64_t value) {
    table->put(key, value);
    table.commit();
    ASSERT_TRUE(table.spill());
  }

  StoreWorld<std::string, std::int64_t> table{GetParam()};
};

INSTANTIATE_TEST_SUITE_P(AllDisks, StoreOnABadDisk,
                         testing::Values(DiskKind::kRocksDb, DiskKind::kSimulated),
                         [](const auto& parameter) { return to_string(parameter.param); });
class SimulatedOnly : public StoreOnABadDisk {};
INSTANTIATE_TEST_SUITE_P(Disk, SimulatedOnly, testing::Values(DiskKind::kSimulated),
                         [](const auto& parameter) { return to_string(parameter.param); });

TEST_P(StoreOnABadDisk, StateOfAnotherClusterChangelogOrPartitioningIsDropped) {
  const auto another = [this](int field) {
    StoreContext context = table.context();
    if (field == 0) context.identity.cluster_id = "another cluster";
    if (field == 1) context.identity.changelog = "another-changelog";
    if (field == 2) context.identity.changelog_partitions = 4;
    return context;
  };
  for (int field = 0; field < 3; ++field) {
    table.open();
    ASSERT_THAT(table.entries(), IsEmpty()) << "dropped for good";
    committed_and_spilled("sneaker", 7);
    table.close();

    ASSERT_TRUE(table.open(another(field)));

    EXPECT_EQ(table->restored_to(), 0);
    EXPECT_THAT(table.entries(), IsEmpty());
    EXPECT_EQ(table.discarded.size(), static_cast<std::size_t>(field) + 1);
    EXPECT_THAT(table.discarded.back(), HasSubstr(kFamily));
    table.close();
  }
}

TEST_P(StoreOnABadDisk, WallTimeAndOffsetAreNotPartOfTheIdentity) {
  committed_and_spilled("sneaker", 7);
  StoreContext context = table.context();
  table.close();
  context.identity.wall_time = from_millis(999);
  context.identity.next_offset = 999;

  ASSERT_TRUE(table.open(context));

  EXPECT_EQ(table->restored_to(), table.changelog.end());
  EXPECT_THAT(table.discarded, IsEmpty());
}

TEST_P(StoreOnABadDisk, StoreWithoutChangelogKeepsWhatWasSpilled) {
  StoreContext context = table.context();
  context.changelog = nullptr;
  context.identity.changelog.clear();
  context.identity.changelog_partitions = 0;
  ASSERT_TRUE(table.open(context));
  table->put("sneaker", 7);
  table->flush();
  table->commit(kNoOffset, 1);
  table.close();

  ASSERT_TRUE(table.open(context));

  EXPECT_THAT(table.entries(), ElementsAre(Pair("sneaker", 7)));
  EXPECT_EQ(table->restored_to(), 0);
}

TEST_P(SimulatedOnly, SpillThatFailsLosesNothingAndTheNextOneTakesItAlong) {
  table->put("old", 1);
  table->put("both", 1);
  table->put("gone", 1);
  table.commit();
  table.disk.simulated().fail_writes(ErrorCode::kNoSpace);
  auto failed = table->start_spill(from_millis(1));
  table->put("both", 2);
  table->remove("gone");
  table.commit();

  const auto status = failed->run();
  EXPECT_EQ(status.error().code, ErrorCode::kNoSpace);
  EXPECT_THAT(status.error().message, HasSubstr(kFamily));
  EXPECT_THAT(table.entries(), ElementsAre(Pair("both", 2), Pair("old", 1)));
  EXPECT_GT(table->unspilled_bytes(), 0U);

  table.disk.simulated().heal();
  ASSERT_TRUE(table.spill());
  EXPECT_EQ(table->unspilled_bytes(), 0U);
  table.crash();
  EXPECT_EQ(table.restored_records, 0U);
  EXPECT_THAT(table.entries(), ElementsAre(Pair("both", 2), Pair("old", 1)));
}

TEST_P(SimulatedOnly, SpillRunsOnlyOnce) {
  table->put("a", 1);
  table.commit();
  auto spill = table->start_spill(from_millis(1));
  ASSERT_TRUE(spill->run());
  EXPECT_EQ(spill->run().error().code, ErrorCode::kInvalid);
}

TEST_P(SimulatedOnly, CheckpointThatDoesNotMatchItsChecksumMeansRestore) {
  committed_and_spilled("sneaker", 7);
  table.close();
  table.disk.simulated().corrupt_checkpoint(kFamily);

  table.open();

  EXPECT_EQ(table->restored_to(), 0);
  EXPECT_THAT(table.discarded, ElementsAre(HasSubstr("checksum")));
  table.restore();
  EXPECT_THAT(table.entries(), ElementsAre(Pair("sneaker", 7)));
}

TEST_P(SimulatedOnly, ReadOfADamagedFamilyThrowsAndDiscardMendsIt) {
  committed_and_spilled("sneaker", 7);
  table.crash();
  table.disk.simulated().corrupt_family(kFamily);

  try {
    table->get("sneaker");
    FAIL() << "damage must not look like a missing key";
  } catch (const StoreError& error) {
    EXPECT_EQ(error.code(), ErrorCode::kCorrupt);
    EXPECT_THAT(error.what(), HasSubstr(kFamily));
  }
  EXPECT_THROW(table->all(), StoreError);
  EXPECT_EQ(table->view()->get("sneaker").error().code, ErrorCode::kCorrupt);

  ASSERT_TRUE(table->discard());
  table.restore();
  EXPECT_THAT(table.entries(), ElementsAre(Pair("sneaker", 7)));
  committed_and_spilled("boot", 8);
}

TEST_P(SimulatedOnly, ReadThatFailsOnceLeavesTheStoreAsItWas) {
  committed_and_spilled("sneaker", 7);
  table.crash();
  table->put("boot", 8);
  table.disk.simulated().fail_next(1, ErrorCode::kIo, /*reads_too=*/true);

  EXPECT_THROW(table->get("sneaker"), StoreError);

  EXPECT_EQ(*table->get("sneaker"), 7);
  EXPECT_EQ(*table->get("boot"), 8);
}

TEST_P(SimulatedOnly, DiscardThatTheDiskRefusesCanBeTriedAgain) {
  committed_and_spilled("sneaker", 7);
  table.disk.simulated().fail_next(1, ErrorCode::kIo);

  EXPECT_FALSE(table->discard());
  EXPECT_THAT(table.entries(), IsEmpty());
  EXPECT_EQ(table->start_spill(from_millis(1)), nullptr);
  ASSERT_TRUE(table->discard());
  table.restore();
  ASSERT_TRUE(table.spill());
  EXPECT_THAT(table.entries(), ElementsAre(Pair("sneaker", 7)));
}

TEST_P(SimulatedOnly, DeletedStateDirectoryMeansRestore) {
  committed_and_spilled("sneaker", 7);
  table.close();
  table.disk.simulated().drop_state();

  table.open();

  EXPECT_EQ(table->restored_to(), 0);
  table.restore();
  EXPECT_THAT(table.entries(), ElementsAre(Pair("sneaker", 7)));
}

TEST_P(SimulatedOnly, BytesOfAnotherTypeNameTheStore) {
  std::string text;
  Serde<std::string>::serialize("not eight bytes", text);
  const RecordView alien{0, from_millis(1), BytesView("sneaker"), BytesView(text), {}};
  table->restore({&alien, 1}, 1, 1);

  try {
    table->get("sneaker");
    FAIL() << "fifteen bytes are no int64";
  } catch (const SerdeError& error) {
    EXPECT_THAT(error.what(), HasSubstr("store table"));
  }
}

}  // namespace
}  // namespace thalweg::test
