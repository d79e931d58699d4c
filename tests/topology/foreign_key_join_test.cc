// Joins of two tables by foreign key: orders name the customer they belong to.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thalweg/topology/internal/subscription.h>
#include <thalweg/topology/streams_builder.h>

#include "topology/topology_world.h"

namespace thalweg {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::Out;
using testing::TopologyWorld;
using Text = std::string;
using Texts = Out<Text, Text>;

constexpr auto kGone = std::nullopt;

/// An order is "<customer>:<goods>"; without a colon it belongs to nobody.
std::optional<Text> customer_of(const Text& order) {
  const auto colon = order.find(':');
  return colon == Text::npos ? std::nullopt : std::optional<Text>(order.substr(0, colon));
}
Text together(const Text& order, const Text& customer) { return order + "/" + customer; }
Text perhaps(const Text& order, const Text* customer) {
  return order + "/" + (customer ? *customer : "nobody");
}

class ForeignKeyJoins : public ::testing::Test {
 protected:
  KTable<Text, Text> orders() { return builder_.table<Text, Text>("orders"); }
  KTable<Text, Text> customers() { return builder_.table<Text, Text>("customers"); }
  void join() {
    orders().join(customers(), customer_of, together, {.name = "j"}).to_stream().to("out");
  }
  void left_join() { orders().left_join(customers(), customer_of, perhaps).to_stream().to("out"); }

  TopologyWorld& world() {
    if (!world_) world_ = std::make_unique<TopologyWorld>(builder_.build(), options_);
    return *world_;
  }
  void order(const Text& key, std::optional<Text> value, std::int64_t time = 0) {
    world().pipe<Text, Text>("orders", key, value, time);
  }
  void customer(const Text& key, std::optional<Text> value, std::int64_t time = 0) {
    world().pipe<Text, Text>("customers", key, value, time);
  }
  Text row_of(const Text& store, const Text& key) {
    const Text* row = world().key_value_store<Text, Text>(store).get(key);
    return row ? *row : "none";
  }
  std::vector<Texts> out() { return world().drain<Text, Text>("out"); }

