#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace thalweg {
class StreamsConfigBuilder;
}

namespace thalweg::shop {

/// A bucket of an S3-compatible store, and who we are there.
struct S3Config {
  /// `order.processed.s3.url`: endpoint, bucket and perhaps a prefix of keys, such as
  /// https://s3.eu-central-1.amazonaws.com/orders/shop; empty: there is none.
  std::string url;
  /// `order.processed.s3.region`
  std::string region = "us-east-1";
  /// `order.processed.s3.access.key` and `order.processed.s3.secret.key`
  std::string access_key;
  std::string secret_key;
};

/// How events are delivered to the outside, under the keys in the comments.
struct DeliveryConfig {
  /// `webhook.url`: where events are sent, such as http://localhost:9000; empty: they stay in their
  /// topic until there is somebody to send them to.
  std::string webhook_url;
  /// `order.processed.url` and `analytics.url`: where each record of `order.processed` and of
  /// `order-completed` is posted to; empty: nowhere.
  std::string order_processed_url;
  std::string analytics_url;
  /// `order.processed.directory`: where `order.processed` is written to files, by day; empty:
  /// nowhere.
  std::string order_processed_directory;
  /// `order.processed.file.bytes`: a file that would grow beyond it is followed by the next one.
  std::uint64_t order_processed_file_bytes = 64ULL << 20;
  /// Where each record of `order.processed` is put as an object of its own.
  S3Config order_processed_s3;
  /// `outside.tls.ca`: a PEM file of the authorities that are believed over https; empty: those of
  /// the system.
  std::string tls_ca;
  /// `webhook.timeout.ms`: an attempt without an answer for so long has failed.
  std::chrono::milliseconds webhook_timeout{5'000};
  /// `delivery.retry.ms`: how long after each failed attempt the next one begins, `1000,2000,...`.
  std::vector<std::chrono::milliseconds> retry_after{
      std::chrono::seconds(1), std::chrono::seconds(2), std::chrono::seconds(4),
      std::chrono::seconds(8)};
  /// `delivery.retry.jitter.percent`: by how much of itself each of these grows at most.
  double jitter = 0.1;
  /// `delivery.max.in.flight`: calls that one task has under way at a time.
  std::size_t max_in_flight = 16;
  /// `order.processed.retention.ms`: how long `data-order-processed` keeps an order.
  std::chrono::milliseconds processed_retention = std::chrono::hours(1);
};

/// Who takes the payments.
struct PaymentProviderConfig {
  /// `payment.provider.url`; empty: the users' accounts are all there is.
  std::string url;
  /// `outside.tls.ca`
  std::string tls_ca;
  /// `payment.provider.timeout.ms`
  std::chrono::milliseconds timeout{5'000};
  /// `payment.provider.retry.ms`: how long after each failed attempt the next one begins.
  std::vector<std::chrono::milliseconds> retry_after{
      std::chrono::seconds(1), std::chrono::seconds(2), std::chrono::seconds(4)};
  double jitter = 0;
  /// `payment.provider.max.in.flight`: calls that one task has under way at a time.
  std::size_t max_in_flight = 64;
};

// Both throw ConfigError for a value that cannot be, naming key and value.
DeliveryConfig read_delivery_config(const StreamsConfigBuilder& settings);
PaymentProviderConfig read_payment_provider_config(const StreamsConfigBuilder& settings);

}  // namespace thalweg::shop
