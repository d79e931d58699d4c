// Coupons, first come, first served: who gets one, who does not and why.

#include <string>
#include <vector>

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thalweg/runtime/topology_test_driver.h>

#include "coupon_model.h"
#include "coupon_request.h"
#include "topics.h"
#include "topologies.h"

namespace thalweg::shop {
namespace {

namespace json = boost::json;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class Coupons : public ::testing::Test {
 protected:
  static constexpr std::int64_t kNow = 1'800'000'000'000;
  static constexpr std::int64_t kDay = 86'400'000;

  void coupon(const std::string& id, std::int64_t quantity, std::int64_t from = kNow - kDay,
              std::int64_t until = kNow + kDay) {
    driver_.create_input_topic<std::string, Coupon>(topics::kCoupons)
        .pipe(id, Coupon{.quantity = quantity, .valid_from = from, .valid_until = until,
                         .discount_amount = 500});
  }
  void request(const std::string& request, const std::string& user, const std::string& coupon,
               std::int64_t at = kNow) {
    foreign(coupon_user_key(user), coupon_request_json(request, user, coupon, at), at);
  }
  void foreign(const std::string& key, const std::string& value, std::int64_t at = kNow) {
    driver_.pipe(topics::kCouponRequests, key, value, from_millis(at));
  }
  void order_asks(CouponCommandKind kind, const std::string& order, const std::string& user,
                  const std::string& coupon) {
    driver_.create_input_topic<std::string, CouponCommand>(topics::kCouponHolds)
        .pipe(coupon, CouponCommand{.kind = kind, .user_id = user, .request_id = {},
                                    .order_id = order},
              from_millis(kNow));
  }
  void inbox_has(const std::string& request, const std::string& user) {
    driver_.create_input_topic<std::string, CouponEvent>(topics::kCouponEvents)
        .pipe(coupon_user_key(user),
              CouponEvent{.type = CouponEventType::NOTIFIED, .coupon_id = {}, .user_id = user,
                          .request_id = request, .order_id = {}, .history_id = {}},
              from_millis(kNow));
  }

  CouponRequestRow row(const std::string& request) {
    const auto* row =
        driver_.key_value_store<std::string, CouponRequestRow>(stores::kCouponRequests)
            .get(request);
    EXPECT_NE(row, nullptr) << "no request " << request;
    return row ? *row : CouponRequestRow{};
  }
  CouponCounts counts(const std::string& coupon) {
    const auto* row =
        driver_.key_value_store<std::string, CouponCounts>(stores::kCouponCounts).get(coupon);
    return row ? *row : CouponCounts{};
  }
  HeldCoupon held(const std::string& user, const std::string& coupon) {
    const auto* row =
        driver_.key_value_store<std::string, HeldCoupon>(stores::kCouponsByUser)
            .get(coupon_by_user_key(user, coupon));
    EXPECT_NE(row, nullptr) << user << " has no coupon " << coupon;
    return row ? *row : HeldCoupon{};
  }
  std::vector<std::string> written(const std::string& topic) {
    std::vector<std::string> values;
    if (auto* records = driver_.produced(topic)) {
      for (auto& record : *records) values.push_back(*record.key + " " + *record.value);
      records->clear();
    }
    return values;
  }
  std::vector<CouponReply> replies() {
    std::vector<CouponReply> replies;
    auto topic = driver_.create_output_topic<std::string, CouponReply>(topics::kCouponReplies);
    while (!topic.is_empty()) replies.push_back(*topic.read_value());
    return replies;
  }

