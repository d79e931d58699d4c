#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace thalweg {
class StreamsConfigBuilder;
}

namespace thalweg::shop {

/// How events are delivered to the outside, under the keys in the comments.
struct DeliveryConfig {
  /// `webhook.url`: where events are sent, such as http://localhost:9000; empty: they stay in their
  /// topic until there is somebody to send them to.
  std::string webhook_url;
  /// `order.processed.url` and `analytics.url`: where each record of `order.processed` and of
  /// `order-completed` is posted to; empty: nowhere.
  std::string order_processed_url;
  std::string analytics_url;
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
  /// `payment.provider.timeout.ms`
  std::chrono::milliseconds timeout{5'000};
  /// `payment.provider.retry.ms`: how long after each failed attempt the next one begins.
  std::vector<std::chrono::milliseconds> retry_after{
      std::chrono::seconds(1), std::chrono::seconds(2), std::chrono::seconds(4)};
  double jitter = 0;
  /// `payment.provider.max.in.flight`: calls that one task has under way at a time.
  std::size_t max_in_flight = 64;
};

/// The keys above.
std::vector<std::string> outside_config_keys();
// Both throw ConfigError for a value that cannot be, naming key and value.
DeliveryConfig read_delivery_config(const StreamsConfigBuilder& settings);
PaymentProviderConfig read_payment_provider_config(const StreamsConfigBuilder& settings);

}  // namespace thalweg::shop
