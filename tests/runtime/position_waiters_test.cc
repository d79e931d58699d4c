// Who waits for records to be processed, and who has stopped waiting.

#include "position_waiters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace thalweg::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Waiting : public ::testing::Test {
 protected:
  /// Somebody who waits for the record, until `gives_up`.
  void wait_for(const TopicPartition& input, Offset offset, const bool* gives_up = nullptr) {
    PositionWaiters::Waiter waiter{.done = [this, offset] { called_.push_back(offset); }};
    if (gives_up) waiter.is_over = [gives_up] { return *gives_up; };
    for (const auto& one : waiters_.add(input, offset, std::move(waiter))) {
      EXPECT_TRUE(one.has_stopped()) << "somebody still waited";
    }
  }
  std::vector<Offset> called_at(const TopicPartition& input, Offset position) {
    called_.clear();
    for (const auto& waiter : waiters_.take_passed(input, position)) waiter.done();
    return called_;
  }

  const TopicPartition orders_{"orders", 0};
  const TopicPartition others_{"others", 0};
  PositionWaiters waiters_;

 private:
  std::vector<Offset> called_;
};

TEST_F(Waiting, ARecordHasPassedWhenThePositionIsBeyondIt) {
  wait_for(orders_, 7);
  wait_for(orders_, 3);
  wait_for(orders_, 5);
  wait_for(others_, 1);

  EXPECT_THAT(called_at(orders_, 3), IsEmpty());
  EXPECT_THAT(called_at(orders_, 6), ElementsAre(3, 5));
  EXPECT_EQ(waiters_.first(orders_), 7);
  EXPECT_EQ(waiters_.size(), 2u);
}

TEST_F(Waiting, NobodyIsCalledTwice) {
  wait_for(orders_, 3);

  EXPECT_THAT(called_at(orders_, 4), ElementsAre(3));
  EXPECT_THAT(called_at(orders_, 5), IsEmpty());
  EXPECT_EQ(waiters_.first(orders_), std::nullopt);
}

TEST_F(Waiting, ThoseWhoAreTakenAndPutBackStillWait) {
  wait_for(orders_, 3);
  wait_for(orders_, 4);

  auto all = waiters_.take_all(orders_);
  EXPECT_EQ(waiters_.size(), 0u);
  all.erase(all.begin());
  waiters_.put_back(orders_, std::move(all));

  EXPECT_EQ(waiters_.size(), 1u);
  EXPECT_THAT(called_at(orders_, 9), ElementsAre(4));
}

// A waiter's end may answer a request, whose connection goes on with the next, which may wait too:
// one that ended under the lock of those who wait stopped the server and the workers.
TEST_F(Waiting, WhoHasGivenUpEndsInTheHandsOfTheCaller) {
  const bool yes = true;
  int ended = 0;
  for (int i = 0; i < 64; ++i) {
    const std::shared_ptr<void> end(nullptr, [&ended](void*) { ++ended; });
    EXPECT_TRUE(waiters_.add(orders_, i, {[end] {}, [&yes] { return yes; }}).empty());
  }

  auto over = waiters_.add(orders_, 99, {});
  EXPECT_EQ(over.size(), 64u);
  EXPECT_EQ(ended, 0);
  over.clear();
  EXPECT_EQ(ended, 64);
}

// Requests for records that never come, of inputs that do not exist, made a process grow for ever.
TEST_F(Waiting, MemoryIsThatOfThoseWhoStillWait) {
  const bool yes = true;
  const bool no = false;
  wait_for(orders_, 1'000'000, &no);
  for (int i = 0; i < 10'000; ++i) {
    wait_for({"guess " + std::to_string(i), i}, 1, &yes);
    ASSERT_LE(waiters_.size(), 66u);
  }

  EXPECT_EQ(waiters_.first(orders_), 1'000'000);
}

TEST_F(Waiting, AsManyAsReallyWaitAreKept) {
  const bool no = false;
  for (int i = 0; i < 1'000; ++i) wait_for(orders_, i, &no);

  EXPECT_EQ(called_at(orders_, 1'000).size(), 1'000u);
}

}  // namespace
}  // namespace thalweg::internal