  TopologyTestDriver driver_{build_coupons(), [] {
                               StreamsConfig config;
                               config.application_id = "coupon-request-group";
                               return config;
                             }(), from_millis(kNow)};
};

TEST_F(Coupons, GoToTheFirstUsersUntilNoneIsLeft) {
  coupon("ten-off", 2);

  request("r1", "ann", "ten-off");
  request("r2", "bob", "ten-off");
  request("r3", "cleo", "ten-off");

  EXPECT_EQ(row("r1").status, CouponEventType::COMPLETED);
  EXPECT_EQ(row("r2").status, CouponEventType::COMPLETED);
  EXPECT_EQ(row("r3").status, CouponEventType::FAILED);
  EXPECT_EQ(row("r3").reason, CouponReason::OUT_OF_STOCK);
  EXPECT_EQ(counts("ten-off").issued, 2);
}

TEST_F(Coupons, AreOneForEachUser) {
  coupon("ten-off", 2);

  request("r1", "ann", "ten-off");
  request("r2", "ann", "ten-off");
  request("r3", "bob", "ten-off");

  EXPECT_EQ(row("r2").reason, CouponReason::DUPLICATE);
  EXPECT_EQ(row("r3").status, CouponEventType::COMPLETED);
}

TEST_F(Coupons, AreGivenToEachUserThoughTheirRequestsHaveOneId) {
  coupon("ten-off", 5);
  coupon("other", 0);

  request("r1", "ann", "ten-off");
  request("r1", "bob", "ten-off");
  request("r1", "bob", "ten-off");
  request("r1", "cleo", "other");

  EXPECT_EQ(counts("ten-off").issued, 2);
  EXPECT_THAT(written(topics::kCouponResults),
              ElementsAre(HasSubstr("user:ann "), HasSubstr("user:bob "), HasSubstr("user:cleo ")));
  EXPECT_EQ(row("r1").user_id, "ann");
  EXPECT_EQ(row("r1").status, CouponEventType::COMPLETED) << "cleo's is another's";
}

TEST_F(Coupons, AreRefusedOutsideOfTheirTimeAndWhenThereAreNone) {
  coupon("tomorrow", 5, kNow + 1, kNow + kDay);
  coupon("yesterday", 5, kNow - kDay, kNow - 1);
  coupon("now", 5, kNow, kNow);

  request("r1", "ann", "tomorrow");
  request("r2", "ann", "yesterday");
  request("r3", "ann", "nonsense");
  request("r4", "ann", "now");

  EXPECT_EQ(row("r1").reason, CouponReason::NOT_STARTED);
  EXPECT_EQ(row("r2").reason, CouponReason::EXPIRED);
  EXPECT_EQ(row("r3").reason, CouponReason::UNKNOWN_COUPON);
  EXPECT_EQ(row("r4").status, CouponEventType::COMPLETED);
}

TEST_F(Coupons, CanBeAskedForAgainAfterARefusal) {
  coupon("tomorrow", 5, kNow + kDay, kNow + 2 * kDay);

  request("r1", "ann", "tomorrow");
  request("r2", "ann", "tomorrow", kNow + kDay);

  EXPECT_EQ(row("r1").reason, CouponReason::NOT_STARTED);
  EXPECT_EQ(row("r2").status, CouponEventType::COMPLETED);
}

TEST_F(Coupons, ARequestThatIsSentTwiceIsDecidedOnce) {
  coupon("ten-off", 2);

  request("r1", "ann", "ten-off");
  request("r1", "ann", "ten-off");

  EXPECT_EQ(row("r1").status, CouponEventType::COMPLETED);
  EXPECT_THAT(written(topics::kCouponResults), SizeIs(1));
}

TEST_F(Coupons, ResultsAreJsonUnderTheKeyOfTheUser) {
  coupon("ten-off", 1);

  request("r1", "ann", "ten-off");
  request("r2", "bob", "ten-off");

  const auto results = written(topics::kCouponResults);
  ASSERT_THAT(results, SizeIs(2));
  EXPECT_EQ(results[0], R"(user:ann {"requestId":"r1","userId":"ann","couponId":"ten-off",)"
                        R"("success":true,"couponHistoryId":")" +
                            held("ann", "ten-off").history_id + "\"}");
  EXPECT_EQ(results[1], R"(user:bob {"requestId":"r2","userId":"bob","couponId":"ten-off",)"
                        R"("success":false,"reason":"OUT_OF_STOCK"})");
}

TEST_F(Coupons, EachIssuedCouponIsToldToTheOutside) {
  coupon("ten-off", 1);

  request("r1", "ann", "ten-off");
  request("r2", "bob", "ten-off");

  const auto events = written(topics::kExternalEvents);
  ASSERT_THAT(events, SizeIs(1));
  EXPECT_THAT(events[0], AllOf(HasSubstr(R"("type":"COUPON_ISSUED","couponId":"ten-off")"),
                               HasSubstr(R"("userId":"ann")"),
                               HasSubstr(held("ann", "ten-off").history_id)));
}

TEST_F(Coupons, TheFirstDefinitionOfACouponHolds) {
  coupon("ten-off", 1);
  coupon("ten-off", 1'000);

  request("r1", "ann", "ten-off");
  request("r2", "bob", "ten-off");

  EXPECT_EQ(row("r2").reason, CouponReason::OUT_OF_STOCK);
}

TEST_F(Coupons, WhatIsNoRequestIsADeadLetterAndStopsNothing) {
  coupon("ten-off", 1);

  foreign("user:ann", "ann wants one");
  foreign("user:ann", R"({"requestId":"r1","userId":7})");
  foreign("ann", coupon_request_json("r1", "ann", "ten-off", kNow));
  request("r2", "ann", "ten-off");

  auto* letters = driver_.produced(std::string(topics::kCouponRequests) + ".dlq");
  ASSERT_NE(letters, nullptr);
  ASSERT_THAT(*letters, SizeIs(3));
  EXPECT_EQ((*letters)[0].value, "ann wants one");
  EXPECT_THAT(*(*letters)[1].headers.last("__streams.errors.message")->value,
              AllOf(HasSubstr("userId is not a string"), HasSubstr("couponId is missing")));
  EXPECT_THAT(*(*letters)[2].headers.last("__streams.errors.message")->value,
              HasSubstr("not user:ann"));
  EXPECT_EQ(row("r2").status, CouponEventType::COMPLETED);
}

TEST_F(Coupons, ARequestIsNotifiedOnceItsResultIsInTheInbox) {
  coupon("ten-off", 1);
  request("r1", "ann", "ten-off");

  inbox_has("r1", "ann");

  EXPECT_EQ(row("r1").status, CouponEventType::NOTIFIED);
  EXPECT_EQ(row("r1").history_id, held("ann", "ten-off").history_id);
}

// --- What orders do with them ---------------------------------------------------------------

TEST_F(Coupons, AnOrderReservesACouponAndUsesIt) {
  coupon("ten-off", 1);
  request("r1", "ann", "ten-off");

  order_asks(CouponCommandKind::RESERVE, "o1", "ann", "ten-off");
  EXPECT_EQ(counts("ten-off").reserved, 1);
  order_asks(CouponCommandKind::USE, "o1", "ann", "ten-off");

  const auto answers = replies();
  ASSERT_THAT(answers, SizeIs(1));
  EXPECT_TRUE(answers[0].granted);
  EXPECT_EQ(answers[0].discount_amount, 500);
  EXPECT_EQ(counts("ten-off").used, 1);
  EXPECT_EQ(counts("ten-off").unused + counts("ten-off").reserved, 0);
  EXPECT_EQ(held("ann", "ten-off").state, CouponState::USED);
  EXPECT_EQ(held("ann", "ten-off").order_id, "o1");
}

TEST_F(Coupons, ACouponIsForOneOrderAtATime) {
  coupon("ten-off", 1);
  request("r1", "ann", "ten-off");

  order_asks(CouponCommandKind::RESERVE, "o1", "ann", "ten-off");
  order_asks(CouponCommandKind::RESERVE, "o2", "ann", "ten-off");
  order_asks(CouponCommandKind::RELEASE, "o1", "ann", "ten-off");
  order_asks(CouponCommandKind::RESERVE, "o3", "ann", "ten-off");

  const auto answers = replies();
  ASSERT_THAT(answers, SizeIs(3));
  EXPECT_TRUE(answers[0].granted);
  EXPECT_FALSE(answers[1].granted);
  EXPECT_TRUE(answers[2].granted);
}

TEST_F(Coupons, AreReleasedOnceAndOnlyByTheOrderThatHasThem) {
  coupon("ten-off", 1);
  request("r1", "ann", "ten-off");
  order_asks(CouponCommandKind::RESERVE, "o1", "ann", "ten-off");

  order_asks(CouponCommandKind::RELEASE, "o2", "ann", "ten-off");
  EXPECT_EQ(counts("ten-off").reserved, 1);
  order_asks(CouponCommandKind::RELEASE, "o1", "ann", "ten-off");
  order_asks(CouponCommandKind::RELEASE, "o1", "ann", "ten-off");
  order_asks(CouponCommandKind::USE, "o1", "ann", "ten-off");

  EXPECT_EQ(counts("ten-off").unused, 1);
  EXPECT_EQ(counts("ten-off").reserved, 0);
  EXPECT_EQ(counts("ten-off").used, 0);
}

TEST_F(Coupons, WhoHasNoneCannotUseOne) {
  coupon("ten-off", 5);
  request("r1", "ann", "ten-off");

  order_asks(CouponCommandKind::RESERVE, "o1", "bob", "ten-off");
  order_asks(CouponCommandKind::RESERVE, "o2", "ann", "nonsense");

  const auto answers = replies();
  ASSERT_THAT(answers, SizeIs(2));
  EXPECT_FALSE(answers[0].granted);
  EXPECT_FALSE(answers[1].granted);
}

// --- The plan -------------------------------------------------------------------------------

TEST(CouponsTopology, JoinsRequestsWithTheCouponTableAndDecidesInOnePlace) {
  const std::string text = build_coupons().describe().to_text();

  EXPECT_THAT(text, HasSubstr("Processor: requests-with-coupons (stores: [coupons])"));
  EXPECT_THAT(text, HasSubstr("Processor: coupon-desk (stores: [coupon-issued, coupon-holders])"));
  EXPECT_THAT(text, HasSubstr("Processor: count-coupons (stores: [coupon-counts])"));
  EXPECT_THAT(text, HasSubstr("(topic: coupon-requests-by-coupon-repartition)"));
  EXPECT_THAT(text, HasSubstr("(topic: coupon-requests.dlq)"));
  EXPECT_EQ(text, build_coupons().describe().to_text()) << "a plan is a pure function";
}

TEST(CouponsTopology, IsUsersAndCoupons) {
  EXPECT_THAT(build_coupons().subtopologies(), SizeIs(2));
}

}  // namespace
}  // namespace thalweg::shop
