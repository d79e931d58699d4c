#include "outside_config.h"

#include <algorithm>
#include <charconv>
#include <filesystem>

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

/// An http or https URL, or nothing.
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

/// A directory that is there, or may be made; or nothing.
std::string read_directory(const StreamsConfigBuilder& settings, const std::string& key) {
  const std::string directory = settings.application_value(key);
  std::error_code error;
  if (!directory.empty() && std::filesystem::exists(directory, error) &&
      !std::filesystem::is_directory(directory, error)) {
    throw ConfigError(key + ": " + directory + " is not a directory");
  }
  return directory;
}

std::string read_ca_file(const StreamsConfigBuilder& settings) {
  const std::string file = settings.application_value("outside.tls.ca");
  if (file.empty()) return file;
  if (auto checked = check_ca_file(file); !checked) {
    throw ConfigError("outside.tls.ca: " + checked.error().message);
  }
  return file;
}

/// What stands in a signature beside others, without a slash or a space between.
std::string read_word(const StreamsConfigBuilder& settings, const std::string& key,
                      const std::string& otherwise) {
  const std::string word = settings.application_value(key);
  if (word.empty() && otherwise.empty()) {
    throw ConfigError(key + ": \"\" is nobody; it is needed with order.processed.s3.url");
  }
  const bool is_word = std::ranges::all_of(
      word, [](char c) { return c > ' ' && c < 0x7f && c != '/' && c != ','; });
  if (!is_word) {
    throw ConfigError(key + ": \"" + word + "\" has characters that cannot be in one");
  }
  return word.empty() ? otherwise : word;
}

S3Config read_s3(const StreamsConfigBuilder& settings) {
  const std::string key = "order.processed.s3.url";
  S3Config config;
  config.url = read_url(settings, key);
  if (config.url.empty()) return config;
  const auto url = OutsideUrl::parse(config.url);
  if (url->path.find_first_not_of('/') == std::string::npos) {
    throw ConfigError(key + ": " + config.url + " names no bucket; it is ENDPOINT/BUCKET");
  }
  if (url->path.find_first_of("?#%") != std::string::npos ||
      url->path.find("//") != std::string::npos) {
    throw ConfigError(key + ": " + config.url + " has a query, an escape or an empty segment");
  }
  config.region = read_word(settings, "order.processed.s3.region", config.region);
  config.access_key = read_word(settings, "order.processed.s3.access.key", {});
  config.secret_key = settings.application_value("order.processed.s3.secret.key");
  if (config.secret_key.empty()) {
    throw ConfigError(
        "order.processed.s3.secret.key: \"\" is no key; it is needed with " + key);
  }
  return config;
}

}  // namespace

DeliveryConfig read_delivery_config(const StreamsConfigBuilder& settings) {
  DeliveryConfig config;
  config.webhook_url = read_url(settings, "webhook.url");
  config.order_processed_url = read_url(settings, "order.processed.url");
  config.analytics_url = read_url(settings, "analytics.url");
  config.order_processed_directory = read_directory(settings, "order.processed.directory");
  config.order_processed_file_bytes = static_cast<std::uint64_t>(settings.application_number(
      "order.processed.file.bytes",
      static_cast<std::int64_t>(config.order_processed_file_bytes), 1, 1LL << 40));
  config.order_processed_s3 = read_s3(settings);
  config.tls_ca = read_ca_file(settings);
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
  config.tls_ca = read_ca_file(settings);
  config.timeout = read_millis(settings, "payment.provider.timeout.ms", config.timeout, kCallMax);
  config.retry_after = read_pauses(settings, "payment.provider.retry.ms", config.retry_after);
  config.max_in_flight =
      read_calls(settings, "payment.provider.max.in.flight", config.max_in_flight);
  return config;
}

}  // namespace thalweg::shop
