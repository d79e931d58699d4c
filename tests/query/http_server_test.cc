#include <atomic>
#include <condition_variable>
#include <future>
#include <mutex>
#include <thread>

#include "query/http_story.h"

namespace thalweg::testing {
namespace {

// Holds responders until the test answers them, from the test's own thread.
class Shelf {
 public:
  void put(Responder responder) {
    const std::lock_guard lock(mutex_);
    responders_.push_back(std::move(responder));
    changed_.notify_all();
  }
  Responder take() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !responders_.empty(); });
    auto responder = std::move(responders_.front());
    responders_.erase(responders_.begin());
    return responder;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Responder> responders_;
};

class HttpAnswers : public HttpStory {
 protected:
  void serve_with_shelf(HttpServerOptions options = patient()) {
    serve(std::move(options), [this](HttpServer& server) {
      server.route("GET", "/later",
                   [this](HttpRequest&, Responder r) { shelf_.put(std::move(r)); });
    });
  }
  Shelf shelf_;
};

TEST_F(HttpAnswers, OneConnectionServesManyRequests) {
  serve();
  const auto client = connect();

  EXPECT_EQ(client->get("/hello/a").body, "hello a");
  EXPECT_EQ(client->request("POST", "/echo", "some body").body, "some body");
  EXPECT_EQ(client->get("/hello/b").body, "hello b");
}

TEST_F(HttpAnswers, WhoeverConnectsBeforeTheStartIsAnsweredAfterIt) {
  server_ = std::make_unique<HttpServer>(patient());
  const auto listening = server_->listen();
  ASSERT_TRUE(listening) << listening.error().message;
  const auto early = connect();
  early->send("GET /hello/early HTTP/1.1\r\nHost: a\r\n\r\n");
  server_->route("GET", "/hello/{name}", [](HttpRequest& request, Responder responder) {
    responder.send({.body = "hello " + std::string(request.param("name"))});
  });

  ASSERT_TRUE(server_->start());

  EXPECT_EQ(early->read().body, "hello early");
}

TEST_F(HttpAnswers, PipelinedRequestsAreAnsweredInOrder) {
  serve_with_shelf();
  const auto client = connect();
  client->send(
      "GET /later HTTP/1.1\r\nHost: t\r\n\r\n"
      "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\n\r\ntwo"
      "GET /hello/three HTTP/1.1\r\nHost: t\r\n\r\n");

  shelf_.take().send({.body = "one"});

  EXPECT_EQ(client->read().body, "one");
  EXPECT_EQ(client->read().body, "two");
  EXPECT_EQ(client->read().body, "hello three");
}

TEST_F(HttpAnswers, AnswersDoNotWaitForALaterOneThatTakesItsTime) {
  serve_with_shelf();
  const auto client = connect();
  client->send(
      "GET /hello/one HTTP/1.1\r\nHost: t\r\n\r\n"
      "GET /later HTTP/1.1\r\nHost: t\r\n\r\n"
      "GET /hello/three HTTP/1.1\r\nHost: t\r\n\r\n");
  auto responder = shelf_.take();

  EXPECT_EQ(client->read().body, "hello one");

  responder.send({.body = "two"});
  EXPECT_EQ(client->read().body, "two");
  EXPECT_EQ(client->read().body, "hello three");
}

TEST_F(HttpAnswers, AnswersDoNotWaitForTheRestOfTheNextRequest) {
  serve_with_shelf();
  const auto client = connect();
  client->send(
      "GET /hello/one HTTP/1.1\r\nHost: t\r\n\r\n"
      "POST /echo HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");

  EXPECT_EQ(client->read().body, "hello one");
  EXPECT_EQ(client->read().status, 100);

  client->send("twoGET /hello/thr");
  EXPECT_EQ(client->read().body, "two");
  client->send("ee HTTP/1.1\r\nHost: t\r\n\r\n");
  EXPECT_EQ(client->read().body, "hello three");
}

TEST_F(HttpAnswers, AThousandRequestsSentAtOnceAreAllAnswered) {
  serve_with_shelf();
  const auto client = connect();
  std::string requests;
  for (int i = 0; i < 1000; ++i) {
    requests += "GET /hello/" + std::to_string(i) + " HTTP/1.1\r\nHost: t\r\n\r\n";
  }

  client->send(requests);

  for (int i = 0; i < 1000; ++i) ASSERT_EQ(client->read().body, "hello " + std::to_string(i));
}

