// Where settings come from: TOML text and files, the environment, flags; and which of them wins.

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <vector>

#include "config_story.h"

namespace thalweg {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class ConfigSources : public ConfigStory {
 protected:
  void environment_says(std::vector<std::string> variables) {
    std::vector<char*> pointers;
    for (auto& variable : variables) pointers.push_back(variable.data());
    pointers.push_back(nullptr);
    settings_.from_environment(pointers.data());
  }
};

TEST_F(ConfigSources, TomlTablesJoinTheirKeysWithDots) {
  file_says("commit.interval.ms = 200\n[num.stream]\nthreads = 4\n");

  EXPECT_EQ(config().commit_interval.count(), 200);
  EXPECT_EQ(config().num_stream_threads, 4);
}

TEST_F(ConfigSources, TomlValuesOfEachKindBecomeText) {
  settings_.allow({"shop.*"});
  file_says(
      "[shop]\nname = 'a \"b\"'\nopen = true\nshare = 0.5\nbig = 1_000\nids = ['x', 2]\n"
      "none = []\n");

  EXPECT_EQ(settings_.application_value("shop.name"), "a \"b\"");
  EXPECT_EQ(settings_.application_value("shop.open"), "true");
  EXPECT_EQ(settings_.application_value("shop.share"), "0.5");
  EXPECT_EQ(settings_.application_value("shop.big"), "1000");
  EXPECT_EQ(settings_.application_value("shop.ids"), "x,2");
  EXPECT_EQ(settings_.application_value("shop.none"), "");
  EXPECT_EQ(settings_.application_value("shop.unset"), "");
}

TEST_F(ConfigSources, ApplicationKeysWithAStarAllowAllThatBeginSo) {
  settings_.allow({"wire.format.*"});
  file_says("wire.format.'order-completed' = 'flatbuffers'");

  EXPECT_THAT(complaint(), IsEmpty());
  EXPECT_EQ(settings_.application_value("wire.format.order-completed"), "flatbuffers");
}

TEST_F(ConfigSources, ApplicationNumbersAreCheckedLikeOurOwn) {
  settings_.allow({"saga.timeout.ms"});

  EXPECT_EQ(settings_.application_number("saga.timeout.ms", 60'000, 1, 100'000), 60'000);
  file_says("saga.timeout.ms = 500");
  EXPECT_EQ(settings_.application_number("saga.timeout.ms", 60'000, 1, 100'000), 500);
  file_says("saga.timeout.ms = 0");
  EXPECT_THROW(settings_.application_number("saga.timeout.ms", 60'000, 1, 100'000), ConfigError);
}

TEST_F(ConfigSources, BrokenTomlNamesFileAndLine) {
  EXPECT_THAT(complaint_about_file("a = 1\nb = [1\n"), StartsWith("count.toml:"));
  EXPECT_THAT(complaint_about_file("a = 1\na = 2\n"),
              AllOf(StartsWith("count.toml:2: not TOML"), HasSubstr("a")));
}

TEST_F(ConfigSources, DatesAndTablesInListsAreNoSettings) {
  EXPECT_THAT(complaint_about_file("\nstart = 2020-01-01\n"), StartsWith("'start' (count.toml:2)"));
  EXPECT_THAT(complaint_about_file("[[shop]]\nname = 'a'\n"), StartsWith("'shop' (count.toml:1)"));
}

TEST_F(ConfigSources, KeyWrittenTwiceInOneFileIsAFault) {
  EXPECT_EQ(complaint_about_file("[num.stream]\nthreads = 3\n['num.stream']\nthreads = 4\n"),
            "'num.stream.threads' is set twice: at count.toml:2 and at count.toml:4");
}

TEST_F(ConfigSources, FileIsReadFromDisk) {
  const auto path = std::filesystem::path(::testing::TempDir()) / "config_sources.toml";
  std::ofstream(path) << "num.stream.threads = 5\n";

  settings_.from_toml_file(path);

  EXPECT_EQ(config().num_stream_threads, 5);
  using Entry = StreamsConfigBuilder::Effective;
  EXPECT_THAT(settings_.effective(), Contains(AllOf(Field(&Entry::key, "num.stream.threads"),
                                                    Field(&Entry::origin, path.string() + ":1"))));
  std::filesystem::remove(path);
}

TEST_F(ConfigSources, EmptyFileSaysNothing) {
  const auto path = std::filesystem::path(::testing::TempDir()) / "config_sources_empty.toml";
  std::ofstream(path).flush();

  settings_.from_toml_file(path);

  EXPECT_EQ(config().num_stream_threads, 1);
  std::filesystem::remove(path);
}

TEST_F(ConfigSources, MissingFileAndDirectoryAreFaults) {
  EXPECT_THROW(settings_.from_toml_file("/no/such/file.toml"), ConfigError);
  EXPECT_THROW(settings_.from_toml_file(::testing::TempDir()), ConfigError);
}

TEST_F(ConfigSources, EnvironmentVariablesStandForKeys) {
  environment_says({"THALWEG_NUM_STREAM_THREADS=6", "KAFKA_CLIENT_ID=ecommerce-app", "HOME=/root",
                    "THALWEG_COMMIT_INTERVAL_MS=", "THALWEG", "THALWEG_PHASE_FILE=/tmp/phases",
                    "THALWEG_URL=http://localhost:8080", "THALWEG_TOKEN=secret"});

  EXPECT_EQ(config().num_stream_threads, 6);
  EXPECT_EQ(config().client_id, "ecommerce-app");
  EXPECT_EQ(config().commit_interval.count(), 100);
}

TEST_F(ConfigSources, OwnVariableWinsOverTheAliasInAnyOrder) {
  environment_says({"THALWEG_CLIENT_ID=ours", "KAFKA_CLIENT_ID=theirs"});

  EXPECT_EQ(config().client_id, "ours");
}

TEST_F(ConfigSources, UnknownVariableIsAFaultThatNamesIt) {
  environment_says({"THALWEG_NUM_STREAM_THREAD=6"});

  EXPECT_THAT(complaint(), AllOf(HasSubstr("environment variable THALWEG_NUM_STREAM_THREAD"),
                                 HasSubstr("'num.stream.threads'")));
}

TEST_F(ConfigSources, LaterSourcesWin) {
  file_says("num.stream.threads = 2\ncommit.interval.ms = 2");
  environment_says({"THALWEG_NUM_STREAM_THREADS=3", "THALWEG_COMMIT_INTERVAL_MS=3"});
  settings_.set_assignment("num.stream.threads=4", "--set");

  EXPECT_EQ(config().num_stream_threads, 4);
  EXPECT_EQ(config().commit_interval.count(), 3);
}

TEST_F(ConfigSources, AssignmentSplitsAtTheFirstEqualsSign) {
  settings_.allow({"shop.greeting"}).set_assignment("shop.greeting=a=b", "--set");

  EXPECT_EQ(settings_.application_value("shop.greeting"), "a=b");
  EXPECT_THROW(settings_.set_assignment("num.stream.threads", "--set"), ConfigError);
  EXPECT_THROW(settings_.set_assignment("=3", "--set"), ConfigError);
}

}  // namespace
}  // namespace thalweg
