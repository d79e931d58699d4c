#include <chrono>
#include <optional>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "flashsale/batch.h"
#include "flashsale/http_client.h"
#include "stub_server.h"

namespace thalweg::flashsale {
namespace {

using namespace std::chrono_literals;
using Reply = StubServer::Reply;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Client : public ::testing::Test {
 protected:
  struct Heard {
    Failure failure;
    int status;
    std::string body;
  };

  Client()
      : server_(io_, [this](const StubServer::Request& asked) { return on_request_(asked); }) {}

  HttpClient& client(HttpClient::Options options = {}) {
    if (!client_) client_.emplace(io_, server_.endpoint(), options);
    return *client_;
  }
  void ask(const std::string& path) { ask_for(writer_.get(path)); }
  void ask_for(std::string request, HttpClient::Lane lane = HttpClient::Lane::kCommands) {
    client().submit(lane, std::move(request), [this](const Answer& answer) {
      heard_.push_back({answer.failure, answer.status, std::string(answer.body)});
    });
    ++asked_;
  }
  void wait_for_answers() {
    while (heard_.size() < asked_) ASSERT_GT(io_.run_one_for(10s), 0u);
  }

  boost::asio::io_context io_;
  std::function<Reply(const StubServer::Request&)> on_request_ = [](const auto& request) {
    return Reply{200, request.method + " " + request.path + " " + request.key + " " + request.body};
  };
  StubServer server_;
  RequestWriter writer_{"localhost", "secret"};
  std::optional<HttpClient> client_;
  std::vector<Heard> heard_;
  std::size_t asked_ = 0;
};

TEST_F(Client, SendsMethodPathKeyAndBody) {
  ask_for(writer_.post("/orders", "{\"a\":1}", "key-1"));

  wait_for_answers();

  EXPECT_EQ(heard_[0].status, 200);
  EXPECT_EQ(heard_[0].body, "POST /orders key-1 {\"a\":1}");
}

TEST_F(Client, WritesHeadersThatAServerExpects) {
  EXPECT_EQ(writer_.get("/x"),
            "GET /x HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer secret\r\n\r\n");
  EXPECT_THAT(writer_.put("/x", "{}"), HasSubstr("Content-Length: 2\r\n\r\n{}"));
}

TEST_F(Client, UsesOneConnectionAgainAndAgain) {
  for (int request = 0; request < 5; ++request) {
    ask("/" + std::to_string(request));
    wait_for_answers();
  }

  EXPECT_EQ(server_.connections_accepted(), 1u);
}

TEST_F(Client, AnswersManyAtOnceOverAtMostItsConnections) {
  client({.connections_max = 4});

  for (int request = 0; request < 100; ++request) ask("/" + std::to_string(request));
  wait_for_answers();

  EXPECT_LE(server_.connections_accepted(), 4u);
  for (const Heard& heard : heard_) EXPECT_EQ(heard.status, 200);
}

TEST_F(Client, ReadsAskedTogetherTravelTogether) {
  for (int i = 0; i < 100; ++i) {
    ask_for(writer_.get("/" + std::to_string(i)), HttpClient::Lane::kReads);
  }

  wait_for_answers();

  EXPECT_EQ(client().statistics().connections_opened, 4u);
  std::set<std::string> bodies;
  for (const auto& heard : heard_) bodies.insert(heard.body);
  EXPECT_EQ(bodies.size(), 100u);
  EXPECT_TRUE(bodies.contains("GET /99  "));
}

TEST_F(Client, ReadsOfALostConnectionAreAllReported) {
  on_request_ = [](const auto& request) {
    return request.path == "/5" ? StubServer::hang_up() : Reply{200, "yes"};
  };
  for (int i = 0; i < 10; ++i) {
    ask_for(writer_.get("/" + std::to_string(i)), HttpClient::Lane::kReads);
  }

  wait_for_answers();

  EXPECT_EQ(heard_[4].body, "yes");
  for (int i = 5; i < 10; ++i) EXPECT_EQ(heard_[i].failure, Failure::kConnectionLost);
}

TEST_F(Client, CommandsAndReadsThatWaitTakeTurns) {
  client({.connections_max = 1});
  std::vector<std::string> order;
  const auto submit = [&](HttpClient::Lane lane, const char* path) {
    ++asked_;
    client().submit(lane, writer_.get(path), [&, path](const Answer&) {
      order.emplace_back(path);
      heard_.push_back({});
    });
  };

  submit(HttpClient::Lane::kReads, "/poll-1");
  submit(HttpClient::Lane::kReads, "/poll-2");
  submit(HttpClient::Lane::kCommands, "/order-1");
  submit(HttpClient::Lane::kCommands, "/order-2");
  wait_for_answers();

  EXPECT_THAT(order, ElementsAre("/order-1", "/poll-1", "/poll-2", "/order-2"));
}

TEST_F(Client, ADroppedConnectionIsReportedAndTheNextRequestTakesANewOne) {
  on_request_ = [this](const auto& request) {
    return request.path == "/drop" ? StubServer::hang_up() : Reply{204, {}};
  };

  ask("/drop");
  wait_for_answers();
  ask("/fine");
  wait_for_answers();

  EXPECT_EQ(heard_[0].failure, Failure::kConnectionLost);
  EXPECT_EQ(heard_[0].status, 0);
  EXPECT_EQ(heard_[1].status, 204);
  EXPECT_EQ(server_.connections_accepted(), 2u);
}

TEST_F(Client, GivesUpOnAServerThatStaysSilent) {
  on_request_ = [](const auto&) { return StubServer::silence(); };
  client({.connections_max = 1, .timeout = 60ms});

  ask("/sent");
  ask("/waiting");
  wait_for_answers();

  EXPECT_EQ(heard_[0].failure, Failure::kTimeout);
  EXPECT_EQ(heard_[1].failure, Failure::kTimeout);
}

// A sale that ran out of patience was answered later, during the audit, into results it had given
// away.
TEST_F(Client, WhatIsAbandonedIsNeverAnsweredAndOthersAre) {
  client({.connections_max = 2});
  int late = 0;
  for (int request = 0; request < 10; ++request) {
    client().submit(HttpClient::Lane::kCommands, writer_.get("/late"),
                    [&](const Answer&) { ++late; });
  }

  client().abandon_all();
  EXPECT_EQ(client().unanswered(), 0u);
  for (int request = 0; request < 5; ++request) ask("/wanted");
  wait_for_answers();

  EXPECT_EQ(late, 0);
  for (const Heard& heard : heard_) EXPECT_EQ(heard.status, 200);
}

TEST_F(Client, WaitsForAServerThatCannotBeReachedUntilTimeIsUp) {
  client({.timeout = 120ms});
  server_.stop_listening();

  ask("/nobody");
  wait_for_answers();

  EXPECT_EQ(heard_[0].failure, Failure::kTimeout);
  EXPECT_GT(client().statistics().connect_failures, 1u);
}

TEST_F(Client, LeavesAConnectionThatTheServerCloses) {
  on_request_ = [](const auto&) { return Reply{503, "busy", Reply::Then::kClose}; };

  ask("/a");
  wait_for_answers();
  ask("/b");
  wait_for_answers();

  EXPECT_EQ(heard_[1].status, 503);
  EXPECT_EQ(server_.connections_accepted(), 2u);
}

TEST_F(Client, ABatchRepeatsWhatFailedAndEndsWhenAllIsDone) {
  int calls = 0;
  on_request_ = [&](const auto&) { return ++calls % 3 == 0 ? Reply{503, {}} : Reply{200, {}}; };

  const auto result = run_batch(
      io_, client(), 50,
      [&](std::size_t index) { return writer_.get("/" + std::to_string(index)); },
      [](std::size_t, const Answer& answer) { return expect_success(answer); },
      {.what = "things", .window = 8, .shows_progress = false});

  EXPECT_TRUE(result.is_complete) << result.error;
  EXPECT_EQ(result.done, 50u);
  EXPECT_GT(result.repeated, 0u);
}

TEST_F(Client, ABatchStopsAtAnAnswerThatCannotBeRight) {
  on_request_ = [](const auto&) { return Reply{400, "no such thing"}; };

  const auto result = run_batch(
      io_, client(), 50, [&](std::size_t) { return writer_.get("/"); },
      [](std::size_t, const Answer& answer) { return expect_success(answer); },
      {.what = "things", .shows_progress = false});

  EXPECT_FALSE(result.is_complete);
  EXPECT_EQ(result.error, "things: HTTP 400: no such thing");
}

TEST(ServerAddress, IsReadFromAUrlOrRefusedByName) {
  boost::asio::io_context io;

  EXPECT_EQ(resolve(io, "http://127.0.0.1:8080").endpoint.port(), 8080);
  for (const auto* url : {"127.0.0.1:8080", "https://x:1", "http://", "http://127.0.0.1:80/path"}) {
    EXPECT_THROW(resolve(io, url), std::invalid_argument) << url;
  }
}

}  // namespace
}  // namespace thalweg::flashsale
