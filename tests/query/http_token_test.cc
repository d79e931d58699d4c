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

TEST_F(HttpToken, ThatIsWrongIsToldApartFromNone) {
  auto options = patient();
  options.bearer_token = "let-me-in";
  serve(options);

  const auto none = connect()->get("/hello/a");
  const auto wrong = connect()->get("/hello/a", "Authorization: Bearer let-me-ix\r\n");

  EXPECT_EQ(none.header("www-authenticate"), "Bearer");
  EXPECT_THAT(none.body, ::testing::HasSubstr("token_required"));
  EXPECT_EQ(wrong.status, 401);
  EXPECT_EQ(wrong.header("www-authenticate"), "Bearer error=\"invalid_token\"");
  EXPECT_THAT(wrong.body, ::testing::HasSubstr("token_refused"));
}

TEST_F(HttpToken, MayHaveItsSchemeInAnyCase) {
  auto options = patient();
  options.bearer_token = "let-me-in";
  serve(options);

  for (const char* scheme : {"bearer ", "BEARER ", "Bearer  "}) {
    const auto header = "Authorization: " + std::string(scheme) + "let-me-in\r\n";
    EXPECT_EQ(connect()->get("/hello/a", header).status, 200) << scheme;
  }
  EXPECT_EQ(connect()->get("/hello/a", "Authorization: bearer LET-ME-IN\r\n").status, 401);
  EXPECT_EQ(connect()->get("/hello/a", "Authorization: let-me-in\r\n").status, 401);
}

}  // namespace
}  // namespace thalweg::testing
