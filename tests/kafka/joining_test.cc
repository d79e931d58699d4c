// How the members of one process come into their group.

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <thalweg/runtime/kafka_log.h>

#include "kafka/kafka_cluster.h"

namespace thalweg::testing {
namespace {

using namespace std::chrono_literals;

class Joining : public ::testing::Test {
 protected:
  using Members = std::vector<std::unique_ptr<LogConsumer>>;

  Joining() {
    const auto made = log_->create_topic({.name = topic_, .partitions = 4});
    EXPECT_TRUE(made || made.error().code == ErrorCode::kAlreadyExists);
    // Brokers that have had no group yet keep the first one waiting.
    const auto first = log_->consumer({.group = "the-first", .client_id = "joiner"});
    first->subscribe({topic_});
    told_until_given(*first);
  }

  Members join(const std::string& group) {
    Members members;
    for (int i = 0; i < 2; ++i) {
      members.push_back(log_->consumer({.group = group, .client_id = "joiner"}));
    }
    for (const auto& member : members) member->subscribe({topic_});
    return members;
  }

  /// What it is told until it is given something.
  static std::vector<ConsumerEvent> told_until_given(LogConsumer& member) {
    std::vector<ConsumerEvent> told;
    const auto deadline = std::chrono::steady_clock::now() + 30s;
    do {
      ConsumerEvent event;
      if (member.poll(event)) told.push_back(std::move(event));
      std::this_thread::yield();
    } while ((told.empty() || told.back().partitions.empty()) &&
             std::chrono::steady_clock::now() < deadline);
    return told;
  }

  const std::string topic_ = "joined";
  const std::unique_ptr<Log> log_ =
      *open_kafka_log({.bootstrap_servers = KafkaCluster::shared().bootstrap_servers()});
};

// A start took a second longer one time in three: the broker had given everything to whoever came
// first into the empty group, and librdkafka joins again after a second at the earliest. Now a
// member of no other use makes the first generation, and all who came together the second.
TEST_F(Joining, TwoWhoComeTogetherAreGivenTheirPartsInOneGeneration) {
  for (int i = 0; i < 8; ++i) {
    SCOPED_TRACE(i);
    const auto members = join("together-" + std::to_string(i));
    for (const auto& member : members) {
      const auto told = told_until_given(*member);

      ASSERT_EQ(told.size(), 1);
      EXPECT_EQ(told[0].kind, ConsumerEvent::Kind::kAssigned);
      EXPECT_EQ(told[0].partitions.size(), 2);
      EXPECT_EQ(member->group_metadata().generation, 2);
    }
  }
}

TEST_F(Joining, WhoeverComesAfterTwoThatWentInTheMidstOfItGetsIn) {
  for (int i = 0; i < 3; ++i) {
    const std::string group = "gone-" + std::to_string(i);
    join(group);

    const auto member = log_->consumer({.group = group, .client_id = "joiner"});
    member->subscribe({topic_});

    EXPECT_EQ(told_until_given(*member).back().kind, ConsumerEvent::Kind::kAssigned);
  }
}

}  // namespace
}  // namespace thalweg::testing
