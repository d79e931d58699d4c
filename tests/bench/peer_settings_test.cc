// What one run of a comparison takes from the environment, and what it refuses.

#include <cstdlib>
#include <stdexcept>
#include <string>
#include <unistd.h>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "peer/settings.h"

namespace thalweg::bench {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

class PeerSettingsOfARun : public ::testing::Test {
 protected:
  PeerSettingsOfARun() {
    forget_all();
    given("N", "1000");
  }
  ~PeerSettingsOfARun() override { forget_all(); }

  static void given(const std::string& name, const std::string& value) {
    setenv(("PB_" + name).c_str(), value.c_str(), 1);
  }

  static std::string complaint() {
    try {
      PeerSettings::from_environment();
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return {};
  }

 private:
  static void forget_all() {
    std::vector<std::string> names;
    for (char** variable = environ; *variable != nullptr; ++variable) {
      const std::string text = *variable;
      if (text.starts_with("PB_")) names.push_back(text.substr(0, text.find('=')));
    }
    for (const auto& name : names) unsetenv(name.c_str());
  }
};

TEST_F(PeerSettingsOfARun, AreACountUntilTheRecordsAreDone) {
  const auto settings = PeerSettings::from_environment();

  EXPECT_EQ(settings.workload, "count");
  EXPECT_EQ(settings.profile, "default");
  EXPECT_THAT(settings.inputs, ElementsAre("pb-kv"));
  EXPECT_EQ(settings.records, 1'000);
  EXPECT_FALSE(settings.serves);
  EXPECT_FALSE(settings.embedded);
}

TEST_F(PeerSettingsOfARun, MisspeltWordsAreRefused) {
  for (const std::string name : {"MODE", "LOG", "PROFILE"}) {
    given(name, "serv");
    EXPECT_THAT(complaint(), AllOf(HasSubstr("PB_" + name), HasSubstr("serv"))) << name;
    given(name, "");
  }
}

TEST_F(PeerSettingsOfARun, WhatIsKnownIsTaken) {
  given("MODE", "serve");
  given("LOG", "embedded");
  given("PROFILE", "tuned-latency");

  const auto settings = PeerSettings::from_environment();

  EXPECT_TRUE(settings.serves);
  EXPECT_TRUE(settings.embedded);
  EXPECT_TRUE(settings.tuned());
}

TEST_F(PeerSettingsOfARun, NumbersAreChecked) {
  given("N", "many");
  EXPECT_THAT(complaint(), AllOf(HasSubstr("PB_N "), HasSubstr("many")));
  given("N", "-1");
  EXPECT_THAT(complaint(), AllOf(HasSubstr("PB_N "), HasSubstr("-1")));
}

TEST_F(PeerSettingsOfARun, ARunUntilTheRecordsAreDoneNeedsToKnowHowMany) {
  given("N", "0");
  EXPECT_THAT(complaint(), HasSubstr("PB_N "));

  given("MODE", "serve");
  EXPECT_THAT(complaint(), IsEmpty());
}

TEST_F(PeerSettingsOfARun, WhatHasNoRecordsNeedsNoNumber) {
  given("N", "0");
  for (const std::string workload : {"restore", "startup"}) {
    given("WORKLOAD", workload);
    EXPECT_THAT(complaint(), IsEmpty()) << workload;
  }
}

TEST_F(PeerSettingsOfARun, RecordsOfTheLastStepAreForWorkloadsThatCountThem) {
  given("N_DONE", "1000");
  EXPECT_THAT(complaint(), AllOf(HasSubstr("PB_N_DONE"), HasSubstr("count")));

  given("WORKLOAD", "saga");
  EXPECT_THAT(complaint(), IsEmpty());
}

TEST_F(PeerSettingsOfARun, JoinsNeedTwoTopics) {
  given("WORKLOAD", "stjoin");
  EXPECT_THAT(complaint(), AllOf(HasSubstr("PB_IN"), HasSubstr("stjoin")));

  given("IN", "pb-kv,pb-table");
  EXPECT_THAT(complaint(), IsEmpty());
}

TEST_F(PeerSettingsOfARun, ARunEndsWithTheLastStepWhereThatHasToSeeAllRecords) {
  given("WORKLOAD", "saga");
  EXPECT_FALSE(PeerSettings::from_environment().ends_with_the_last_step());

  given("N_DONE", "1000");
  EXPECT_TRUE(PeerSettings::from_environment().ends_with_the_last_step());
}

TEST_F(PeerSettingsOfARun, ServingHasNoLastStepToWaitFor) {
  given("MODE", "serve");
  given("N", "0");

  EXPECT_FALSE(PeerSettings::from_environment().ends_with_the_last_step());
}

TEST_F(PeerSettingsOfARun, KeysOfKafkasClientsMayGoWithoutAPrefixAsInKafkaStreams) {
  given("EXTRA", "linger.ms=5,session.timeout.ms=7000,producer.batch.size=1000");

  const auto config = PeerSettings::from_environment().config();

  EXPECT_THAT(config.client_properties, AllOf(Contains(Pair("producer.linger.ms", "5")),
                                              Contains(Pair("consumer.session.timeout.ms", "7000")),
                                              Contains(Pair("producer.batch.size", "1000"))));
}

}  // namespace
}  // namespace thalweg::bench
