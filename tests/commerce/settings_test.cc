// The settings file that comes with the shop, and the names of its roles.

#include <fstream>
#include <iterator>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thalweg/runtime/streams_config.h>

#include "outside_config.h"
#include "shop_process.h"
#include "shop_settings.h"

namespace thalweg::shop {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::SizeIs;

TEST(ShopToml, HoldsTheClientSettingsOfTheOldSystems) {
  StreamsConfigBuilder builder;
  builder.allow(shop_setting_keys());
  builder.from_toml_file(THALWEG_SHOP_TOML);
  builder.set("application.id", "shop", "test");

  const StreamsConfig config = builder.build();

  EXPECT_EQ(config.num_stream_threads, 3);
  EXPECT_EQ(builder.application_number("saga.timeout.ms", 0, 1, 1'000'000), 60'000);
  EXPECT_THAT(config.client_properties,
              AllOf(Contains(Pair("producer.acks", "all")),
                    Contains(Pair("producer.retries", "3")),
                    Contains(Pair("producer.batch.size", "16384")),
                    Contains(Pair("producer.linger.ms", "10")),
                    Contains(Pair("producer.compression.type", "snappy")),
                    Contains(Pair("consumer.max.poll.records", "500")),
                    Contains(Pair("consumer.session.timeout.ms", "10000"))));
}

TEST(ShopToml, ShowsReceiversWithKeysThatThereAre) {
  std::ifstream file(THALWEG_SHOP_TOML);
  std::string text;
  for (std::string line; std::getline(file, line); text += '\n') {
    const bool is_setting =
        line.starts_with("# [") || (line.starts_with("# ") && line.contains(" = "));
    text += is_setting ? line.substr(2) : line;
  }
  StreamsConfigBuilder builder;
  builder.allow(shop_setting_keys());
  builder.from_toml(text, "shop.toml");
  builder.set("application.id", "shop", "test");

  EXPECT_NO_THROW(builder.build());
  EXPECT_EQ(builder.application_value("order.processed.s3.region"), "eu-central-1");
}

// What `--settings` says of each; `none` and `TOPIC` are words for people.
TEST(ShopSettings, HaveTheDefaultsThatTheHelpTells) {
  StreamsConfigBuilder told;
  told.allow(shop_setting_keys());
  for (const ShopSetting& setting : shop_settings()) {
    const bool is_written =
        !setting.default_value.starts_with("none") && !setting.key.ends_with("TOPIC");
    if (is_written) told.set(setting.key, setting.default_value, "test");
  }
  const auto delivery = read_delivery_config(told);
  const auto payments = read_payment_provider_config(told);

  const DeliveryConfig by_default;
  EXPECT_EQ(delivery.webhook_timeout, by_default.webhook_timeout);
  EXPECT_EQ(delivery.retry_after, by_default.retry_after);
  EXPECT_EQ(delivery.jitter, by_default.jitter);
  EXPECT_EQ(delivery.max_in_flight, by_default.max_in_flight);
  EXPECT_EQ(delivery.order_processed_file_bytes, by_default.order_processed_file_bytes);
  EXPECT_EQ(delivery.processed_retention, by_default.processed_retention);
  EXPECT_EQ(payments.timeout, PaymentProviderConfig().timeout);
  EXPECT_EQ(payments.retry_after, PaymentProviderConfig().retry_after);
  EXPECT_EQ(payments.max_in_flight, PaymentProviderConfig().max_in_flight);
  const ShopConfig shop;
  EXPECT_EQ(told.application_number("saga.timeout.ms", 0, 1, 1LL << 40), shop.saga_timeout.count());
  EXPECT_EQ(told.application_number("idempotency.retention.ms", 0, 1, 1LL << 40),
            shop.idempotency_retention.count());
}

TEST(ShopSettings, KnowWhereDeadLettersGo) {
  StreamsConfigBuilder builder;
  set_shop_defaults(3, builder);
  builder.set("application.id", "shop", "test");
  EXPECT_FALSE(chosen_processing_handler(builder).has_value());

  builder.set("processing.exception.handler", "dead-letter", "--set");

  EXPECT_NO_THROW(builder.build());
  EXPECT_TRUE(chosen_processing_handler(builder) == FailureHandling::kDeadLetter);
}

std::vector<std::string_view> names(const std::vector<const Role*>& roles) {
  std::vector<std::string_view> names;
  for (const Role* role : roles) names.push_back(role->name);
  return names;
}

TEST(ShopSettings, ThatListeningForOthersNeedsAreNamed) {
  ShopProcessOptions options;
  options.listen = "0.0.0.0:0";
  ShopProcess shop(std::move(options));

  const auto refused = shop.start();

  ASSERT_FALSE(refused.has_value());
  EXPECT_THAT(refused.error().message, HasSubstr("set auth.secret and admin.token"));
}

TEST(Roles, AreReadByName) {
  EXPECT_THAT(names(parse_roles("orders")), ElementsAre("orders"));
  EXPECT_THAT(names(parse_roles("orders,gateway,orders")), ElementsAre("gateway", "orders"));
  EXPECT_THAT(parse_roles(names_of_all_roles()), SizeIs(all_roles().size()));
}

TEST(Roles, AreGroupsOfTheirOwn) {
  std::set<std::string_view> groups;
  for (const Role& role : all_roles()) groups.insert(role.application_id);

  EXPECT_THAT(groups, SizeIs(all_roles().size()));
}

TEST(Roles, StopForARecordThatFailsOnlyWhereAllMustComeOutEven) {
  for (const Role& role : all_roles()) {
    const bool exact = role.name == "orders" || role.name == "coupons";
    StreamsConfig config;
    set_handlers(role, std::nullopt, config);

    EXPECT_TRUE(config.processing_handler ==
                (exact ? FailureHandling::kFail : FailureHandling::kDeadLetter))
        << role.name;
    EXPECT_TRUE(config.deserialization_handler == FailureHandling::kDeadLetter) << role.name;
    EXPECT_EQ(config.dead_letter_topic, "{topic}.dlq");
    set_handlers(role, FailureHandling::kContinue, config);
    EXPECT_TRUE(config.processing_handler == FailureHandling::kContinue) << "somebody said so";
  }
}

TEST(Roles, AreAProcessEachInTheComposeFile) {
  std::ifstream file(THALWEG_COMPOSE_YAML);
  const std::string text((std::istreambuf_iterator<char>(file)), {});

  for (const Role& role : all_roles()) {
    EXPECT_THAT(text, HasSubstr("command: --roles " + std::string(role.name) + " --listen"));
  }
}

TEST(Roles, ThatCannotBeAreRefused) {
  EXPECT_THROW(parse_roles("orders,painting"), ConfigError);
  EXPECT_THROW(parse_roles(""), ConfigError);
  EXPECT_THROW(check_roles(parse_roles("gateway"), false), ConfigError)
      << "there would be no state to read";
  EXPECT_NO_THROW(check_roles(parse_roles("gateway"), true)) << "other processes have it";
}

}  // namespace
}  // namespace thalweg::shop
