// The records that both sides of a comparison get.

#include "peer/data_sets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "peer/blob.h"

namespace thalweg::bench {
namespace {

constexpr std::int64_t kBase = 1'795'000'000'000;
constexpr std::int64_t kCount = 1'000;

TEST(DataSets, AnOrderIsTheSameBytesEachTimeItIsMade) {
  // They are written once to a broker and once to an embedded log, and what comes out is compared.
  DataRecord first;
  data_set("orders")(123, kCount, kBase, first);
  DataRecord second;
  data_set("orders")(123, kCount, kBase, second);

  EXPECT_EQ(first.key, second.key);
  EXPECT_EQ(first.value, second.value);
  EXPECT_EQ(first.timestamp_ms, second.timestamp_ms);
}

TEST(DataSets, AnOrderWasCreatedAtItsTimestamp) {
  constexpr std::size_t kCreated = 28;
  DataRecord order;
  data_set("orders")(123, kCount, kBase, order);

  EXPECT_EQ(order.timestamp_ms, kBase + 12);
  EXPECT_EQ(read_i64(order.value, kCreated), order.timestamp_ms * 1'000'000);
}

}  // namespace
}  // namespace thalweg::bench
