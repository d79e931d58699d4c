// Settings of what the shop calls outside: what may be said, and what is said to those who got it
// wrong.

#include "outside_config.h"

#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thalweg/runtime/streams_config.h>

#include "certificates.h"
#include "contract/log_fixture.h"
#include "shop_settings.h"

namespace thalweg::shop {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class OutsideSettings : public ::testing::Test {
 protected:
  OutsideSettings() { settings_.allow(shop_setting_keys()); }
  void given(const std::string& key, const std::string& value) {
    settings_.set(key, value, "test");
  }
  void given_a_bucket() {
    given("order.processed.s3.url", "https://s3.example/orders/shop");
    given("order.processed.s3.access.key", "AKIASHOP");
    given("order.processed.s3.secret.key", "hunter2/+=");
  }
  std::string complaint() {
    try {
      read_delivery_config(settings_);
      read_payment_provider_config(settings_);
      return "";
    } catch (const ConfigError& error) {
      return error.what();
    }
  }

  testing::TemporaryDirectory directory_;
  StreamsConfigBuilder settings_;
};

TEST_F(OutsideSettings, MayBeAbsent) {
  const DeliveryConfig config = read_delivery_config(settings_);

  EXPECT_EQ(config.order_processed_directory, "");
  EXPECT_EQ(config.order_processed_file_bytes, 64u << 20);
  EXPECT_EQ(config.order_processed_s3.url, "");
  EXPECT_EQ(config.order_processed_s3.region, "us-east-1");
}

TEST_F(OutsideSettings, NameSeveralReceiversOfProcessedOrders) {
  given_a_bucket();
  given("order.processed.url", "https://platform.example/orders");
  given("order.processed.directory", directory_.path());
  given("order.processed.file.bytes", "1000");
  given("order.processed.s3.region", "eu-central-1");
  const DeliveryConfig config = read_delivery_config(settings_);

  EXPECT_EQ(config.order_processed_url, "https://platform.example/orders");
  EXPECT_EQ(config.order_processed_directory, directory_.path());
  EXPECT_EQ(config.order_processed_file_bytes, 1'000u);
  EXPECT_EQ(config.order_processed_s3.url, "https://s3.example/orders/shop");
  EXPECT_EQ(config.order_processed_s3.region, "eu-central-1");
  EXPECT_EQ(config.order_processed_s3.access_key, "AKIASHOP");
  EXPECT_EQ(config.order_processed_s3.secret_key, "hunter2/+=");
}

TEST_F(OutsideSettings, NameAFileOfAuthorities) {
  const std::string file = directory_.path() + "/ca.pem";
  std::ofstream(file) << make_authority("The shop's own").certificate;
  given("outside.tls.ca", file);

  EXPECT_THAT(complaint(), IsEmpty());
  EXPECT_EQ(read_delivery_config(settings_).tls_ca, file);
  EXPECT_EQ(read_payment_provider_config(settings_).tls_ca, file);
}

TEST_F(OutsideSettings, RefuseAFileOfAuthoritiesThatIsNone) {
  given("outside.tls.ca", directory_.path() + "/none.pem");

  EXPECT_THAT(complaint(), AllOf(HasSubstr("outside.tls.ca: "), HasSubstr("/none.pem"),
                                 HasSubstr("No such file or directory")));
}

TEST_F(OutsideSettings, RefuseAUrlOfAnotherKind) {
  given("webhook.url", "ftp://receiver");

  EXPECT_EQ(complaint(), "webhook.url: ftp://receiver does not begin with http:// or https://");
}

TEST_F(OutsideSettings, RefuseADirectoryThatIsAFile) {
  const std::string file = directory_.path() + "/file";
  std::ofstream(file) << "text";
  given("order.processed.directory", file);

  EXPECT_EQ(complaint(), "order.processed.directory: " + file + " is not a directory");
}

TEST_F(OutsideSettings, RefuseFilesOfNoSize) {
  given("order.processed.file.bytes", "0");

  EXPECT_THAT(complaint(), AllOf(HasSubstr("order.processed.file.bytes"), HasSubstr("0")));
}

TEST_F(OutsideSettings, RefuseAnUrlWithoutABucket) {
  given_a_bucket();
  for (const std::string url : {"https://s3.example", "https://s3.example/"}) {
    given("order.processed.s3.url", url);
    EXPECT_THAT(complaint(),
                AllOf(HasSubstr("order.processed.s3.url: " + url), HasSubstr("names no bucket")));
  }
  given("order.processed.s3.url", "https://s3.example/orders?versioning");
  EXPECT_THAT(complaint(), HasSubstr("order.processed.s3.url: "));
}

TEST_F(OutsideSettings, RefuseABucketWithoutKeys) {
  given_a_bucket();
  given("order.processed.s3.access.key", "");
  EXPECT_THAT(complaint(), HasSubstr("order.processed.s3.access.key: "));
  given("order.processed.s3.access.key", "AKIA SHOP");
  EXPECT_THAT(complaint(),
              AllOf(HasSubstr("order.processed.s3.access.key: "), HasSubstr("AKIA SHOP")));
  given("order.processed.s3.access.key", "AKIASHOP");
  given("order.processed.s3.secret.key", "");
  EXPECT_THAT(complaint(), HasSubstr("order.processed.s3.secret.key: "));
}

TEST_F(OutsideSettings, NeverShowTheSecret) {
  given_a_bucket();
  given("application.id", "shop");
  for (const auto& setting : settings_.effective()) {
    EXPECT_THAT(setting.value, Not(HasSubstr("hunter2"))) << setting.key;
  }
  given("order.processed.s3.region", "eu central");
  EXPECT_THAT(complaint(),
              AllOf(HasSubstr("order.processed.s3.region"), Not(HasSubstr("hunter2"))));
}

}  // namespace
}  // namespace thalweg::shop
