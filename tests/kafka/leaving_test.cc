// Members that leave their group at moments that librdkafka does not expect.

#include <chrono>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include <thalweg/runtime/kafka_log.h>

#include "kafka/kafka_cluster.h"

namespace thalweg::testing {
namespace {

using namespace std::chrono_literals;

// A shop that was asked to end while it started died of an assertion in librdkafka: it had the
// answer to its request to join, and no assignment yet.
TEST(Leaving, AMemberThatGoesInTheMidstOfJoiningDoesNotTakeTheProcessAlong) {
  const auto log =
      *open_kafka_log({.bootstrap_servers = KafkaCluster::shared().bootstrap_servers()});
  const std::string topic = "left-early";
  ASSERT_TRUE(log->create_topic({.name = topic, .partitions = 2}));

  for (int i = 0; i < 20; ++i) {
    const std::string group = "leavers-" + std::to_string(i);
    auto member = log->consumer({.group = group, .client_id = "leaver"});
    member->subscribe({topic});
    ConsumerEvent event;
    const auto deadline = std::chrono::steady_clock::now() + 30s;
    // The generation is known as soon as the join is answered.
    while (member->group_metadata().generation < 0) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "it never joined";
      member->poll(event);
      std::this_thread::yield();
    }
  }
}

}  // namespace
}  // namespace thalweg::testing
