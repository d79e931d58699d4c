#include "kafka/kafka_cluster.h"

#include <thalweg/runtime/kafka_log.h>

namespace thalweg::testing {
namespace {

using ::testing::HasSubstr;

TEST(KafkaCluster, StartsAndIsReachedByItsTools) {
  const auto listed = run_program({"kcat", "-b", KafkaCluster::shared().bootstrap_servers(), "-L"});

  EXPECT_EQ(listed.exit_code, 0) << listed.output;
  EXPECT_THAT(listed.output, HasSubstr("1 brokers"));
}

TEST(KafkaLog, NamesABrokerThatDoesNotAnswer) {
  const auto log = open_kafka_log(
      {.bootstrap_servers = "127.0.0.1:1", .request_timeout = std::chrono::milliseconds(500)});

  ASSERT_FALSE(log);
  EXPECT_EQ(log.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(log.error().message, HasSubstr("127.0.0.1:1"));
}

TEST(KafkaLog, NamesAPropertyThatThereIsNotAndNotItsValue) {
  const auto log = open_kafka_log(
      {.bootstrap_servers = "127.0.0.1:1", .properties = {{"producer.flavour", "hush-hush"}}});

  ASSERT_FALSE(log);
  EXPECT_EQ(log.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(log.error().message, HasSubstr("producer.flavour"));
  EXPECT_THAT(log.error().message, ::testing::Not(HasSubstr("hush")));
}

TEST(KafkaLog, GivesTheClustersOwnName) {
  const auto log =
      open_kafka_log({.bootstrap_servers = KafkaCluster::shared().bootstrap_servers()});

  ASSERT_TRUE(log) << log.error().message;
  EXPECT_EQ((*log)->cluster_id().size(), 22);
}

}  // namespace
}  // namespace thalweg::testing
