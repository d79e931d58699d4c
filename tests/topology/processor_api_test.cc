// Processors of one's own, in the DSL and in a Topology built by hand.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include <thalweg/state/stores.h>
#include <thalweg/topology/streams_builder.h>

#include "topology/topology_world.h"

namespace thalweg {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;
using testing::Out;
using testing::TopologyWorld;
using Text = std::string;
using Number = std::int64_t;
using Numbers = Out<Text, Number>;

/// Adds up the numbers of each key in a store.
class Sum final : public Processor<Text, Number> {
 public:
  explicit Sum(Text store) : store_name_(std::move(store)) {}
  void init(ProcessorContext<Text, Number>& context) override {
    Processor::init(context);
    store_ = &context.key_value_store<Text, Number>(store_name_);
  }
  void process(const RecordRef<Text, Number>& record) override {
    const Number* old = store_->get(record.key);
    const Number sum = (old ? *old : 0) + record.value;
    store_->put(record.key, sum);
    context().forward(record.key, sum);
  }

 private:
  Text store_name_;
  KeyValueStore<Text, Number>* store_ = nullptr;
};

class Negate final : public FixedKeyProcessor<Text, Number, Text> {
 public:
  void process(const RecordRef<Text, Number>& record) override {
    context().forward(std::to_string(-record.value));
  }
};

auto supply_sum(Text store) {
  return [store] { return std::make_unique<Sum>(store); };
}
auto supply_negate() {
  return [] { return std::make_unique<Negate>(); };
}
std::shared_ptr<StoreBuilder> sums() { return key_value_store_builder<Text, Number>("sums"); }

class ProcessorApi : public ::testing::Test {
 protected:
  auto numbers() { return builder_.stream<Text, Number>("numbers"); }
  TopologyWorld& world() {
    if (!world_) world_ = std::make_unique<TopologyWorld>(builder_.build());
    return *world_;
  }
  void number(const Text& key, Number value, std::int64_t time = 0) {
    world().pipe<Text, Number>("numbers", key, value, time);
  }
  std::vector<Numbers> out() { return world().drain<Text, Number>("out"); }

