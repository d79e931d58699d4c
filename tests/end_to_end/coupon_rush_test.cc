// Coupons when everybody wants one at once: exactly as many as there are, one each, in the order in
// which they were asked for. On the embedded log.

#include <atomic>
#include <chrono>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "end_to_end/shop_story.h"

namespace thalweg::end_to_end {
namespace {

namespace json = boost::json;
using std::chrono::seconds;
using testing::RawClient;
using testing::RawResponse;
using Clock = std::chrono::steady_clock;

class CouponRush : public ShopStory {
 protected:
  void offer(const std::string& coupon, int quantity) {
    const auto answer = customer_.request(
        "POST", "/coupons",
        R"({"couponId":")" + coupon + R"(","quantity":)" + std::to_string(quantity) +
            R"(,"validFrom":"2020-01-01T00:00:00Z","validUntil":"2120-01-01T00:00:00Z"})");
    ASSERT_EQ(answer.status, 201) << answer.body;
  }

  static std::string user(int number) { return "user-" + std::to_string(number); }

  /// Asks for the coupon on one connection at a time, again under the same key when it breaks.
  void ask(const std::string& coupon, int first, int users, int step) {
    std::unique_ptr<RawClient> client;
    for (int number = first; number < users; number += step) {
      const std::string body =
          R"({"userId":")" + user(number) + R"(","couponId":")" + coupon + "\"}";
      const auto until = Clock::now() + seconds(60);
      RawResponse answer;
      while (answer.status != 202 && Clock::now() < until) {
        try {
          if (!client) client = std::make_unique<RawClient>(shop_.port());
          answer = client->request("POST", "/coupons/issue", body,
                                   "Content-Type: application/json\r\nIdempotency-Key: one\r\n");
        } catch (const std::runtime_error&) {
          answer = {};
        }
        if (answer.status != 202) client.reset();
      }
      if (answer.status == 202) ++accepted_;
    }
  }

  void everybody_asks(const std::string& coupon, int users, int connections) {
    std::vector<std::jthread> askers;
    for (int i = 0; i < connections; ++i) {
      askers.emplace_back([=, this] { ask(coupon, i, users, connections); });
    }
  }

  json::array records(const std::string& topic, int partition) {
    json::array all;
    for (std::size_t size = 1; size > 0;) {
      const auto page = customer_.request(
          "GET", "/v1/topics/" + topic + "/records?limit=1000&partition=" +
                     std::to_string(partition) + "&offset=" + std::to_string(next_offset(all)));
      EXPECT_EQ(page.status, 200) << page.body;
      const auto found = json::parse(page.body);
      const auto& list = found.at("items").as_array();
      size = list.size();
      all.insert(all.end(), list.begin(), list.end());
    }
    return all;
  }
  static std::int64_t next_offset(const json::array& records) {
    return records.empty() ? 0 : records.back().at("offset").as_int64() + 1;
  }

  /// Waits until every request has its result; request -> whether it got one, user -> how many.
  void wait_for_results(std::size_t count) {
    const auto until = Clock::now() + seconds(60);
    while (results_.size() < count && Clock::now() < until) {
      results_.clear();
      coupons_of_user_.clear();
      for (int partition = 0; partition < 3; ++partition) {
        for (const auto& record : records("coupon-results", partition)) {
          const auto& value = record.at("value");
          const bool success = value.at("success").as_bool();
          const std::string request(value.at("requestId").as_string());
          EXPECT_TRUE(results_.emplace(request, success).second) << "two results of " << request;
          if (success) ++coupons_of_user_[std::string(value.at("userId").as_string())];
        }
      }
    }
    ASSERT_EQ(results_.size(), count);
  }

  /// Within a partition requests reach their coupon in order: those that got one come first.
  void expect_arrival_order() {
    for (int partition = 0; partition < 3; ++partition) {
      bool refused = false;
      std::set<std::string> seen;
      for (const auto& record : records("coupon-requests", partition)) {
        const std::string request(record.at("value").at("requestId").as_string());
        if (!seen.insert(request).second) continue;  // Sent again after a crash.
        const bool success = results_.at(request);
        EXPECT_FALSE(success && refused) << request << " overtook another one";
        refused |= !success;
      }
      EXPECT_TRUE(refused) << "partition " << partition << " shows nothing";
    }
  }

