// The plans themselves: what is joined with what, and which stores hold it.

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "topics.h"
#include "topologies.h"

namespace thalweg::shop {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

TopologyDescription::Node node(const Topology& topology, const std::string& name) {
  const TopologyDescription description = topology.describe();
  for (const auto& part : description.subtopologies) {
    for (const auto& candidate : part.nodes) {
      if (candidate.name == name) return candidate;
    }
  }
  ADD_FAILURE() << "no node " << name << " in\n" << description.to_text();
  return {};
}

TEST(OrdersTopology, JoinsItemsWithStock) {
  EXPECT_THAT(node(build_orders({}), "items-with-stock").stores, ElementsAre("stock"));
}

TEST(OrdersTopology, JoinsPaymentsWithAccounts) {
  EXPECT_THAT(node(build_orders({}), "payments-with-accounts").stores, ElementsAre("accounts"));
}

TEST(OrdersTopology, DecidesInOnePlaceWithOneStore) {
  EXPECT_THAT(node(build_orders({}), "saga").stores, ElementsAre("sagas"));
}

TEST(OrdersTopology, IsOrdersProductsAccountsAndTheOrdersOfEachUser) {
  EXPECT_THAT(build_orders({}).subtopologies(), SizeIs(testing::Ge(4u)));
}

TEST(OrdersTopology, DescribesItself) {
  const std::string text = build_orders({}).describe().to_text();

  EXPECT_THAT(text, HasSubstr("(stores: [sagas])"));
  EXPECT_THAT(text, HasSubstr("count-events (stores: [order-funnel])"));
  EXPECT_THAT(text, HasSubstr("(topic: order.start.dlq)"));
  EXPECT_EQ(text, build_orders({}).describe().to_text()) << "a plan is a pure function";
}

TEST(ChoreographyTopology, HasNoState) {
  const Topology topology = build_choreography();
  ASSERT_THAT(topology.subtopologies(), SizeIs(1));
  EXPECT_THAT(topology.subtopologies()[0].stores, SizeIs(0));
  EXPECT_THAT(topology.subtopologies()[0].source_topics, ElementsAre(topics::kOrderEvents));
}

}  // namespace
}  // namespace thalweg::shop
