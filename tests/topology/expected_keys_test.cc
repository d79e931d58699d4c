// Which nodes let those behind them know of keys before their records come.

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thalweg/state/internal/key_value_store_decorator.h>
#include <thalweg/topology/internal/operators/filter.h>
#include <thalweg/topology/internal/operators/map_values.h>
#include <thalweg/topology/internal/operators/pass_through.h>
#include <thalweg/topology/internal/operators/peek.h>
#include <thalweg/topology/internal/operators/process.h>
#include <thalweg/topology/internal/operators/select_key.h>
#include <thalweg/topology/internal/operators/source.h>

namespace thalweg::internal {
namespace {

using ::testing::IsEmpty;
using Text = std::string;

/// Wants to know of keys, and writes them down.
class Curious final : public ProcessorNode, public Receiver<Text, Text> {
 public:
  Curious() : ProcessorNode("curious") {}
  void add_child(ProcessorNode&) override {}
  void process(const Text&, const Text&, const RecordContext&) override {}
  bool expects() const override { return true; }
  void expect(std::span<const Text> keys) override {
    for (const Text& key : keys) expected.push_back(key);
  }

  std::vector<Text> expected;
};

/// Does without.
class Indifferent final : public ProcessorNode, public Receiver<Text, Text> {
 public:
  Indifferent() : ProcessorNode("indifferent") {}
  void add_child(ProcessorNode&) override {}
  void process(const Text&, const Text&, const RecordContext&) override {}
};

const std::vector<Text> kKeys = {"a", "b"};
const auto kAny = [](const Text&, const Text&) { return true; };
const auto kSame = [](const Text&, const Text& value) { return value; };
const auto kNothing = [](const Text&, const Text&) {};

TEST(ExpectedKeys, GoThroughNodesThatKeepThem) {
  FilterNode<Text, Text, decltype(kAny), true> filter("filter", kAny);
  MapValuesNode<Text, Text, decltype(kSame)> map_values("map_values", kSame);
  PeekNode<Text, Text, decltype(kNothing)> peek("peek", kNothing);
  PassThroughNode<Text, Text> merge("merge");
  Indifferent indifferent;
  Curious curious;
  filter.add_child(map_values);
  map_values.add_child(indifferent);
  map_values.add_child(peek);
  peek.add_child(merge);
  merge.add_child(curious);

  ASSERT_TRUE(filter.expects());
  filter.expect(kKeys);

  EXPECT_EQ(curious.expected, kKeys);
}

TEST(ExpectedKeys, AreNotAskedForWhereNobodyWantsThem) {
  PassThroughNode<Text, Text> merge("merge");
  Indifferent indifferent;
  merge.add_child(indifferent);

  EXPECT_FALSE(merge.expects());
}

TEST(ExpectedKeys, EndWhereKeysChange) {
  PassThroughNode<Text, Text> source("source");
  SelectKeyNode<Text, Text, decltype(kSame)> select_key("select_key", kSame);
  Curious curious;
  source.add_child(select_key);
  select_key.add_child(curious);

  EXPECT_FALSE(source.expects());
  source.expect(kKeys);
  EXPECT_THAT(curious.expected, IsEmpty());
}

/// A store that only writes down what it is told to expect.
template <typename K>
class NotedStore final : public KeyValueStoreDecorator<K, std::int64_t> {
 public:
  NotedStore() : KeyValueStoreDecorator<K, std::int64_t>(nullptr) {}
  void expect(std::span<const K> keys) override { expected.assign(keys.begin(), keys.end()); }

  std::vector<K> expected;
};

class StoresAlone final : public TaskContext {
 public:
  explicit StoresAlone(std::map<Text, StateStore*, std::less<>> stores)
      : stores_(std::move(stores)) {}
  std::string_view application_id() const override { return "app"; }
  TaskId task_id() const override { return {}; }
  StateStore& store(std::string_view name) override { return *stores_.find(name)->second; }
  RecordCollector& collector() override { throw TopologyError("no output here"); }
  std::string topic_name(std::string_view name, bool) const override { return Text(name); }
  Timestamp stream_time() const override { return kNoTimestamp; }
  Timestamp wall_clock_time() const override { return kNoTimestamp; }
  const RecordMetadata& metadata() const override { return metadata_; }
  Cancellable schedule(std::chrono::milliseconds, PunctuationType, std::string_view,
                       Punctuator) override {
    return {};
  }
  void request_commit() override {}
  void dropped(std::string_view, std::string_view) override {}

 private:
  std::map<Text, StateStore*, std::less<>> stores_;
  RecordMetadata metadata_;
};

struct Keeps final : Processor<Text, Text> {
  void process(const RecordRef<Text, Text>&) override {}
};

class ExpectedByAProcessor : public ::testing::Test {
 protected:
  bool expects(std::vector<Text> stores) {
    ProcessNode<Keeps> node(
        {.kind = PlannedNode::Kind::kProcessor, .name = "keeps", .stores = std::move(stores)},
        std::make_unique<Keeps>());
    node.init(task_);
    node.expect(kKeys);
    return node.expects();
  }

  NotedStore<Text> by_text_, by_text_too_;
  NotedStore<std::int64_t> by_number_;
  StoresAlone task_{
      {{"by-text", &by_text_}, {"by-text-too", &by_text_too_}, {"by-number", &by_number_}}};
};

TEST_F(ExpectedByAProcessor, GoToTheOneStoreThatHasSuchKeys) {
  EXPECT_TRUE(expects({"by-number", "by-text"}));
  EXPECT_EQ(by_text_.expected, kKeys);
}

TEST_F(ExpectedByAProcessor, GoNowhereIfItIsNotKnownWhichStoreItLooksAt) {
  EXPECT_FALSE(expects({}));
  EXPECT_FALSE(expects({"by-number"}));
  EXPECT_FALSE(expects({"by-text", "by-text-too"}));
  EXPECT_THAT(by_text_.expected, IsEmpty());
}

}  // namespace
}  // namespace thalweg::internal
