// Products by what was sold of them: of all time, by day and by hour, in the order's own time.

#include <thalweg/runtime/clock.h>

#include "rank_index.h"
#include "sales_fixture.h"

namespace thalweg::shop {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

class RankingTest : public SalesTest {
 protected:
  explicit RankingTest(const ShopConfig& config = {}) : SalesTest(build_ranking(config)) {}

  /// The list as a reader walks it: who is first comes first.
  std::vector<std::pair<std::string, std::int64_t>> ranking(const char* store,
                                                            const std::string& list) {
    std::vector<std::pair<std::string, std::int64_t>> rows;
    const auto walk =
        driver_.key_value_store<std::string, std::int64_t>(store).prefix_scan(rank_prefix(list));
    for (; walk->valid(); walk->next()) {
      rows.emplace_back(member_of(walk->key()), walk->value().value);
    }
    return rows;
  }
  auto of_all_time() { return ranking(stores::kRankingOfAllTime, kAllTime); }
  auto of_day(const std::string& day) {
    return ranking(stores::kRankingByDay, day + "T00:00:00.000Z");
  }
  auto of_hour(const std::string& hour) {
    return ranking(stores::kRankingByHour, hour + ":00:00.000Z");
  }
};

/// The same on the evening of the 21st.
class RankingThatEvening : public RankingTest {
 protected:
  RankingThatEvening() : RankingTest(that_evening()) {}

