#include "kafka/counting_story.h"

// Brokers that want a password, over TLS.

namespace thalweg::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kPassword = "open-sesame-2718";
constexpr const char* kKeyPassword = "between-brokers-31";

/// A certificate for loopback, as a broker and as its clients need it.
class Certificate {
 public:
  Certificate() {
    keytool({"-genkeypair", "-alias", "broker", "-keyalg", "RSA", "-keysize", "2048", "-dname",
             "CN=localhost", "-ext", "SAN=ip:127.0.0.1,dns:localhost", "-validity", "2"},
            key_store());
    keytool({"-exportcert", "-rfc", "-alias", "broker", "-file", pem()}, key_store());
    keytool({"-importcert", "-noprompt", "-alias", "broker", "-file", pem()}, trust_store());
  }
  std::string key_store() const { return directory_.path() + "/key.p12"; }
  std::string trust_store() const { return directory_.path() + "/trust.p12"; }
  std::string pem() const { return directory_.path() + "/broker.pem"; }

 private:
  static void keytool(std::vector<std::string> arguments, const std::string& store) {
    arguments.insert(arguments.begin(), "keytool");
    arguments.insert(arguments.end(),
                     {"-storetype", "PKCS12", "-keystore", store, "-storepass", kKeyPassword});
    const auto result = run_program(arguments);
    if (result.exit_code != 0) throw std::runtime_error("keytool: " + result.output);
  }

  TemporaryDirectory directory_;
};

KafkaCluster::Options with_passwords(const Certificate& certificate) {
  return {.properties = {
              {"listeners", "SASL_SSL://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller-port}"},
              {"advertised.listeners", "SASL_SSL://127.0.0.1:{port}"},
              {"listener.security.protocol.map", "CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL"},
              {"inter.broker.listener.name", "SASL_SSL"},
              {"ssl.keystore.location", certificate.key_store()},
              {"ssl.keystore.type", "PKCS12"},
              {"ssl.keystore.password", kKeyPassword},
              {"ssl.truststore.location", certificate.trust_store()},
              {"ssl.truststore.type", "PKCS12"},
              {"ssl.truststore.password", kKeyPassword},
              {"sasl.enabled.mechanisms", "PLAIN"},
              {"sasl.mechanism.inter.broker.protocol", "PLAIN"},
              {"listener.name.sasl_ssl.plain.sasl.jaas.config",
               "org.apache.kafka.common.security.plain.PlainLoginModule required "
               "username=\"admin\" password=\"" +
                   std::string(kPassword) + "\" user_admin=\"" + kPassword + "\";"}}};
}

class Password : public ::testing::Test {
 protected:
  static std::map<std::string, std::string> login(const std::string& password) {
    return {{"security.protocol", "SASL_SSL"},
            {"ssl.ca.location", certificate().pem()},
            {"sasl.mechanism", "PLAIN"},
            {"sasl.username", "admin"},
            {"sasl.password", password}};
  }

  static Certificate& certificate() {
    static Certificate certificate;
    return certificate;
  }
  static KafkaCluster& cluster() {
    static KafkaCluster cluster(with_passwords(certificate()));
    return cluster;
  }
};

TEST_F(Password, OverTlsRecordsAreCountedAndItIsInNoLine) {
  CountingStory story(cluster(), "guarded", 2, login(kPassword));
  story.write(200);
  CountApp& app = story.start();
  story.wait_for_output();

  story.expect_each_record_counted_once();
  EXPECT_EQ(app.stop(), 0) << app.output();
  EXPECT_THAT(app.output(), AllOf(HasSubstr("RUNNING"), Not(HasSubstr(kPassword))));
}

TEST_F(Password, AWrongOneAndAnUnknownCertificateAreTold) {
  const auto opened = [](std::map<std::string, std::string> properties) {
    return open_kafka_log({.bootstrap_servers = cluster().bootstrap_servers(),
                           .properties = std::move(properties),
                           .request_timeout = std::chrono::seconds(5)});
  };

  const auto refused = opened(login("wrong-guess"));
  auto untrusting = login(kPassword);
  untrusting.erase("ssl.ca.location");
  const auto unknown = opened(untrusting);

  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message,
              AllOf(HasSubstr("uthentication"), Not(HasSubstr("wrong-guess"))));
  ASSERT_FALSE(unknown);
  EXPECT_THAT(unknown.error().message, AllOf(HasSubstr("ertificate"), Not(HasSubstr(kPassword))));
}

}  // namespace
}  // namespace thalweg::testing
