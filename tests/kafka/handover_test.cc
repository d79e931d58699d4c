#include <cstdlib>
#include <fstream>
#include <iterator>
#include <signal.h>
#include <sstream>

#include <boost/json/parse.hpp>

#include "kafka/spec_story.h"

// The same application by Kafka Streams and here: one is stopped, the other goes on from its
// committed offsets and its changelogs.

namespace thalweg::testing {
namespace {

boost::json::value read_spec(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path);
  return boost::json::parse(std::string(std::istreambuf_iterator<char>(file), {}));
}

/// Those of this folder, and with THALWEG_HANDOVER_SPECS (files with blanks between) any others.
std::vector<std::string> specs() {
  if (const char* others = std::getenv("THALWEG_HANDOVER_SPECS")) {
    std::istringstream words(others);
    return {std::istream_iterator<std::string>(words), {}};
  }
  return {THALWEG_HANDOVER_SPECS "/windows-joins-suppress.json"};
}

class HandOver : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    expected_ = run_whole(cluster_, spec_, name("whole"), Runner::kKafkaStreams);
    ASSERT_FALSE(expected_.empty());
  }

  /// An application id that no other spec had.
  std::string name(const std::string& of) const {
    return of + std::to_string(std::hash<std::string>{}(GetParam()) % 100'000);
  }

  KafkaCluster& cluster_ = KafkaCluster::shared();
  boost::json::value spec_ = read_spec(GetParam());
  SpecOutput expected_;
};

TEST_P(HandOver, BothWaysTheOutputIsThatOfOneRun) {
  EXPECT_EQ(hand_over(cluster_, spec_, name("there"), Runner::kKafkaStreams, Runner::kThalweg),
            expected_);
  const auto back =
      hand_over(cluster_, spec_, name("back"), Runner::kThalweg, Runner::kKafkaStreams);
  if (back == expected_) return;
  // There are stores with which Kafka Streams goes on otherwise after a stop of its own, too.
  EXPECT_EQ(back, hand_over(cluster_, spec_, name("again"), Runner::kKafkaStreams,
                            Runner::kKafkaStreams));
}

TEST(SpecApp, RunsOnTheEmbeddedLogWithoutBrokers) {
  TemporaryDirectory directory;
  const std::string output = directory.path() + "/out";
  const pid_t app = start_program({THALWEG_SPEC_APP, "--spec", specs().front(), "--application-id",
                                   "alone", "--state-dir", directory.path() + "/state"},
                                  output);
  const auto printed = [&] {
    std::ifstream file(output);
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  while (!printed().contains("RUNNING\n") && ::kill(app, 0) == 0) {
  }
  ::kill(app, SIGTERM);

  EXPECT_EQ(wait_for_end(app), 0) << printed();
}

INSTANTIATE_TEST_SUITE_P(Specs, HandOver, ::testing::ValuesIn(specs()),
                         [](const auto& spec) { return "Spec" + std::to_string(spec.index); });

}  // namespace
}  // namespace thalweg::testing
