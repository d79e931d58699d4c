// docs/configuration.md says what the table of keys says.

#include <fstream>
#include <iterator>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thalweg/runtime/streams_config.h>

#include "config/config_keys.h"

namespace thalweg {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(ConfigurationPage, IsWhatTheTableOfKeysSays) {
  const std::string made = std::string(THALWEG_BINARY_DIR) + "/configuration.md";
  std::ofstream(made) << internal::configuration_page();

  std::ifstream file(THALWEG_SOURCE_DIR "/docs/configuration.md");
  const std::string page{std::istreambuf_iterator<char>(file), {}};

  EXPECT_EQ(page, internal::configuration_page())
      << "bring it up to date: cp " << made << " docs/configuration.md";
}

TEST(ConfigurationPage, DescribesEachKeyInOneSentence) {
  for (const auto& key : StreamsConfigBuilder::keys()) {
    EXPECT_THAT(std::string(key.description), EndsWith(".")) << key.name;
    EXPECT_THAT(std::string(key.description), Not(HasSubstr(". "))) << key.name;
  }
}

TEST(ConfigurationPage, HelpNamesEveryKey) {
  const auto help = StreamsConfigBuilder::help();

  for (const auto& key : StreamsConfigBuilder::keys()) {
    EXPECT_THAT(help, HasSubstr(std::string(key.name) + "\n"));
  }
}

}  // namespace
}  // namespace thalweg