 private:
  static ShopConfig that_evening() {
    static const ManualClock clock(at("2026-11-21T20:00:00Z"));
    ShopConfig config;
    config.clock = &clock;
    return config;
  }
};

TEST_F(RankingThatEvening, AnOrderOfTheFutureIsNoneAndNobodyIsLateForIt) {
  sold("2026-11-21T10:00:00Z", "lamp", 2);
  sold("2030-01-01T00:00:00Z", "lamp", 5);
  sold("2026-11-21T10:01:00Z", "lamp", 1);

  EXPECT_THAT(of_all_time(), ElementsAre(Pair("lamp", 3)));
  EXPECT_THAT(of_hour("2026-11-21T10"), ElementsAre(Pair("lamp", 3)));
  ASSERT_NE(driver_.produced("order-completed.dlq"), nullptr);
  EXPECT_THAT(*driver_.produced("order-completed.dlq"), SizeIs(1));
}

TEST_F(RankingTest, WhoSellsMostIsFirst) {
  sold("2026-11-21T10:00:00Z", "lamp", 2);
  sold("2026-11-21T10:01:00Z", "cup", 5);
  sold("2026-11-21T10:02:00Z", "hat", 3);

  EXPECT_THAT(of_all_time(), ElementsAre(Pair("cup", 5), Pair("hat", 3), Pair("lamp", 2)));
}

TEST_F(RankingTest, EqualsStandInTheOrderOfTheirIds) {
  sold("2026-11-21T10:00:00Z", "lamp", 2);
  sold("2026-11-21T10:01:00Z", "cup", 2);

  EXPECT_THAT(of_all_time(), ElementsAre(Pair("cup", 2), Pair("lamp", 2)));
}

TEST_F(RankingTest, AProductThatOvertakesLeavesNoTraceOfItsOldPlace) {
  sold("2026-11-21T10:00:00Z", "lamp", 9);
  sold("2026-11-21T10:01:00Z", "cup", 8);
  sold("2026-11-21T10:02:00Z", "cup", 2);

  EXPECT_THAT(of_all_time(), ElementsAre(Pair("cup", 10), Pair("lamp", 9)));
}

TEST_F(RankingTest, OneOrderCountsAllItsProducts) {
  order("2026-11-21T10:00:00Z", "ann", {{"lamp", 1}, {"cup", 4}});

  EXPECT_THAT(of_all_time(), ElementsAre(Pair("cup", 4), Pair("lamp", 1)));
}

TEST_F(RankingTest, DaysAndHoursAreCountedApart) {
  sold("2026-11-20T23:59:59.999Z", "lamp", 1);
  sold("2026-11-21T00:00:00Z", "cup", 2);
  sold("2026-11-21T01:00:00Z", "lamp", 3);

  EXPECT_THAT(of_day("2026-11-20"), ElementsAre(Pair("lamp", 1)));
  EXPECT_THAT(of_day("2026-11-21"), ElementsAre(Pair("lamp", 3), Pair("cup", 2)));
  EXPECT_THAT(of_hour("2026-11-21T00"), ElementsAre(Pair("cup", 2)));
  EXPECT_THAT(of_hour("2026-11-21T01"), ElementsAre(Pair("lamp", 3)));
}

TEST_F(RankingTest, AnOrderThatComesLateCountsInItsOwnHour) {
  sold("2026-11-21T10:00:00Z", "lamp", 1);
  sold("2026-11-21T14:00:00Z", "cup", 1);
  sold("2026-11-21T10:30:00Z", "lamp", 1);

  EXPECT_THAT(of_hour("2026-11-21T10"), ElementsAre(Pair("lamp", 2)));
  EXPECT_THAT(of_hour("2026-11-21T14"), ElementsAre(Pair("cup", 1)));
}

TEST_F(RankingTest, HoursLongPastAreForgottenAndAllTimeIsNot) {
  sold("2026-11-01T10:00:00Z", "lamp", 1);
  sold("2026-11-21T10:00:00Z", "cup", 1);

  EXPECT_THAT(of_hour("2026-11-01T10"), IsEmpty());
  EXPECT_THAT(of_day("2026-11-01"), ElementsAre(Pair("lamp", 1)));
  EXPECT_THAT(of_all_time(), ElementsAre(Pair("cup", 1), Pair("lamp", 1)));
}

TEST_F(RankingTest, AnHourOfVeryManyProductsIsForgottenAtOnce) {
  for (int i = 0; i < 60; ++i) {
    std::vector<ProductUnits> products;
    for (int j = 0; j < 100; ++j) products.push_back({"p" + std::to_string(100 * i + j), 1});
    order("2026-11-01T10:00:00Z", "ann", std::move(products));
  }
  EXPECT_THAT(of_hour("2026-11-01T10"), SizeIs(6'000));

  sold("2026-11-21T10:00:00Z", "cup", 1);

  EXPECT_THAT(of_hour("2026-11-01T10"), IsEmpty());
}

TEST_F(RankingTest, SoldProductsCarryTheNamesThatTheyHaveNow) {
  sold("2026-11-21T10:00:00Z", "lamp", 3);
  auto& sold_products = driver_.key_value_store<std::string, SoldProduct>(stores::kSoldProducts);
  EXPECT_EQ(sold_products.get("lamp")->name, "") << "nothing has told of it yet";

  product("lamp", 500);

  EXPECT_EQ(sold_products.get("lamp")->name, "The lamp");
  EXPECT_EQ(sold_products.get("lamp")->units, 3);
}

TEST_F(RankingTest, ARecordThatIsNoOrderGoesToTheDeadLettersAndStopsNothing) {
  driver_.pipe(topics::kOrderCompleted, "o1", R"({"orderId":"o1","products":[{"id":"cup"}]})",
               at("2026-11-21T10:00:00Z"));
  sold("2026-11-21T10:00:00Z", "lamp", 3);

  const auto* dead = driver_.produced("order-completed.dlq");
  ASSERT_NE(dead, nullptr);
  ASSERT_EQ(dead->size(), 1u);
  const auto* message = dead->front().headers.last("__streams.errors.message");
  ASSERT_NE(message, nullptr);
  EXPECT_THAT(std::string(message->value.value()),
              HasSubstr("userId is missing; totalAmount is missing; products[0].qty is missing"));
  EXPECT_THAT(of_all_time(), ElementsAre(Pair("lamp", 3)));
}

TEST(RankIndex, ManyScoresStandInTheirOrder) {
  EXPECT_LT(rank_key("all", 10, "a"), rank_key("all", 9, "a"));
  EXPECT_LT(rank_key("all", 1LL << 40, "z"), rank_key("all", 255, "a"));
  EXPECT_LT(rank_key("all", 7, "a"), rank_key("all", 7, "b"));
  EXPECT_EQ(member_of(rank_key("all", 7, "lamp")), "lamp");
  EXPECT_EQ(member_of(score_key("all", "lamp")), "lamp");
}

TEST(RankingTopology, JoinsWhatIsSoldWithProductsAndKeepsSortedLists) {
  const std::string text = build_ranking().describe().to_text();

  EXPECT_THAT(text, HasSubstr("units-with-products-join-this (stores: [products])"));
  EXPECT_THAT(text, HasSubstr("units-with-products-join-other (stores: [units-sold])"));
  EXPECT_THAT(text, HasSubstr("units-with-products (stores: [sold-products])"));
  EXPECT_THAT(text, HasSubstr("(stores: [units-sold-by-day])"));
  EXPECT_THAT(text, HasSubstr("(stores: [units-sold-by-hour])"));
  EXPECT_THAT(text, HasSubstr("(stores: [ranking-of-all-time])"));
  EXPECT_THAT(text, HasSubstr("(stores: [ranking-by-day])"));
  EXPECT_THAT(text, HasSubstr("(stores: [ranking-by-hour])"));
  EXPECT_EQ(text, build_ranking().describe().to_text()) << "a plan is a pure function";
}

}  // namespace
}  // namespace thalweg::shop
