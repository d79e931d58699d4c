#pragma once

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thalweg/runtime/streams_config.h>

namespace thalweg {

// A configuration being written, and what comes of it.
class ConfigStory : public ::testing::Test {
 protected:
  ConfigStory() { settings_.set("application.id", "count", "the test"); }

  void given(std::string_view key, std::string_view value) { settings_.set(key, value, "--set"); }
  void file_says(std::string_view text) { settings_.from_toml(text, "count.toml"); }

  StreamsConfig config() const { return settings_.build(); }
  // What build() complains about; empty when it does not.
  std::string complaint() const {
    try {
      settings_.build();
    } catch (const ConfigError& error) {
      return error.what();
    }
    return {};
  }
  // What is complained about while the file is read.
  std::string complaint_about_file(std::string_view text) {
    try {
      file_says(text);
    } catch (const ConfigError& error) {
      return error.what();
    }
    return {};
  }

  StreamsConfigBuilder settings_;
};

}  // namespace thalweg
