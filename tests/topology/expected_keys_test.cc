// Which nodes let those behind them know of keys before their records come.

#include <functional>
#include <span>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thalweg/topology/internal/operators/filter.h>
#include <thalweg/topology/internal/operators/map_values.h>
#include <thalweg/topology/internal/operators/pass_through.h>
#include <thalweg/topology/internal/operators/peek.h>
#include <thalweg/topology/internal/operators/select_key.h>
#include <thalweg/topology/internal/operators/source.h>

namespace thalweg::internal {
namespace {

using ::testing::ElementsAre;
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

}  // namespace
}  // namespace thalweg::internal
