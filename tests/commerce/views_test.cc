// Who looks at what: counted by window in the view's own time, as a trend, by segment and session.

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thalweg/runtime/clock.h>
#include <thalweg/runtime/topology_test_driver.h>

#include "model.h"
#include "rank_index.h"
#include "sales_model.h"
#include "text.h"
#include "topics.h"
#include "view_model.h"
#include "view_windows.h"
#include "views_topology.h"

namespace thalweg::shop {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

using List = std::vector<std::pair<std::string, std::int64_t>>;

StreamsConfig views_config() {
  StreamsConfig config;
  config.application_id = "views";
  config.deserialization_handler = FailureHandling::kDeadLetter;
  config.dead_letter_topic = "{topic}.dlq";
  return config;
}

class ViewsTest : public ::testing::Test {
 protected:
  // --- What happens -------------------------------------------------------------------------

  static std::int64_t millis(const std::string& clock) {
    return *parse_iso8601("2026-11-21T" + clock + "Z");
  }
  /// Time at which records reach the log; views are as old as they say.
  void now(const std::string& clock) { now_ = from_millis(millis(clock)); }
  void view(View view, const std::optional<std::string>& key) {
    std::string json;
    PublicViewSerde().serialize(view, json);
    driver_.pipe(topics::kViewLog, key, json, std::max(now_, from_millis(view.at)));
  }
  void view(const std::string& clock, const std::string& product) {
    view({.product_id = product, .email = {}, .gender = {}, .at = millis(clock)}, product);
  }
  void views(const std::string& clock, const std::string& product, int count) {
    for (int i = 0; i < count; ++i) view(clock, product);
  }
  void view_by(const std::string& clock, const std::string& email, const std::string& product) {
    view({.product_id = product, .email = email, .gender = {}, .at = millis(clock)}, product);
  }
  void user(const std::string& id, const User& row) {
    driver_.create_input_topic<std::string, User>(topics::kUsers).pipe(id, row);
  }

  // --- What can be seen ---------------------------------------------------------------------

  std::int64_t count(const char* store, const std::string& product, const std::string& clock) {
    const auto* row = driver_.window_store<std::string, std::int64_t>(store).fetch(
        product, from_millis(millis(clock)));
    return row ? *row : 0;
  }
  List list(const std::string& store, const std::string& name) {
    List rows;
    const auto walk =
        driver_.key_value_store<std::string, std::int64_t>(store).prefix_scan(rank_prefix(name));
    for (; walk->valid(); walk->next()) {
      rows.emplace_back(member_of(walk->key()), walk->value().value);
    }
    return rows;
  }
  List list_of_window(const std::string& store, const std::string& clock) {
    return list(store, window_list(from_millis(millis(clock))));
  }
  List segment(const std::string& name) {
    return list(stores::kPopularBySegment, segment_list(from_millis(millis("00:00:00")), name));
  }
  std::vector<ViewSession> sessions(const std::string& email) {
    std::vector<ViewSession> found;
    const auto walk =
        driver_.session_store<std::string, ViewSession>(stores::kSessions).fetch(email);
    for (; walk->valid(); walk->next()) found.push_back(walk->value().value);
    return found;
  }
  std::vector<std::string> written(const std::string& topic) {
    std::vector<std::string> values;
    auto* records = driver_.produced(topic);
    if (!records) return values;
    for (auto& record : *records) values.push_back(record.value.value_or("null"));
    records->clear();
    return values;
  }

  TopologyTestDriver driver_{build_views(), views_config()};

