// When a new process may join its group: a story of looks at the group, and of copies that catch
// up.

#include "warm_up.h"

#include <map>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace thalweg::internal {
namespace {

using namespace std::chrono_literals;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

constexpr TaskId kFirst{0, 0};
constexpr TaskId kSecond{0, 1};
constexpr TaskId kThird{1, 0};

class WarmingUp : public ::testing::Test {
 protected:
  WarmUp make(std::int32_t at_a_time = 2, std::set<TaskId> tasks = {kFirst, kSecond, kThird}) {
    return WarmUp({.application_id = "app",
                   .instance = "new",
                   .tasks = std::move(tasks),
                   .acceptable_lag = 100,
                   .at_a_time = at_a_time,
                   .lag = [this](TaskId task) -> std::optional<std::int64_t> {
                     const auto found = lags_.find(task);
                     if (found == lags_.end()) return std::nullopt;
                     return found->second;
                   },
                   .on_joining = [this] { ++joined_; }},
                  now_);
  }
  void look(WarmUp& warm_up, bool is_known = true) {
    now_ += 250ms;
    warm_up.look({is_known, present_, owners_}, now_);
  }

  WarmUp::Instant now_{};
  std::set<std::string> present_ = {"old"};
  std::map<TaskId, std::string> owners_ = {{kFirst, "old"}, {kSecond, "old"}, {kThird, "old"}};
  std::map<TaskId, std::int64_t> lags_;
  int joined_ = 0;
};

TEST_F(WarmingUp, WaitsUntilEachCopyHasCaughtUp) {
  auto warm_up = make();
  look(warm_up);
  EXPECT_FALSE(warm_up.may_join());

  lags_ = {{kFirst, 100}, {kSecond, 100}, {kThird, 101}};
  look(warm_up);
  EXPECT_FALSE(warm_up.may_join());

  lags_[kThird] = 100;
  look(warm_up);
  EXPECT_TRUE(warm_up.may_join());
  EXPECT_EQ(joined_, 1);
}

// Under load a copy is now near the end and now a commit behind it.
TEST_F(WarmingUp, ACopyThatOnceCaughtUpCounts) {
  auto warm_up = make();
  lags_ = {{kFirst, 5}, {kSecond, 5}};
  look(warm_up);
  lags_ = {{kFirst, 5000}, {kSecond, 5000}, {kThird, 5}};

  look(warm_up);

  EXPECT_TRUE(warm_up.may_join());
}

TEST_F(WarmingUp, SoManyCopiesCatchUpAtATime) {
  auto warm_up = make(1);
  EXPECT_THAT(warm_up.copies(), UnorderedElementsAre(kFirst));

  lags_ = {{kFirst, 0}};
  look(warm_up);
  EXPECT_THAT(warm_up.copies(), UnorderedElementsAre(kFirst, kSecond));

  lags_ = {{kFirst, 0}, {kSecond, 0}};
  look(warm_up);
  EXPECT_THAT(warm_up.copies(), SizeIs(3));
}

TEST_F(WarmingUp, NobodyIsWaitedForWhereThereIsNobody) {
  auto warm_up = make();
  present_.clear();
  owners_.clear();
  look(warm_up);
  EXPECT_TRUE(warm_up.may_join());
}

TEST_F(WarmingUp, WhenTheOthersLeaveItJoins) {
  auto warm_up = make();
  look(warm_up);
  EXPECT_FALSE(warm_up.may_join());
  present_.clear();

  look(warm_up);

  EXPECT_TRUE(warm_up.may_join());
}

// It was killed a moment ago: until its session ends its tasks are nobody else's.
TEST_F(WarmingUp, WhoseTasksWaitForItJoinsAtOnce) {
  auto warm_up = make();
  present_.insert("new");
  look(warm_up);
  EXPECT_TRUE(warm_up.may_join());
}

TEST_F(WarmingUp, TheCopiesStayUntilEveryTaskHasAnOwnerAgain) {
  auto warm_up = make();
  lags_ = {{kFirst, 0}, {kSecond, 0}, {kThird, 0}};
  look(warm_up);
  EXPECT_THAT(warm_up.copies(), SizeIs(3));

  look(warm_up);  // Its name is not in the group yet.
  EXPECT_THAT(warm_up.copies(), SizeIs(3));

  present_.insert("new");
  owners_.erase(kThird);  // The old one has given it up.
  look(warm_up);
  EXPECT_THAT(warm_up.copies(), SizeIs(3));

  owners_[kThird] = "new";
  look(warm_up);
  EXPECT_THAT(warm_up.copies(), SizeIs(3)) << "its worker may not have heard of it";

  for (int i = 0; i < 8; ++i) look(warm_up);
  EXPECT_THAT(warm_up.copies(), IsEmpty());
  EXPECT_TRUE(warm_up.may_join());
}

TEST_F(WarmingUp, AGroupThatCannotBeAskedIsWaitedForAWhile) {
  auto warm_up = make();
  for (int i = 0; i < 20; ++i) look(warm_up, false);
  EXPECT_FALSE(warm_up.may_join());

  look(warm_up, false);

  EXPECT_TRUE(warm_up.may_join());
  EXPECT_EQ(joined_, 1);
}

// Its coordinator is away, and the others are at work all the same.
TEST_F(WarmingUp, AGroupThatCouldBeAskedIsWaitedForLonger) {
  auto warm_up = make();
  look(warm_up);
  for (int i = 0; i < 40; ++i) look(warm_up, false);
  EXPECT_FALSE(warm_up.may_join());
}

TEST_F(WarmingUp, WhoCannotKeepCopiesJoinsWithoutThem) {
  auto warm_up = make();
  look(warm_up);
  warm_up.give_up("its disk is full");
  EXPECT_TRUE(warm_up.may_join());
  EXPECT_THAT(warm_up.copies(), IsEmpty());
}

TEST_F(WarmingUp, WithoutStateOrWithoutReplicasItJoinsAtOnce) {
  EXPECT_TRUE(make(0).may_join());
  EXPECT_TRUE(make(2, {}).may_join());
}

}  // namespace
}  // namespace thalweg::internal
