// Following a store: what changes, as it changes, over server-sent events.

#include <future>

#include <thalweg/runtime/async_producer.h>

#include "query/change_feed.h"
#include "query/follower.h"
#include "query/query_story.h"

namespace thalweg::testing {
namespace {

class ChangeQueries : public QueryStory {
 protected:
  void start_with_stock() {
    open_log(true);
    shop_->add_store<std::string, std::int64_t>("stock", 3);
    shop_->add_store<std::string, std::string>("notes", 3);
    add_topic("shop-stock-changelog");
    add_topic("shop-notes-changelog");
    start();
  }
  ~ChangeQueries() override {
    if (context_) context_->changes().finish_all();
  }

  template <typename V>
  Offset write(const std::string& store, const std::string& key, const std::optional<V>& value,
               std::optional<std::int32_t> partition = {}) {
    std::optional<std::string> bytes;
    if (value) Serde<V>::serialize(*value, bytes.emplace());
    std::promise<Offset> written;
    AsyncProducer producer(*log_, "the-application");
    producer.send(
        "shop-" + store + "-changelog", key, bytes, from_millis(5'000), {},
        [&](Result<AsyncProducer::Sent> sent) { written.set_value(sent->offset); }, partition);
    return written.get_future().get();
  }
  Offset stock_becomes(const std::string& product, std::int64_t pieces) {
    return write<std::int64_t>("stock", product, pieces);
  }
  Follower follow(const std::string& query = "", const std::string& headers = "") {
    return Follower(server_->port(), "/v1/stores/stock/changes" + query, headers);
  }
  static std::string shown(const Follower::Event& event) {
    return member(event.data, "key") + "=" + member(event.data, "value");
  }
};

TEST_F(ChangeQueries, AChangeIsSentAsARow) {
  start_with_stock();
  auto follower = follow();
  EXPECT_THAT(follower.head(), HasSubstr("Content-Type: text/event-stream"));
  follower.is_following();

  stock_becomes("lamp", 7);
  const auto event = follower.next();

  EXPECT_EQ(shown(event), "\"lamp\"=7");
  EXPECT_EQ(member(event.data, "timestamp"), "5000");
  EXPECT_EQ(member(event.data, "partition"), std::to_string(partition_of("lamp", 3)));
}

TEST_F(ChangeQueries, ADeletedRowHasNoValue) {
  start_with_stock();
  auto follower = follow();
  follower.is_following();

  write<std::int64_t>("stock", "lamp", std::nullopt);

  EXPECT_EQ(shown(follower.next()), "\"lamp\"=null");
}

TEST_F(ChangeQueries, WhatWasBeforeIsNoNews) {
  start_with_stock();
  stock_becomes("lamp", 7);
  auto follower = follow();
  follower.is_following();

  stock_becomes("lamp", 6);

  EXPECT_EQ(shown(follower.next()), "\"lamp\"=6");
}

TEST_F(ChangeQueries, OnlyTheRowsAskedForAreSent) {
  start_with_stock();
  auto one = follow("?key=cup");
  auto some = follow("?prefix=cu");
  one.is_following();
  some.is_following();

  stock_becomes("lamp", 1);
  stock_becomes("cupboard", 2);
  EXPECT_EQ(shown(some.next()), "\"cupboard\"=2");
  stock_becomes("cup", 3);

  EXPECT_EQ(shown(one.next()), "\"cup\"=3");
  EXPECT_EQ(shown(some.next()), "\"cup\"=3");
}

TEST_F(ChangeQueries, ASnapshotIsEveryRowAndThenTheNews) {
  start_with_stock();
  shop_->put<std::string, std::int64_t>("stock", "lamp", 7);
  shop_->put<std::string, std::int64_t>("stock", "cup", 2);
  auto follower = follow("?snapshot=true");

  EXPECT_EQ(shown(follower.next()), "\"cup\"=2");
  EXPECT_EQ(shown(follower.next()), "\"lamp\"=7");
  EXPECT_EQ(follower.next().name, "live");
  stock_becomes("lamp", 6);
  EXPECT_EQ(shown(follower.next()), "\"lamp\"=6");
}

TEST_F(ChangeQueries, AClientThatComesBackGoesOnWithTheNewestOfEachKey) {
  start_with_stock();
  std::string id;
  {
    auto follower = follow();
    follower.is_following();
    stock_becomes("lamp", 100);
    id = follower.next().id;
  }
  for (int pieces = 99; pieces >= 0; --pieces) stock_becomes("lamp", pieces);
  stock_becomes("cup", 5);

  auto follower = follow("", "Last-Event-ID: " + id + "\r\n");
  const auto first = shown(follower.next());
  const auto second = shown(follower.next());
  stock_becomes("hat", 1);

  EXPECT_EQ(first, "\"cup\"=5");
  EXPECT_EQ(second, "\"lamp\"=0");
  EXPECT_EQ(shown(follower.next()), "\"hat\"=1");
}

// Where each task counts its own, several partitions have the same key. Only one of their values
// was sent when they came in one piece, and the others never.
TEST_F(ChangeQueries, EachPartitionsLastValueOfAKeyIsSent) {
  start_with_stock();
  for (const std::int32_t partition : {0, 1, 2}) {
    write<std::int64_t>("stock", "placed", 1, partition);
    write<std::int64_t>("stock", "placed", 10 + partition, partition);
  }
  write<std::int64_t>("stock", "sent", 1, 0);
  const auto place = [](const Follower::Event& event) {
    return shown(event) + " in " + member(event.data, "partition");
  };

  auto follower = follow("?lastEventId=0.0.0");
  EXPECT_EQ(place(follower.next()), "\"placed\"=10 in 0");
  EXPECT_EQ(place(follower.next()), "\"placed\"=11 in 1");
  EXPECT_EQ(place(follower.next()), "\"placed\"=12 in 2");
  const auto last = follower.next();
  EXPECT_EQ(place(last), "\"sent\"=1 in 0");

  auto again = follow("", "Last-Event-ID: " + last.id + "\r\n");
  write<std::int64_t>("stock", "placed", 21, 1);
  EXPECT_EQ(place(again.next()), "\"placed\"=21 in 1") << "what was sent does not come again";
}

TEST_F(ChangeQueries, ASlowClientHoldsUpNobodyAndMissesValuesButNotTheLast) {
  start_with_stock();
  const std::string target = "/v1/stores/notes/changes";
  Follower slow(server_->port(), target);
  Follower quick(server_->port(), target);
  slow.is_following();
  quick.is_following();
  constexpr int kNotes = 200;
  const std::string long_text(200'000, 'x');

  for (int i = 1; i <= kNotes; ++i) {
    write<std::string>("notes", "lamp", std::to_string(i) + long_text);
    EXPECT_THAT(member(quick.next().data, "value"), StartsWith("\"" + std::to_string(i) + "x"));
  }
  int seen = 1;
  for (;; ++seen) {
    if (member(slow.next().data, "value").starts_with("\"" + std::to_string(kNotes) + "x")) break;
  }

  EXPECT_LT(seen, kNotes) << "what was out of date is not sent";
}

TEST_F(ChangeQueries, AClientIsToldWhenTheLogNoLongerHasWhatCameNext) {
  start_with_stock();
  for (int pieces = 9; pieces > 0; --pieces) stock_becomes("lamp", pieces);
  const auto partition = partition_of("lamp", 3);
  log_->delete_records({"shop-stock-changelog", partition}, 5);

  auto follower = follow("?lastEventId=0.0.0");

  EXPECT_EQ(follower.next().name, "reset");
  follower.is_following();
  stock_becomes("lamp", 0);
  EXPECT_EQ(shown(follower.next()), "\"lamp\"=0");
}

TEST_F(ChangeQueries, WhoCannotBeFollowedIsAnswered) {
  open_log(true);
  shop_->add_store<std::string, std::int64_t>("stock", 3);
  shop_->add_store<std::string, std::int64_t>("memory", 3);
  shop_->add_windows<std::string, std::int64_t>("hours", StateStore::Kind::kWindow, 3);
  shop_->unlogged.insert("memory");
  add_topic("shop-stock-changelog");
  start();

  EXPECT_EQ(get("/v1/stores/stick/changes").status, 404);
  const auto hours = body_of("/v1/stores/hours/changes");
  EXPECT_THAT(hours, HasSubstr("wrong_store_type"));
  EXPECT_THAT(hours, HasSubstr("changes of window stores cannot be followed"));
  EXPECT_THAT(body_of("/v1/stores/memory/changes"), HasSubstr("no_changelog"));
  EXPECT_THAT(body_of("/v1/stores/stock/changes?interval=x"), HasSubstr("interval"));
  EXPECT_THAT(body_of("/v1/stores/stock/changes?at_least=orders:0:1"),
              HasSubstr("knows no query parameter 'at_least'"));
  EXPECT_THAT(body_of("/v1/stores/stock/changes?key=i64:1"), HasSubstr("invalid_key"));
  EXPECT_THAT(body_of("/v1/stores/stock/changes?lastEventId=soon"), HasSubstr("Last-Event-ID"));
  EXPECT_THAT(body_of("/v1/stores/stock/changes?lastEventId=1.2"), HasSubstr("3 partitions"));
}

TEST_F(ChangeQueries, TheHeadOfWhatNeverEndsSaysNoLength) {
  start_with_stock();
  const auto client = connect();

  const auto head = client->request("HEAD", "/v1/stores/stock/changes", "");

  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.header("content-type"), "text/event-stream");
  EXPECT_EQ(head.header("content-length"), "");
  EXPECT_EQ(client->get("/livez").status, 200);
}

TEST_F(ChangeQueries, ASnapshotNeedsAllPartitions) {
  start_with_stock();
  shop_->lose("stock", 1);

  EXPECT_EQ(get("/v1/stores/stock/changes?snapshot=true").status, 503);
}

TEST_F(ChangeQueries, FollowersAreLetGoWhenTheServiceStops) {
  start_with_stock();
  auto follower = follow();
  follower.is_following();

  context_->changes().finish_all();

  EXPECT_EQ(follower.next().name, "(the end)");
  EXPECT_EQ(get("/v1/stores/stock/changes").status, 503);
}

}  // namespace
}  // namespace thalweg::testing
