#include "kafka/counting_story.h"

// Kafka's own tools, as they are, beside an application.

namespace thalweg::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string servers() { return KafkaCluster::shared().bootstrap_servers(); }

/// An application that has counted, for all tests to look at.
CountingStory& counted() {
  static CountingStory story(KafkaCluster::shared(), "tools");
  static const bool ready = [] {
    story.start().wait_until_running();
    story.write(40, 4);
    story.wait_for_output();
    return true;
  }();
  EXPECT_TRUE(ready);
  return story;
}

TEST(Tools, KcatReadsKeysAndCounts) {
  counted().expect_each_record_counted_once();

  const auto read =
      run_program({"kcat", "-C", "-b", servers(), "-t", "tools-output", "-o", "beginning", "-e",
                   "-q", "-s", "value=q", "-f", "%k=%s\n", "-X", "isolation.level=read_committed"});

  EXPECT_EQ(read.exit_code, 0) << read.output;
  for (const char* key : {"key-0", "key-1", "key-2", "key-3"}) {
    EXPECT_THAT(read.output,
                AllOf(HasSubstr(std::string(key) + "=1\n"), HasSubstr(std::string(key) + "=10\n")));
  }
}

TEST(Tools, ConsoleConsumerReadsTheChangelog) {
  counted();

  const auto read = run_kafka_class(
      "org.apache.kafka.tools.consumer.ConsoleConsumer",
      {"--bootstrap-server", servers(), "--topic", "tools-counts-changelog", "--from-beginning",
       "--isolation-level", "read_committed", "--max-messages", "40", "--timeout-ms", "20000",
       "--property", "print.key=true", "--property", "print.timestamp=true", "--property",
       "value.deserializer=org.apache.kafka.common.serialization.LongDeserializer"});

  EXPECT_EQ(read.exit_code, 0) << read.output;
  EXPECT_THAT(read.output, HasSubstr("CreateTime:1000039\tkey-3\t10"));
}

TEST(Tools, ConsumerGroupsDeletesOffsetsAndTheStateStays) {
  CountingStory story(KafkaCluster::shared(), "tools-deleted", 1);
  story.write(3, 1);
  CountApp& first = story.start();
  story.wait_for_output();
  EXPECT_EQ(first.stop(), 0) << first.output();
  const auto deleted =
      run_kafka_class("org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
                      {"--bootstrap-server", servers(), "--delete", "--group", "tools-deleted"});
  ASSERT_EQ(deleted.exit_code, 0) << deleted.output;

  CountApp& second = story.start();  // In another place: its state is in the changelog alone.
  story.wait_for_output_of(6);

  EXPECT_THAT(story.counts("key-0"), ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(second.output(), HasSubstr("has no committed offsets"));
}

TEST(Tools, ConsumerGroupsShowsMembersAndLag) {
  counted();

  const auto group =
      run_kafka_class("org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
                      {"--bootstrap-server", servers(), "--describe", "--group", "tools"});

  EXPECT_EQ(group.exit_code, 0) << group.output;
  EXPECT_THAT(group.output, HasSubstr("tools-input"));
  EXPECT_THAT(group.output, HasSubstr("tools-thalweg-tasks-0-repartition"));
}

TEST(Tools, ApplicationResetForgetsTheApplicationSoThatItBeginsAnew) {
  CountingStory story(KafkaCluster::shared(), "reset", 1);
  story.start().wait_until_running();
  story.write(20, 2);
  story.wait_for_output();
  story.app(0).stop();

  const auto reset = run_kafka_class("org.apache.kafka.tools.StreamsResetter",
                                     {"--bootstrap-server", servers(), "--application-id", "reset",
                                      "--input-topics", "reset-input", "--force"});

  EXPECT_EQ(reset.exit_code, 0) << reset.output;
  EXPECT_EQ(story.log().topic("reset-counts-changelog").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(story.log().topic("reset-thalweg-tasks-0-repartition").error().code,
            ErrorCode::kNotFound);
  story.start().wait_until_running();
  while (story.output_records() < 40) {
  }
  EXPECT_EQ(story.output_records(), 40);
}

}  // namespace
}  // namespace thalweg::testing
