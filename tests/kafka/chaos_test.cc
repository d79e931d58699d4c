// Two processes that count, on three brokers, while faults happen to all of them. Whatever was
// done, each record must have been counted once, in order.

#include "kafka/chaos.h"

#include <cstdlib>
#include <iostream>
#include <thread>

#include "kafka/counting_story.h"

namespace thalweg::testing {
namespace {

using namespace std::chrono_literals;

class ThreeBrokers : public ::testing::Test {
 protected:
  KafkaCluster cluster_{{.brokers = 3, .ways = 3}};
};

// The broker that made a topic was asked about it first, and another one, which had not heard of it
// yet, a moment later: the application ended, since its own topic was not there.
TEST_F(ThreeBrokers, ATopicThatWasMadeIsThereWhicheverBrokerIsAsked) {
  constexpr int kTopics = 8;
  const auto make_all = [&](int way) {
    auto log = *open_kafka_log({.bootstrap_servers = cluster_.bootstrap_servers(way)});
    for (int i = 0; i < kTopics; ++i) {
      const std::string name = "heard-of-" + std::to_string(i);
      const auto made = log->create_topic({.name = name, .partitions = 3});
      EXPECT_TRUE(made || made.error().code == ErrorCode::kAlreadyExists) << made.error().message;
      for (int look = 0; look < 3; ++look) {
        const auto found = log->topic(name);
        EXPECT_TRUE(found) << found.error().message;
        const auto range = log->range({name, look});
        EXPECT_TRUE(range) << range.error().message;
      }
    }
  };
  std::vector<std::jthread> makers;
  for (int way = 0; way < 3; ++way) makers.emplace_back(make_all, way);
}

// A shop's gateway went on asking the broker that had been the coordinator: it no longer learnt
// which process had which task, and nobody could order anything.
TEST_F(ThreeBrokers, WhoIsInAGroupIsKnownWhereverItsCoordinatorMoves) {
  const auto log = *open_kafka_log({.bootstrap_servers = cluster_.bootstrap_servers(0)});
  ASSERT_TRUE(log->create_topic({.name = "shared-out", .partitions = 3}));
  const auto producer = log->producer({.transactional_id = "moved"});
  producer->init();  // Only then is there a coordinator of transactions.
  for (ProducerEvent ready; !producer->poll(ready);) {
  }
  const auto member = log->consumer({.group = "moved", .client_id = "member-1"});
  member->subscribe({"shared-out"});
  const auto partitions_known = [&] {
    ConsumerEvent event;
    while (member->poll(event)) {
    }
    const auto members = log->members("moved");
    return members && members->size() == 1 ? members->front().partitions.size() : 0;
  };
  const auto becomes_known = [&] {
    const auto deadline = std::chrono::steady_clock::now() + 60s;
    while (partitions_known() != 3 && std::chrono::steady_clock::now() < deadline) {
    }
    return partitions_known();
  };
  EXPECT_EQ(becomes_known(), 3u);
  for (int broker = 0; broker < 3; ++broker) {
    cluster_.move_coordinators(broker, broker);
    EXPECT_EQ(becomes_known(), 3u) << "when the coordinator was broker " << broker;
  }
  member->leave();
}

class Counting : public ThreeBrokers {
 protected:
  static std::vector<std::string> settings_of(std::size_t app) {
    return {"num.standby.replicas=" + std::to_string(app)};
  }

  Chaos::Victim victim(std::size_t app) {
    return {
        .kill = [this, app] { story_.app(app).kill(); },
        .freeze = [this, app] { story_.app(app).freeze(); },
        .thaw = [this, app] { story_.app(app).thaw(); },
        .stop = [this, app] { EXPECT_EQ(story_.app(app).stop(), 0) << story_.app(app).output(); },
        .start = [this, app] { story_.start_again(app, settings_of(app)); },
        .way = story_.way(app)};
  }

  /// Each rebalance begins before the one before it has ended.
  void storm_of_rebalances(Chaos& chaos) {
    for (int round = 0; round < 4; ++round) {
      story_.start();
      chaos.pause(0, 1500);
      story_.start();
      chaos.pause(0, 1500);
      story_.app(story_.apps() - 1).kill();
      story_.app(story_.apps() - 2).stop();
      story_.forget_last();
      story_.forget_last();
    }
  }

  CountingStory story_{cluster_, "chaos", 6};
};

TEST_F(Counting, EachRecordIsCountedOnceInOrderWhateverHappens) {
  Chaos chaos(cluster_);
  for (std::size_t app = 0; app < 2; ++app) {
    story_.start(settings_of(app)).wait_until_running();
    chaos.add(victim(app));
  }
  chaos.add("members come and go", [&] { storm_of_rebalances(chaos); });
  Load load(story_);

  chaos.rage();

  load.stop();
  story_.wait_for_output(120s);
  std::cout << story_.input_records() << " records" << std::endl;
  story_.expect_each_record_counted_once();
  if (HasFailure() || std::getenv("CHAOS_SHOW")) {
    for (std::size_t i = 0; i < story_.apps(); ++i) {
      std::cout << "process " << i << ":\n" << story_.app(i).output() << std::endl;
    }
  }
}

}  // namespace
}  // namespace thalweg::testing
