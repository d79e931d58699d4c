// Following a store of the shop as any program can: by server-sent events, through a kill.

#include <string>

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "end_to_end/shop_story.h"
#include "query/follower.h"

namespace thalweg::end_to_end {
namespace {

using testing::Follower;

class Changes : public ShopStory {
 protected:
  Follower follow_the_lamp(const std::string& last_event = {}) {
    return Follower(shop_.port(), "/v1/stores/stock/changes?key=lamp&snapshot=true",
                    last_event.empty() ? "" : "Last-Event-ID: " + last_event + "\r\n");
  }
  static std::int64_t sold(const Follower::Event& event) {
    return boost::json::parse(event.data).at("value").at("sold").as_int64();
  }
  /// Reads until so many are sold; the fewest that were told of on the way.
  static std::int64_t until_sold(Follower& follower, std::int64_t units) {
    std::int64_t fewest = units;
    for (;;) {
      const auto now = sold(follower.next());
      fewest = std::min(fewest, now);
      if (now == units) return fewest;
    }
  }
};

TEST_F(Changes, OfAProductAreFollowedWhileItSells) {
  open_shop();
  auto follower = follow_the_lamp();
  EXPECT_EQ(sold(follower.next()), 0);
  EXPECT_EQ(follower.next().name, "live");

  customer_.order("ada", "lamp", 2);

  until_sold(follower, 2);
}

TEST_F(Changes, GoOnWhereAClientStoppedAfterAKill) {
  open_shop();
  auto follower = follow_the_lamp();
  follower.is_following();
  customer_.order("ada", "lamp", 2);
  until_sold(follower, 2);
  const std::string seen = follower.last_id();
  const auto third = customer_.order("ada", "lamp", 1);
  EXPECT_EQ(customer_.end_of(third), completed());
  shop_.process().kill_hard();
  shop_.start_and_wait();

  auto again = follow_the_lamp(seen);

  EXPECT_GE(until_sold(again, 3), 2) << "what the client knew already is not told again";
}

}  // namespace
}  // namespace thalweg::end_to_end
