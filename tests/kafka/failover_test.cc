#include <chrono>
#include <iostream>

#include "kafka/counting_story.h"
#include "query/raw_client.h"

// What two processes of an application know of each other: who takes over, how fast, and where a
// key is asked for.

namespace thalweg::testing {
namespace {

using namespace std::chrono_literals;

KafkaCluster& cluster() { return KafkaCluster::shared(); }

TEST(FailOver, TheTasksOfAKilledProcessGoOnSoonAfterItsSession) {
  CountingStory story(cluster(), "taken-over");
  // Long: nobody may wait for it.
  const std::vector<std::string> settings = {"transaction.timeout.ms=60000"};
  story.start(settings).wait_until_running();
  story.start(settings).wait_until_running();
  Load load(story);
  GapWatch gaps(story);
  std::this_thread::sleep_for(2s);

  story.app(0).kill();
  std::this_thread::sleep_for(12s);

  const auto longest = gaps.stop();
  load.stop();
  std::cout << "longest gap after kill -9: " << longest.count() << " ms, session 3000 ms"
            << std::endl;
  // Some 300 ms more than the session, where there is nothing else to do.
  EXPECT_LE(longest, 3s + 7s) << story.app(1).output();
  EXPECT_GE(longest, 1s);  // The one that was killed had tasks.
  story.wait_for_output();
  story.expect_each_record_counted_once();
}

class Queries : public ::testing::Test {
 protected:
  std::string start(const std::vector<std::string>& more = {}) {
    ports_.push_back(free_port());
    const std::string address = "127.0.0.1:" + std::to_string(ports_.back());
    std::vector<std::string> settings = {"application.server=" + address};
    settings.insert(settings.end(), more.begin(), more.end());
    story_.start(settings).wait_until_running();
    return address;
  }
  RawResponse ask(std::size_t process, const std::string& key) {
    return RawClient(ports_.at(process)).get("/v1/stores/counts/keys/" + key);
  }
  /// Asks until the answer comes from a copy that is as new as its changelog, or time is up.
  bool has_copy(std::size_t process, const std::string& key) {
    const auto deadline = std::chrono::steady_clock::now() + 60s;
    while (std::chrono::steady_clock::now() < deadline) {
      const auto answer = ask(process, key + "?max_lag=0");
      if (answer.status == 200 && answer.header("x-lag") == "0") return true;
      if (answer.header("x-served-by").ends_with(std::to_string(ports_.at(process)))) return false;
    }
    ADD_FAILURE() << "process " << process << " has no copy of " << key;
    return false;
  }

  CountingStory story_{cluster(), ::testing::UnitTest::GetInstance()->current_test_info()->name()};
  std::vector<std::uint16_t> ports_;
};

TEST_F(Queries, AnyProcessAnswersForAnyKey) {
  const std::string addresses[] = {start(), start()};
  story_.write(500, 20);
  story_.wait_for_output();
  const auto deadline = std::chrono::steady_clock::now() + 60s;
  std::map<std::string, int> served;
  for (int key = 0; key < 20; ++key) {
    const std::string name = "key-" + std::to_string(key);
    RawResponse first;
    RawResponse second;
    do {  // Both may still be taking over from each other.
      first = ask(0, name);
      second = ask(1, name);
    } while ((first.status != 200 || second.status != 200) &&
             std::chrono::steady_clock::now() < deadline);

    EXPECT_EQ(first.status, 200) << first.body;
    EXPECT_EQ(second.status, 200) << second.body;
    EXPECT_EQ(first.body, second.body);
    EXPECT_THAT(first.body, ::testing::HasSubstr(R"("value":25)"));
    EXPECT_EQ(first.header("x-served-by"), second.header("x-served-by"));
    ++served[first.header("x-served-by")];
  }
  EXPECT_GT(served[addresses[0]], 0);
  EXPECT_GT(served[addresses[1]], 0);
}

TEST_F(Queries, AStandbyReplicaAnswersAndTakesOverWhereItIs) {
  start({"num.standby.replicas=1"});
  start({"num.standby.replicas=1"});
  story_.write(2000, 20);
  story_.wait_for_output();
  int copies = 0;
  for (int key = 0; key < 20; ++key) copies += has_copy(1, "key-" + std::to_string(key));
  EXPECT_GT(copies, 0);
  EXPECT_LT(copies, 20);

  story_.app(0).kill();
  story_.write(2000, 20);
  story_.wait_for_output();

  story_.expect_each_record_counted_once();
  EXPECT_THAT(story_.app(1).output(), ::testing::HasSubstr("goes on from its standby replica"));
}

}  // namespace
}  // namespace thalweg::testing
