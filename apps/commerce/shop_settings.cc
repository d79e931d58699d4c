#include "shop_settings.h"

#include <algorithm>
#include <array>
#include <iterator>

#include <fmt/format.h>

#include "roles.h"
#include "wire_format.h"

namespace thalweg::shop {
namespace {

constexpr auto kSettings = std::to_array<ShopSetting>({
    {"saga.timeout.ms", "An order that is not finished by then is cancelled.", "60000"},
    {"idempotency.retention.ms", "How long the Idempotency-Keys of commands are remembered.",
     "86400000"},
    {"auth.secret", "Key of the tokens (HS256) that say who asks.",
     "none: whoever asks is believed, on loopback only"},
    {"admin.token", "What the operators' routes ask for; off loopback it is needed.",
     "none: nobody is asked for it"},
    {"view.log", "Whether it is written down who looks at a product: true or false.", "true"},
    {"shop.timezone", "In which hours and days are counted; only UTC.", "UTC"},
    {"wire.format.TOPIC", "How a public topic is written: json or flatbuffers.", "json"},
    {"webhook.url", "Where events are sent.", "none: they stay in their topic"},
    {"webhook.timeout.ms", "An attempt without an answer for so long has failed.", "5000"},
    {"delivery.retry.ms", "How long after each failed attempt the next one begins.",
     "1000,2000,4000,8000"},
    {"delivery.retry.jitter.percent", "By how much of itself each of these grows at most.", "10"},
    {"delivery.max.in.flight", "Calls to the outside that one task has under way at a time.", "16"},
    {"order.processed.url", "Where each record of order.processed is posted to.", "none"},
    {"order.processed.directory", "Where order.processed is written to files, by day.", "none"},
    {"order.processed.file.bytes", "A file that would grow beyond it is followed by the next one.",
     "67108864"},
    {"order.processed.s3.url", "Endpoint, bucket and perhaps a prefix: an object for each record.",
     "none"},
    {"order.processed.s3.region", "Of that bucket.", "us-east-1"},
    {"order.processed.s3.access.key", "Who we are there.", "none: needed with the URL"},
    {"order.processed.s3.secret.key", "What proves it.", "none: needed with the URL"},
    {"order.processed.retention.ms", "How long data-order-processed keeps an order.", "3600000"},
    {"analytics.url", "Where each record of order-completed is posted to.", "none"},
    {"outside.tls.ca", "A PEM file of the authorities that are believed over https.",
     "none: those of the system"},
    {"payment.provider.url", "Who takes the payments beside the users' accounts.", "none"},
    {"payment.provider.timeout.ms", "An attempt without an answer for so long has failed.", "5000"},
    {"payment.provider.retry.ms", "How long after each failed attempt the next one begins.",
     "1000,2000,4000"},
    {"payment.provider.max.in.flight", "Payments that one task has under way at a time.", "64"},
});

}  // namespace

std::span<const ShopSetting> shop_settings() { return kSettings; }

std::vector<std::string> shop_setting_keys() {
  std::vector<std::string> keys = wire_format_keys();
  for (const auto& setting : kSettings) keys.emplace_back(setting.key);
  return keys;
}

void set_shop_defaults(unsigned threads, StreamsConfigBuilder& builder) {
  constexpr const char* kOrigin = "the shop's default";
  // An order crosses five commits. A short pause between two of them makes each carry many orders,
  // which costs half the processor time of committing every few records.
  builder.set("commit.interval.min.ms", "2", kOrigin);
  builder.set("num.stream.threads", std::to_string(threads), kOrigin);
  builder.set("client.id", "ecommerce-app", kOrigin);
  builder.set("errors.dead.letter.queue.topic.name", kDeadLetterTopic, kOrigin);
}

std::optional<FailureHandling> chosen_processing_handler(const StreamsConfigBuilder& builder) {
  const auto settings = builder.effective();
  const auto chosen = std::ranges::find(settings, "processing.exception.handler",
                                        &StreamsConfigBuilder::Effective::key);
  if (chosen == settings.end() || chosen->origin == "default") return std::nullopt;
  return builder.build().processing_handler;
}

std::string shop_settings_help() {
  std::string text;
  for (const auto& setting : kSettings) {
    fmt::format_to(std::back_inserter(text), "{}\n    {}\n    Default: {}.\n", setting.key,
                   setting.description, setting.default_value);
  }
  return text;
}

}  // namespace thalweg::shop
