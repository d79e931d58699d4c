// What users are told: each notice once, numbered, kept for a day.

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thalweg/runtime/topology_test_driver.h>

#include "coupon_model.h"
#include "notice.h"
#include "topics.h"
#include "topologies.h"

namespace thalweg::shop {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class Notifications : public ::testing::Test {
 protected:
  static constexpr std::int64_t kNow = 1'800'000'000'000;

  void result(const std::string& request, const std::string& user, bool success,
              std::int64_t at = kNow) {
    driver_.pipe(topics::kCouponResults, "user:" + user,
                 R"({"requestId":")" + request + R"(","userId":")" + user +
                     R"(","couponId":"ten-off",)" +
                     (success ? R"("success":true,"couponHistoryId":"h1"})"
                              : R"("success":false,"reason":"OUT_OF_STOCK"})"),
                 from_millis(at));
  }
  void order_ends(const std::string& order, const std::string& user, const std::string& type) {
    driver_.pipe(topics::kNotificationEvents, order,
                 R"({"type":")" + type + R"(","orderId":")" + order + R"(","userId":")" + user +
                     R"(","title":"t","message":"m","timestamp":"2026-11-21T09:30:00.000Z"})",
                 from_millis(kNow));
  }
  /// The bodies in the user's inbox, by number.
  std::vector<std::string> inbox(const std::string& user) {
    std::vector<std::string> bodies;
    auto& store = driver_.key_value_store<std::string, Notice>(stores::kInbox);
    for (std::int64_t number = 1; number < 100; ++number) {
      if (const auto* notice = store.get(inbox_key(user, number))) bodies.push_back(notice->body);
    }
    return bodies;
  }

  TopologyTestDriver driver_{build_notifications(), [] {
                               StreamsConfig config;
                               config.application_id = "notifications";
                               return config;
                             }(), from_millis(kNow)};
};

TEST_F(Notifications, ComeToTheInboxOfTheirUserInOrder) {
  result("r1", "ann", true);
  order_ends("o1", "bob", "ORDER_COMPLETED");
  order_ends("o2", "ann", "ORDER_CANCELLED");

  const auto anns = inbox("ann");
  ASSERT_THAT(anns, SizeIs(2));
  EXPECT_THAT(anns[0], AllOf(HasSubstr(R"("type":"COUPON_RESULT","requestId":"r1")"),
                             HasSubstr(R"("success":true,"couponHistoryId":"h1")"),
                             HasSubstr(R"("timestamp":"2027-01-15T08:00:00.000Z")")));
  EXPECT_THAT(anns[1], HasSubstr(R"("type":"ORDER_CANCELLED","orderId":"o2")"));
  EXPECT_THAT(inbox("bob"), SizeIs(1));
}

TEST_F(Notifications, TellTheCouponThatItsResultIsInTheInbox) {
  result("r1", "ann", false);
  order_ends("o1", "ann", "ORDER_COMPLETED");

  auto events = driver_.create_output_topic<std::string, CouponEvent>(topics::kCouponEvents);
  ASSERT_FALSE(events.is_empty());
  const auto event = events.read_record();
  EXPECT_EQ(event.key, "user:ann");
  EXPECT_EQ(event.value->type, CouponEventType::NOTIFIED);
  EXPECT_EQ(event.value->request_id, "r1");
  EXPECT_TRUE(events.is_empty()) << "orders have no such event";
  EXPECT_THAT(inbox("ann")[0], HasSubstr(R"("success":false,"reason":"OUT_OF_STOCK")"));
}

TEST_F(Notifications, AreKeptForADay) {
  result("r1", "ann", true);
  result("r2", "ann", false, kNow + 3'600'000);
  driver_.advance_wall_clock_time(24h);

  result("r3", "ann", false, kNow + 24 * 3'600'000 + 1);

  const auto bodies = inbox("ann");
  ASSERT_THAT(bodies, SizeIs(2));
  EXPECT_THAT(bodies[0], HasSubstr("r2"));
}

TEST(NotificationsTopology, NumbersNoticesByJoiningThemWithTheirCount) {
  const std::string text = build_notifications().describe().to_text();

  EXPECT_THAT(text, HasSubstr("Processor: count-notices (stores: [inbox-numbers])"));
  EXPECT_THAT(text, HasSubstr("Processor: notices-with-numbers (stores: [inbox-numbers])"));
  EXPECT_THAT(text, HasSubstr("keep-inbox (stores: [inbox], time to live in inbox: 86400000 ms)"));
  EXPECT_EQ(text, build_notifications().describe().to_text()) << "a plan is a pure function";
}

}  // namespace
}  // namespace thalweg::shop