 private:
  Timestamp now_ = from_millis(0);
};

// --- Windows --------------------------------------------------------------------------------

TEST_F(ViewsTest, AViewCountsInItsMinuteHourAndDay) {
  view("10:00:00", "lamp");
  view("10:00:59.999", "lamp");
  view("10:01:00", "lamp");

  EXPECT_EQ(count("views-by-minute", "lamp", "10:00:00"), 2);
  EXPECT_EQ(count("views-by-minute", "lamp", "10:01:00"), 1);
  EXPECT_EQ(count("views-by-hour", "lamp", "10:00:00"), 3);
  EXPECT_EQ(count("views-by-day", "lamp", "00:00:00"), 3);
}

TEST_F(ViewsTest, WhatIsLookedAtMostComesFirst) {
  views("10:00:00", "lamp", 2);
  views("10:00:01", "cup", 3);
  views("10:00:02", "hat", 2);

  EXPECT_THAT(list_of_window("popular-by-minute", "10:00:00"),
              ElementsAre(Pair("cup", 3), Pair("hat", 2), Pair("lamp", 2)));
  EXPECT_THAT(list_of_window("popular-by-hour", "10:00:00"), SizeIs(3));
  EXPECT_THAT(list_of_window("popular-by-day", "00:00:00"), SizeIs(3));
}

TEST_F(ViewsTest, TwoMinutesLateIsInTimeForAllWindows) {
  view("10:10:30", "lamp");
  now("10:10:30");
  view("10:08:30", "lamp");

  EXPECT_EQ(count("views-by-minute", "lamp", "10:08:00"), 1);
  EXPECT_EQ(count("views-by-hour", "lamp", "10:00:00"), 2);
  EXPECT_THAT(written(topics::kViewLogLate), IsEmpty());
}

TEST_F(ViewsTest, TwoHoursLateCountsForTheDayAndIsToldForMinuteAndHour) {
  view("12:30:00", "lamp");
  now("12:30:00");
  view("10:30:00", "lamp");

  EXPECT_EQ(count("views-by-minute", "lamp", "10:30:00"), 0);
  EXPECT_EQ(count("views-by-hour", "lamp", "10:00:00"), 0);
  EXPECT_EQ(count("views-by-day", "lamp", "00:00:00"), 2);
  const std::string late = R"({"view":{"productId":"lamp","email":null,"age":null,"gender":null,)"
                           R"("at":"2026-11-21T10:30:00.000Z"},"window":)";
  EXPECT_THAT(written(topics::kViewLogLate), ElementsAre(late + R"("1m"})", late + R"("1h"})"));
}

TEST_F(ViewsTest, AViewIsNotYoungerThanItsRecord) {
  now("10:00:00");
  driver_.pipe(topics::kViewLog, "lamp", R"({"productId":"lamp","at":"2030-01-01T00:00:00Z"})",
               from_millis(millis("10:00:00")));
  view("10:00:01", "lamp");

  EXPECT_EQ(count("views-by-minute", "lamp", "10:00:00"), 2) << "time did not run ahead";
}

TEST(ViewsOfTheFuture, AreNoViewsAndEndNoWindow) {
  const ManualClock clock(from_millis(*parse_iso8601("2026-11-21T10:00:00Z")));
  const Timestamp now = clock.wall_clock();
  ShopConfig config;
  config.clock = &clock;
  TopologyTestDriver driver(build_views(config), views_config());
  const auto view = [&](Timestamp time) {
    driver.pipe(topics::kViewLog, "lamp", R"({"productId":"lamp"})", time);
  };

  view(now);
  view(Timestamp::max());
  view(now + std::chrono::hours(24) + std::chrono::milliseconds(1));
  view(now);

  const auto* counted =
      driver.window_store<std::string, std::int64_t>("views-by-minute").fetch("lamp", now);
  ASSERT_NE(counted, nullptr);
  EXPECT_EQ(*counted, 2);
  ASSERT_NE(driver.produced("view-log-topic.dlq"), nullptr);
  EXPECT_THAT(*driver.produced("view-log-topic.dlq"), SizeIs(2));
  view(now + std::chrono::hours(24));
  EXPECT_THAT(*driver.produced("view-log-topic.dlq"), SizeIs(2)) << "a clock may be a day wrong";
}

TEST_F(ViewsTest, ViewsOfAnyKeyAreCountedByTheirProduct) {
  view({.product_id = "lamp", .email = {}, .gender = {}, .at = millis("10:00:00")}, "somebody");
  view({.product_id = "lamp", .email = {}, .gender = {}, .at = millis("10:00:00")}, std::nullopt);
  view("10:00:00", "lamp");

  EXPECT_EQ(count("views-by-minute", "lamp", "10:00:00"), 3);
}

TEST_F(ViewsTest, EachViewIsKeptAsItWas) {
  view({"lamp", "ann", 33, "female", millis("10:00:00")}, "lamp");
  view({"lamp", "bob", 40, "male", millis("10:00:00")}, "lamp");

  const auto walk = driver_.window_store<std::string, View>(stores::kRawViews)
                        .fetch("lamp", from_millis(millis("10:00:00")),
                               from_millis(millis("10:00:00")));
  std::vector<std::string> viewers;
  for (; walk->valid(); walk->next()) viewers.push_back(walk->value().value.email);
  EXPECT_THAT(viewers, ElementsAre("ann", "bob"));
}

TEST_F(ViewsTest, ARecordThatIsNoViewGoesToTheDeadLetters) {
  driver_.pipe(topics::kViewLog, "x", R"({"age":200})", from_millis(millis("10:00:00")));

  EXPECT_THAT(written("view-log-topic.dlq"), ElementsAre(R"({"age":200})"));
}

TEST_F(ViewsTest, AViewedProductHasItsNameAndAllItsViews) {
  views("10:00:00", "lamp", 2);
  driver_.create_input_topic<std::string, ProductEvent>(topics::kProductEvents)
      .pipe("lamp", {"CREATED", "lamp", "Storm lamp", 10, 1, 0});

  const auto* product =
      driver_.key_value_store<std::string, ViewedProduct>(stores::kViewedProducts).get("lamp");
  ASSERT_NE(product, nullptr);
  EXPECT_EQ(product->name, "Storm lamp");
  EXPECT_EQ(product->views, 2);
}

// --- The trend ------------------------------------------------------------------------------

TEST_F(ViewsTest, WhatGrowsIsAheadOfWhatIsMuch) {
  views("10:00:00", "lamp", 10);
  views("10:00:00", "cup", 1);
  views("10:05:00", "lamp", 11);
  views("10:05:00", "cup", 4);

  EXPECT_THAT(list_of_window(stores::kTrending, "10:05:00"),
              ElementsAre(Pair("cup", kNoGrowth + 3'000'000), Pair("lamp", kNoGrowth + 100'000)));
}

TEST_F(ViewsTest, WhatIsNewGrowsByItsViews) {
  views("10:00:00", "lamp", 3);

  EXPECT_EQ(list_of_window(stores::kTrending, "10:00:00"), (List{{"lamp", kNoGrowth + 3'000'000}}));
}

TEST_F(ViewsTest, WhatFadesHasNegativeGrowth) {
  views("10:00:00", "lamp", 4);
  views("10:05:00", "lamp", 1);

  EXPECT_EQ(list_of_window(stores::kTrending, "10:05:00"), (List{{"lamp", kNoGrowth - 750'000}}));
}

TEST_F(ViewsTest, TrendsBeginEveryMinute) {
  view("10:04:30", "lamp");

  for (const char* start : {"10:00:00", "10:01:00", "10:02:00", "10:03:00", "10:04:00"}) {
    EXPECT_THAT(list_of_window(stores::kTrending, start), SizeIs(1)) << start;
  }
  EXPECT_THAT(list_of_window(stores::kTrending, "09:59:00"), IsEmpty());
}

TEST_F(ViewsTest, ALateViewTakesFromTheGrowthOfTheWindowBehindIt) {
  views("10:04:30", "lamp", 1);
  views("10:05:30", "lamp", 3);
  now("10:05:30");
  view("10:04:40", "lamp");

  EXPECT_EQ(list_of_window(stores::kTrending, "10:05:00"), (List{{"lamp", kNoGrowth + 500'000}}));
}

// --- Segments -------------------------------------------------------------------------------

TEST_F(ViewsTest, PeopleOfOneAgeAndGenderAreASegment) {
  View of_ann{"lamp", "ann@example.com", 33, "female", millis("10:00:00")};
  view(of_ann, "lamp");
  of_ann.age = 39;
  view(of_ann, "lamp");
  of_ann.age = 40;
  view(of_ann, "lamp");

  EXPECT_THAT(segment("30/female"), ElementsAre(Pair("lamp", 2)));
  EXPECT_THAT(segment("40/female"), ElementsAre(Pair("lamp", 1)));
}

TEST_F(ViewsTest, WhatAViewDoesNotSayTheTableOfUsersKnows) {
  user("ann", {"ann@example.com", 33, "female"});
  view_by("10:00:00", "ann@example.com", "lamp");
  user("ann", {"ann@example.org", 33, "female"});
  view_by("10:00:01", "ann@example.com", "cup");

  EXPECT_THAT(segment("30/female"), ElementsAre(Pair("lamp", 1))) << "that is no longer her";
}

TEST_F(ViewsTest, AnEmailOfTwoUsersStaysWithTheOneWhoKeepsIt) {
  user("ann", {"both@example.com", 33, "female"});
  user("bob", {"both@example.com", 45, "male"});
  user("ann", {"ann@example.com", 33, "female"});
  view_by("10:00:00", "both@example.com", "lamp");
  EXPECT_THAT(segment("40/male"), ElementsAre(Pair("lamp", 1)));

  user("cleo", {"both@example.com", 33, "female"});
  user("cleo", {"cleo@example.com", 33, "female"});
  view_by("10:00:01", "both@example.com", "cup");
  EXPECT_THAT(segment("40/male"), ElementsAre(Pair("cup", 1), Pair("lamp", 1)));

  user("bob", {"bob@example.com", 45, "male"});
  view_by("10:00:02", "both@example.com", "hat");
  EXPECT_THAT(segment("40/male"), SizeIs(2)) << "nobody has it any more";
}

TEST_F(ViewsTest, AViewThatSaysASegmentButNoEmailCountsInItWithoutASession) {
  view({.product_id = "lamp", .email = {}, .age = 33, .gender = "female", .at = millis("10:00:00")},
       "lamp");

  EXPECT_THAT(segment("30/female"), ElementsAre(Pair("lamp", 1)));
  EXPECT_THAT(sessions(""), IsEmpty());
  EXPECT_THAT(sessions("lamp"), IsEmpty());
}

TEST_F(ViewsTest, AnonymousViewsCountWithoutASegmentOrASession) {
  view("10:00:00", "lamp");

  EXPECT_EQ(count("views-by-day", "lamp", "00:00:00"), 1);
  auto& segments = driver_.window_store<std::string, std::int64_t>(stores::kViewsBySegment);
  EXPECT_FALSE(segments.all()->valid());
  EXPECT_THAT(sessions(""), IsEmpty());
}

// --- Sessions -------------------------------------------------------------------------------

TEST_F(ViewsTest, ASessionEndsAfterHalfAnHourWithoutAView) {
  view_by("10:00:00", "ann", "lamp");
  view_by("10:30:00", "ann", "cup");
  view_by("11:00:00.001", "ann", "hat");

  const auto found = sessions("ann");
  ASSERT_THAT(found, SizeIs(2));
  EXPECT_THAT(found[0].products, ElementsAre("lamp", "cup"));
  EXPECT_THAT(found[1].products, ElementsAre("hat"));
}

TEST_F(ViewsTest, ProductsOfOneSessionAreSeenTogether) {
  view_by("10:00:00", "ann", "lamp");
  view_by("10:01:00", "ann", "cup");
  view_by("10:02:00", "ann", "lamp");
  view_by("10:00:00", "bob", "cup");
  view_by("10:01:00", "bob", "lamp");
  view_by("10:02:00", "bob", "hat");

  EXPECT_THAT(list(stores::kCoViewed, "lamp"), ElementsAre(Pair("cup", 2), Pair("hat", 1)));
  EXPECT_THAT(list(stores::kCoViewed, "hat"), ElementsAre(Pair("cup", 1), Pair("lamp", 1)));
}

TEST_F(ViewsTest, ALateViewThatJoinsTwoSessionsBringsTheirProductsTogether) {
  view_by("10:00:00", "ann", "lamp");
  view_by("10:50:00", "ann", "cup");
  ASSERT_THAT(sessions("ann"), SizeIs(2));
  now("10:50:00");
  view_by("10:25:00", "ann", "lamp");

  ASSERT_THAT(sessions("ann"), SizeIs(1));
  EXPECT_EQ(sessions("ann")[0].views, 3);
  EXPECT_THAT(list(stores::kCoViewed, "lamp"), ElementsAre(Pair("cup", 1)));
}

TEST(ViewSessions, RememberFiftyProducts) {
  ViewSession session;
  for (int i = 0; i < 60; ++i) {
    session = with_view({.product_id = "p" + std::to_string(i), .email = {}, .gender = {}},
                        std::move(session));
  }

  EXPECT_THAT(session.products, SizeIs(ViewSession::kProductsMax));
  EXPECT_EQ(session.views, 60);
}

// --- The plan -------------------------------------------------------------------------------

TEST(ViewsTopology, JoinsViewsWithProductsAndUsers) {
  const std::string text = build_views().describe().to_text();

  EXPECT_THAT(text, HasSubstr("views-with-users (stores: [users-by-email])"));
  EXPECT_THAT(text, HasSubstr("views-with-products-join-this (stores: [products-of-views])"));
  EXPECT_THAT(text, HasSubstr("keep-sessions (stores: [view-sessions])"));
  EXPECT_THAT(text, HasSubstr("growth (stores: [trend])"));
  for (const auto& window : kViewWindows) {
    EXPECT_THAT(text, HasSubstr("count-views-of-" + std::string(window.name) + " (stores: [" +
                                window.counts + "])"));
  }
  EXPECT_THAT(text, HasSubstr("(topic: view-log-late)"));
  EXPECT_EQ(text, build_views().describe().to_text()) << "a plan is a pure function";
}

}  // namespace
}  // namespace thalweg::shop
