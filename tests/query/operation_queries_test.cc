#include "query/query_story.h"
#include "query/query_text.h"

namespace thalweg::testing {
namespace {

using State = StreamsApplication::State;

class OperationQueries : public QueryStory {
 protected:
  static TopologyDescription one_source() {
    using Kind = TopologyDescription::NodeKind;
    return {{{0, {{Kind::kSource, "source", {"orders"}, {}, {}, {}}}}}};
  }
};

TEST_F(OperationQueries, AProcessIsReadyWhenEveryApplicationRunsAndIsRestored) {
  second_application("views");
  start();

  const auto response = get("/readyz");

  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(member(response.body, "status"), "\"ready\"");
}

TEST_F(OperationQueries, AProcessThatRestoresIsAliveButNotReadyAndSaysHowFarItIs) {
  shop_->restore_under_way("stock", 25, 100);
  start();

  const auto response = get("/readyz");

  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(response.header("retry-after"), "1");
  EXPECT_THAT(response.body, HasSubstr("1 of 1 tasks are not restored yet"));
  EXPECT_THAT(response.body, HasSubstr(R"("remaining":75,"percent":25)"));
  EXPECT_EQ(get("/livez").status, 200);
}

TEST_F(OperationQueries, OneApplicationThatDoesNotRunIsEnoughNotToBeReady) {
  second_application("views").current = State::kRebalancing;
  start();

  const auto response = get("/readyz");

  EXPECT_EQ(response.status, 503);
  EXPECT_THAT(response.body, HasSubstr(R"({"application":"shop","state":"RUNNING","ready":true})"));
  EXPECT_THAT(response.body, HasSubstr(R"("state":"REBALANCING","ready":false)"));
}

TEST_F(OperationQueries, AProcessWhoseWorkersFailedIsNotAlive) {
  shop_->current = State::kError;
  shop_->why = "task 0_1: no such column";
  start();

  EXPECT_EQ(get("/livez").status, 503);
  EXPECT_THAT(body_of("/readyz"), HasSubstr("no such column"));
  EXPECT_THAT(body_of("/v1/info"),
              HasSubstr(R"("state":"ERROR","failure":"task 0_1: no such column")"));
}

TEST_F(OperationQueries, TasksShowTheirPositionsAndRestores) {
  shop_->restore_under_way("stock", 50, 200);
  start();

  EXPECT_THAT(body_of("/v1/tasks"),
              HasSubstr(R"("restores":[{"task":"0_1","store":"stock","from":0,"position":50,)"
                        R"("end":200,"remaining":150,"percent":25}])"));
}

TEST_F(OperationQueries, TheTopologyIsShownInEachFormat) {
  shop_->description = one_source();
  start();

  EXPECT_EQ(body_of("/v1/topology?format=text"), one_source().to_text());
  EXPECT_EQ(body_of("/v1/topology?format=dot"), one_source().to_dot());
  EXPECT_EQ(body_of("/v1/topology?format=mermaid"), one_source().to_mermaid());
  EXPECT_EQ(body_of("/v1/topology"),
            R"({"items":[{"application":"shop","topology":)" + one_source().to_json() + "}]}");
  EXPECT_EQ(get("/v1/topology?format=png").status, 400);
}

TEST_F(OperationQueries, APictureShowsOneApplicationAtATime) {
  second_application("views").description = one_source();
  start();

  EXPECT_EQ(get("/v1/topology?format=text").status, 400);
  EXPECT_EQ(body_of("/v1/topology?format=text&application=views"), one_source().to_text());
}

TEST_F(OperationQueries, MetricsComeInTheFormatThatIsAccepted) {
  shop_->add_store<std::string, std::int64_t>("stock", 1);
  metrics_.counter("orders_total", "Orders.").add(3);
  start();

  const auto plain = get("/metrics");
  const auto open = get("/metrics", "Accept: application/openmetrics-text; version=1.0.0\r\n");

  EXPECT_EQ(plain.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_THAT(plain.body, HasSubstr("# TYPE orders_total counter\norders_total 3\n"));
  EXPECT_THAT(plain.body, HasSubstr("thalweg_application_running{application=\"shop\"} 1\n"));
  EXPECT_THAT(plain.body,
              HasSubstr("thalweg_store_entries{application=\"shop\",store=\"stock\"} 0\n"));
  EXPECT_EQ(open.header("content-type"),
            "application/openmetrics-text; version=1.0.0; charset=utf-8");
  EXPECT_TRUE(open.body.ends_with("# EOF\n"));
}

TEST_F(OperationQueries, InfoNamesVersionAndLog) {
  start();

  const auto info = body_of("/v1/info");

  EXPECT_EQ(member(info, "name"), "\"thalweg\"");
  EXPECT_NE(member(info, "version"), "");
  EXPECT_EQ(internal::json_string(member(info, "cluster_id")), log_->cluster_id());
}

}  // namespace
}  // namespace thalweg::testing
