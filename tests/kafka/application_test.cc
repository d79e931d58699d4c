#include "kafka/counting_story.h"

// Applications on a cluster: one process and two, stopped, killed and frozen.

namespace thalweg::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

KafkaCluster& cluster() { return KafkaCluster::shared(); }

TEST(ApplicationOnKafka, CountsAndGoesOnAfterAStop) {
  CountingStory story(cluster(), "going-on");
  story.write(500);
  CountApp& first = story.start();
  story.wait_for_output();
  EXPECT_EQ(first.stop(), 0) << first.output();

  story.write(500);
  CountApp& second = story.start_again(0);
  story.wait_for_output();

  story.expect_each_record_counted_once();
  EXPECT_EQ(second.stop(), 0) << second.output();
}

TEST(ApplicationOnKafka, RestoresItsStateInAnotherPlace) {
  CountingStory story(cluster(), "elsewhere");
  story.write(500);
  CountApp& first = story.start();
  story.wait_for_output();
  first.kill();

  story.write(500);
  story.start();
  story.wait_for_output();

  story.expect_each_record_counted_once();
}

TEST(ApplicationOnKafka, TwoProcessesShareTheTasksAndCountEachRecordOnce) {
  CountingStory story(cluster(), "sharing");
  story.start().wait_until_running();
  story.write(500);
  story.start().wait_until_running();
  story.write(500);
  story.wait_for_output();
  story.write(500);
  story.wait_for_output();

  story.expect_each_record_counted_once();
  EXPECT_EQ(story.app(1).stop(), 0) << story.app(1).output();
  story.write(500);
  story.wait_for_output();
  story.expect_each_record_counted_once();
}

TEST(ApplicationOnKafka, AKilledProcessLosesAndRepeatsNothing) {
  CountingStory story(cluster(), "killed");
  story.start().wait_until_running();
  story.start().wait_until_running();
  for (int round = 0; round < 3; ++round) {
    story.write(1000);
    story.app(static_cast<std::size_t>(round % 2)).kill();
    story.write(1000);
    story.start_again(static_cast<std::size_t>(round % 2)).wait_until_running();
  }
  story.wait_for_output();

  story.expect_each_record_counted_once();
}

TEST(ApplicationOnKafka, AFrozenProcessThatWakesUpWritesNothingMore) {
  CountingStory story(cluster(), "frozen");
  story.start().wait_until_running();
  story.start().wait_until_running();
  story.write(1000);
  story.app(0).freeze();
  story.write(1000);
  story.wait_for_output();
  story.expect_each_record_counted_once();

  story.app(0).thaw();
  story.write(1000);
  story.wait_for_output();

  story.expect_each_record_counted_once();
  EXPECT_EQ(story.app(0).stop(), 0) << story.app(0).output();
}

TEST(ApplicationOnKafka, AStaticMemberThatComesAgainSoonKeepsItsTasks) {
  CountingStory story(cluster(), "static");
  const auto named = [](const char* name) {
    return std::vector<std::string>{std::string("consumer.group.instance.id=") + name,
                                    "consumer.session.timeout.ms=20000"};
  };
  story.start(named("a")).wait_until_running();
  story.start(named("b")).wait_until_running();
  story.write(500);
  story.wait_for_output();
  const auto before = story.app(0).output();

  story.app(1).kill();
  story.start_again(1, named("b")).wait_until_running();
  story.write(500);
  story.wait_for_output();

  story.expect_each_record_counted_once();
  EXPECT_EQ(story.app(0).output(), before);  // It has heard of nothing.
}

TEST(ApplicationOnKafka, WithoutTransactionsNothingIsLost) {
  CountingStory story(cluster(), "at-least-once");
  CountApp& app = story.start({"processing.guarantee=at_least_once", "commit.interval.ms=50"});
  story.write(500);
  story.wait_for_output();
  EXPECT_EQ(app.stop(), 0) << app.output();
  story.write(500);
  story.start_again(0, {"processing.guarantee=at_least_once", "commit.interval.ms=50"});
  story.wait_for_output();

  story.expect_each_record_counted_once();
}

// Records linger to be sent with others that come soon: none come, and the commit is far away.
TEST(ApplicationOnKafka, WithoutTransactionsNothingLingersOnceAllIsProcessed) {
  CountingStory story(cluster(), "lingering");
  story
      .start({"processing.guarantee=at_least_once", "commit.interval.ms=900000",
              "commit.interval.min.ms=900000", "producer.linger.ms=800000",
              "producer.delivery.timeout.ms=850000"})
      .wait_until_running();
  for (int round = 0; round < 3; ++round) {
    story.write(100);
    story.wait_for_output();
  }

  story.expect_each_record_counted_once();
}

TEST(ApplicationOnKafka, WithoutTransactionsAMemberThatComesAndGoesRepeatsNothing) {
  const std::vector<std::string> settings = {"processing.guarantee=at_least_once"};
  CountingStory story(cluster(), "at-least-once-shared");
  Load load(story);
  story.start(settings).wait_until_running();
  for (int round = 0; round < 2; ++round) {
    story.start(settings).wait_until_running();
    EXPECT_EQ(story.app(story.apps() - 1).stop(), 0) << story.app(story.apps() - 1).output();
  }
  load.stop();
  story.wait_for_output();

  EXPECT_THAT(story.app(0).output(), Not(HasSubstr("lost its assignment")));
  story.expect_each_record_counted_once();
}

TEST(ApplicationOnKafka, NamesASourceTopicThatThereIsNot) {
  TemporaryDirectory directory;
  CountApp app("nowhere", directory.path() + "/state", cluster().bootstrap_servers());

  while (app.output().empty()) {
  }

  EXPECT_EQ(app.stop(), 1);
  EXPECT_THAT(app.output(), AllOf(HasSubstr("nowhere-input"), HasSubstr("nowhere-output")));
}

TEST(ApplicationOnKafka, InternalTopicsAreAsKafkaStreamsMakesThem) {
  CountingStory story(cluster(), "internal", 3);
  story.start().wait_until_running();

  const auto changelog = story.log().topic("internal-counts-changelog");

  ASSERT_TRUE(changelog) << changelog.error().message;
  EXPECT_EQ(changelog->partitions, 3);
  EXPECT_EQ(changelog->cleanup, CleanupPolicy::kCompact);
  EXPECT_EQ(changelog->configs.at("message.timestamp.type"), "CreateTime");
}

}  // namespace
}  // namespace thalweg::testing
