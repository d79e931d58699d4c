// Orders that are on their way, and when to look whether one is decided.

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "handler_threads.h"
#include "order_watch.h"
#include "orders_on_the_way.h"

namespace thalweg::shop {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// A client that sends messages faster than they are done made the shop grow.
TEST(MessagesInOrder, OfOneClientOnlySoManyWait) {
  std::vector<HandlerThreads::Work> later;
  const auto in_order = std::make_shared<InOrder>([&](HandlerThreads::Work work) {
    later.push_back(std::move(work));
    return true;
  });
  int done = 0;
  int taken = 0;
  while (taken < 10'000 && in_order->try_add([&] { ++done; })) ++taken;
  EXPECT_EQ(taken, 200);

  while (!later.empty()) {
    auto work = std::move(later.back());
    later.pop_back();
    work();
  }
  EXPECT_EQ(done, 200);
  EXPECT_TRUE(in_order->try_add([] {})) << "there is room again";
}

TEST(MessagesInOrder, OneThatFailsDoesNotHoldUpThoseBehindIt) {
  const auto in_order = std::make_shared<InOrder>([](HandlerThreads::Work work) {
    work();
    return true;
  });
  int done = 0;
  in_order->add([] { throw std::runtime_error("what could not be foreseen"); });
  in_order->add([&] { ++done; });
  EXPECT_EQ(done, 1);
}

class OrdersOnTheWayTest : public ::testing::Test {
 protected:
  void ask_for(const std::string& order_id, const std::string& question) {
    on_the_way_->when_arrived(order_id, [this, question] { answered_.push_back(question); });
  }

  std::vector<std::string> answered_;
  std::shared_ptr<OrdersOnTheWay> on_the_way_ =
      std::make_shared<OrdersOnTheWay>([](OrdersOnTheWay::Work work) { work(); });
};

TEST_F(OrdersOnTheWayTest, WhoAsksForOneWaitsUntilItHasArrived) {
  auto lamp = on_the_way_->begin("lamp-order", "ann");
  ask_for("lamp-order", "first");
  ask_for("lamp-order", "second");
  ask_for("other-order", "about another");
  EXPECT_THAT(answered_, ElementsAre("about another"));

  lamp.reset();

  EXPECT_THAT(answered_, ElementsAre("about another", "first", "second"));
  EXPECT_FALSE(on_the_way_->knows("lamp-order"));
}

TEST_F(OrdersOnTheWayTest, AnIdIsOnItsWayOnce) {
  auto first = on_the_way_->begin("lamp-order", "ann");

  EXPECT_EQ(on_the_way_->begin("lamp-order", "ben"), nullptr);
  EXPECT_EQ(on_the_way_->user_of("lamp-order"), "ann");

  first.reset();
  EXPECT_NE(on_the_way_->begin("lamp-order", "ben"), nullptr);
}

TEST_F(OrdersOnTheWayTest, WhoWaitsMayBeginTheOrderAnew) {
  auto first = on_the_way_->begin("lamp-order", "ann");
  OrdersOnTheWay::Mark second;
  on_the_way_->when_arrived("lamp-order",
                            [&] { second = on_the_way_->begin("lamp-order", "ben"); });
  ask_for("lamp-order", "a look");

  first.reset();

  EXPECT_EQ(on_the_way_->user_of("lamp-order"), "ben");
  EXPECT_THAT(answered_, ElementsAre("a look"));
}

TEST_F(OrdersOnTheWayTest, AMarkThatIsSharedLastsUntilTheLastCopy) {
  auto mark = on_the_way_->begin("lamp-order", "ann");
  auto copy = mark;
  ask_for("lamp-order", "a look");

  mark.reset();
  EXPECT_THAT(answered_, IsEmpty());
  copy.reset();
  EXPECT_THAT(answered_, ElementsAre("a look"));
}

TEST_F(OrdersOnTheWayTest, WhoListsAUsersOrdersWaitsForAllOfThatUser) {
  const auto list = [&](const std::string& user) {
    on_the_way_->when_all_arrived(user, [this, user] { answered_.push_back(user); });
  };
  auto lamp = on_the_way_->begin("lamp-order", "ann");
  auto rope = on_the_way_->begin("rope-order", "ann");
  auto kettle = on_the_way_->begin("kettle-order", "ben");

  list("ann");
  list("cleo");
  EXPECT_THAT(answered_, ElementsAre("cleo")) << "she has none that is on its way";

  auto later = on_the_way_->begin("later-order", "ann");
  lamp.reset();
  EXPECT_THAT(answered_, ElementsAre("cleo"));
  rope.reset();
  EXPECT_THAT(answered_, ElementsAre("cleo", "ann")) << "what came after the question may be late";

  list("ben");
  kettle.reset();
  EXPECT_THAT(answered_, ElementsAre("cleo", "ann", "ben"));
  list("ben");
  EXPECT_THAT(answered_, ElementsAre("cleo", "ann", "ben", "ben"));
}

TEST(LookSchedule, LearnsToLookFirstAtHalfTheUsualAge) {
  LookSchedule schedule(2ms);
  EXPECT_EQ(schedule.first(), 2ms);

  for (int order = 0; order < 10'000; ++order) schedule.decided(80ms);
  EXPECT_NEAR(static_cast<double>(schedule.first().count()), 40e6, 1e6);

  for (int order = 0; order < 10'000; ++order) schedule.decided(1ms);
  EXPECT_EQ(schedule.first(), 2ms) << "a shop that has become fast is looked at soon again";
}

TEST(LookSchedule, IsLateByASixthAtMost) {
  const LookSchedule schedule(1ms);

  for (auto age = 6ms; age < 1s; ++age) EXPECT_LE(schedule.next(age) * 6, age);
}

}  // namespace
}  // namespace thalweg::shop