  StreamsBuilder builder_;
  TopologyWorld::Options options_;
  std::unique_ptr<TopologyWorld> world_;
};

TEST_F(ForeignKeyJoins, AnOrderFindsItsCustomer) {
  join();
  customer("ann", "Ann", 5);

  order("1", "ann:tea", 3);

  EXPECT_THAT(out(), ElementsAre(Texts{"1", "ann:tea/Ann", 5}));
}

TEST_F(ForeignKeyJoins, ACustomerWhoChangesChangesAllHisOrdersInOrderOfTheirKeys) {
  join();
  order("2", "ann:tea", 9);
  order("1", "ann:milk", 1);
  order("3", "bob:rum", 1);
  EXPECT_THAT(out(), IsEmpty());

  customer("ann", "Ann", 4);

  EXPECT_THAT(out(), ElementsAre(Texts{"1", "ann:milk/Ann", 4}, Texts{"2", "ann:tea/Ann", 4}));
}

TEST_F(ForeignKeyJoins, AnOrderThatMovesToACustomerUnknownIsGone) {
  join();
  customer("ann", "Ann");
  order("1", "ann:tea");
  out();

  order("1", "bob:tea", 7);
  customer("ann", "Anna", 8);

  EXPECT_THAT(out(), ElementsAre(Texts{"1", kGone, 7}));
}

TEST_F(ForeignKeyJoins, AnOrderWithoutCustomerIsDroppedOnlyIfItNeverHadOne) {
  join();
  customer("ann", "Ann");

  order("1", "tea");
  order("1", "ann:tea", 2);
  order("1", "milk", 3);

  EXPECT_THAT(out(), ElementsAre(Texts{"1", "ann:tea/Ann", 2}, Texts{"1", kGone, 3}));
  EXPECT_EQ(world().drops(), 1);
}

TEST_F(ForeignKeyJoins, ADeletedOrderIsDeleted) {
  join();
  customer("ann", "Ann");
  order("1", "ann:tea");
  out();

  order("1", kGone, 6);
  customer("ann", "Anna", 7);

  EXPECT_THAT(out(), ElementsAre(Texts{"1", kGone, 6}));
}

TEST_F(ForeignKeyJoins, ADeletedCustomerTakesHisOrdersAlong) {
  join();
  customer("ann", "Ann");
  order("1", "ann:tea");
  out();

  customer("ann", kGone, 6);

  EXPECT_THAT(out(), ElementsAre(Texts{"1", kGone, 6}));
}

TEST_F(ForeignKeyJoins, ALeftJoinKeepsOrdersWithoutCustomer) {
  left_join();

  order("1", "tea", 1);
  order("2", "ann:tea", 2);
  customer("ann", "Ann", 3);
  customer("ann", kGone, 4);
  order("2", "tea", 5);
  order("2", kGone, 6);

  EXPECT_THAT(out(), ElementsAre(Texts{"1", "tea/nobody", 1}, Texts{"2", "ann:tea/nobody", 2},
                                 Texts{"2", "ann:tea/Ann", 3}, Texts{"2", "ann:tea/nobody", 4},
                                 Texts{"2", "tea/nobody", 5}, Texts{"2", kGone, 6}));
}

TEST_F(ForeignKeyJoins, AnAnswerToAnOrderThatHasChangedSinceIsDropped) {
  join();
  customer("ann", "Ann");
  order("1", "ann:tea");
  order("1", "ann:milk");
  auto subscriptions = world().drain_raw(
      "app-j-subscription-registration-topic");
  out();

  world().pipe<Text, Text>("app-j-subscription-registration-topic",
                           subscriptions.at(0).key, subscriptions.at(0).value, 5);

  EXPECT_THAT(out(), IsEmpty());
  EXPECT_EQ(world().drops(), 1);
}

TEST_F(ForeignKeyJoins, TheForeignKeyMayBeMadeOfKeyAndValue) {
  orders()
      .join(customers(), [](const Text& key, const Text&) { return key.substr(0, 3); }, together)
      .to_stream()
      .to("out");
  customer("ann", "Ann");

  order("ann-1", "tea");

  EXPECT_THAT(out(), ElementsAre(Texts{"ann-1", "tea/Ann", 0}));
}

TEST_F(ForeignKeyJoins, TheAnswerGoesWhereTheSubscriptionCameFrom) {
  options_.partitions = 8;
  orders()
      .join(customers(), customer_of, together,
            {.name = "j",
             .partitioner = [](const Text&, std::int32_t count) { return count - 1; },
             .other_partitioner = [](const Text&, std::int32_t) { return 3; }})
      .to_stream()
      .to("out");
  customer("ann", "Ann");

  order("1", "ann:tea");

  const auto subscription =
      world().drain_raw("app-j-subscription-registration-topic");
  const auto response =
      world().drain_raw("app-j-subscription-response-topic");
  EXPECT_EQ(subscription.at(0).partition, 3);
  EXPECT_EQ(response.at(0).partition, 7);
}

TEST_F(ForeignKeyJoins, EachSideSharesPartitionsWithItsTopicOnly) {
  orders().join(customers(), customer_of, together, {.name = "j"});

  EXPECT_THAT(builder_.build().copartition_groups(),
              ElementsAre(ElementsAre("customers", "j-subscription-registration-topic"),
                          ElementsAre("j-subscription-response-topic", "orders")));
}

TEST_F(ForeignKeyJoins, TheResultIsKeptUnderAName) {
  orders().join(customers(), customer_of, together, {}, {.store = "joined"});
  customer("ann", "Ann");
  order("1", "ann:tea");

  EXPECT_EQ(row_of("joined", "1"), "ann:tea/Ann");
}

// --- Bytes ----------------------------------------------------------------------------------

using internal::SubscriptionInstruction;
using internal::SubscriptionWrapper;
using internal::ValueHash;

TEST(SubscriptionBytes, AHashIsThatOfJavasMurmur3) {
  const ValueHash empty = ValueHash::of("");
  const ValueHash number = ValueHash::of(BytesView("\0\0\0\0\0\0\0\7", 8));
  const ValueHash text = ValueHash::of("the quick brown fox jumps over the lazy dog");

  EXPECT_EQ(empty, (ValueHash{0x9d2764a018e32942, 0x8c3cf3b035938518}));
  EXPECT_EQ(number, (ValueHash{0x1b927642116fab4a, 0x1e2a0d4b05ff6bf4}));
  EXPECT_EQ(text, (ValueHash{0x02c400fed0da43be, 0xdf6165624053a941}));
}

TEST(SubscriptionBytes, ASubscriptionComesBackAsItWas) {
  const internal::SubscriptionWrapperSerde<Text> serde{AnySerde<Text>{}};
  for (const bool has_hash : {true, false}) {
    SubscriptionWrapper<Text> wrapper{
        .hash = {}, .instruction = SubscriptionInstruction::kDeleteKeyAndPropagate,
        .primary_key = "key", .primary_partition = 5};
    if (has_hash) wrapper.hash = ValueHash{1, 2};
    Text bytes;
    serde.serialize(wrapper, bytes);
    SubscriptionWrapper<Text> read;
    serde.deserialize(bytes, read);
    EXPECT_EQ(bytes.size(), has_hash ? 25 : 9);
    EXPECT_EQ(read.hash, wrapper.hash);
    EXPECT_EQ(read.instruction, wrapper.instruction);
    EXPECT_EQ(read.primary_key, "key");
    EXPECT_EQ(read.primary_partition, 5);
  }
}

TEST(SubscriptionBytes, AnOldSubscriptionHasNoPartition) {
  const internal::SubscriptionWrapperSerde<Text> serde{AnySerde<Text>{}};
  SubscriptionWrapper<Text> read;
  serde.deserialize(BytesView("\x80\2key", 5), read);

  EXPECT_EQ(read.primary_key, "key");
  EXPECT_EQ(read.primary_partition, std::nullopt);
}

TEST(SubscriptionBytes, DamagedBytesAreRefused) {
  const internal::SubscriptionWrapperSerde<Text> subscriptions{AnySerde<Text>{}};
  const internal::SubscriptionResponseWrapperSerde<Text> responses{AnySerde<Text>{}};
  SubscriptionWrapper<Text> subscription;
  internal::SubscriptionResponseWrapper<Text> response;
  for (const BytesView bytes : {BytesView(), BytesView("\1", 1), BytesView("\1\1hash", 6),
                                BytesView("\x81\1abc", 5), BytesView("\x82\1", 2),
                                BytesView("\x81\7abcd", 6)}) {
    EXPECT_THROW(subscriptions.deserialize(bytes, subscription), SerdeError);
  }
  for (const BytesView bytes : {BytesView(), BytesView("\0hash", 5), BytesView("\1", 1)}) {
    EXPECT_THROW(responses.deserialize(bytes, response), SerdeError);
  }
}

}  // namespace
}  // namespace thalweg
