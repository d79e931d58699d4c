// Two processes of one application: a request to the one finds what the other has, also while a
// task is on its way from somewhere to somewhere.

#include <future>

#include <gmock/gmock.h>

#include "query/query_story.h"

namespace thalweg::testing {
namespace {

using ::testing::HasSubstr;

constexpr std::int32_t kPartitions = 3;
constexpr int kProducts = 10;

class MovingTasks : public QueryStory {
 protected:
  ~MovingTasks() override {
    if (neighbour_) neighbour_->stop(std::chrono::milliseconds(0));
    if (neighbours_context_) neighbours_context_->close();
  }

  /// The stock of ten products, and how many orders each task has seen paid and placed; the task of
  /// `lost` is not in the process that is asked.
  void start_both(std::int32_t lost, QueryOptions options = {}) {
    auto source = std::make_unique<FakeSource>("shop");
    FakeSource& there = *source;
    for (FakeSource* process : {shop_, &there}) {
      process->add_store<std::string, std::int64_t>("stock", kPartitions);
      for (int i = 0; i < kProducts; ++i) {
        process->put<std::string, std::int64_t>("stock", product(i), i);
      }
      process->add_store<std::string, std::int64_t>("funnel", kPartitions);
      for (std::int32_t i = 0; i < kPartitions; ++i) {
        process->put_into<std::string, std::int64_t>("funnel", i, "paid", i);
        process->put_into<std::string, std::int64_t>("funnel", i, "placed", kPartitions + i);
      }
    }
    for (std::int32_t partition = 0; partition < kPartitions; ++partition) {
      FakeSource& without = partition == lost ? *shop_ : there;
      without.lose("stock", static_cast<std::size_t>(partition));
      without.lose("funnel", static_cast<std::size_t>(partition));
    }
    shop_->answer_as("here");
    there.answer_as("there");
    start(options);
    neighbour_ = std::make_unique<HttpServer>(patient());
    std::vector<std::unique_ptr<internal::QuerySource>> sources;
    sources.push_back(std::move(source));
    neighbours_context_ = internal::add_query_routes(*neighbour_, std::move(sources), *log_,
                                                     neighbours_metrics_, system_clock(), {});
    const auto started = neighbour_->start();
    ASSERT_TRUE(started) << started.error().message;
  }
  /// From now on the group says that the neighbour has the task.
  void neighbour_takes(std::int32_t partition) {
    for (const char* store : {"stock", "funnel"}) {
      shop_->move_to(store, partition, "127.0.0.1:" + std::to_string(neighbour_->port()));
    }
  }
  static std::string product(int number) { return "sneaker-" + std::to_string(number); }
  static std::int32_t task_of(int number) { return partition_of(product(number), kPartitions); }
  /// The values of the rows of a page, in order.
  static std::string values_of(const RawResponse& page) {
    std::string values;
    for (std::size_t at = page.body.find("\"value\":"); at != std::string::npos;
         at = page.body.find("\"value\":", at + 1)) {
      values += page.body.at(at + 8);
    }
    return values;
  }

