// The shop's settings, read back from clients that live. They need no broker for it.

#include "kafka/client_settings.h"

#include <array>
#include <string>

#include <gtest/gtest.h>

#include <thalweg/runtime/streams_config.h>

namespace thalweg::internal {
namespace {

using RdClient = RdHandle<rd_kafka_t, rd_kafka_destroy>;

class ShopTomlTest : public ::testing::Test {
 protected:
  void SetUp() override {
    StreamsConfigBuilder builder;
    builder.allow({"saga.timeout.ms", "shop.timezone"});
    builder.from_toml_file(THALWEG_SHOP_TOML);
    builder.set("application.id", "shop", "test");
    options_.bootstrap_servers = "127.0.0.1:1";
    options_.properties = builder.build().client_properties;
  }

  /// A client of that kind, as the Kafka log would make it.
  RdClient live(ClientKind kind, rd_kafka_type_t type) {
    const std::array fixed{FixedProperty{"group.id", "shop"}};
    auto conf = client_conf(kind, options_, "shop",
                            type == RD_KAFKA_CONSUMER ? std::span<const FixedProperty>(fixed)
                                                      : std::span<const FixedProperty>());
    EXPECT_TRUE(conf.has_value()) << conf.error().message;
    // That there is no broker goes without saying.
    rd_kafka_conf_set_log_cb(conf->get(), [](const rd_kafka_t*, int, const char*, const char*) {});
    std::array<char, 512> reason{};
    RdClient client(rd_kafka_new(type, conf->get(), reason.data(), reason.size()));
    EXPECT_NE(client, nullptr) << reason.data();
    if (client) conf->release();  // It is the client's now.
    return client;
  }
  static std::string setting(const RdClient& client, const char* name) {
    std::array<char, 128> value{};
    std::size_t size = value.size();
    const auto found = rd_kafka_conf_get(rd_kafka_conf(client.get()), name, value.data(), &size);
    return found == RD_KAFKA_CONF_OK ? value.data() : "(none)";
  }

  KafkaLogOptions options_;
};

TEST_F(ShopTomlTest, ReachesTheProducer) {
  const auto producer = live(ClientKind::kProducer, RD_KAFKA_PRODUCER);

  EXPECT_EQ(setting(producer, "acks"), "-1") << "all";
  EXPECT_EQ(setting(producer, "retries"), "3");
  EXPECT_EQ(setting(producer, "batch.size"), "16384");
  EXPECT_EQ(setting(producer, "linger.ms"), "10");
  EXPECT_EQ(setting(producer, "compression.type"), "snappy");
  EXPECT_EQ(setting(producer, "enable.idempotence"), "true");
  EXPECT_EQ(setting(producer, "max.in.flight.requests.per.connection"), "5");
  EXPECT_EQ(setting(producer, "delivery.timeout.ms"), "120000");
  EXPECT_EQ(setting(producer, "request.timeout.ms"), "30000");
}

TEST_F(ShopTomlTest, ReachesTheMembersOfItsGroups) {
  const auto member = live(ClientKind::kMember, RD_KAFKA_CONSUMER);

  EXPECT_EQ(setting(member, "fetch.min.bytes"), "1024");
  EXPECT_EQ(setting(member, "fetch.wait.max.ms"), "500");
  EXPECT_EQ(setting(member, "enable.auto.commit"), "false");
  EXPECT_EQ(setting(member, "auto.offset.reset"), "smallest") << "librdkafka's word for earliest";
  EXPECT_EQ(setting(member, "session.timeout.ms"), "10000");
  EXPECT_EQ(setting(member, "heartbeat.interval.ms"), "3000");
}

TEST_F(ShopTomlTest, ReachesTheReadersOfRecords) {
  const auto reader = live(ClientKind::kReader, RD_KAFKA_CONSUMER);

  EXPECT_EQ(setting(reader, "fetch.min.bytes"), "1024");
  EXPECT_EQ(setting(reader, "fetch.wait.max.ms"), "500");
}

}  // namespace
}  // namespace thalweg::internal
