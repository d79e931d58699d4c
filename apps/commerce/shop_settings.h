#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <thalweg/runtime/streams_config.h>

namespace thalweg::shop {

/// A setting of the shop itself; those of its applications are StreamsConfig's.
struct ShopSetting {
  std::string_view key;
  std::string_view description;
  std::string_view default_value;  ///< As it would be written, or in words behind "none".
};

std::span<const ShopSetting> shop_settings();
/// Of all of them, and of those that name a topic.
std::vector<std::string> shop_setting_keys();
/// Where the shop's defaults of its applications' settings are others; before any other settings.
/// `threads`: how many each role has.
void set_shop_defaults(unsigned threads, StreamsConfigBuilder& builder);
/// `processing.exception.handler`, if somebody has set it.
std::optional<FailureHandling> chosen_processing_handler(const StreamsConfigBuilder& builder);
/// For people: as StreamsConfigBuilder::help().
std::string shop_settings_help();

}  // namespace thalweg::shop
