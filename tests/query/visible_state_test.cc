// When a row is shown: not before it is durable, nor before what the reader wrote is processed.

#include "query/query_story.h"

namespace thalweg::testing {
namespace {

class VisibleState : public QueryStory {
 protected:
  void stock_of(const std::string& product, std::int64_t pieces) {
    shop_->put<std::string, std::int64_t>("stock", product, pieces);
  }
  // A commit that the log shows and a crash could still take back.
  CommitSequence commit_something() {
    const auto producer = log_->producer({});
    const auto topic = producer->topic("input");
    EXPECT_TRUE(producer->send(topic, 0, "key", "value", from_millis(1), ""));
    producer->commit();
    return log_->durability().visible();
  }
  void start_with_undurable_row() {
    open_log(false);
    add_topic("input", 1);
    sync();
    shop_->add_store<std::string, std::int64_t>("stock", 1);
    stock_of("sneaker-1", 1);
    shop_->show_commit("stock", commit_something());
    start();
  }
};

TEST_F(VisibleState, AnAnswerWaitsUntilWhatItShowsIsDurable) {
  start_with_undurable_row();
  const auto asking = connect();
  asking->send("GET /v1/stores/stock/keys/sneaker-1 HTTP/1.1\r\nHost: t\r\n\r\n");
  const auto impatient = get("/v1/stores/stock/keys/sneaker-1?visibility=early");
  EXPECT_EQ(impatient.status, 200);
  ASSERT_LT(log_->durability().durable(), log_->durability().visible());

  sync();

  EXPECT_EQ(asking->read().status, 200);
}

TEST_F(VisibleState, EvenTheAbsenceOfARowAndAPageWait) {
  start_with_undurable_row();
  const auto absent = connect(), page = connect(), stream = connect();
  absent->send("GET /v1/stores/stock/keys/none HTTP/1.1\r\nHost: t\r\n\r\n");
  page->send("GET /v1/stores/stock/keys HTTP/1.1\r\nHost: t\r\n\r\n");
  stream->send(
      "GET /v1/stores/stock/keys HTTP/1.1\r\nHost: t\r\nAccept: application/x-ndjson\r\n\r\n");
  EXPECT_EQ(get("/v1/stores/stock/keys?visibility=early").status, 200);

  sync();

  EXPECT_EQ(absent->read().status, 404);
  EXPECT_EQ(page->read().status, 200);
  EXPECT_THAT(stream->read().body, HasSubstr("sneaker-1"));
}

TEST_F(VisibleState, AReaderMayAskForTheEffectsOfWhatItWrote) {
  shop_->add_store<std::string, std::int64_t>("stock", 1);
  start();
  const auto asking = connect();
  asking->send(
      "GET /v1/stores/stock/keys/sneaker-1?at_least=orders:2:41,restocks:0:7 HTTP/1.1\r\nHost: "
      "t\r\n\r\n");
  EXPECT_EQ(get("/v1/stores/stock/keys/sneaker-1").status, 404);

  stock_of("sneaker-1", 9);
  shop_->process_up_to({"orders", 2}, 41);
  shop_->process_up_to({"restocks", 0}, 8);

  EXPECT_EQ(member(asking->read().body, "value"), "9");
}

TEST_F(VisibleState, WhatIsNotProcessedInTimeIs503) {
  shop_->add_store<std::string, std::int64_t>("stock", 1);
  start({.at_least_time = std::chrono::milliseconds(1)});

  const auto response = get("/v1/stores/stock/keys/sneaker-1?at_least=orders:0:1");

  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(member(response.body, "code"), "\"not_yet_processed\"");
  shop_->drop_waiters();
}

// Whoever asked for it waited as long as that takes, for a record that could never come.
TEST_F(VisibleState, ARecordThatTheApplicationNeverReadsIs400AtOnce) {
  shop_->add_store<std::string, std::int64_t>("stock", 1);
  shop_->inputs = {{"orders", 3}};
  shop_->process_up_to({"orders", 2}, 41);
  start({.at_least_time = std::chrono::hours(1)});
  stock_of("sneaker-1", 9);
  for (const std::string path : {"keys", "keys/sneaker-1"}) {
    const auto with = [&](const std::string& positions) {
      return get("/v1/stores/stock/" + path + "?at_least=" + positions);
    };

    EXPECT_EQ(with("orders:2:41").status, 200);
    for (const char* never :
         {"nosuch:0:5", "orders:3:5", "orders:99:5", "orders:2:41,nosuch:0:5"}) {
      const auto refused = with(never);
      EXPECT_EQ(refused.status, 400) << never;
      EXPECT_EQ(member(refused.body, "code"), "\"invalid_parameter\"") << never;
    }
    EXPECT_THAT(with("orders:99:5").body, HasSubstr("no partition 99 of a topic 'orders'"));
  }
}

// It stayed in the application's memory until that ended, however often somebody asked.
TEST_F(VisibleState, WhoHasBeenAnswered503WaitsNoLonger) {
  clock_ = &manual_clock_;
  shop_->add_store<std::string, std::int64_t>("stock", 1);
  start({.at_least_time = std::chrono::milliseconds(1)});
  ASSERT_EQ(get("/v1/stores/stock/keys/sneaker-1?at_least=orders:0:999999999").status, 503);
  ASSERT_EQ(shop_->waiting_for({"orders", 0}), 1);

  manual_clock_.advance(std::chrono::seconds(2));

  EXPECT_EQ(shop_->waiting_for({"orders", 0}), 0);
  shop_->drop_waiters();
}

}  // namespace
}  // namespace thalweg::testing
