#include "kafka/counting_story.h"

// Brokers that want a password.

namespace thalweg::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kPassword = "open-sesame-2718";

KafkaCluster::Options with_passwords() {
  return {
      .properties = {
          {"listeners",
           "SASL_PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller-port}"},
          {"advertised.listeners", "SASL_PLAINTEXT://127.0.0.1:{port}"},
          {"listener.security.protocol.map", "CONTROLLER:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT"},
          {"inter.broker.listener.name", "SASL_PLAINTEXT"},
          {"sasl.enabled.mechanisms", "PLAIN"},
          {"sasl.mechanism.inter.broker.protocol", "PLAIN"},
          {"listener.name.sasl_plaintext.plain.sasl.jaas.config",
           "org.apache.kafka.common.security.plain.PlainLoginModule required "
           "username=\"admin\" password=\"" +
               std::string(kPassword) + "\" user_admin=\"" + kPassword + "\";"}}};
}

class Password : public ::testing::Test {
 protected:
  KafkaLogOptions options(const std::string& password) const {
    return {.bootstrap_servers = cluster_.bootstrap_servers(),
            .properties = {{"security.protocol", "SASL_PLAINTEXT"},
                           {"sasl.mechanism", "PLAIN"},
                           {"sasl.username", "admin"},
                           {"sasl.password", password}},
            .request_timeout = std::chrono::seconds(5)};
  }

  KafkaCluster cluster_{with_passwords()};
};

TEST_F(Password, AWrongOneIsToldAndTheRightOneIsInNoLine) {
  const auto refused = open_kafka_log(options("wrong-guess"));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message,
              AllOf(HasSubstr("uthentication"), Not(HasSubstr("wrong-guess"))));

  auto log = open_kafka_log(options(kPassword));
  ASSERT_TRUE(log) << log.error().message;
  for (const char* topic : {"guarded-input", "guarded-output"}) {
    ASSERT_TRUE((*log)->create_topic({.name = topic}));
  }
  TemporaryDirectory directory;
  CountApp app("guarded", directory.path() + "/state", cluster_.bootstrap_servers(),
               {"security.protocol=SASL_PLAINTEXT", "sasl.mechanism=PLAIN", "sasl.username=admin",
                std::string("sasl.password=") + kPassword});
  app.wait_until_running();

  EXPECT_EQ(app.stop(), 0) << app.output();
  EXPECT_THAT(app.output(), Not(HasSubstr(kPassword)));
}

}  // namespace
}  // namespace thalweg::testing