TEST_F(HttpAnswers, AnAnswerMayComeLaterFromAnotherThread) {
  serve_with_shelf();
  const auto client = connect();
  client->send("GET /later HTTP/1.1\r\nHost: t\r\n\r\n");

  auto responder = shelf_.take();
  EXPECT_TRUE(serves_others());
  responder.send({.status = 202, .body = "done", .headers = {{"X-Position", "orders:0:7"}}});

  const auto response = client->read();
  EXPECT_EQ(response.status, 202);
  EXPECT_EQ(response.body, "done");
  EXPECT_EQ(response.header("x-position"), "orders:0:7");
}

TEST_F(HttpAnswers, ARequestThatIsDroppedGetsA500) {
  serve({}, [](HttpServer& server) {
    server.route("GET", "/dropped", [](HttpRequest&, Responder) {});
  });

  const auto response = connect()->get("/dropped");

  EXPECT_EQ(response.status, 500);
  EXPECT_EQ(response.header("content-type"), "application/problem+json");
}

TEST_F(HttpAnswers, AHandlerThatThrowsGetsA500AndTellsNothingOfTheInside) {
  serve({}, [](HttpServer& server) {
    server.route("GET", "/throws",
                 [](HttpRequest&, Responder) { throw std::runtime_error("secret detail"); });
  });
  const auto client = connect();

  const auto response = client->get("/throws");

  EXPECT_EQ(response.status, 500);
  EXPECT_THAT(response.body, Not(HasSubstr("secret")));
  EXPECT_EQ(client->get("/hello/again").status, 200);
}

TEST_F(HttpAnswers, AnAnswerThatNeverComesIsAnswered503) {
  auto options = patient();
  options.limits.answer_time = std::chrono::milliseconds(20);
  serve_with_shelf(options);

  const auto response = connect()->get("/later");

  EXPECT_EQ(response.status, 503);
  EXPECT_THAT(response.body, HasSubstr("answer_timeout"));
  shelf_.take().send({.body = "too late"});
  EXPECT_TRUE(serves_others());
}

TEST_F(HttpAnswers, AHandlerMaySayWhatIsAnsweredWhenItsOwnAnswerIsLate) {
  serve({}, [this](HttpServer& server) {
    server.route("GET", "/hurried", [this](HttpRequest&, Responder responder) {
      responder.answer_within(std::chrono::milliseconds(1), {.status = 202, .body = "wait"});
      shelf_.put(std::move(responder));
    });
  });
  const auto client = connect();

  EXPECT_EQ(client->get("/hurried").status, 202);
  shelf_.take().send({.body = "too late"});
  EXPECT_EQ(client->get("/hello/next").body, "hello next");
}

TEST_F(HttpAnswers, WorkThatFollowsAWaitRunsOnTheServersThread) {
  std::promise<std::thread::id> handler_thread, work_thread;
  serve({}, [&](HttpServer& server) {
    server.route("GET", "/thread", [&](HttpRequest&, Responder responder) {
      handler_thread.set_value(std::this_thread::get_id());
      responder.send({});
    });
  });
  connect()->get("/thread");

  server_->post([&] { work_thread.set_value(std::this_thread::get_id()); });

  EXPECT_EQ(work_thread.get_future().get(), handler_thread.get_future().get());
  server_->stop();
  server_->post([] { FAIL() << "ran although the server has stopped"; });
}

TEST_F(HttpAnswers, HeadHasTheHeadersOfGetAndNoBody) {
  serve();
  const auto client = connect();

  const auto response = client->request("HEAD", "/hello/you", "");

  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.header("content-length"), "9");
  EXPECT_EQ(client->get("/hello/next").body, "hello next");
}

TEST_F(HttpAnswers, AnUnknownPathIs404AndAKnownPathWithAnotherMethod405) {
  serve();

  EXPECT_EQ(connect()->get("/nowhere").status, 404);
  const auto response = connect()->request("DELETE", "/hello/you", "");
  EXPECT_EQ(response.status, 405);
  EXPECT_EQ(response.header("allow"), "GET, HEAD, OPTIONS");
  EXPECT_EQ(connect()->request("OPTIONS", "/echo", "").header("allow"), "OPTIONS, POST");
  EXPECT_EQ(connect()->request("OPTIONS", "*", "").status, 204) << "of the server as a whole";
  EXPECT_EQ(connect()->request("GET", "*", "").status, 400);
}

TEST_F(HttpAnswers, ALiteralSegmentWinsOverAParameter) {
  serve({}, [](HttpServer& server) {
    server.route("GET", "/hello/me", [](HttpRequest&, Responder r) { r.send({.body = "myself"}); });
  });

  EXPECT_EQ(connect()->get("/hello/me").body, "myself");
  EXPECT_EQ(connect()->get("/hello/me2").body, "hello me2");
}

