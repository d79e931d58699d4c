// Processed orders are kept for a while, by the clock, and once.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thalweg/runtime/topology_test_driver.h>
#include <thalweg/schemas/json.h>

#include "delivery_topology.h"
#include "topics.h"
#include "topologies.h"

namespace thalweg::shop {
namespace {

using ::testing::SizeIs;
using namespace std::chrono_literals;

class ProcessedOrders : public ::testing::Test {
 protected:
  void processed(const std::optional<std::string>& key, const std::string& json) {
    driver_.pipe(topics::kOrderProcessed, key, json, from_millis(0));
  }
  const JsonText* row(const std::string& id) {
    return driver_.key_value_store<std::string, JsonText>(stores::kProcessedOrders).get(id);
  }
  std::size_t written(const std::string& topic) {
    const auto* records = driver_.produced(topic);
    return records ? records->size() : 0;
  }

  TopologyTestDriver driver_{build_delivery({}, DeliverySend()), {.application_id = "outside"}};
};

TEST_F(ProcessedOrders, AreKeptForAnHourOfTheClock) {
  processed("o1", R"({"orderId":"o1","userId":"ann"})");
  driver_.advance_wall_clock_time(3599s);
  ASSERT_NE(row("o1"), nullptr);
  EXPECT_EQ(row("o1")->text, R"({"orderId":"o1","userId":"ann"})");

  driver_.advance_wall_clock_time(1s);
  EXPECT_EQ(row("o1"), nullptr);
}

TEST_F(ProcessedOrders, LeaveATombstoneInTheChangelog) {
  processed("o1", R"({"orderId":"o1"})");
  driver_.advance_wall_clock_time(1h);

  const auto* changes = driver_.produced("outside-data-order-processed-changelog");
  ASSERT_NE(changes, nullptr);
  ASSERT_THAT(*changes, SizeIs(2));
  EXPECT_EQ((*changes)[1].key, "o1");
  EXPECT_EQ((*changes)[1].value, std::nullopt);
}

TEST_F(ProcessedOrders, CountOnceAndLastFromTheFirstTime) {
  processed("o1", R"({"orderId":"o1","userId":"ann"})");
  driver_.advance_wall_clock_time(30min);
  processed("o1", R"({"orderId":"o1","userId":"bob"})");
  EXPECT_EQ(row("o1")->text, R"({"orderId":"o1","userId":"ann"})");

  driver_.advance_wall_clock_time(30min);
  EXPECT_EQ(row("o1"), nullptr);
}

TEST_F(ProcessedOrders, MayHaveNumbersForIds) {
  processed("77", R"({"orderId":77})");
  EXPECT_NE(row("77"), nullptr);
}

TEST_F(ProcessedOrders, ThatAreNoneArePutAside) {
  processed("o1", "{");
  processed("o1", R"({"orderId":"o2"})");
  processed(std::nullopt, R"({"orderId":"o3"})");

  EXPECT_EQ(written("order.processed.dlq"), 3U);
  EXPECT_EQ(written("admin-alerts"), 3U);
  EXPECT_EQ(row("o1"), nullptr);
}

}  // namespace
}  // namespace thalweg::shop
