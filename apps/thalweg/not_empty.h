#pragma once

#include <string>

namespace thalweg::cli {

/// Checks that an argument is not empty: what a script leaves empty (`-d "$DIR"`) must not mean
/// that it was not given at all.
inline std::string not_empty(const std::string& text) {
  return text.empty() ? "must not be empty" : std::string();
}

}  // namespace thalweg::cli