  StreamsBuilder builder_;
  std::unique_ptr<TopologyWorld> world_;
};

TEST_F(ProcessorApi, AProcessorKeepsStateInItsStore) {
  builder_.add_state_store(sums());
  numbers().process(supply_sum("sums"), {"sums"}).to("out");

  number("a", 3, 1);
  number("a", 4, 2);

  EXPECT_THAT(out(), ElementsAre(Numbers{"a", 3, 1}, Numbers{"a", 7, 2}));
  EXPECT_EQ((world().key_value_store<Text, Number>("sums").get_with_timestamp("a")->timestamp),
            from_millis(2));
}

TEST_F(ProcessorApi, AFixedKeyProcessorChangesTheValueOnly) {
  numbers().process_values(supply_negate()).to("out");

  number("a", 3);

  EXPECT_THAT((world().drain<Text, Text>("out")), ElementsAre(Out<Text, Text>{"a", "-3", 0}));
}

TEST_F(ProcessorApi, AStoreThatIsNotConnectedIsRefusedByName) {
  builder_.add_state_store(sums());
  numbers().process(supply_sum("sums"), {}, {.name = "adder"}).to("out");

  EXPECT_THAT([this] { world(); }, ThrowsMessage<StreamsError>(HasSubstr(
                                       "processor adder has no access to store sums")));
}

TEST_F(ProcessorApi, AStoreThatDoesNotExistIsRefusedByName) {
  numbers().process(supply_sum("sums"), {"sums"}, {.name = "adder"});

  EXPECT_THAT([this] { builder_.build(); },
              ThrowsMessage<TopologyError>(HasSubstr("StateStore sums is not added yet, but "
                                                     "processor adder")));
}

TEST_F(ProcessorApi, AStoreOfOtherTypesIsRefusedByName) {
  builder_.add_state_store(key_value_store_builder<Text, Text>("sums"));
  numbers().process(supply_sum("sums"), {"sums"});

  EXPECT_THAT([this] { world(); },
              ThrowsMessage<TopologyError>(HasSubstr("store sums has other key or value types")));
}

TEST_F(ProcessorApi, AStoreOfATableCanBeReadByAProcessor) {
  builder_.table<Text, Number>("rows", {}, {.store = "sums"});
  numbers().process(supply_sum("sums"), {"sums"}).to("out");

  world().pipe<Text, Number>("rows", "a", 100, 0);
  number("a", 1);

  EXPECT_THAT(out(), ElementsAre(Numbers{"a", 101, 0}));
}

/// Forwards the time of each punctuation, and nothing else.
class Ticker final : public Processor<Text, Number> {
 public:
  void init(ProcessorContext<Text, Number>& context) override {
    Processor::init(context);
    context.schedule(std::chrono::seconds(1), PunctuationType::kStreamTime,
                     [&context](Timestamp time) { context.forward("tick", to_millis(time)); });
  }
  void process(const RecordRef<Text, Number>&) override {}
};

TEST_F(ProcessorApi, WhatAPunctuationForwardsHasItsTimeAndNoHeaders) {
  numbers().process([] { return std::make_unique<Ticker>(); }).to("out");
  world().pipe<Text, Number>("numbers", "a", 1, 5, {{"h", "x"}});

  world().punctuate(1000);

  const auto records = world().drain_raw("out");
  ASSERT_EQ(records.size(), 1);
  EXPECT_EQ(records[0].timestamp, from_millis(1000));
  EXPECT_TRUE(records[0].headers.empty());
}

/// Sends even numbers to one child, odd ones to the other.
class Router final : public Processor<Text, Number> {
 public:
  void process(const RecordRef<Text, Number>& record) override {
    context().forward(record.key, record.value, record.value % 2 == 0 ? "even" : "odd");
  }
};

Topology routed() {
  Topology topology;
  topology.add_source<Text, Number>("source", {"numbers"})
      .add_processor("router", [] { return std::make_unique<Router>(); }, {"source"})
      .add_sink<Text, Number>("even", "evens", {"router"})
      .add_sink<Text, Number>("odd", "odds", {"router"});
  return topology;
}

TEST(TopologyByHand, AProcessorChoosesAChildByName) {
  TopologyWorld world(routed());

  world.pipe<Text, Number>("numbers", "a", 2, 0);
  world.pipe<Text, Number>("numbers", "b", 3, 0);

  EXPECT_THAT((world.drain<Text, Number>("evens")), ElementsAre(Numbers{"a", 2, 0}));
  EXPECT_THAT((world.drain<Text, Number>("odds")), ElementsAre(Numbers{"b", 3, 0}));
}

TEST(TopologyByHand, AChildThatDoesNotExistIsAnErrorOfTheProcessor) {
  Topology topology;
  topology.add_source<Text, Number>("source", {"numbers"})
      .add_processor("router", [] { return std::make_unique<Router>(); }, {"source"})
      .add_sink<Text, Number>("even", "evens", {"router"});
  TopologyWorld world(std::move(topology));

  EXPECT_THAT((([&world] { world.pipe<Text, Number>("numbers", "b", 3, 0); })),
              ThrowsMessage<ProcessorError>(
                  HasSubstr("processor=router: Unknown downstream node: odd")));
}

TEST(TopologyByHand, DescribesItself) {
  EXPECT_EQ(routed().describe().to_text(),
            "Topologies:\n"
            "   Sub-topology: 0\n"
            "    Source: source (topics: [numbers])\n"
            "      --> router\n"
            "    Processor: router (stores: [])\n"
            "      --> even, odd\n"
            "      <-- source\n"
            "    Sink: even (topic: evens)\n"
            "      <-- router\n"
            "    Sink: odd (topic: odds)\n"
            "      <-- router\n"
            "\n");
}

TEST(TopologyByHand, TypesThatDoNotFitAreRefusedWhenANodeIsAdded) {
  Topology topology;
  topology.add_source<Text, Text>("source", {"numbers"});

  EXPECT_THAT(
      [&topology] { topology.add_processor("sum", supply_sum("sums"), {"source"}); },
      ThrowsMessage<TopologyError>("node sum takes (std::string, long), but its parent source "
                                   "forwards (std::string, std::string)"));
}

TEST(TopologyByHand, NamesMustBeNewAndParentsKnown) {
  Topology topology;
  topology.add_source<Text, Number>("source", {"numbers"});

  EXPECT_THAT([&] { (topology.add_source<Text, Number>("source", {"others"})); },
              ThrowsMessage<TopologyError>("Processor source is already added."));
  EXPECT_THAT([&] { (topology.add_sink<Text, Number>("sink", "out", {"sauce"})); },
              ThrowsMessage<TopologyError>(
                  "Predecessor processor sauce is not added yet for sink"));
  EXPECT_THAT([&] { (topology.add_source<Text, Number>("again", {"numbers"})); },
              ThrowsMessage<TopologyError>(
                  HasSubstr("Topic numbers has already been registered by another source")));
}

TEST(TopologyByHand, ProcessorsThatShareAStoreAreOneSubTopology) {
  Topology topology;
  topology.add_source<Text, Number>("left", {"lefts"})
      .add_source<Text, Number>("right", {"rights"})
      .add_processor("left-sum", supply_sum("sums"), {"left"})
      .add_processor("right-sum", supply_sum("sums"), {"right"});
  EXPECT_EQ(topology.subtopologies().size(), 2);

  topology.add_state_store(sums(), {"left-sum", "right-sum"});

  ASSERT_EQ(topology.subtopologies().size(), 1);
  EXPECT_THAT(topology.subtopologies()[0].source_topics, ElementsAre("lefts", "rights"));
  EXPECT_THAT(topology.subtopologies()[0].stores, ElementsAre("sums"));
}

/// Notes what passes, and lets only records with a value above zero through.
class Watch final : public WrappedProcessor {
 public:
  Watch(Text name, std::vector<Text>& notes) : name_(std::move(name)), notes_(notes) {}
  void init(TaskContext& task) override {
    notes_.push_back(name_ + " starts in " + Text(task.application_id()));
  }
  void process(const WrappedRecord& record, Inner& inner) override {
    const Number* number = record.value<Number>();
    const Text* key = record.key<Text>();
    notes_.push_back(name_ + " " + (key ? *key : "?") + "=" +
                     (number ? std::to_string(*number) : "?"));
    if (number && *number <= 0) return;
    inner.process();
  }
  void close() override { notes_.push_back(name_ + " ends"); }

