// Global tables through the test driver.

#include <memory>
#include <optional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thalweg/runtime/topology_test_driver.h>
#include <thalweg/state/stores.h>
#include <thalweg/topology/streams_builder.h>

namespace thalweg {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;
using Text = std::string;

class Customers : public ::testing::Test {
 protected:
  /// "<customer>:<order>" belongs to a customer; without a colon to nobody.
  static std::optional<Text> customer_of(const Text&, const Text& order) {
    const auto colon = order.find(':');
    return colon == Text::npos ? std::nullopt : std::optional<Text>(order.substr(0, colon));
  }
  static Text join(const Text& order, const Text& name) { return order + "/" + name; }
  static Text left_join(const Text& order, const Text* name) {
    return order + "/" + (name ? *name : "nobody");
  }
  GlobalKTable<Text, Text> customers() {
    return builder_.global_table<Text, Text>("customers", {}, {.store = "names"});
  }
  TopologyTestDriver& driver() {
    if (!driver_) driver_ = std::make_unique<TopologyTestDriver>(builder_.build());
    return *driver_;
  }
  void pipe(const Text& topic, const Text& key, std::optional<Text> value) {
    driver().pipe(topic, key, std::move(value), from_millis(1));
  }
  auto out() { return driver().create_output_topic<Text, Text>("out").read_key_values(); }

  StreamsBuilder builder_;
  std::unique_ptr<TopologyTestDriver> driver_;
};

TEST_F(Customers, AStreamFindsRowsUnderAKeyMadeOfTheRecord) {
  builder_.stream<Text, Text>("orders").join(customers(), customer_of, join).to("out");
  pipe("customers", "ann", "Ann");

  pipe("orders", "1", "ann:tea");
  pipe("orders", "2", "bob:rum");
  pipe("orders", "3", "milk");

  EXPECT_THAT(out(), ElementsAre(Pair("1", "ann:tea/Ann")));
  EXPECT_EQ(driver().metrics().at("dropped-records-total"), 1);
}

TEST_F(Customers, ALeftJoinGoesOnWithoutARowOrAKey) {
  builder_.stream<Text, Text>("orders").left_join(customers(), customer_of, left_join).to("out");
  pipe("customers", "ann", "Ann");
  pipe("customers", "ann", std::nullopt);

  pipe("orders", "1", "ann:tea");
  pipe("orders", "2", "milk");

  EXPECT_THAT(out(), ElementsAre(Pair("1", "ann:tea/nobody"), Pair("2", "milk/nobody")));
}

TEST_F(Customers, TheTableCanBeQueriedUnderItsName) {
  EXPECT_EQ(customers().queryable_store_name(), "names");
  pipe("customers", "ann", "Ann");

  EXPECT_EQ(*(driver().key_value_store<Text, Text>("names").get("ann")), "Ann");
}

TEST_F(Customers, WhatTheTopologyWritesToTheTableIsAppliedAtOnce) {
  builder_.stream<Text, Text>("registrations").to("customers");
  builder_.stream<Text, Text>("orders").join(customers(), customer_of, join).to("out");

  pipe("registrations", "ann", "Ann");
  pipe("orders", "1", "ann:tea");

  EXPECT_THAT(out(), ElementsAre(Pair("1", "ann:tea/Ann")));
}

TEST_F(Customers, DescribeSaysThatAGlobalStoreHasNoTasks) {
  builder_.stream<Text, Text>("orders").join(customers(), customer_of, join).to("out");

  EXPECT_THAT(builder_.build().describe().to_text(),
              ::testing::HasSubstr("Sub-topology: 1 for global store (will not generate tasks)\n"
                                   "    Source: KSTREAM-SOURCE-0000000001 (topics: [customers])\n"
                                   "      --> KTABLE-SOURCE-0000000002\n"));
}

TEST_F(Customers, ATopicCannotBeAGlobalTableAndAStream) {
  customers();
  builder_.stream<Text, Text>("customers").to("out");

  EXPECT_THROW(builder_.build(), TopologyError);
}

// --- Stores of one's own ----------------------------------------------------------------------

/// Keeps the longest value of each key.
class LongestKeeper final : public Processor<Text, Text> {
 public:
  void init(ProcessorContext<Text, Text>& context) override {
    longest_ = &context.key_value_store<Text, Text>("longest");
  }
  void process(const RecordRef<Text, Text>& record) override {
    const Text* known = longest_->get(record.key);
    if (!known || known->size() < record.value.size()) longest_->put(record.key, record.value);
  }

 private:
  KeyValueStore<Text, Text>* longest_ = nullptr;
};

/// Reads a global store without being connected to it.
class LongestReader final : public Processor<Text, Text> {
 public:
  void init(ProcessorContext<Text, Text>& context) override {
    Processor::init(context);
    longest_ = &context.key_value_store<Text, Text>("longest");
  }
  void process(const RecordRef<Text, Text>& record) override {
    const Text* longest = longest_->get(record.value);
    context().forward(record.key, longest ? *longest : "none");
  }

 private:
  KeyValueStore<Text, Text>* longest_ = nullptr;
};

TEST_F(Customers, AnyProcessorReadsAGlobalStore) {
  builder_.add_global_store<Text, Text>(key_value_store_builder<Text, Text>("longest"), "names",
                                        [] { return std::make_unique<LongestKeeper>(); });
  builder_.stream<Text, Text>("questions")
      .process([] { return std::make_unique<LongestReader>(); })
      .to("out");
  pipe("names", "ann", "Ann");
  pipe("names", "ann", "Annabel");
  pipe("names", "ann", "Anna");

  pipe("questions", "1", "ann");
  pipe("questions", "2", "bob");

  EXPECT_THAT(out(), ElementsAre(Pair("1", "Annabel"), Pair("2", "none")));
}

}  // namespace
}  // namespace thalweg
