// When punctuations fire: Kafka Streams' rules, with the figures of its own driver.

#include "punctuation_queue.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thalweg/state/windowed.h>

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

  /// Every 10 ms, one for each letter.
  void with_names(const std::string& names, std::int64_t first = 0) {
    for (const char name : names) {
      handles_[name] = queue_.schedule(from_millis(first), 10ms, std::string(1, name),
                                       [this, name](Timestamp) { names_ += name; });
    }
  }
  /// Who fires at that time, in order.
  std::string names_at(std::int64_t now) {
    time_is(now);
    return std::exchange(names_, {});
  }

  PunctuationQueue queue_;
  std::vector<std::int64_t> fired_;
  std::map<char, Cancellable> handles_;
  std::string names_;
};

TEST_F(Punctuations, FireOnceForAGapAndThenAtMultiplesOfTheInterval) {
  every(10ms);

  for (const auto now : {3, 5, 12, 55, 56, 60}) time_is(now);

  EXPECT_THAT(fired_, ElementsAre(3, 12, 55, 60));
}

// The next time wrapped around and was always due: one record from the end of time, and the thread
// never came back.
TEST_F(Punctuations, EndWhereTimeEnds) {
  every(10ms);
  const std::int64_t end = to_millis(kEndOfTime);

  time_is(end - 1);
  time_is(end);

  EXPECT_THAT(fired_, ElementsAre(end - 1));
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

// What java.util.PriorityQueue gave with the same steps.
TEST_F(Punctuations, FireInTheOrderOfJavasHeapWhenDueAtOnce) {
  with_names("ABCD");

  EXPECT_EQ(names_at(3), "ADBC");
  EXPECT_EQ(names_at(12), "BCAD");
  EXPECT_EQ(names_at(25), "ADBC");
  EXPECT_EQ(names_at(31), "BCAD");
  EXPECT_EQ(names_at(47), "ADBC");
}

TEST_F(Punctuations, FireInTheOrderOfJavasHeapWhenManyAreDueAtOnce) {
  with_names("ABCDE");

  EXPECT_EQ(names_at(3), "AEBDC");
  EXPECT_EQ(names_at(12), "DCEAB");
  EXPECT_EQ(names_at(25), "ABCDE");
  EXPECT_EQ(names_at(31), "DEBAC");
  EXPECT_EQ(names_at(47), "ACEDB");
}

// Without B from the beginning, it would be "AECD".
TEST_F(Punctuations, KeepTheirOrderWhenOneOfThemIsCancelled) {
  with_names("ABCDE", 20);
  handles_['B'].cancel();

  EXPECT_EQ(names_at(20), "AEDC");
  EXPECT_EQ(names_at(30), "DCEA");
  EXPECT_EQ(names_at(40), "EADC");
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