TEST_F(HttpAnswers, ParametersAreDecodedAfterThePathIsSplit) {
  serve();

  EXPECT_EQ(connect()->get("/hello/a%2Fb%20c+d").body, "hello a/b c+d");
  EXPECT_EQ(connect()->get("/hello/").status, 404);
}

TEST_F(HttpAnswers, QueryParametersAreDecoded) {
  serve({}, [](HttpServer& server) {
    server.route("GET", "/query?a&b&flag&missing", [](HttpRequest& request, Responder responder) {
      responder.send({.body = std::string(request.query("a").value_or("none")) + "|" +
                              std::string(request.query("flag").value_or("none")) + "|" +
                              std::string(request.query("missing").value_or("none"))});
    });
  });

  EXPECT_EQ(connect()->get("/query?a=x%26y+z&flag&&b=1").body, "x&y z||none");
}

TEST_F(HttpAnswers, ChunkedBodiesAreTakenWhole) {
  serve();

  const auto response = answer_to(
      "POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n"
      "4;name=value\r\nwiki\r\n6\r\npedia \r\n0\r\nTrailer: ignored\r\n\r\n");

  EXPECT_EQ(response.body, "wikipedia ");
}

TEST_F(HttpAnswers, AClientThatAsksFirstIsToldToContinue) {
  serve();
  const auto client = connect();
  client->send(
      "POST /echo HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");

  EXPECT_EQ(client->read().status, 100);
  client->send("ok");
  EXPECT_EQ(client->read().body, "ok");
}

TEST_F(HttpAnswers, AClientThatAsksFirstIsRefusedBeforeItSendsTheBody) {
  serve();
  const auto client = connect();
  client->send(
      "POST /nowhere HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");

  EXPECT_EQ(client->read().status, 404);
}

TEST_F(HttpAnswers, AClientThatWantsNoMoreIsLetGo) {
  serve();
  const auto client = connect();

  const auto response = client->get("/hello/you", "Connection: close\r\n");

  EXPECT_EQ(response.header("connection"), "close");
  EXPECT_TRUE(client->closed_silently());
}

TEST_F(HttpAnswers, LargeAnswersArriveWhole) {
  const std::string large(3'000'000, 'x');
  serve({}, [&](HttpServer& server) {
    server.route("GET", "/large", [&](HttpRequest&, Responder r) { r.send({.body = large}); });
  });
  const auto client = connect();

  EXPECT_EQ(client->get("/large").body, large);
  EXPECT_EQ(client->get("/hello/next").body, "hello next");
}

// --- Streams
// --------------------------------------------------------------------------------------

class HttpStreams : public HttpAnswers {
 protected:
  // Writes numbers until there are `count` or the client has gone.
  struct Counting : std::enable_shared_from_this<Counting> {
    ResponseStream stream;
    int count = 0;
    int written = 0;
    std::function<void(bool)> ended;

    void next(bool alive) {
      if (!alive) return ended(false);
      if (written == count) {
        stream.finish();
        return ended(true);
      }
      auto piece = std::to_string(written++) + "\n";
      stream.write(std::move(piece), [self = shared_from_this()](bool ok) { self->next(ok); });
    }
  };
  void serve_counting(
      int count, std::function<void(bool)> ended = [](bool) {}) {
    serve({}, [=](HttpServer& server) {
      server.route("GET", "/count", [=](HttpRequest&, Responder responder) {
        auto counting = std::make_shared<Counting>();
        counting->count = count;
        counting->ended = ended;
        counting->stream = responder.stream({.content_type = "application/x-ndjson"});
        counting->next(true);
      });
    });
  }
};

TEST_F(HttpStreams, PiecesArriveInOrderAndTheConnectionGoesOn) {
  serve_counting(1000);
  const auto client = connect();
  std::string expected;
  for (int i = 0; i < 1000; ++i) expected += std::to_string(i) + "\n";

  const auto response = client->get("/count");

  EXPECT_TRUE(response.complete);
  EXPECT_EQ(response.header("transfer-encoding"), "chunked");
  EXPECT_EQ(response.body, expected);
  EXPECT_EQ(client->get("/hello/next").body, "hello next");
}

