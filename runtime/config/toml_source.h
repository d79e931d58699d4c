#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace thalweg::internal {

/// One setting of a TOML text: tables joined with dots, the value as text.
struct TomlSetting {
  std::string key;
  std::string value;
  std::string origin;  ///< `file:line`.
};

/// Reads every setting of `text`. Throws ConfigError with `origin` and line for text that is not
/// TOML, values that are no setting (dates, arrays of tables) and keys that are set twice.
std::vector<TomlSetting> read_toml(std::string_view text, std::string_view origin);

}  // namespace thalweg::internal
