#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thalweg/runtime/topology_json.h>
#include <thalweg/topology/streams_builder.h>

namespace thalweg {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using Text = std::string;

TEST(TopologyJson, IsReadBackAsItWasWritten) {
  StreamsBuilder builder;
  const auto rates = builder.global_table<Text, Text>("rates");
  const auto carts = builder.stream<Text, Text>("adds").group_by_key().reduce(
      [](const Text& sum, const Text& add) { return sum + add; },
      {.store = "carts", .time_to_live = 24h});
  builder.stream<Text, Text>(TopicPattern("sales-.*"))
      .join(carts, [](const Text& sale, const Text& cart) { return sale + cart; })
      .join(
          rates, [](const Text& key, const Text&) { return key; },
          [](const Text& sale, const Text& rate) { return sale + rate; })
      .to(TopicNameExtractor<Text, Text>{
          [](const Text&, const Text&, const RecordMetadata&) { return Text("out"); }});
  const auto written = builder.build().describe();
  ASSERT_THAT(written.to_text(), HasSubstr("time to live in carts: 86400000 ms"));

  const auto read = read_topology(boost::json::parse(written.to_json()));

  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->to_text(), written.to_text());
  EXPECT_EQ(read->to_json(), written.to_json());
}

TEST(TopologyJson, SaysWhichMemberIsOfAnotherKind) {
  const auto refusal = [](const char* text) {
    const auto read = read_topology(boost::json::parse(text));
    return read ? Text() : read.error().message;
  };

  EXPECT_EQ(refusal("null"), "'topology' of a topology is not an object");
  EXPECT_EQ(refusal(R"({"subtopologies":{}})"), "'subtopologies' of a topology is not a list");
  EXPECT_EQ(refusal(R"({"subtopologies":[{"id":"0"}]})"), "'id' of a topology is not a number");
  EXPECT_EQ(refusal(R"({"subtopologies":[{"id":0,"nodes":[{"type":"tap"}]}]})"),
            "'type' of a topology is not source, processor or sink");
  EXPECT_EQ(refusal(R"({"subtopologies":[{"id":0,"nodes":[{"type":"sink","topics":[1]}]}]})"),
            "'topics' of a topology is not a string");
}

TEST(TopologyJson, WhatAnOlderOrNewerApplicationWritesIsRead) {
  const auto read = read_topology(boost::json::parse(
      R"({"subtopologies":[{"id":3,"nodes":[{"type":"source","name":"s","colour":"red"}]}]})"));

  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->subtopologies.at(0).id, 3);
  EXPECT_EQ(read->subtopologies.at(0).nodes.at(0).name, "s");
}

}  // namespace
}  // namespace thalweg