 private:
  Text name_;
  std::vector<Text>& notes_;
};

TEST(ProcessorWrappers, StandAroundEveryProcessorAndSeeItsRecords) {
  std::vector<Text> notes;
  StreamsBuilder builder;
  builder.stream<Text, Number>("numbers")
      .group_by_key()
      .count({.name = "counter", .store = "counts"})
      .to_stream({"rows"})
      .map_values([](const std::optional<Number>& count) { return std::to_string(*count); },
                  {"shown"})
      .to("out");
  {
    TopologyWorld world(builder.build({.processor_wrapper = [&notes](std::string_view name) {
      return std::make_unique<Watch>(Text(name), notes);
    }}));
    notes.clear();
    world.pipe<Text, Number>("numbers", "a", 7, 0);
    world.pipe<Text, Number>("numbers", "a", 0, 0);

    EXPECT_THAT((world.drain<Text, Text>("out")), ElementsAre(Out<Text, Text>{"a", "1", 0}));
    EXPECT_THAT(notes, ElementsAre("counter a=7", "rows a=1", "shown a=1", "counter a=0"));
    notes.clear();
  }
  EXPECT_THAT(notes, ::testing::UnorderedElementsAre("counter ends", "rows ends", "shown ends"));
}

TEST(ProcessorWrappers, MayLeaveProcessorsBareAndAreToldWhenTheyStart) {
  std::vector<Text> notes;
  Topology topology({.processor_wrapper = [&notes](std::string_view name) {
    return name == "sum" ? std::make_unique<Watch>(Text(name), notes) : nullptr;
  }});
  topology.add_source<Text, Number>("source", {"numbers"})
      .add_processor("sum", supply_sum("sums"), {"source"})
      .add_processor("again", supply_sum("more"), {"sum"})
      .add_state_store(sums(), {"sum"})
      .add_state_store(key_value_store_builder<Text, Number>("more"), {"again"});
  TopologyWorld world(std::move(topology));

  world.pipe<Text, Number>("numbers", "a", 7, 0);

  EXPECT_THAT(notes, ElementsAre("sum starts in app", "sum a=7"));
}

TEST(ProcessorWrappers, AWrappedProcessorsFaultBearsItsName) {
  std::vector<Text> notes;
  StreamsBuilder builder;
  builder.stream<Text, Number>("numbers").peek(
      [](const Text&, const Number&) { throw std::runtime_error("no"); }, {"fault"});
  TopologyWorld world(builder.build({.processor_wrapper = [&notes](std::string_view name) {
    return std::make_unique<Watch>(Text(name), notes);
  }}));

  EXPECT_THAT([&] { (world.pipe<Text, Number>("numbers", "a", 7, 0)); },
              ThrowsMessage<StreamsError>(HasSubstr("fault")));
}

/// Keeps what it reads.
class Keep final : public Processor<Text, std::optional<Number>> {
 public:
  void init(ProcessorContext<Text, std::optional<Number>>& context) override {
    store_ = &context.key_value_store<Text, Number>("prices");
  }
  void process(const RecordRef<Text, std::optional<Number>>& record) override {
    if (record.value) {
      store_->put(record.key, *record.value);
    } else {
      store_->remove(record.key);
    }
  }

