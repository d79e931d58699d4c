// What describe() prints: Kafka Streams' text, byte for byte, and the same as data and drawings.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

#include <thalweg/topology/streams_builder.h>

namespace thalweg {
namespace {

using ::testing::HasSubstr;

std::string golden(const std::string& name) {
  std::ifstream file(std::string(THALWEG_GOLDEN_DIR) + "/" + name + ".txt");
  EXPECT_TRUE(file) << name;
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

const auto kKey = [](const std::string& key, const std::string&) { return key; };
const auto kAll = [](const std::string&, const std::string&) { return true; };

class Describe : public ::testing::Test {
 protected:
  KStream<std::string, std::string> stream(const std::string& topic) {
    return builder_.stream<std::string, std::string>(topic);
  }
  std::string described(std::string_view optimization = "none") {
    return builder_.build({.optimization = std::string(optimization)}).describe().to_text();
  }

  StreamsBuilder builder_;
};

TEST_F(Describe, NumbersEveryOperatorAndTheStoreBeforeItsNode) {
  stream("in")
      .group_by_key()
      .count()
      .to_stream()
      .map_values([](const std::optional<std::int64_t>& n) { return std::to_string(*n); })
      .to("out");

  EXPECT_EQ(described(), golden("count"));
}

TEST_F(Describe, PutsARepartitionTopicBehindAChangeOfKey) {
  stream("in")
      .select_key(kKey)
      .group_by_key()
      .count()
      .to_stream()
      .map_values([](const std::optional<std::int64_t>& n) { return std::to_string(*n); })
      .to("out");

  EXPECT_EQ(described(), golden("repartition"));
}

TEST_F(Describe, NamesBranchesAfterTheSplit) {
  stream("a")
      .split({.name = "sp-"})
      .branch(kAll, {.name = "x"})
      .branch(kAll)
      .default_branch()
      .at("sp-x")
      .to("o");

  EXPECT_EQ(described(), golden("split"));
}

TEST_F(Describe, RepartitionsBeforeATable) {
  stream("a").select_key(kKey).to_table().to_stream().to("o");

  EXPECT_EQ(described(), golden("to_table_repartitioned"));
}

}  // namespace
}  // namespace thalweg
