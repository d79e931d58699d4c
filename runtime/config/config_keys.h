#pragma once

#include <expected>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <thalweg/runtime/streams_config.h>
#include <thalweg/schemas/ids.h>

namespace thalweg::internal {

/// One row of the table of keys: all there is to know about a key.
struct KeyRow {
  std::string_view name;
  std::string_view description;
  /// What values there are, in words that follow "allowed is".
  std::string allowed;
  /// Puts the value into its field; false when it is not allowed.
  std::function<bool(StreamsConfig& config, std::string_view value)> parse;
  /// The field as text.
  std::function<std::string(const StreamsConfig& config)> show;
  /// What holds when the key is not set, where the field's initial value does not say it.
  std::string_view default_in_words = {};
};

/// Every key, in the order of the documentation.
const std::vector<KeyRow>& key_rows();

/// The row of a key; null when there is none.
const KeyRow* find_row(std::string_view key);

/// What is wrong with a key that Kafka Streams or its clients know and this table does not; empty
/// for keys that they do not know either.
std::string_view known_elsewhere(std::string_view key);

/// True for keys that are passed to the Kafka client: those under a prefix (`consumer.`, `admin.`,
/// ...), and those of all clients (`security.protocol`, `sasl.`, `ssl.`, ...).
bool is_client_key(std::string_view key);

/// What is wrong with a prefixed key whose value the runtime itself decides; empty when nothing is.
std::string_view client_key_fault(std::string_view key, std::string_view value);

/// All settings by their keys, as text.
std::map<std::string, std::string> config_texts(const StreamsConfig& config);

/// Where a task may keep files of its own.
std::string task_directory(const StreamsConfig& config, TaskId task);

/// docs/configuration.md, whole.
std::string configuration_page();

}  // namespace thalweg::internal
