// When punctuations fire: Kafka Streams' rules, with the figures of its own driver.

#include "punctuation_queue.h"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace thalweg::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using namespace std::chrono_literals;

class Punctuations : public ::testing::Test {
 protected:
  Cancellable every(std::chrono::milliseconds interval, std::int64_t first = 0) {
    return queue_.schedule(from_millis(first), interval, "node",
                           [this](Timestamp at) { fired_.push_back(to_millis(at)); });
  }
  void time_is(std::int64_t now) {
    queue_.punctuate(from_millis(now), [&](const PunctuationQueue::Schedule& due) {
      due.punctuator(from_millis(now));
    });
  }

  PunctuationQueue queue_;
  std::vector<std::int64_t> fired_;
};

TEST_F(Punctuations, FireOnceForAGapAndThenAtMultiplesOfTheInterval) {
  every(10ms);

  for (const auto now : {3, 5, 12, 55, 56, 60}) time_is(now);

  EXPECT_THAT(fired_, ElementsAre(3, 12, 55, 60));
}

TEST_F(Punctuations, StartAtTheirFirstTime) {
  every(10ms, 10);

  for (const auto now : {5, 10, 45, 50}) time_is(now);

  EXPECT_THAT(fired_, ElementsAre(10, 45, 50));
}

TEST_F(Punctuations, FireInTheOrderTheyAreDue) {
  queue_.schedule(from_millis(20), 100ms, "late", [this](Timestamp) { fired_.push_back(20); });
  queue_.schedule(from_millis(10), 100ms, "early", [this](Timestamp) { fired_.push_back(10); });

  time_is(30);

  EXPECT_THAT(fired_, ElementsAre(10, 20));
}

TEST_F(Punctuations, AreSilentOnceCancelled) {
  auto handle = every(10ms);
  handle.cancel();

  time_is(100);

  EXPECT_THAT(fired_, IsEmpty());
  EXPECT_EQ(queue_.next(), std::nullopt);
}

TEST_F(Punctuations, CanCancelThemselves) {
  Cancellable handle;
  handle = queue_.schedule(from_millis(0), 10ms, "node", [&](Timestamp at) {
    fired_.push_back(to_millis(at));
    handle.cancel();
  });

  time_is(5);
  time_is(50);

  EXPECT_THAT(fired_, ElementsAre(5));
}

}  // namespace
}  // namespace thalweg::internal
