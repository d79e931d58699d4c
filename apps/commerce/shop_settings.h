#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

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
/// For people: as StreamsConfigBuilder::help().
std::string shop_settings_help();

}  // namespace thalweg::shop
