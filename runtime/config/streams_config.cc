#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <limits>
#include <sstream>
#include <utility>

#include <fmt/format.h>

#include <thalweg/runtime/nearest_name.h>
#include <thalweg/runtime/streams_config.h>

#include "config/config_keys.h"
#include "config/text.h"
#include "config/toml_source.h"

namespace thalweg {
namespace {

using internal::find_row;
using internal::quoted;

constexpr std::string_view kHidden = "[hidden]";

std::string shown_value(std::string_view key, std::string_view value) {
  return internal::is_secret(key) ? std::string(kHidden) : quoted(value);
}

// Faults found so far, told together; after some, the rest is noise.
class Faults {
 public:
  bool full() const { return messages_.size() >= 20; }
  void add(std::string message) { messages_.push_back(std::move(message)); }
  void throw_if_any() const {
    if (!messages_.empty()) throw ConfigError(fmt::format("{}", fmt::join(messages_, "\n")));
  }

 private:
  std::vector<std::string> messages_;
};

// `payment.provider.url` is matched by itself, `wire.format.order` by `wire.format.*`.
bool is_allowed(const std::vector<std::string>& application_keys, std::string_view key) {
  return std::ranges::any_of(application_keys, [&](std::string_view allowed) {
    if (!allowed.ends_with(".*")) return key == allowed;
    allowed.remove_suffix(1);
    return key.starts_with(allowed) && key.size() > allowed.size();
  });
}

std::string_view nearest_key(std::string_view key,
                             const std::vector<std::string>& application_keys) {
  constexpr std::size_t kCompared = 200;
  key = key.substr(0, kCompared);
  std::string_view nearest;
  auto least = std::numeric_limits<std::size_t>::max();
  const auto consider = [&](std::string_view candidate) {
    const auto distance = edit_distance(key, candidate);
    if (distance < least) {
      least = distance;
      nearest = candidate;
    }
  };
  for (const auto& row : internal::key_rows()) consider(row.name);
  for (const auto& allowed : application_keys) consider(allowed);
  return nearest;
}

std::string unknown_key(std::string_view key, std::string_view origin,
                        const std::vector<std::string>& application_keys) {
  const auto advice = internal::known_elsewhere(key);
  if (!advice.empty()) {
    return fmt::format("{} ({}): known to Kafka, without effect here: {}", quoted(key), origin,
                       advice);
  }
  return fmt::format("{} ({}): unknown key; the nearest known key is '{}'", quoted(key), origin,
                     nearest_key(key, application_keys));
}

std::string environment_key(std::string_view name) {
  std::string key(name);
  for (auto& character : key) {
    if (character == '_') character = '.';
    if (character >= 'A' && character <= 'Z') character = static_cast<char>(character - 'A' + 'a');
  }
  return key;
}

void check_timeouts(const StreamsConfig& config, Faults& faults) {
  if (config.commit_interval_min > config.commit_interval) {
    faults.add(fmt::format("commit.interval.min.ms ({}) is above commit.interval.ms ({})",
                           config.commit_interval_min.count(), config.commit_interval.count()));
  }
  if (config.processing_guarantee != ProcessingGuarantee::kExactlyOnceV2) return;
  const auto timeout = config.transaction_timeout.count();
  if (config.commit_interval.count() > timeout) {
    faults.add(fmt::format(
        "commit.interval.ms ({}) is above transaction.timeout.ms ({}): a transaction must end "
        "within its timeout",
        config.commit_interval.count(), timeout));
  }
  const auto delivery = config.client_properties.find("producer.delivery.timeout.ms");
  if (delivery == config.client_properties.end()) return;
  std::int64_t delivery_ms = 0;
  const auto& text = delivery->second;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), delivery_ms);
  if (error != std::errc{} || end != text.data() + text.size() || delivery_ms < 0) {
    faults.add(
        fmt::format("producer.delivery.timeout.ms = {}: allowed is a whole number of "
                    "milliseconds, 0 or more",
                    quoted(text)));
  } else if (delivery_ms > timeout) {
    faults.add(fmt::format(
        "producer.delivery.timeout.ms ({}) is above transaction.timeout.ms ({}): a record could be "
        "delivered after the log gave up its transaction",
        delivery_ms, timeout));
  }
}

