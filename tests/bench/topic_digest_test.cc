// How outputs of both sides are compared.

#include "peer/topic_digest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace thalweg::bench {
namespace {

using Record = TopicDigest::Record;

constexpr Record kApple{.partition = 0,
                        .timestamp_ms = 1'000,
                        .key = "apple",
                        .value = "eight bytes and more",
                        .is_tombstone = false};
constexpr Record kPear{.partition = 1,
                       .timestamp_ms = 2'000,
                       .key = "pear",
                       .value = "eight bytes and more",
                       .is_tombstone = false};

std::string digest_of(std::initializer_list<Record> records, bool with_partition_and_time) {
  TopicDigest digest(with_partition_and_time);
  for (const Record& record : records) digest.add(record);
  return digest.json();
}

TEST(TopicDigests, DoNotDependOnTheOrderOfDifferentKeys) {
  for (const bool with_partition_and_time : {false, true}) {
    EXPECT_EQ(digest_of({kApple, kPear}, with_partition_and_time),
              digest_of({kPear, kApple}, with_partition_and_time));
  }
}

TEST(TopicDigests, TellValuesApart) {
  Record other = kApple;
  other.value = "eight bytes and less";

  EXPECT_NE(digest_of({kApple}, false), digest_of({other}, false));
}

TEST(TopicDigests, TellPartitionsAndTimestampsApartWhereThatIsAskedFor) {
  Record elsewhere = kApple;
  elsewhere.partition = 1;
  Record later = kApple;
  later.timestamp_ms = 1'001;

  EXPECT_EQ(digest_of({kApple}, false), digest_of({elsewhere}, false));
  EXPECT_EQ(digest_of({kApple}, false), digest_of({later}, false));
  EXPECT_NE(digest_of({kApple}, true), digest_of({elsewhere}, true));
  EXPECT_NE(digest_of({kApple}, true), digest_of({later}, true));
}

TEST(TopicDigests, TellPartitionsThatHaveChangedPlacesApart) {
  Record apple_elsewhere = kApple;
  apple_elsewhere.partition = kPear.partition;
  Record pear_elsewhere = kPear;
  pear_elsewhere.partition = kApple.partition;

  EXPECT_NE(digest_of({kApple, kPear}, true), digest_of({apple_elsewhere, pear_elsewhere}, true));
}

}  // namespace
}  // namespace thalweg::bench
