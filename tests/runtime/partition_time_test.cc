// The metadata that goes with committed offsets, as Kafka Streams writes it.

#include "partition_time.h"

#include <gtest/gtest.h>

namespace thalweg::internal {
namespace {

TEST(PartitionTime, ComesBackFromItsMetadata) {
  for (const std::int64_t millis : {0LL, 1LL, 1'700'000'000'123LL, 9'223'372'036'854'775'807LL}) {
    EXPECT_EQ(decode_partition_time(encode_partition_time(from_millis(millis))),
              from_millis(millis));
  }
}

TEST(PartitionTime, IsBase64OfAVersionAndEightBytes) {
  EXPECT_EQ(encode_partition_time(from_millis(1)), "AgAAAAAAAAAB");
}

TEST(PartitionTime, ReadsTheOlderVersionToo) {
  EXPECT_EQ(decode_partition_time("AQAAAAAAAAAB"), from_millis(1));
}

TEST(PartitionTime, IsUnknownWhenTheMetadataIsNotOurs) {
  for (const auto* metadata : {"", "A", "hello world", "CQAAAAAAAAAB", "AgAA", "????"}) {
    EXPECT_EQ(decode_partition_time(metadata), kNoTimestamp) << metadata;
  }
}

TEST(PartitionTime, CarriesWhatProcessorsKeep) {
  const ProcessorMetadata kept = {{"counts", 1'700'000'000'123}, {"sums", -1}, {"", 7}};
  const auto metadata = encode_partition_time(from_millis(5), kept);
  EXPECT_EQ(decode_processor_metadata(metadata), kept);
  EXPECT_EQ(decode_partition_time(metadata), from_millis(5));
}

TEST(PartitionTime, ReadsProcessorsAsFarAsTheyGo) {
  const auto metadata = encode_partition_time(from_millis(5), {{"a", 1}, {"b", 2}});
  EXPECT_EQ(decode_processor_metadata(metadata.substr(0, 44)), (ProcessorMetadata{{"a", 1}}));
  EXPECT_EQ(decode_processor_metadata("AgAAAAAAAAAB"), ProcessorMetadata{});
  EXPECT_EQ(decode_processor_metadata("nonsense"), ProcessorMetadata{});
}

}  // namespace
}  // namespace thalweg::internal
