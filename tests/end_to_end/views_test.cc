// Who looks at what, seen from outside of the real program: each answered look counts once, late
// ones where there is still room for them. On the embedded log.

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "end_to_end/shop_story.h"
#include "flashsale/json_text.h"

namespace thalweg::end_to_end {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using namespace std::chrono_literals;

class Views : public ShopStory {
 protected:
  static std::int64_t millis_ago(std::chrono::milliseconds ago) {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::milliseconds>(now - ago).count();
  }
  static std::string iso8601_ago(std::chrono::milliseconds ago) {
    const std::time_t seconds = millis_ago(ago) / 1000;
    char text[32];
    std::strftime(text, sizeof text, "%FT%TZ", std::gmtime(&seconds));
    return text;
  }

  /// Looks at the lamp; whether the shop answered 200.
  bool look(const std::string& headers = {}) {
    return customer_.request("GET", "/products/lamp", {}, headers).status == 200;
  }
  /// A view by another program, on its way for so long.
  void late_view(std::chrono::milliseconds late) {
    const std::string record = R"({"key":"lamp","value":{"productId":"lamp","email":null,)"
                               R"("age":null,"gender":null,"at":")" +
                               iso8601_ago(late) + R"("}})";
    EXPECT_EQ(customer_.request("POST", "/v1/topics/view-log-topic/records", record).status, 200);
  }
  /// Views of the lamp in the windows of the last `span`.
  std::int64_t views(const std::string& window, std::chrono::milliseconds span) {
    const auto answer = customer_.request("GET", "/products/lamp/views?window=" + window +
                                                     "&from=" + std::to_string(millis_ago(span)));
    EXPECT_EQ(answer.status, 200) << answer.body;
    return flashsale::json_integer_member(answer.body, "views").value_or(-1);
  }
  /// Asks until there are so many, for 20 s at most.
  std::int64_t views_soon(const std::string& window, std::chrono::milliseconds span,
                          std::int64_t expected) {
    const auto end = std::chrono::steady_clock::now() + 60s;
    for (;;) {
      const auto found = views(window, span);
      if (found == expected || std::chrono::steady_clock::now() > end) return found;
      std::this_thread::sleep_for(50ms);
    }
  }
  /// The answer once it has `text`; the last one if it does not within 20 s.
  std::string answer_with(const std::string& path, const std::string& text) {
    const auto end = std::chrono::steady_clock::now() + 60s;
    for (;;) {
      auto answer = customer_.request("GET", path);
      if (answer.body.find(text) != std::string::npos || std::chrono::steady_clock::now() > end) {
        return answer.body;
      }
      std::this_thread::sleep_for(50ms);
    }
  }
};

TEST_F(Views, CountsAreTheRequestsThatWereAnswered) {
  open_shop();
  std::atomic<std::int64_t> answered = 0;
  {
    std::vector<std::jthread> customers;
    for (int i = 0; i < 4; ++i) {
      customers.emplace_back([&] {
        for (int n = 0; n < 250; ++n) answered += look() ? 1 : 0;
      });
    }
  }
  EXPECT_EQ(customer_.request("GET", "/products/none").status, 404);

  ASSERT_EQ(answered, 1000);
  EXPECT_EQ(views_soon("1m", 1h, answered), answered);
  EXPECT_EQ(views_soon("1h", 1h, answered), answered);
  EXPECT_EQ(views_soon("1d", 24h, answered), answered);
}

TEST_F(Views, AShopWithoutAViewLogShowsProductsAndCountsNobody) {
  ShopProcess shop(directory_.path() / "unlogged", {}, {"--set", "view.log=false"});
  shop.start_and_wait();
  customer_ = ShopClient(shop.port());
  customer_.stock("lamp", 4'900, 10);
  for (int n = 0; n < 10; ++n) ASSERT_TRUE(look());
  late_view(1s);

  EXPECT_EQ(views_soon("1m", 1h, 1), 1);
  EXPECT_EQ(views("1d", 24h), 1);
}

TEST_F(Views, TwoMinutesLateIsInTime) {
  open_shop();
  ASSERT_TRUE(look());
  late_view(2min);

  EXPECT_EQ(views_soon("1m", 1h, 2), 2);
  EXPECT_EQ(views_soon("1h", 1h, 2), 2);
}

TEST_F(Views, TwoHoursLateCountsForTheDayAndIsToldForMinuteAndHour) {
  open_shop();
  ASSERT_TRUE(look());
  EXPECT_EQ(views_soon("1d", 24h, 1), 1);  // So that there is a time to be behind.
  late_view(2h);

  EXPECT_EQ(views_soon("1d", 24h, 2), 2);
  EXPECT_EQ(views("1m", 3h), 1);
  EXPECT_EQ(views("1h", 3h), 1);
  const std::string late =
      answer_with("/v1/topics/view-log-late/records?limit=10", R"("window":"1h")");
  EXPECT_THAT(late, HasSubstr(R"("window":"1m")"));
  EXPECT_THAT(late, HasSubstr(R"("window":"1h")"));
  EXPECT_THAT(late, Not(HasSubstr(R"("window":"1d")")));
}

TEST_F(Views, WhatPeopleLookAtIsPopularTrendingAndRecommended) {
  open_shop();
  customer_.stock("mug", 300, 10);
  ASSERT_TRUE(look("X-User: ada\r\n"));
  ASSERT_EQ(customer_.request("GET", "/products/mug", {}, "X-User: ada\r\n").status, 200);
  ASSERT_TRUE(look("X-User: cleo\r\n"));

  EXPECT_THAT(answer_with("/products/popular?window=1d&n=1", R"("views":2)"),
              HasSubstr(R"([{"productId":"lamp","name":"lamp","views":2,"rank":1}])"));
  EXPECT_THAT(answer_with("/products/trending?n=5", R"("views":2)"),
              HasSubstr(R"("views":2,"previous":0,"growth":2.000,"rank":1)"));
  EXPECT_THAT(answer_with("/segments/35/other/popular", R"("views":2)"),
              HasSubstr(R"("productId":"lamp","name":"lamp","views":2,"rank":1)"));
  // Ada saw both together; Cleo, who is like her, has seen the lamp only.
  EXPECT_THAT(answer_with("/users/cleo/recommendations", "mug"),
              HasSubstr(R"([{"productId":"mug","name":"mug","reason":"CO_VIEWED","views":1}])"));
}

TEST_F(Views, CountsSurviveAKill) {
  open_shop();
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(look());
  ASSERT_EQ(views_soon("1d", 24h, 20), 20);

  shop_.process().kill_hard();
  shop_.start_and_wait();
  ASSERT_TRUE(look());

  EXPECT_EQ(views_soon("1d", 24h, 21), 21);
  const auto raw = customer_.request("GET", "/products/lamp/views?raw=true&limit=20");
  EXPECT_THAT(raw.body, HasSubstr(R"("age":null,"gender":null}],"more":true})"));
}

}  // namespace
}  // namespace thalweg::end_to_end
