#include "kafka/kafka_cluster.h"

#include <atomic>

#include <thalweg/runtime/async_producer.h>
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

// Its thread made the topics that are known ready while the first record made one, too, and the map
// of them broke.
TEST(KafkaLog, AProducerMaySendWhileItStillGetsReady) {
  constexpr int kTopics = 20;
  auto log = *open_kafka_log({.bootstrap_servers = KafkaCluster::shared().bootstrap_servers()});
  const auto name = [](int topic) { return "early-" + std::to_string(topic); };
  for (int i = 0; i < kTopics; ++i) {
    const auto made = log->create_topic({.name = name(i), .partitions = 1});
    ASSERT_TRUE(made) << made.error().message;
  }
  std::atomic<int> delivered = 0;
  for (int round = 0; round < 10; ++round) {
    AsyncProducer producer(*log, "early");
    for (int i = kTopics; i-- > 0;) {
      producer.send(name(i), "key", "value", from_millis(1), {},
                    [&](const auto& sent) { delivered += sent ? 1 : 0; });
    }
  }
  EXPECT_EQ(delivered, 10 * kTopics);
}

}  // namespace
}  // namespace thalweg::testing