void check_handlers(const StreamsConfig& config, Faults& faults) {
  if (!config.dead_letter_topic.empty()) return;
  const std::pair<std::string_view, FailureHandling> handlers[] = {
      {"deserialization.exception.handler", config.deserialization_handler},
      {"processing.exception.handler", config.processing_handler},
      {"production.exception.handler", config.production_handler}};
  for (const auto& [key, handling] : handlers) {
    if (handling == FailureHandling::kDeadLetter) {
      faults.add(fmt::format("{} = dead-letter needs errors.dead.letter.queue.topic.name", key));
    }
  }
}

void check_together(const StreamsConfig& config, Faults& faults) {
  if (config.application_id.empty()) faults.add("application.id is not set");
  check_timeouts(config, faults);
  check_handlers(config, faults);
}

}  // namespace

StreamsConfigBuilder& StreamsConfigBuilder::from_toml_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  // Reading a directory opens well and fails here.
  if (!file || (!(text << file.rdbuf()) && file.peek() != std::char_traits<char>::eof()) ||
      file.bad()) {
    throw ConfigError(fmt::format("{}: cannot be read", path));
  }
  return from_toml(text.view(), path);
}

StreamsConfigBuilder& StreamsConfigBuilder::from_toml(std::string_view text,
                                                      std::string_view origin) {
  for (auto& [key, value, place] : internal::read_toml(text, origin)) {
    settings_.insert_or_assign(std::move(key), Setting{std::move(value), std::move(place)});
  }
  return *this;
}

StreamsConfigBuilder& StreamsConfigBuilder::from_environment(char** environment) {
  constexpr std::string_view kPrefix = "THALWEG_";
  // No settings of an application: for crash tests, and for the command-line tool.
  constexpr std::string_view kOthers[] = {"THALWEG_PHASE_FILE", "THALWEG_URL", "THALWEG_TOKEN"};
  constexpr std::pair<std::string_view, std::string_view> kAliases[] = {
      {"KAFKA_BROKERS", "bootstrap.servers"}, {"KAFKA_CLIENT_ID", "client.id"}};
  std::vector<std::pair<std::string_view, std::string_view>> own;
  for (char** entry = environment; entry && *entry; ++entry) {
    const std::string_view variable = *entry;
    const auto equals = variable.find('=');
    if (equals == std::string_view::npos || equals + 1 == variable.size()) continue;
    const auto name = variable.substr(0, equals);
    const auto value = variable.substr(equals + 1);
    const bool is_other = std::ranges::find(kOthers, name) != std::end(kOthers);
    if (name.starts_with(kPrefix) && !is_other) own.emplace_back(name, value);
    for (const auto& [alias, key] : kAliases) {
      if (name == alias) set(key, value, fmt::format("environment variable {}", name));
    }
  }
  // After the aliases, so that the project's own names win.
  for (const auto& [name, value] : own) {
    set(environment_key(name.substr(kPrefix.size())), value,
        fmt::format("environment variable {}", name));
  }
  return *this;
}

StreamsConfigBuilder& StreamsConfigBuilder::set(std::string_view key, std::string_view value,
                                                std::string_view origin) {
  settings_.insert_or_assign(std::string(key), Setting{std::string(value), std::string(origin)});
  return *this;
}

StreamsConfigBuilder& StreamsConfigBuilder::set_assignment(std::string_view assignment,
                                                           std::string_view origin) {
  const auto equals = assignment.find('=');
  if (equals == std::string_view::npos || equals == 0) {
    throw ConfigError(fmt::format("{} {}: write key=value", origin, quoted(assignment)));
  }
  return set(assignment.substr(0, equals), assignment.substr(equals + 1), origin);
}

