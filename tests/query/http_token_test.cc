// A server with a token: who is let in.

#include "query/http_story.h"

namespace thalweg::testing {
namespace {

class HttpToken : public HttpStory {};

TEST_F(HttpToken, IsNeededUnlessARouteSaysOtherwise) {
  auto options = patient();
  options.bearer_token = "let-me-in";
  serve(options, [](HttpServer& server) {
    server.route(
        "GET", "/open", [](HttpRequest&, Responder responder) { responder.send({}); },
        {.without_token = true});
  });

  EXPECT_EQ(connect()->get("/open").status, 200);
  EXPECT_EQ(connect()->get("/hello/a").status, 401);
  EXPECT_EQ(connect()->request("HEAD", "/hello/a", "").status, 401);
  EXPECT_EQ(connect()->get("/hello/a", "Authorization: Bearer let-me-in\r\n").status, 200);
  EXPECT_EQ(connect()->get("/hello/a?access_token=let-me-in").status, 200);
  EXPECT_EQ(connect()->get("/hello/a?access_token=let-me-ix").status, 401);
  EXPECT_EQ(connect()->request("POST", "/echo?access_token=let-me-in", "x").status, 401)
      << "a link that somebody follows may show, but not do anything";
  EXPECT_EQ(connect()->request("POST", "/echo", "x").status, 401);
  EXPECT_EQ(connect()->request("POST", "/echo", "x", "Authorization: Bearer let-me-ix\r\n").status,
            401);
  EXPECT_EQ(connect()->request("POST", "/echo", "x", "Authorization: Bearer \r\n").status, 401);
  EXPECT_EQ(connect()->request("POST", "/echo", "x", "Authorization: Bearer let-me-in\r\n").status,
            200);
}

}  // namespace
}  // namespace thalweg::testing
