#include "config/toml_source.h"

#include <map>

#include <fmt/format.h>
#include <toml++/toml.h>

#include <thalweg/runtime/streams_config.h>

#include "config/text.h"

namespace thalweg::internal {
namespace {

class Reader {
 public:
  explicit Reader(std::string_view origin) : origin_(origin) {}

  void read(const toml::table& table, const std::string& prefix) {
    for (const auto& [name, node] : table) {
      const std::string key = prefix + std::string(name.str());
      if (const auto* inner = node.as_table()) {
        read(*inner, key + '.');
      } else {
        add(key, node);
      }
    }
  }

  std::vector<TomlSetting> take() { return std::move(settings_); }

 private:
  std::string place(const toml::node& node) const {
    return fmt::format("{}:{}", origin_, node.source().begin.line);
  }

  void add(const std::string& key, const toml::node& node) {
    const std::string where = place(node);
    const auto [earlier, is_new] = places_.emplace(key, where);
    if (!is_new) {
      throw ConfigError(
          fmt::format("{} is set twice: at {} and at {}", quoted(key), earlier->second, where));
    }
    settings_.push_back(
        {key, node.is_array() ? list(key, *node.as_array()) : scalar(key, node), where});
  }

  // A list is written with commas, as in Kafka's own files.
  std::string list(const std::string& key, const toml::array& array) const {
    std::string joined;
    for (const auto& element : array) {
      if (&element != &array.front()) joined += ',';
      joined += scalar(key, element);
    }
    return joined;
  }

  std::string scalar(const std::string& key, const toml::node& node) const {
    if (const auto* text = node.as_string()) return text->get();
    if (const auto* number = node.as_integer()) return fmt::to_string(number->get());
    if (const auto* number = node.as_floating_point()) return fmt::to_string(number->get());
    if (const auto* flag = node.as_boolean()) return flag->get() ? "true" : "false";
    throw ConfigError(
        fmt::format("{} ({}): allowed are a string, a number, true or false, or a list of these",
                    quoted(key), place(node)));
  }

  std::string_view origin_;
  std::map<std::string, std::string> places_;
  std::vector<TomlSetting> settings_;
};

}  // namespace

std::vector<TomlSetting> read_toml(std::string_view text, std::string_view origin) {
  toml::table table;
  try {
    table = toml::parse(text);
  } catch (const toml::parse_error& error) {
    throw ConfigError(
        fmt::format("{}:{}: not TOML: {}", origin, error.source().begin.line, error.description()));
  }
  Reader reader(origin);
  reader.read(table, "");
  return reader.take();
}

}  // namespace thalweg::internal
