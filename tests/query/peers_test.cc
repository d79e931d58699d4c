// What one process of an application asks another: over real connections to real routes.

#include <future>

#include <gmock/gmock.h>

#include <thalweg/runtime/read_only_window_store.h>

#include "query/query_forwarder.h"
#include "query/query_story.h"
#include "remote_positions.h"
#include "remote_view.h"

namespace thalweg::testing {
namespace {

using internal::RemotePositions;
using internal::RemoteView;
using namespace std::chrono_literals;

class Peering : public QueryStory {
 protected:
  ~Peering() override { peers_->close(); }

  std::string address() const { return "127.0.0.1:" + std::to_string(server_->port()); }
  std::optional<HttpResponse> ask(const std::string& server, const std::string& target,
                                  std::chrono::milliseconds patience = 10s) {
    std::promise<std::optional<HttpResponse>> promise;
    auto answer = promise.get_future();
    peers_->ask(server, target, patience, [&](auto response) { promise.set_value(response); });
    return answer.get();
  }
  RemoteView view(std::int32_t partition) {
    return {*peers_, address(), "shop", "stock", partition};
  }
  void start_with_stock() {
    shop_->add_store<std::string, std::int64_t>("stock", 1);
    for (int i = 0; i < 10; ++i) {
      shop_->put<std::string, std::int64_t>("stock", "sneaker-" + std::to_string(i), i);
    }
    // A key as other types have them: with bytes that no URL takes as they are.
    shop_->put<std::string, std::int64_t>("stock", std::string("\0\xff%&=+", 6), 7);
    start();
  }
  /// Of an application with this input, whose task is wherever `owner` says.
  std::shared_ptr<RemotePositions> positions(std::function<std::optional<std::string>()> owner) {
    return std::make_shared<RemotePositions>(RemotePositions::Setup{
        .peers = peers_.get(),
        .application_id = "shop",
        .owner = [owner](const TopicPartition&) { return owner(); },
        .take_here =
            [](const TopicPartition&, Offset, RemotePositions::Waiter&) { return false; }});
  }