 private:
  KeyValueStore<Text, Number>* store_ = nullptr;
};

/// Forwards the price of what is asked for, or zero.
class Price final : public Processor<Text, Number> {
 public:
  void process(const RecordRef<Text, Number>& record) override {
    const Number* price = context().key_value_store<Text, Number>("prices").get(record.key);
    context().forward(record.key, price ? *price : 0);
  }
};

TEST(ReadOnlyStores, AreKeptFromATopicWhichIsTheirChangelog) {
  Topology topology;
  topology
      .add_read_only_state_store<Text, std::optional<Number>>(
          key_value_store_builder<Text, Number>("prices"), "prices-source", "prices-topic",
          "keep", [] { return std::make_unique<Keep>(); })
      .add_source<Text, Number>("source", {"questions"})
      .add_processor("price", [] { return std::make_unique<Price>(); }, {"source"})
      .connect_processor_and_state_stores("price", {"prices"})
      .add_sink<Text, Number>("sink", "out", {"price"});
  const auto changelog = topology.changelog("prices");
  ASSERT_TRUE(changelog.has_value());
  EXPECT_EQ(changelog->topic, "prices-topic");
  EXPECT_FALSE(changelog->internal);
  EXPECT_EQ(topology.subtopologies().size(), 1u);
  TopologyWorld world(std::move(topology));

  world.pipe<Text, Number>("prices-topic", "tea", 3, 0);
  world.pipe<Text, Number>("questions", "tea", 0, 0);
  world.pipe<Text, Number>("prices-topic", "tea", std::nullopt, 0);
  world.pipe<Text, Number>("questions", "tea", 0, 0);

  EXPECT_THAT((world.drain<Text, Number>("out")),
              ElementsAre(Numbers{"tea", 3, 0}, Numbers{"tea", 0, 0}));
}

}  // namespace
}  // namespace thalweg