StreamsConfigBuilder& StreamsConfigBuilder::allow(std::vector<std::string> application_keys) {
  std::ranges::move(application_keys, std::back_inserter(application_keys_));
  return *this;
}

StreamsConfig StreamsConfigBuilder::build() const {
  StreamsConfig config;
  Faults faults;
  for (const auto& [key, setting] : settings_) {
    if (faults.full()) break;
    if (is_allowed(application_keys_, key)) continue;
    if (const auto* row = find_row(key)) {
      if (!row->parse(config, setting.value)) {
        faults.add(fmt::format("{} = {} ({}): allowed is {}", key, shown_value(key, setting.value),
                               setting.origin, row->allowed));
      }
    } else if (!internal::is_client_key(key)) {
      faults.add(unknown_key(key, setting.origin, application_keys_));
    } else if (const auto fault = internal::client_key_fault(key, setting.value); !fault.empty()) {
      faults.add(fmt::format("{} = {} ({}): {}", key, shown_value(key, setting.value),
                             setting.origin, fault));
    } else {
      config.client_properties.emplace(key, setting.value);
    }
  }
  faults.throw_if_any();
  if (!settings_.contains("commit.interval.ms") &&
      config.processing_guarantee == ProcessingGuarantee::kAtLeastOnce) {
    config.commit_interval = std::chrono::seconds(30);
  }
  if (!settings_.contains("commit.interval.min.ms") && !config.bootstrap_servers.empty()) {
    config.commit_interval_min = std::min(std::chrono::milliseconds(25), config.commit_interval);
  }
  if (config.client_id.empty()) config.client_id = config.application_id;
  check_together(config, faults);
  faults.throw_if_any();
  return config;
}

std::string StreamsConfigBuilder::application_value(std::string_view key) const {
  const auto setting = settings_.find(key);
  return setting == settings_.end() ? std::string() : setting->second.value;
}

std::int64_t StreamsConfigBuilder::application_number(std::string_view key, std::int64_t otherwise,
                                                      std::int64_t least, std::int64_t most) const {
  const auto setting = settings_.find(key);
  if (setting == settings_.end()) return otherwise;
  const std::string& text = setting->second.value;
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number < least || number > most) {
    throw ConfigError(fmt::format("{} = {} ({}): allowed is a whole number from {} to {}", key,
                                  shown_value(key, text), setting->second.origin, least, most));
  }
  return number;
}

std::vector<StreamsConfigBuilder::Effective> StreamsConfigBuilder::effective() const {
  const auto config = build();
  std::vector<Effective> all;
  const auto add = [&](std::string key, std::string value) {
    const auto setting = settings_.find(key);
    if (internal::is_secret(key) && !value.empty()) value = kHidden;
    all.push_back({std::move(key), std::move(value),
                   setting == settings_.end() ? "default" : setting->second.origin});
  };
  for (const auto& row : internal::key_rows()) add(std::string(row.name), row.show(config));
  for (const auto& [key, setting] : settings_) {
    if (!find_row(key)) add(key, setting.value);
  }
  return all;
}

const std::vector<ConfigKey>& StreamsConfigBuilder::keys() {
  static const std::vector<ConfigKey> all = [] {
    const StreamsConfig initial;
    std::vector<ConfigKey> made;
    for (const auto& row : internal::key_rows()) {
      made.push_back(
          {row.name, row.description,
           row.default_in_words.empty() ? row.show(initial) : std::string(row.default_in_words)});
    }
    return made;
  }();
  return all;
}

std::string StreamsConfigBuilder::help() {
  std::string text;
  for (const auto& key : keys()) {
    text += fmt::format("{}\n    {}\n    Default: {}. Allowed: {}.\n", key.name, key.description,
                        key.default_value, find_row(key.name)->allowed);
  }
  return text;
}

}  // namespace thalweg