  const std::unique_ptr<Peers> peers_ = http_peers();
};

TEST_F(Peering, AnAnswerComesBackWithItsStatusAndOverTheSameConnection) {
  serve(patient(), [](HttpServer& server) {
    server.route("GET", "/who", [](HttpRequest& request, Responder responder) {
      responder.send({.body = std::string(request.peer())});
    });
  });
  const auto first = ask(address(), "/who");
  ASSERT_TRUE(first);
  EXPECT_EQ(first->status, 200);
  EXPECT_EQ(ask(address(), "/nowhere")->status, 404);
  EXPECT_EQ(ask(address(), "/who")->body, first->body);
}

TEST_F(Peering, TheTokenOfTheApplicationGoesWithEachQuestion) {
  auto options = patient();
  options.bearer_token = "let-me-in";
  serve(options);
  const auto known = http_peers("let-me-in");
  std::promise<std::optional<HttpResponse>> promise;
  known->ask(address(), "/hello/a", 10s, [&](auto response) { promise.set_value(response); });
  EXPECT_EQ(promise.get_future().get()->status, 200);
  known->close();

  EXPECT_EQ(ask(address(), "/hello/a")->status, 401);
  internal::QueryForwarder forwarder(10s, "another");
  std::promise<HttpResponse> refused;
  forwarder.ask(address(), "/hello/a",
                [&](HttpResponse response) { refused.set_value(std::move(response)); });
  const auto response = refused.get_future().get();
  EXPECT_EQ(response.status, 503) << "the client's own token is not at fault";
  EXPECT_THAT(response.body, ::testing::HasSubstr("owner_refuses"));
  forwarder.close();
}

TEST_F(Peering, WhoDoesNotAnswerIsGivenUp) {
  serve(patient(), [](HttpServer& server) {
    server.route("GET", "/never", [](HttpRequest&, Responder responder) {
      static Responder kept;
      kept = std::move(responder);
    });
  });
  EXPECT_FALSE(ask(address(), "/never", 50ms));
  EXPECT_FALSE(ask("127.0.0.1:1", "/livez"));
  EXPECT_FALSE(ask("", "/livez"));
}

TEST_F(Peering, AConnectionThatTheOtherSideClosedIsMadeAnew) {
  serve();
  const auto first = address();
  ASSERT_TRUE(ask(first, "/hello/you"));
  server_->stop();
  HttpServer again({.listen = first});
  again.route("GET", "/hello/you",
              [](HttpRequest&, Responder responder) { responder.send({.body = "again"}); });
  ASSERT_TRUE(again.start());

  const auto answer = ask(first, "/hello/you");

  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body, "again");
}

TEST_F(Peering, AfterTheEndQuestionsHaveNoAnswer) {
  start();
  peers_->close();
  EXPECT_FALSE(ask(address(), "/livez"));
}

TEST_F(Peering, AViewOfAnotherProcessShowsItsRows) {
  start_with_stock();
  const auto stock = view(0);

  const auto row = stock.get("sneaker-4");
  ASSERT_TRUE(row) << row.error().message;
  ASSERT_TRUE(*row);
  EXPECT_EQ((*row)->key, "sneaker-4");
  EXPECT_EQ((*row)->timestamp, from_millis(1'000));
  std::int64_t pieces = 0;
  Serde<std::int64_t>::deserialize((*row)->value, pieces);
  EXPECT_EQ(pieces, 4);
  EXPECT_TRUE(stock.get(BytesView("\0\xff%&=+", 6)).value());
  EXPECT_FALSE(stock.get("none").value());

  const auto page =
      stock.scan({.from = "sneaker-2", .to = "sneaker-8", .reverse = true, .limit = 2});
  ASSERT_TRUE(page) << page.error().message;
  ASSERT_EQ(page->size(), 2u);
  EXPECT_EQ(page->at(0).key, "sneaker-7");
  EXPECT_EQ(page->at(1).key, "sneaker-6");
}

TEST_F(Peering, AViewOfAnotherProcessKnowsWhatHasExpiredThere) {
  shop_->add_windows<std::string, std::int64_t>("views", StateStore::Kind::kWindow, 1);
  for (const std::int64_t start : {40, 1'000}) {
    shop_->put_window<std::string, std::int64_t>(
        "views", "lamp", {from_millis(start), from_millis(start + 60'000)}, start);
  }
  shop_->expire("views", from_millis(901));
  start();
  const RemoteView views(*peers_, address(), "shop", "views", 0);

  const auto rows = internal::read_windows(views, StateStore::Kind::kWindow, "lamp", {});

  ASSERT_TRUE(rows) << rows.error().message;
  ASSERT_EQ(rows->size(), 1u);
  EXPECT_EQ(rows->front().window.start, from_millis(1'000));
}

TEST_F(Peering, APartitionThatIsNotThereIsUnavailable) {
  start_with_stock();
  EXPECT_EQ(view(1).get("sneaker-1").error().code, ErrorCode::kUnavailable);
  shop_->lose("stock", 0);
  const auto lost = view(0).get("sneaker-1");
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(lost.error().message, HasSubstr("partition 0 of stock, which is with " + address()));
}

TEST_F(Peering, WhoWaitsForATaskElsewhereIsCalledWhenItHasPassed) {
  start();
  shop_->read_from({"orders", 0}, 3);
  const auto elsewhere = positions([this] { return address(); });
  std::promise<void> third, fifth;
  elsewhere->when_processed({"orders", 0}, 3, {[&] { third.set_value(); }});
  elsewhere->when_processed({"orders", 0}, 5, {[&] { fifth.set_value(); }});

  shop_->process_up_to({"orders", 0}, 3);
  third.get_future().get();
  shop_->process_up_to({"orders", 0}, 5);
  fifth.get_future().get();
  elsewhere->close();
}

TEST_F(Peering, ATaskThatNobodyHasIsAskedForUntilSomebodyHasIt) {
  start();
  shop_->read_from({"orders", 0}, 9);
  shop_->process_up_to({"orders", 0}, 8);
  int looks = 0;
  const auto elsewhere = positions([&]() -> std::optional<std::string> {
    ++looks;
    if (looks == 1) return std::nullopt;
    if (looks == 2) return "127.0.0.1:1";
    return address();
  });
  std::promise<void> passed;
  elsewhere->when_processed({"orders", 0}, 8, {[&] { passed.set_value(); }});
  passed.get_future().get();
  EXPECT_EQ(looks, 3);
  elsewhere->close();
}

// A record that is never written, of a task that nobody is known to have, was asked for for ever.
TEST_F(Peering, WhatNobodyWaitsForAnyMoreIsNoLongerAskedFor) {
  start();
  std::atomic<bool> is_over = false;
  std::promise<void> looked, given_up;
  const auto elsewhere = positions([&, looks = 0]() mutable -> std::optional<std::string> {
    if (++looks == 1) looked.set_value();
    return std::nullopt;
  });
  std::shared_ptr<void> held(nullptr, [&](void*) { given_up.set_value(); });
  elsewhere->when_processed({"orders", 0}, 8, {[held = std::move(held)] {}, [&] {
                                                 return is_over.load();
                                               }});
  looked.get_future().get();
  is_over = true;
  given_up.get_future().get();
  elsewhere->close();
}

TEST_F(Peering, ATaskThatHasComeHereIsNoLongerAskedForElsewhere) {
  start();
  Offset taken = 0;
  const auto elsewhere = std::make_shared<RemotePositions>(RemotePositions::Setup{
      .peers = peers_.get(),
      .application_id = "shop",
      .owner = [](const TopicPartition&) { return std::nullopt; },
      .take_here =
          [&](const TopicPartition&, Offset offset, RemotePositions::Waiter& waiter) {
            taken = offset;
            waiter.done();
            return true;
          }});
  std::promise<void> passed;
  elsewhere->when_processed({"orders", 0}, 4, {[&] { passed.set_value(); }});
  passed.get_future().get();
  EXPECT_EQ(taken, 4);
  elsewhere->close();
}

}  // namespace
}  // namespace thalweg::testing
