#pragma once

#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thalweg/runtime/topology_test_driver.h>

#include "sales_model.h"
#include "text.h"
#include "topics.h"
#include "topologies.h"

namespace thalweg::shop {

/// One application that listens to completed orders and to products, on the test driver.
class SalesTest : public ::testing::Test {
 protected:
  explicit SalesTest(Topology topology) : driver_(std::move(topology), config()) {}

  // --- What happens -------------------------------------------------------------------------

  void product(const std::string& id, std::int64_t price) {
    products_.pipe(id, {"CREATED", id, "The " + id, price, 10, 0}, at("2026-11-01T00:00:00Z"));
  }
  void order(const std::string& time, const std::string& user, std::vector<ProductUnits> products,
             std::int64_t total = 0) {
    const std::string id = "o" + std::to_string(++orders_made_);
    orders_.pipe(id, {id, user, std::move(products), total}, at(time));
  }
  void sold(const std::string& time, const std::string& product, std::int64_t units) {
    order(time, "ann", {{product, units}});
  }
  static Timestamp at(const std::string& time) { return from_millis(*parse_iso8601(time)); }

  TopologyTestDriver driver_;

 private:
  static StreamsConfig config() {
    StreamsConfig config;
    config.application_id = "sales";
    config.deserialization_handler = FailureHandling::kDeadLetter;
    config.dead_letter_topic = "{topic}.dlq";
    return config;
  }

  TestInputTopic<std::string, CompletedOrder> orders_ =
      driver_.create_input_topic<std::string, CompletedOrder>(topics::kOrderCompleted);
  TestInputTopic<std::string, ProductEvent> products_ =
      driver_.create_input_topic<std::string, ProductEvent>(topics::kProductEvents);
  int orders_made_ = 0;
};

}  // namespace thalweg::shop
