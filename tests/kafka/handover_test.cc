#include <fstream>
#include <iterator>
#include <signal.h>
#include <utility>

#include "kafka/counting_story.h"

// The same application in Java and here: one is stopped, the other goes on from its committed
// offsets and its changelog.

namespace thalweg::testing {
namespace {

/// Kafka Streams, running tests/kafka/java/CountApp.java.
class JavaApp {
 public:
  JavaApp(const std::string& application_id, const std::string& directory)
      : output_(directory + ".out"),
        pid_(start_program(
            {"java", "-Xmx192m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
             "-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "-cp", kafka_class_path(),
             THALWEG_JAVA_COUNT_APP, application_id + "-input", application_id + "-output",
             "application.id=" + application_id,
             "bootstrap.servers=" + KafkaCluster::shared().bootstrap_servers(),
             "state.dir=" + directory, "processing.guarantee=exactly_once_v2",
             "statestore.cache.max.bytes=0", "commit.interval.ms=50",
             "consumer.auto.offset.reset=earliest", "consumer.session.timeout.ms=6000"},
            output_)) {}
  ~JavaApp() { stop(); }

  /// Ends it as SIGTERM does: the group is empty afterwards.
  void stop() {
    if (pid_ < 0) return;
    ::kill(pid_, SIGTERM);
    wait_for_end(std::exchange(pid_, -1));
  }
  std::string output() const {
    std::ifstream file(output_);
    return {std::istreambuf_iterator<char>(file), {}};
  }

 private:
  std::string output_;
  pid_t pid_;
};

TEST(HandOver, JavaThenThalwegThenJavaCountEachRecordOnce) {
  CountingStory story(KafkaCluster::shared(), "handed-over", 3);
  TemporaryDirectory directory;
  story.write(300);
  {
    JavaApp java(story.application_id(), directory.path() + "/java");
    story.wait_for_output();
    story.expect_each_record_counted_once();
    if (::testing::Test::HasFailure()) FAIL() << java.output();
  }
  story.write(300);
  story.start().wait_until_running();
  story.wait_for_output();
  story.expect_each_record_counted_once();
  EXPECT_EQ(story.app(0).stop(), 0);
  story.write(300);
  JavaApp java(story.application_id(), directory.path() + "/java-again");
  story.wait_for_output();

  story.expect_each_record_counted_once();
  if (::testing::Test::HasFailure()) FAIL() << java.output();
}

}  // namespace
}  // namespace thalweg::testing
