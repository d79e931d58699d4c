// What stands behind the question mark: a parameter that a route does not know is refused, as a
// page that was asked for with a slip in it would be taken for the one that was meant.

#include "query/query_story.h"

namespace thalweg::testing {
namespace {

using ::testing::HasSubstr;

void expect_unknown(const RawResponse& answer, const std::string& parameter,
                    const std::string& hint) {
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.header("content-type"), "application/problem+json");
  EXPECT_EQ(member(answer.body, "code"), "\"unknown_parameter\"") << answer.body;
  EXPECT_THAT(member(answer.body, "detail"), HasSubstr("no query parameter '" + parameter + "'"));
  EXPECT_THAT(member(answer.body, "hint"), HasSubstr(hint));
}

// --- Of any server
// --------------------------------------------------------------------------------

class HttpParameters : public HttpStory {
 protected:
  void serve_a_list(HttpServerOptions options = patient()) {
    serve(std::move(options), [](HttpServer& server) {
      server.route("GET", "/list?limit&cursor", [](HttpRequest& request, Responder responder) {
        responder.send({.body = std::string(request.query("limit").value_or("all")) + "|" +
                                std::string(request.query("cursor").value_or("none"))});
      });
    });
  }
};

TEST_F(HttpParameters, ThatARouteNamesAreItsHandlers) {
  serve_a_list();

  EXPECT_EQ(connect()->get("/list").body, "all|none");
  EXPECT_EQ(connect()->get("/list?cursor=lamp&limit=3").body, "3|lamp");
  EXPECT_EQ(connect()->get("/list?&limit=3&").body, "3|none") << "nothing is no parameter";
}

TEST_F(HttpParameters, ThatARouteDoesNotKnowAreRefusedWithTheOneThatMayBeMeant) {
  serve_a_list();
  const auto client = connect();

  expect_unknown(client->get("/list?limt=3"), "limt", "did you mean 'limit'?");
  expect_unknown(client->get("/list?limit=3&curser=lamp"), "curser", "did you mean 'cursor'?");
  expect_unknown(client->get("/list?Limit=3"), "Limit", "did you mean 'limit'?");
  EXPECT_EQ(client->get("/list?limit=3").body, "3|none") << "on the same connection";
}

TEST_F(HttpParameters, LikeNoneThatARouteKnowsAreAnsweredWithAllOfThem) {
  serve_a_list();

  expect_unknown(connect()->get("/list?colour=red"), "colour", "it knows limit, cursor");
  expect_unknown(connect()->get("/list?colour"), "colour", "it knows limit, cursor");
  expect_unknown(connect()->get("/hello/you?colour=red"), "colour", "it takes none");
  EXPECT_EQ(connect()->get("/list?=red").status, 400) << "nor is one without a name known";
}

TEST_F(HttpParameters, OfWhatWouldChangeSomethingAreRefusedToo) {
  serve_a_list();

  expect_unknown(connect()->request("POST", "/echo?loud=yes", "x"), "loud", "it takes none");
  EXPECT_EQ(connect()->request("HEAD", "/list?limt=3", "").status, 400);
  EXPECT_EQ(connect()->request("OPTIONS", "/list?limt=3", "").status, 204);
}

TEST_F(HttpParameters, AreOfNoInterestToARouteThatTakesAny) {
  serve(patient(), [](HttpServer& server) {
    server.route("GET", "/any?*", [](HttpRequest& request, Responder responder) {
      responder.send({.body = std::string(request.query("colour").value_or("none"))});
    });
  });

  EXPECT_EQ(connect()->get("/any?v=3&colour=red").body, "red");
}

TEST_F(HttpParameters, MayHoldTheTokenWhetherOrNotOneIsNeeded) {
  serve_a_list();

  EXPECT_EQ(connect()->get("/list?limit=3&access_token=let-me-in").body, "3|none");
}

TEST_F(HttpParameters, AreNobodysBusinessBeforeTheTokenIsSeen) {
  auto options = patient();
  options.bearer_token = "let-me-in";
  serve_a_list(options);

  EXPECT_EQ(connect()->get("/list?limt=3").status, 401);
  expect_unknown(connect()->get("/list?limt=3&access_token=let-me-in"), "limt", "'limit'");
}

// Nobody could ever give it: the first test of the route finds out.
TEST_F(HttpParameters, ThatAHandlerReadsAndItsRouteDoesNotNameAreTheRoutesFault) {
  serve(patient(), [](HttpServer& server) {
    server.route("GET", "/forgetful?limit", [](HttpRequest& request, Responder responder) {
      responder.send({.body = std::string(request.query("cursor").value_or("none"))});
    });
  });

  EXPECT_EQ(connect()->get("/forgetful").status, 500);
  EXPECT_EQ(connect()->get("/forgetful?limit=3").status, 500);
}

TEST(HttpPatterns, WhoseParametersMakeNoSenseAreRefused) {
  HttpServer server;
  const auto handler = [](HttpRequest&, Responder) {};
  for (const char* pattern : {"/a?", "/a?b&", "/a?&b", "/a?b&b", "/a?b=", "/a?b?c", "/a?b&*"}) {
    EXPECT_THROW(server.route("GET", pattern, handler), std::invalid_argument) << pattern;
  }
  server.route("GET", "/a?b&c", handler);

  EXPECT_THROW(server.route("GET", "/a?d", handler), std::invalid_argument)
      << "two routes of one path";
  EXPECT_NO_THROW(server.check("GET", "/a", [](const HttpRequest&) { return std::nullopt; }));
}

// --- Of the queries
// -------------------------------------------------------------------------------

class QueryParameters : public QueryStory {
 protected:
  void start_with_stock() {
    open_log(true);
    add_topic("orders");
    shop_->add_store<std::string, std::int64_t>("stock", 3);
    shop_->put<std::string, std::int64_t>("stock", "lamp", 7);
    start();
  }
};

TEST_F(QueryParameters, WithASlipInThemGiveNoOtherPageThanTheOneThatWasMeant) {
  start_with_stock();

  expect_unknown(get("/v1/stores/stock/keys?limt=3"), "limt", "did you mean 'limit'?");
  expect_unknown(get("/v1/stores/stock/keys/lamp?visiblity=early"), "visiblity", "'visibility'");
  expect_unknown(get("/v1/topics/orders/records?partiton=1"), "partiton", "'partition'");
  expect_unknown(get("/v1/topology?fromat=dot"), "fromat", "'format'");
}

TEST_F(QueryParameters, ThatNoRouteKnowsAreRefusedByEach) {
  start_with_stock();
  for (const char* target :
       {"/v1/stores", "/v1/stores/stock/keys", "/v1/stores/stock/keys/lamp",
        "/v1/stores/stock/changes", "/v1/topics", "/v1/topics/orders/records", "/v1/topology",
        "/v1/tasks", "/v1/info", "/v1/views/stock/0", "/v1/positions/orders/0"}) {
    const auto answer = get(std::string(target) + "?favourite_colour=red");
    EXPECT_EQ(answer.status, 400) << target;
    EXPECT_EQ(member(answer.body, "code"), "\"unknown_parameter\"") << target;
  }
}

TEST_F(QueryParameters, ThatAreNotKnownKeepRecordsFromBeingWritten) {
  start_with_stock();

  const auto answer =
      connect()->request("POST", "/v1/topics/orders/records?partition=1", R"({"value":1})");

  expect_unknown(answer, "partition", "it takes none");
  EXPECT_EQ(member(body_of("/v1/topics/orders/records"), "items"), "[]");
}

TEST_F(QueryParameters, OfProbesAndScrapersAreTheirOwnBusiness) {
  start_with_stock();

  for (const char* target : {"/livez", "/readyz", "/metrics"}) {
    EXPECT_EQ(get(std::string(target) + "?favourite_colour=red").status, 200) << target;
  }
}

TEST_F(QueryParameters, ThatARouteWouldNotHeedItDoesNotKnow) {
  start_with_stock();

  for (const char* target :
       {"/v1/stores/stock/changes?at_least=orders:0:1",
        "/v1/topics/orders/records?at_least=orders:0:1", "/v1/stores/stock/keys?max_lag=5"}) {
    const auto answer = get(target);
    EXPECT_EQ(answer.status, 400) << target;
    EXPECT_EQ(member(answer.body, "code"), "\"unknown_parameter\"") << target;
  }
  EXPECT_EQ(get("/v1/stores/stock/keys/lamp?max_lag=5").status, 200);
}

}  // namespace
}  // namespace thalweg::testing
