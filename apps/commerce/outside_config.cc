#include "outside_config.h"

#include <charconv>

#include <thalweg/runtime/streams_config.h>

#include "outside_client.h"

namespace thalweg::shop {
namespace {

constexpr std::int64_t kDay = 24LL * 3'600'000;
constexpr std::int64_t kCallMax = 600'000;

std::vector<std::chrono::milliseconds> read_pauses(const std::string& key,
                                                   const std::string& text) {
  std::vector<std::chrono::milliseconds> pauses;
  for (std::size_t begin = 0; begin <= text.size();) {
    const auto end = std::min(text.find(',', begin), text.size());
    std::int64_t pause = -1;
    const auto [rest, error] = std::from_chars(text.data() + begin, text.data() + end, pause);
    if (error != std::errc() || rest != text.data() + end || pause < 0 || pause > kDay) {
      throw ConfigError(key + ": \"" + text +
                        "\" is no list of milliseconds up to a day each, such as 1000,2000");
    }
    pauses.emplace_back(pause);
    begin = end + 1;
  }
  return pauses;
}

/// An http URL, or nothing.
std::string read_url(const StreamsConfigBuilder& settings, const std::string& key) {
  const std::string url = settings.application_value(key);
  if (url.empty()) return url;
  if (auto parsed = OutsideUrl::parse(url); !parsed) {
    throw ConfigError(key + ": " + parsed.error().message);
  }
  return url;
}

std::vector<std::chrono::milliseconds> read_pauses(
    const StreamsConfigBuilder& settings, const std::string& key,
    std::vector<std::chrono::milliseconds> otherwise) {
  const std::string text = settings.application_value(key);
  return text.empty() ? otherwise : read_pauses(key, text);
}

std::chrono::milliseconds read_millis(const StreamsConfigBuilder& settings, const char* key,
                                      std::chrono::milliseconds otherwise, std::int64_t most) {
  return std::chrono::milliseconds(settings.application_number(key, otherwise.count(), 1, most));
}

std::size_t read_calls(const StreamsConfigBuilder& settings, const char* key,
                       std::size_t otherwise) {
  return static_cast<std::size_t>(
      settings.application_number(key, static_cast<std::int64_t>(otherwise), 1, 10'000));
}

}  // namespace

std::vector<std::string> outside_config_keys() {
  return {"webhook.url",
          "order.processed.url",
          "analytics.url",
          "webhook.timeout.ms",
          "delivery.retry.ms",
          "delivery.retry.jitter.percent",
          "delivery.max.in.flight",
          "order.processed.retention.ms",
          "payment.provider.url",
          "payment.provider.timeout.ms",
          "payment.provider.retry.ms",
          "payment.provider.max.in.flight"};
}

DeliveryConfig read_delivery_config(const StreamsConfigBuilder& settings) {
  DeliveryConfig config;
  config.webhook_url = read_url(settings, "webhook.url");
  config.order_processed_url = read_url(settings, "order.processed.url");
  config.analytics_url = read_url(settings, "analytics.url");
  config.webhook_timeout =
      read_millis(settings, "webhook.timeout.ms", config.webhook_timeout, kCallMax);
  config.retry_after = read_pauses(settings, "delivery.retry.ms", config.retry_after);
  const auto jitter = settings.application_number("delivery.retry.jitter.percent", 10, 0, 100);
  config.jitter = static_cast<double>(jitter) / 100;
  config.max_in_flight = read_calls(settings, "delivery.max.in.flight", config.max_in_flight);
  config.processed_retention = read_millis(settings, "order.processed.retention.ms",
                                           config.processed_retention, 3650 * kDay);
  return config;
}

PaymentProviderConfig read_payment_provider_config(const StreamsConfigBuilder& settings) {
  PaymentProviderConfig config;
  config.url = read_url(settings, "payment.provider.url");
  config.timeout = read_millis(settings, "payment.provider.timeout.ms", config.timeout, kCallMax);
  config.retry_after = read_pauses(settings, "payment.provider.retry.ms", config.retry_after);
  config.max_in_flight =
      read_calls(settings, "payment.provider.max.in.flight", config.max_in_flight);
  return config;
}

}  // namespace thalweg::shop