// Its length is not known: it was said to be 0.
TEST_F(HttpStreams, TheHeadOfAStreamSaysNoLengthAndItsWriterLearnsThatNoPieceIsWanted) {
  std::promise<bool> ended;
  serve_counting(1000, [&](bool whole) { ended.set_value(whole); });
  const auto client = connect();

  const auto head = client->request("HEAD", "/count", "");

  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.header("content-length"), "");
  EXPECT_EQ(head.header("content-type"), "application/x-ndjson");
  EXPECT_FALSE(ended.get_future().get());
  EXPECT_EQ(client->get("/hello/next").body, "hello next") << "nothing follows the head";
}

TEST_F(HttpStreams, AnOldClientGetsThePiecesUnframedUntilTheConnectionEnds) {
  serve_counting(3);
  const auto client = connect();
  client->send("GET /count HTTP/1.0\r\n\r\n");

  const auto response = client->read();

  EXPECT_EQ(response.header("transfer-encoding"), "");
  EXPECT_EQ(response.body, "0\n1\n2\n");
}

TEST_F(HttpStreams, TheWriterLearnsThatTheClientHasGone) {
  std::promise<bool> ended;
  serve_counting(100'000'000, [&](bool whole) { ended.set_value(whole); });
  {
    const auto client = connect();
    client->send("GET /count HTTP/1.1\r\nHost: t\r\n\r\n");
  }

  EXPECT_FALSE(ended.get_future().get());
}

TEST_F(HttpStreams, AStreamGivenUpBreaksTheConnectionSoThatNobodyTakesItForTheWhole) {
  serve({}, [](HttpServer& server) {
    server.route("GET", "/broken", [](HttpRequest&, Responder responder) {
      auto stream = std::make_shared<ResponseStream>(responder.stream({.body = "a part"}));
      auto& target = *stream;
      target.write("more", [stream](bool) { *stream = ResponseStream(); });
    });
  });

  const auto response = connect()->get("/broken");

  EXPECT_EQ(response.status, 200);
  EXPECT_FALSE(response.complete);
}

TEST_F(HttpStreams, HeadOfAStreamHasNoBody) {
  serve_counting(10);
  const auto client = connect();

  EXPECT_EQ(client->request("HEAD", "/count", "").status, 200);
  EXPECT_EQ(client->get("/hello/next").body, "hello next");
}

// --- Stopping
// -------------------------------------------------------------------------------------

TEST_F(HttpAnswers, AStoppingServerFinishesWhatItHasBegun) {
  serve_with_shelf();
  const auto client = connect();
  const auto idle = connect();
  client->send("GET /later HTTP/1.1\r\nHost: t\r\n\r\n");
  auto responder = shelf_.take();

  std::thread stopping([&] { server_->stop(std::chrono::minutes(1)); });
  EXPECT_TRUE(idle->closed_silently());
  responder.send({.body = "in time"});

  const auto response = client->read();
  EXPECT_EQ(response.body, "in time");
  EXPECT_EQ(response.header("connection"), "close");
  stopping.join();
}

TEST_F(HttpAnswers, AStoppingServerDoesNotWaitForEver) {
  serve_with_shelf();
  const auto client = connect();
  client->send("GET /later HTTP/1.1\r\nHost: t\r\n\r\n");
  auto responder = shelf_.take();

  server_->stop(std::chrono::milliseconds(10));

  EXPECT_TRUE(client->closed_silently());
  responder.send({.body = "too late"});
}

TEST_F(HttpAnswers, AResponderMayOutliveItsServer) {
  serve_with_shelf();
  const auto client = connect();
  client->send("GET /later HTTP/1.1\r\nHost: t\r\n\r\n");
  auto responder = shelf_.take();

  server_->stop(std::chrono::milliseconds(1));
  server_.reset();

  auto stream = responder.stream({.body = "nobody reads this"});
  bool alive = true;
  stream.write("nor this", [&](bool ok) { alive = ok; });
  EXPECT_FALSE(alive);
}

TEST_F(HttpAnswers, ManyThreadsAnswerManyClientsAtOnce) {
  auto options = patient();
  options.threads = 2;
  serve_with_shelf(options);
  constexpr int kClients = 8, kRequests = 200;
  std::thread answering([&] {
    for (int i = 0; i < kClients * kRequests; ++i) shelf_.take().send({.body = "ok"});
  });
  std::atomic<int> answered = 0;
  std::vector<std::thread> clients;
  for (int c = 0; c < kClients; ++c) {
    clients.emplace_back([&] {
      const auto client = connect();
      for (int i = 0; i < kRequests; ++i) answered += client->get("/later").body == "ok";
    });
  }

  for (auto& client : clients) client.join();
  answering.join();

  EXPECT_EQ(answered, kClients * kRequests);
}

}  // namespace
}  // namespace thalweg::testing