  void expect_exactly(const std::string& coupon, int quantity) {
    EXPECT_EQ(coupons_of_user_.size(), static_cast<std::size_t>(quantity));
    for (const auto& [user, count] : coupons_of_user_) EXPECT_EQ(count, 1) << user;
    const auto row = json::parse(customer_.request("GET", "/coupons/" + coupon).body);
    EXPECT_EQ(row.at("issued").as_int64(), quantity);
    EXPECT_EQ(row.at("left").as_int64(), 0);
  }

  std::atomic<int> accepted_ = 0;
  std::map<std::string, bool> results_;
  std::map<std::string, int> coupons_of_user_;
};

TEST_F(CouponRush, AThousandCouponsWantedByTenThousandUsersGoToTheFirstThousand) {
  shop_.start_and_wait();
  offer("rush", 1'000);

  const auto begin = Clock::now();
  everybody_asks("rush", 10'000, 16);
  wait_for_results(10'000);
  const std::chrono::duration<double> took = Clock::now() - begin;

  EXPECT_EQ(accepted_, 10'000);
  expect_exactly("rush", 1'000);
  expect_arrival_order();
  EXPECT_EQ(customer_.audit_status(), 200);
  RecordProperty("seconds", std::to_string(took.count()));
}

TEST_F(CouponRush, AKillInTheMiddleIssuesNoneTwiceAndLosesNone) {
  shop_.start_and_wait();
  offer("rush", 100);

  std::jthread users([this] { everybody_asks("rush", 2'000, 8); });
  for (int accepted : {60, 700}) {
    while (accepted_ < accepted) std::this_thread::yield();
    shop_.process().kill_hard();
    shop_.start_and_wait();
  }
  users.join();
  wait_for_results(2'000);

  EXPECT_EQ(accepted_, 2'000);
  expect_exactly("rush", 100);
  expect_arrival_order();
  EXPECT_EQ(customer_.audit_status(), 200);
}

TEST_F(CouponRush, AResultIsReadableTheMomentItIsAccepted) {
  shop_.start_and_wait();
  offer("one", 1);

  for (int number = 0; number < 50; ++number) {
    const auto answer = customer_.request(
        "POST", "/coupons/issue", R"({"userId":")" + user(number) + R"(","couponId":"one"})");
    ASSERT_EQ(answer.status, 202) << answer.body;
    const std::string id(json::parse(answer.body).at("requestId").as_string());
    EXPECT_EQ(customer_.request("GET", "/coupons/requests/" + id).status, 200);
  }
}

TEST_F(CouponRush, AnOrderUsesItsCouponOnceAndTheAuditAgrees) {
  open_shop();
  const auto offered = customer_.request(
      "POST", "/coupons",
      R"({"couponId":"half","quantity":5,"validFrom":"2020-01-01T00:00:00Z",)"
      R"("validUntil":"2120-01-01T00:00:00Z","discount":{"percent":50}})");
  ASSERT_EQ(offered.status, 201) << offered.body;
  customer_.request("POST", "/coupons/issue", R"({"userId":"ada","couponId":"half"})");
  wait_for_results(1);

  const auto order = [&] {
    const auto answer = customer_.request(
        "POST", "/orders",
        R"({"userId":"ada","couponId":"half","items":[{"productId":"lamp","quantity":1}]})");
    return std::string(json::parse(answer.body).at("orderId").as_string());
  };
  const auto first = order();
  EXPECT_EQ(customer_.end_of(first), completed());
  EXPECT_EQ(customer_.end_of(order()), cancelled_for("COUPON_INVALID"));

  const auto row = json::parse(customer_.request("GET", "/orders/" + first).body);
  EXPECT_EQ(row.at("totalAmount"), 4'900);
  EXPECT_EQ(row.at("finalAmount"), 2'450);
  EXPECT_EQ(customer_.balance("ada"), 1'000'000 - 2'450);
  EXPECT_EQ(customer_.available("lamp", 9), 9);
  EXPECT_EQ(customer_.audit_status(), 200);
}

}  // namespace
}  // namespace thalweg::end_to_end
