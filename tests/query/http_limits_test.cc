#include <atomic>
#include <thread>

#include "query/http_story.h"

namespace thalweg::testing {
namespace {

// What clients that are broken, slow or hostile get: a clear answer, or the end of the connection;
// and nobody else notices.
class HttpLimits : public HttpStory {
 protected:
  void TearDown() override {
    if (server_) {
      EXPECT_TRUE(serves_others());
    }
  }
  static std::string post(std::string_view headers, std::string_view body = "") {
    return "POST /echo HTTP/1.1\r\nHost: t\r\n" + std::string(headers) + "\r\n" + std::string(body);
  }
  int status_of(std::string_view bytes) { return answer_to(bytes).status; }
};

TEST_F(HttpLimits, MalformedRequestsAre400) {
  serve();
  EXPECT_EQ(status_of("nonsense\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET /hello/a\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET /hello/a HTTP/3.0\r\nHost: t\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET /hello/a HTTP/1.1\r\nno colon here\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET /hello/a HTTP/1.1\r\nHost : t\r\n\r\n"), 400);
  EXPECT_EQ(status_of(std::string("\x16\x03\x01\x02\0\x01", 6) + "\r\n\r\n"), 400);
}

TEST_F(HttpLimits, TheHostIsNamedExactlyOnce) {
  serve();
  EXPECT_EQ(status_of("GET /hello/a HTTP/1.1\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET /hello/a HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET /hello/a HTTP/1.0\r\n\r\n"), 200);
}

TEST_F(HttpLimits, BodiesOfTwoLengthsAreRefused) {
  serve();
  EXPECT_EQ(status_of(post("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")),
            400);
  EXPECT_EQ(status_of(post("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", "0\r\n\r\n")),
            400);
  EXPECT_EQ(status_of(post("Content-Length: 3\r\nContent-Length: 4\r\n", "abc")), 400);
  EXPECT_EQ(status_of(post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n")), 501);
  EXPECT_EQ(status_of(post("Transfer-Encoding: gzip\r\n")), 501);
}

// They were taken for what they are not: JSON, or text.
TEST_F(HttpLimits, CompressedBodiesAreRefused) {
  serve();
  for (const std::string encoding : {"gzip", "deflate", "GZIP", "identity, br"}) {
    const auto header = "Content-Encoding: " + encoding + "\r\n";
    const auto refused = answer_to(post(header + "Content-Length: 3\r\n", "abc"));
    EXPECT_EQ(refused.status, 415) << encoding;
    EXPECT_EQ(refused.header("accept-encoding"), "identity");
    EXPECT_EQ(status_of(post(header + "Transfer-Encoding: chunked\r\n", "0\r\n\r\n")), 415);
    EXPECT_EQ(status_of(post(header + "Expect: 100-continue\r\nContent-Length: 3\r\n")), 415)
        << "before the body is sent";
    EXPECT_EQ(status_of("GET /hello/a HTTP/1.1\r\nHost: t\r\n" + header + "\r\n"), 200)
        << "there is no body";
  }
  EXPECT_EQ(status_of(post("Content-Encoding: Identity\r\nContent-Length: 3\r\n", "abc")), 200);
}

TEST_F(HttpLimits, LengthsThatCannotBeAreRefused) {
  serve();
  EXPECT_EQ(status_of(post("Content-Length: -1\r\n")), 400);
  EXPECT_EQ(status_of(post("Content-Length: +1\r\n")), 400);
  EXPECT_EQ(status_of(post("Content-Length: 1x\r\n")), 400);
  EXPECT_EQ(status_of(post("Content-Length: 99999999999999999999999999\r\n")), 400);
  EXPECT_EQ(status_of(post("Content-Length: 1048577\r\n")), 413);
  EXPECT_EQ(status_of(post("Content-Length: 18446744073709551615\r\n")), 413);
}

TEST_F(HttpLimits, ABodyOfTheLargestSizeIsTaken) {
  serve();
  const std::string body(1 << 20, 'x');

  EXPECT_EQ(answer_to(post("Content-Length: 1048576\r\n", body)).body, body);
}

TEST_F(HttpLimits, ChunksThatAddUpToTooMuchAre413) {
  serve();
  std::string chunks;
  for (int i = 0; i < 17; ++i) chunks += "10000\r\n" + std::string(0x10000, 'x') + "\r\n";

  EXPECT_EQ(status_of(post("Transfer-Encoding: chunked\r\n", chunks + "0\r\n\r\n")), 413);
}

TEST_F(HttpLimits, AChunkThatClaimsTooMuchIsRefusedBeforeItComes) {
  serve();
  EXPECT_EQ(status_of(post("Transfer-Encoding: chunked\r\n", "fffffffffffffff0\r\n")), 413);
  EXPECT_EQ(status_of(post("Transfer-Encoding: chunked\r\n", "7fffffff\r\n")), 413);
  EXPECT_EQ(status_of(post("Transfer-Encoding: chunked\r\n", "-1\r\n")), 400);
  EXPECT_EQ(status_of(post("Transfer-Encoding: chunked\r\n", "11111111111111111\r\n")), 400);
}

TEST_F(HttpLimits, AnEndlessChunkLineIs400) {
  serve();
  EXPECT_EQ(status_of(post("Transfer-Encoding: chunked\r\n", "1;" + std::string(100'000, 'e'))),
            400);
}

TEST_F(HttpLimits, EndlessTrailersAreRefused) {
  serve();
  std::string trailers = "0\r\n";
  for (int i = 0; i < 200; ++i) trailers += "T: x\r\n";

  EXPECT_EQ(status_of(post("Transfer-Encoding: chunked\r\n", trailers + "\r\n")), 431);
}

TEST_F(HttpLimits, HeadersTooLargeAre431) {
  serve();
  EXPECT_EQ(status_of(post("X: " + std::string(9000, 'x') + "\r\n")), 431);
  std::string many;
  for (int i = 0; i < 101; ++i) many += "X: y\r\n";
  EXPECT_EQ(status_of(post(many)), 431);
  std::string total;
  for (int i = 0; i < 50; ++i) total += "X: " + std::string(200, 'x') + "\r\n";
  EXPECT_EQ(status_of(post(total)), 431);
}

TEST_F(HttpLimits, TargetsTooLongAre414) {
  serve();
  EXPECT_EQ(status_of("GET /" + std::string(4097, 'x') + " HTTP/1.1\r\nHost: t\r\n\r\n"), 414);
  EXPECT_EQ(status_of("GET /" + std::string(100'000, 'x')), 414);
}

TEST_F(HttpLimits, TargetsThatCannotBeDecodedAre400) {
  serve();
  for (const char* target :
       {"/hello/%", "/hello/%2", "/hello/%zz", "/hello/%00", "/hello/%ff", "/hello/%c0%af",
        "/hello/%ed%a0%80", "/hello/..", "/hello/%2e%2e", "/hello/.", "/hello/a?b=%g1",
        "/hello/a?%=1", "hello", "/hello/a#b", "*"}) {
    EXPECT_EQ(connect()->get(target).status, 400) << target;
  }
}

TEST_F(HttpLimits, AHeaderThatTricklesInIs408) {
  auto options = patient();
  options.limits.header_time = std::chrono::milliseconds(30);
  serve(options);
  const auto client = connect();
  client->send("GET /hello/a HTTP/1.1\r\nHost: t\r\n");
  // Each byte comes in time for itself; the header as a whole does not.
  std::thread trickling([&] {
    while (client->send("X")) std::this_thread::yield();
  });

  EXPECT_EQ(client->read().status, 408);
  trickling.join();
}

TEST_F(HttpLimits, ABodyThatStopsHalfWayIs408) {
  auto options = patient();
  options.limits.body_time = std::chrono::milliseconds(30);
  serve(options);
  const auto client = connect();
  client->send(post("Content-Length: 10\r\n", "half"));

  EXPECT_EQ(client->read().status, 408);
}

TEST_F(HttpLimits, AClientThatSaysNothingIsLetGo) {
  auto options = patient();
  options.limits.header_time = std::chrono::milliseconds(30);
  serve(options);

  EXPECT_TRUE(connect()->closed_silently());
}

TEST_F(HttpLimits, AClientThatAsksNothingMoreIsLetGo) {
  auto options = patient();
  options.limits.idle_time = std::chrono::milliseconds(30);
  serve(options);
  const auto client = connect();
  EXPECT_EQ(client->get("/hello/a").status, 200);

  EXPECT_TRUE(client->closed_silently());
}

TEST_F(HttpLimits, AClientThatDoesNotTakeItsAnswerIsLetGo) {
  auto options = patient();
  options.limits.write_time = std::chrono::milliseconds(30);
  const std::string large(64 << 20, 'x');
  serve(options, [&](HttpServer& server) {
    server.route("GET", "/large", [&](HttpRequest&, Responder r) { r.send({.body = large}); });
  });
  const auto client = connect();
  client->send("GET /large HTTP/1.1\r\nHost: t\r\n\r\n");
  const auto witness = connect();  // Lives as long as the server's patience at least.
  while (client->send("GET /large HTTP/1.1\r\nHost: t\r\n\r\n")) {
  }

  EXPECT_FALSE(client->read().complete);
}

TEST_F(HttpLimits, ARequestThatIsCutOffIs400) {
  serve();
  const auto client = connect();
  client->send(post("Content-Length: 10\r\n", "half"));
  client->finish_sending();

  EXPECT_EQ(client->read().status, 400);
}

TEST_F(HttpLimits, AClientThatOnlyListensOnGetsItsAnswer) {
  serve();
  const auto client = connect();
  client->send("GET /hello/a HTTP/1.1\r\nHost: t\r\n\r\n");
  client->finish_sending();

  EXPECT_EQ(client->read().body, "hello a");
}

TEST_F(HttpLimits, MoreConnectionsThanAllowedAre503UntilOneIsFree) {
  auto options = patient();
  options.limits.connections = 2;
  serve(options);
  {
    const auto first = connect();
    const auto second = connect();
    EXPECT_EQ(first->get("/hello/a").status, 200);
    EXPECT_EQ(second->get("/hello/a").status, 200);

    EXPECT_EQ(connect()->read().status, 503);

    first->get("/hello/a", "Connection: close\r\n");
    EXPECT_TRUE(first->closed_silently());
  }
  while (connect()->get("/hello/a").status != 200) {  // The server learns of the ends in time.
  }
}

TEST_F(HttpLimits, HeadersOfAnAnswerCannotBeSmuggledIn) {
  serve({}, [](HttpServer& server) {
    server.route("GET", "/reflect?v", [](HttpRequest& request, Responder responder) {
      responder.send({.headers = {{"X-Echo", std::string(*request.query("v"))}}});
    });
  });

  const auto response = connect()->get("/reflect?v=a%0D%0AX-Evil:%20yes");

  EXPECT_EQ(response.header("x-evil"), "");
  EXPECT_EQ(response.header("x-echo"), "a  X-Evil: yes");
}

// --- Who may ------------------------------------------------------------------------------------

TEST_F(HttpLimits, PagesOfOtherSitesMayNotChangeAnything) {
  serve();

  EXPECT_EQ(connect()->request("POST", "/echo", "x", "Origin: http://evil.example\r\n").status,
            403);
  EXPECT_EQ(connect()->request("POST", "/echo", "x", "Origin: null\r\n").status, 403);
  EXPECT_EQ(connect()->request("POST", "/echo", "x", "Origin: http://test\r\n").status, 200);
}

TEST(HttpListening, OthersReachTheServerOnlyWhenThatWasAskedFor) {
  HttpServer careless({.listen = "0.0.0.0:0"});
  const auto refused = careless.start();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(refused.error().message, ::testing::HasSubstr("set allow_remote in"));

  HttpServer tokenless({.listen = "0.0.0.0:0", .allow_remote = true});
  EXPECT_FALSE(tokenless.start());
  HttpServer with_token({.listen = "0.0.0.0:0", .allow_remote = true, .bearer_token = "secret"});
  EXPECT_TRUE(with_token.start());
  HttpServer open(
      {.listen = "0.0.0.0:0", .allow_remote = true, .allow_remote_without_token = true});
  EXPECT_TRUE(open.start());
}

TEST(HttpListening, AnAddressThatCannotBeIsRefusedByName) {
  for (const char* listen : {"", "8080", "localhost", "localhost:", "localhost:66000", "nowhere:1",
                             "127.0.0.1:1x", "127.0.0.1:-1"}) {
    const auto started = HttpServer({.listen = listen}).start();
    ASSERT_FALSE(started) << listen;
    EXPECT_EQ(started.error().code, ErrorCode::kInvalid);
  }
}

TEST(HttpListening, APortThatIsTakenIsRefused) {
  HttpServer first;
  ASSERT_TRUE(first.start());

  const auto second = HttpServer({.listen = "127.0.0.1:" + std::to_string(first.port())}).start();

  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kIo);
}

TEST(HttpListening, RoutesThatClashOrMakeNoSenseAreRefused) {
  HttpServer server;
  const auto handler = [](HttpRequest&, Responder) {};
  server.route("GET", "/a/{b}", handler);

  EXPECT_THROW(server.route("GET", "/a/{c}", handler), std::invalid_argument);
  EXPECT_THROW(server.route("GET", "a", handler), std::invalid_argument);
  EXPECT_THROW(server.route("GET", "/a//b", handler), std::invalid_argument);
  EXPECT_THROW(server.route("GET", "/{a}/{a}", handler), std::invalid_argument);
  EXPECT_THROW(server.route("GET", "/x{a}", handler), std::invalid_argument);
  EXPECT_NO_THROW(server.route("POST", "/a/{c}", handler));
}

// An answer may be given, or a responder dropped, under somebody's lock: the connection's next
// request must not be handled under it.
TEST_F(HttpLimits, TheNextRequestIsNotHandledWithinTheAnswerToTheOneBefore) {
  Responder kept;
  std::atomic<bool> is_kept = false;
  bool answering = false;
  bool was_within = false;
  serve(patient(), [&](HttpServer& server) {
    server.route("GET", "/later",
                 [&](HttpRequest&, Responder responder) {
      kept = std::move(responder);
      is_kept = true;
    });
    server.route("GET", "/next", [&](HttpRequest&, Responder responder) {
      was_within = answering;
      responder.send({.body = "next"});
    });
    server.route("GET", "/release", [&](HttpRequest&, Responder responder) {
      answering = true;
      kept.send({.body = "later"});
      answering = false;
      responder.send({.body = "released"});
    });
  });
  const auto waiting = connect();
  waiting->send("GET /later HTTP/1.1\r\nHost: a\r\n\r\nGET /next HTTP/1.1\r\nHost: a\r\n\r\n");
  // On the server's one thread: what it was sent before is handled before this is.
  const auto other = connect();
  while (other->get("/hello/you").status != 200 || !is_kept) {
  }
  EXPECT_EQ(other->get("/release").body, "released");

  EXPECT_EQ(waiting->read().body, "later");
  EXPECT_EQ(waiting->read().body, "next");
  EXPECT_FALSE(was_within);
}

}  // namespace
}  // namespace thalweg::testing
