#include <atomic>
#include <memory>
#include <string_view>
#include <thread>

#include <thalweg/topology/kgrouped_stream.h>
#include <thalweg/topology/kstream.h>
#include <thalweg/topology/ktable.h>
#include <thalweg/topology/streams_builder.h>

#include "query/query_story.h"

namespace thalweg::testing {
namespace {

class CountedRestores final : public StateRestoreListener {
 public:
  void on_restore_start(const TopicPartition&, std::string_view, Offset, Offset) override {
    ++starts;
  }
  void on_restore_end(const TopicPartition&, std::string_view, std::uint64_t) override { ++ends; }

  std::atomic<int> starts = 0;
  std::atomic<int> ends = 0;
};

// A whole process: an application that runs, and the one line that lets the world ask it.
class RunningQueryService : public HttpStory {
 protected:
  RunningQueryService() {
    log_ = EmbeddedLog::open(storage_, system_clock()).value();
    EXPECT_TRUE(log_->create_topic({.name = "visits", .partitions = 3}));
    StreamsBuilder builder;
    builder.stream<std::string, std::int64_t>("visits").group_by_key().count({.store = "counts"});
    StreamsConfig config;
    config.application_id = "visitors";
    config.client_id = "visitors";
    application_ = std::make_unique<StreamsApplication>(
        builder.build(), config,
        Environment{log_.get(), &storage_, &system_clock(), &budget_, &metrics_});
    server_ = std::make_unique<HttpServer>(patient());
    queries_ = std::make_unique<QueryService>(*server_, std::vector{application_.get()}, *log_,
                                              metrics_, system_clock());
    EXPECT_TRUE(server_->start());
  }
  ~RunningQueryService() override {
    server_->stop();
    queries_.reset();
    application_->close();
  }

  void run() {
    const auto started = application_->start();
    ASSERT_TRUE(started) << started.error().message;
    while (connect()->get("/readyz").status != 200) std::this_thread::yield();
  }
  std::string visited(const std::string& page) {
    const auto body = R"({"key":")" + page + R"(","value":1})";
    const auto written = connect()->request("POST", "/v1/topics/visits/records", body);
    EXPECT_EQ(written.status, 200) << written.body;
    return written.header("x-position");
  }

  SimulatedStorage storage_;
  MemoryBudget budget_{64u << 20};
  MetricsRegistry metrics_;
  std::unique_ptr<EmbeddedLog> log_;
  std::unique_ptr<StreamsApplication> application_;
  std::unique_ptr<QueryService> queries_;
};

TEST_F(RunningQueryService, WhoWritesARecordCanReadItsEffectByItsPosition) {
  run();

  visited("home");
  visited("help");
  const auto position = visited("home");

  const auto row = connect()->get("/v1/stores/counts/keys/home?at_least=" + position);
  EXPECT_EQ(row.status, 200);
  EXPECT_EQ(member(row.body, "value"), "2");
}

TEST_F(RunningQueryService, APositionOfNoInputIsRefusedAndNotWaitedFor) {
  run();
  const std::string row = "/v1/stores/counts/keys/home?at_least=";

  EXPECT_EQ(connect()->get(row + "visits:3:0").status, 400) << "it has three partitions";
  EXPECT_EQ(connect()->get(row + "nosuch:0:5").status, 400);
  EXPECT_EQ(connect()->get(row + "visitors-counts-changelog:0:0").status, 400);
  EXPECT_EQ(connect()->get(row + visited("home")).status, 200);
}

TEST_F(RunningQueryService, AProcessIsNotReadyBeforeItsApplicationIs) {
  EXPECT_EQ(connect()->get("/readyz").status, 503);
  EXPECT_EQ(connect()->get("/livez").status, 200);

  run();

  EXPECT_EQ(connect()->get("/readyz").status, 200);
  EXPECT_EQ(connect()->get("/v1/stores/counts/keys/nobody").status, 404);
}

TEST_F(RunningQueryService, WhenItIsReadyItsListenerHasHeardOfEachPartition) {
  const auto restores = std::make_shared<CountedRestores>();
  application_->set_state_restore_listener(restores);

  run();

  EXPECT_EQ(restores->starts, 3);
  EXPECT_EQ(restores->ends, 3);
}

TEST_F(RunningQueryService, TheChangelogIsReadWithTheSchemasOfItsStore) {
  run();
  const auto position = visited("home");
  connect()->get("/v1/stores/counts/keys/home?at_least=" + position);

  const auto page = connect()->get("/v1/topics/visitors-counts-changelog/records").body;

  EXPECT_THAT(page, HasSubstr(R"("key":"home","value":1})"));
}

TEST_F(RunningQueryService, TopologyTasksAndMetricsAreThoseOfTheApplication) {
  run();

  EXPECT_EQ(connect()->get("/v1/topology?format=text").body,
            application_->topology().describe().to_text());
  EXPECT_THAT(connect()->get("/v1/tasks").body, HasSubstr(R"("id":"0_2","state":"RUNNING")"));
  EXPECT_THAT(connect()->get("/metrics").body,
              HasSubstr("thalweg_application_running{application=\"visitors\"} 1\n"));
}

TEST_F(RunningQueryService, AfterItsEndTheRoutesAnswerThatItHasEnded) {
  run();
  visited("home");

  queries_.reset();

  const auto refused = connect()->request("POST", "/v1/topics/visits/records", R"({"value":1})");
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(connect()->get("/v1/topics").status, 503);
}

}  // namespace
}  // namespace thalweg::testing