  MetricsRegistry neighbours_metrics_;
  std::unique_ptr<HttpServer> neighbour_;
  internal::ContextPtr neighbours_context_;
};

TEST_F(MovingTasks, AKeyOfAnotherProcessIsAnsweredByIt) {
  start_both(task_of(7));
  neighbour_takes(task_of(7));

  const auto row = get("/v1/stores/stock/keys/sneaker-7");

  EXPECT_EQ(row.status, 200);
  EXPECT_EQ(member(row.body, "value"), "7");
  EXPECT_EQ(row.header("x-served-by"), "there");
}

TEST_F(MovingTasks, TheOwnerOfAKeyKnowsEachParameterThatItIsPassedOnWith) {
  start_both(task_of(7));
  neighbour_takes(task_of(7));

  const auto row = get(
      "/v1/stores/stock/keys/sneaker-7?application=shop&visibility=early&max_lag=0&from=0&to=9"
      "&reverse=true&limit=5&access_token=any");

  EXPECT_EQ(row.status, 200) << row.body;
  EXPECT_EQ(member(row.body, "value"), "7");
  EXPECT_EQ(row.header("x-served-by"), "there");
}

TEST_F(MovingTasks, AKeyThatItsOwnerDoesNotHaveIsLookedForHere) {
  start_both(task_of(7));
  neighbour_takes(task_of(7));
  int number = kProducts;
  while (task_of(number) != task_of(7)) ++number;
  shop_->put_into<std::string, std::int64_t>("stock", (task_of(7) + 1) % kPartitions,
                                             product(number), 5);

  const auto row = get("/v1/stores/stock/keys/" + product(number));

  EXPECT_EQ(row.status, 200);
  EXPECT_EQ(member(row.body, "value"), "5");
  EXPECT_EQ(row.header("x-served-by"), "here");
  EXPECT_EQ(get("/v1/stores/stock/keys/none").status, 404);
}

TEST_F(MovingTasks, AKeyWhoseTaskIsOnItsWayIsAnsweredWhenThatHasArrived) {
  start_both(task_of(7), {.at_least_time = std::chrono::minutes(10)});

  auto row = std::async([this] { return get("/v1/stores/stock/keys/sneaker-7"); });
  shop_->wait_until_looked_for(3);
  neighbour_takes(task_of(7));

  EXPECT_EQ(member(row.get().body, "value"), "7");
}

TEST_F(MovingTasks, AKeyWhoseOwnerHasNotRestoredItYetIsAskedForUntilSomebodyHas) {
  start_both(task_of(7), {.at_least_time = std::chrono::minutes(10)});
  // What the group says is late: this process, which has lost the task, passes for its owner.
  shop_->move_to("stock", task_of(7), "127.0.0.1:" + std::to_string(server_->port()));

  auto row = std::async([this] { return get("/v1/stores/stock/keys/sneaker-7"); });
  shop_->wait_until_looked_for(3);
  neighbour_takes(task_of(7));

  EXPECT_EQ(member(row.get().body, "value"), "7");
}

TEST_F(MovingTasks, AKeyThatNobodyTakesInTimeIs503) {
  start_both(task_of(7), {.at_least_time = std::chrono::milliseconds(1)});

  const auto row = get("/v1/stores/stock/keys/sneaker-7");

  EXPECT_EQ(row.status, 503);
  EXPECT_THAT(row.body, HasSubstr("restoring"));
}

TEST_F(MovingTasks, AScanShowsTheRowsOfAllProcessesInOrder) {
  start_both(task_of(7));
  neighbour_takes(task_of(7));

  const auto all = get("/v1/stores/stock/keys");
  const auto first = get("/v1/stores/stock/keys?limit=4");
  const auto range = get("/v1/stores/stock/keys?from=sneaker-3&to=sneaker-8&reverse=true");
  const auto lines = get("/v1/stores/stock/keys", "Accept: application/x-ndjson\r\n");

  EXPECT_EQ(values_of(all), "0123456789");
  EXPECT_EQ(values_of(first), "0123");
  EXPECT_EQ(values_of(range), "76543");
  EXPECT_EQ(values_of(lines), "0123456789");
}

// Several tasks have the same key, one of them elsewhere.
TEST_F(MovingTasks, PagesOfAScanGoOnInWhicheverProcessTheNextRowIs) {
  start_both(1);
  neighbour_takes(1);
  for (const bool reverse : {false, true}) {
    std::string values, cursor;
    for (int pages = 0; pages < 2 * kPartitions; ++pages) {
      const auto page =
          get("/v1/stores/funnel/keys?limit=1&cursor=" + cursor + (reverse ? "&reverse=true" : ""));
      values += values_of(page);
      cursor = member(page.body, "next_cursor");
      std::erase(cursor, '"');
    }

    EXPECT_EQ(values, reverse ? "543210" : "012345");
    EXPECT_EQ(cursor, "null") << "after the last page";
  }
}

TEST_F(MovingTasks, AScanWaitsForATaskThatIsOnItsWay) {
  start_both(task_of(7), {.at_least_time = std::chrono::minutes(10)});

  auto page = std::async([this] { return get("/v1/stores/stock/keys"); });
  shop_->wait_until_looked_for(3);
  neighbour_takes(task_of(7));

  EXPECT_EQ(values_of(page.get()), "0123456789");
}

TEST_F(MovingTasks, APartOfAScanDoesNotWait) {
  start_both(task_of(7), {.at_least_time = std::chrono::minutes(10)});

  const auto part = get("/v1/stores/stock/keys?partial=true");

  EXPECT_EQ(member(part.body, "missing"), "[" + std::to_string(task_of(7)) + "]");
}

}  // namespace
}  // namespace thalweg::testing
