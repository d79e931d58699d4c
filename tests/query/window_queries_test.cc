// What one key has in a store of windows or of sessions, over HTTP and in the types of the
// topology.

#include <gmock/gmock.h>

#include <thalweg/runtime/read_only_window_store.h>

#include "query/query_story.h"
#include "query/query_text.h"

namespace thalweg::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::int64_t kMinute = 60'000;

Window minute(std::int64_t number) {
  return {from_millis(number * kMinute), from_millis((number + 1) * kMinute)};
}

class WindowQueries : public QueryStory {
 protected:
  void count(const std::string& product, std::int64_t of_minute, std::int64_t views) {
    shop_->put_window("views", product, minute(of_minute), views);
  }
  /// Views of two products whose names begin alike, a minute each.
  void start_with_views() {
    shop_->add_windows<std::string, std::int64_t>("views", StateStore::Kind::kWindow, 3);
    for (std::int64_t i = 0; i < 10; ++i) {
      count("lamp", i, 10 + i);
      count("lamp-shade", i, 100 + i);
    }
    start();
  }
  void start_with_sessions() {
    shop_->add_windows<std::string, std::int64_t>("sessions", StateStore::Kind::kSession, 3);
    const auto session = [&](std::int64_t start, std::int64_t end, std::int64_t views) {
      shop_->put_window<std::string, std::int64_t>("sessions", "ann",
                                                   {from_millis(start), from_millis(end)}, views);
    };
    session(0, 10'000, 1);
    session(100'000, 300'000, 2);
    session(400'000, 400'000, 3);
    start();
  }
  /// The values of an answer's items, and where their windows begin.
  std::vector<std::string> items(const std::string& target) {
    const std::string answer = body_of(target);
    const std::string array = member(answer, "items");
    const auto elements = internal::json_elements(array);
    if (!elements) return {"not an answer: " + answer};
    std::vector<std::string> found;
    for (const auto row : *elements) {
      const std::string item(row);
      found.push_back(member(member(item, "window"), "start") + ":" + member(item, "value"));
    }
    return found;
  }
};

TEST_F(WindowQueries, TheWindowsOfAKeyComeInTheOrderOfTheirTime) {
  start_with_views();

  EXPECT_THAT(items("/v1/stores/views/keys/lamp?from=120000&to=240000"),
              ElementsAre("120000:12", "180000:13", "240000:14"));
}

TEST_F(WindowQueries, BoundsBelongToTheRangeAndWhatIsBetweenStartsIsNot) {
  start_with_views();

  EXPECT_THAT(items("/v1/stores/views/keys/lamp?from=120001&to=239999"), ElementsAre("180000:13"));
  EXPECT_THAT(items("/v1/stores/views/keys/lamp?from=120001&to=179999"), IsEmpty());
}

TEST_F(WindowQueries, WithoutBoundsAllWindowsAreShown) {
  start_with_views();

  EXPECT_EQ(items("/v1/stores/views/keys/lamp").size(), 10u);
  EXPECT_THAT(items("/v1/stores/views/keys/lamp?to=0"), ElementsAre("0:10"));
  EXPECT_THAT(items("/v1/stores/views/keys/lamp?from=540000"), ElementsAre("540000:19"));
}

TEST_F(WindowQueries, TheLatestMayComeFirstAndALimitSaysWhetherThereIsMore) {
  start_with_views();

  EXPECT_THAT(items("/v1/stores/views/keys/lamp?reverse=true&limit=2"),
              ElementsAre("540000:19", "480000:18"));
  EXPECT_EQ(member(body_of("/v1/stores/views/keys/lamp?reverse=true&limit=2"), "more"), "true");
  EXPECT_EQ(member(body_of("/v1/stores/views/keys/lamp?limit=10"), "more"), "false");
}

TEST_F(WindowQueries, AKeyWithoutWindowsHasNone) {
  start_with_views();

  EXPECT_THAT(items("/v1/stores/views/keys/lam"), IsEmpty());
}

TEST_F(WindowQueries, MoreWindowsThanAPieceLoseNothing) {
  shop_->add_windows<std::string, std::int64_t>("views", StateStore::Kind::kWindow, 1);
  for (std::int64_t i = 0; i < 1000; ++i) {
    shop_->put_window<std::string, std::int64_t>("views", "lamp",
                                                 {from_millis(i), from_millis(i + kMinute)}, i);
  }
  start();

  EXPECT_EQ(items("/v1/stores/views/keys/lamp?limit=1000").size(), 1000u);
  EXPECT_EQ(items("/v1/stores/views/keys/lamp?limit=1000&reverse=true").size(), 1000u);
}

TEST_F(WindowQueries, SessionsShowWhenTheyBeganAndEnded) {
  start_with_sessions();

  const std::string answer = body_of("/v1/stores/sessions/keys/ann?from=20000&to=350000");

  EXPECT_EQ(member(answer, "items"),
            R"([{"window":{"start":100000,"end":300000},"value":2,"timestamp":1000}])");
}

TEST_F(WindowQueries, ASessionBelongsToARangeThatItOnlyTouches) {
  start_with_sessions();

  EXPECT_THAT(items("/v1/stores/sessions/keys/ann?from=10000&to=100000"),
              ElementsAre("0:1", "100000:2"));
  EXPECT_THAT(items("/v1/stores/sessions/keys/ann?from=300001"), ElementsAre("400000:3"));
  EXPECT_THAT(items("/v1/stores/sessions/keys/ann?reverse=true&limit=1"), ElementsAre("400000:3"));
}

TEST_F(WindowQueries, WindowsThatHaveExpiredAreNotShownAlthoughTheirRowsAreThere) {
  shop_->add_windows<std::string, std::int64_t>("views", StateStore::Kind::kWindow, 3);
  for (std::int64_t i = 0; i < 10; ++i) count("lamp", i, 10 + i);
  shop_->expire("views", from_millis(7 * kMinute + 1));
  start();

  EXPECT_THAT(items("/v1/stores/views/keys/lamp"), ElementsAre("480000:18", "540000:19"));
  EXPECT_THAT(items("/v1/stores/views/keys/lamp?reverse=true&limit=3"),
              ElementsAre("540000:19", "480000:18"));
  EXPECT_EQ(member(body_of("/v1/stores/views/keys/lamp?limit=2"), "more"), "false");
}

TEST_F(WindowQueries, ASessionExpiresByItsEnd) {
  shop_->add_windows<std::string, std::int64_t>("sessions", StateStore::Kind::kSession, 3);
  shop_->put_window<std::string, std::int64_t>("sessions", "ann",
                                               {from_millis(0), from_millis(10'000)}, 1);
  shop_->put_window<std::string, std::int64_t>("sessions", "ann",
                                               {from_millis(100), from_millis(300'000)}, 2);
  shop_->expire("sessions", from_millis(10'001));
  start();

  EXPECT_THAT(items("/v1/stores/sessions/keys/ann"), ElementsAre("100:2"));
}

TEST_F(WindowQueries, WindowsThatLieElsewhereThanTheirKeySaysAreFound) {
  shop_->add_windows<std::string, std::int64_t>("views", StateStore::Kind::kWindow, 3);
  const auto elsewhere = (partition_of("lamp", 3) + 1) % 3;
  shop_->put_window_into<std::string, std::int64_t>("views", elsewhere, "lamp", minute(2), 7);
  start();

  EXPECT_THAT(items("/v1/stores/views/keys/lamp"), ElementsAre("120000:7"));
  EXPECT_EQ(member(body_of("/v1/stores/views/keys/lamp"), "partition"), std::to_string(elsewhere));
  EXPECT_THAT(items("/v1/stores/views/keys/lamp?from=120001"), IsEmpty());
}

TEST_F(WindowQueries, BoundsThatAreNoTimesAre400) {
  start_with_views();

  const auto answer = get("/v1/stores/views/keys/lamp?from=yesterday");

  EXPECT_EQ(answer.status, 400);
  EXPECT_THAT(answer.body, HasSubstr("from"));
}

TEST_F(WindowQueries, AllRowsOfWindowsAreRefusedWithTheWayToOneKey) {
  start_with_views();

  const auto answer = get("/v1/stores/views/keys");

  EXPECT_EQ(answer.status, 400);
  EXPECT_THAT(answer.body, HasSubstr("/v1/stores/{store}/keys/{key}?from&to"));
}

TEST_F(WindowQueries, AProgramReadsThemInTheTypesOfTheTopology) {
  start_with_sessions();
  const ReadOnlySessionStore<std::string, std::int64_t> sessions(*shop_->views("sessions"), {}, {});

  const auto found = sessions.fetch("ann", {.from = from_millis(100'000)});

  ASSERT_TRUE(found.has_value());
  ASSERT_EQ(found->size(), 2u);
  EXPECT_EQ(found->front().value, 2);
  EXPECT_EQ(found->front().window, (Window{from_millis(100'000), from_millis(300'000)}));
}

}  // namespace
}  // namespace thalweg::testing
