// Names and partitions that other programs see: they are Java's.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <thalweg/schemas/check.h>
#include <thalweg/schemas/ids.h>
#include <thalweg/schemas/java_hash.h>
#include <thalweg/schemas/partitioning.h>

namespace thalweg {
namespace {

TEST(Partitioning, HashesAsJavaClientsDo) {
  EXPECT_EQ(murmur2(""), 275646681);
  EXPECT_EQ(murmur2("a"), -1563381124);
  EXPECT_EQ(murmur2("1234"), -1614185708);
  EXPECT_EQ(murmur2("kafka"), -798503068);
  EXPECT_EQ(murmur2("order-1"), 1221710326);
  EXPECT_EQ(murmur2("user:42"), -1493546323);
  EXPECT_EQ(murmur2("한글"), -1593753763);
  EXPECT_EQ(murmur2("giberish123456789"), -1890243828);
}

TEST(Partitioning, NegativeHashLosesItsSignBitOnly) {
  EXPECT_EQ(partition_of("a", 10), static_cast<int>((-1563381124 & 0x7fffffff) % 10));
  EXPECT_EQ(partition_of("order-1", 7), 1221710326 % 7);
  EXPECT_EQ(partition_of("anything", 1), 0);
}

TEST(Partitioning, RowsOfWindowedKeysLieWithAllWindowsOfTheKeyWithin) {
  EXPECT_EQ(partition_of_row("order-1", 0, 7), partition_of("order-1", 7));
  EXPECT_EQ(partition_of_row("order-112345678", 8, 7), partition_of("order-1", 7));
  EXPECT_EQ(partition_of_row("order-11234567812345678", 16, 7), partition_of("order-1", 7));
  EXPECT_EQ(partition_of_row("short", 8, 7), partition_of("short", 7)) << "no windowed key";
}

TEST(JavaHash, IsThatOfStringsAndByteArrays) {
  EXPECT_EQ(internal::java_hash(""), 0u);
  EXPECT_EQ(internal::java_hash("hello"), 99162322u);
  EXPECT_EQ(internal::java_bytes_hash(""), 1u);
  EXPECT_EQ(internal::java_bytes_hash("\x01\x02\x03"), 30817u);
  EXPECT_EQ(internal::java_bytes_hash("\xff"), 30u);
}

TEST(JavaHash, TablesGrowAtThreeQuarters) {
  EXPECT_EQ(internal::java_hash_capacity(12), 16u);
  EXPECT_EQ(internal::java_hash_capacity(13), 32u);
  EXPECT_EQ(internal::java_hash_capacity(3, 64), 64u);
}

TEST(JavaHash, NamesAreWalkedByTheirPlaceAndThenInOrderOfInsertion) {
  const std::vector<std::string> names{"b", "q", "a"};  // In places 2, 1 and 1 of 16.
  EXPECT_EQ(internal::java_hash_order(names), (std::vector<std::string>{"q", "a", "b"}));
}

TEST(Ids, AreWrittenAsKafkaStreamsWritesThem) {
  EXPECT_EQ(to_string(TopicPartition{"orders", 3}), "orders-3");
  EXPECT_EQ(to_string(TaskId{.subtopology = 0, .partition = 12}), "0_12");
}

TEST(ChecksDeathTest, BrokenInvariantStopsTheProcessAndSaysWhich) {
  const int offset = -5;

  EXPECT_DEATH(THALWEG_CHECK(offset >= 0, "offset " + std::to_string(offset)),
               "hash_and_ids_test.cc:[0-9]+: broken invariant `offset >= 0`: offset -5");
}

TEST(Checks, KeptInvariantCostsNothingVisible) { THALWEG_CHECK(1 + 1 == 2, "arithmetic"); }

}  // namespace
}  // namespace thalweg
