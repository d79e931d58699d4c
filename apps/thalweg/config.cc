// thalweg config: what settings come to, and what is wrong with them.

#include <filesystem>
#include <fstream>
#include <unistd.h>

#include <CLI/CLI.hpp>

#include <thalweg/runtime/streams_config.h>

#include "context.h"
#include "exit_codes.h"
#include "json_fields.h"
#include "not_empty.h"

namespace thalweg::cli {
namespace {

struct ConfigArguments {
  std::string file;
  std::vector<std::string> settings;
  std::vector<std::string> allowed;
  bool no_environment = false;
  bool changed = false;
};

/// The settings as an application would find them: file, environment, flags.
StreamsConfigBuilder settings_of(const ConfigArguments& given) {
  if (!given.file.empty()) {
    const std::ifstream file(given.file);
    if (!file || std::filesystem::is_directory(given.file)) {
      throw CommandError(kUnknownName, "cannot read " + given.file, "name a TOML file of settings");
    }
  }
  StreamsConfigBuilder builder;
  builder.allow(given.allowed);
  // Applications name themselves; here any name will do.
  builder.set("application.id", "application", "assumed, as applications set it themselves");
  if (!given.file.empty()) builder.from_toml_file(given.file);
  if (!given.no_environment) builder.from_environment(environ);
  for (const auto& setting : given.settings) builder.set_assignment(setting, "--set");
  return builder;
}

/// Runs `work`; settings with faults end the command with each of them.
template <typename Work>
int checked(Work work) {
  try {
    return work();
  } catch (const ConfigError& error) {
    throw CommandError(kBadSettings, error.what(),
                       "`thalweg config keys` lists every key; an application's own are let "
                       "through with --allow");
  }
}

int check(Context& context, const ConfigArguments& given) {
  return checked([&] {
    settings_of(given).build();
    if (context.style.json) {
      print_json({{"valid", true}});
    } else {
      print("the settings are valid\n");
    }
    return kDone;
  });
}

int show(Context& context, const ConfigArguments& given) {
  return checked([&] {
    boost::json::array all;
    Table table({{"KEY"}, {"VALUE"}, {"FROM"}});
    for (const auto& setting : settings_of(given).effective()) {
      if (given.changed && setting.origin == "default") continue;
      all.push_back(boost::json::object{
          {"key", setting.key}, {"value", setting.value}, {"origin", setting.origin}});
      table.add({setting.key, setting.value, setting.origin});
    }
    if (context.style.json) {
      print_json(all);
    } else {
      print(table, context.style, "every setting has its default");
    }
    return kDone;
  });
}

int keys(Context& context) {
  boost::json::array all;
  Table table({{"KEY"}, {"DEFAULT"}, {"WHAT IT IS"}});
  for (const auto& key : StreamsConfigBuilder::keys()) {
    all.push_back(boost::json::object{
        {"key", key.name}, {"default", key.default_value}, {"description", key.description}});
    table.add({std::string(key.name), key.default_value, std::string(key.description)});
  }
  if (context.style.json) {
    print_json(all);
  } else {
    print(table, context.style, "");
  }
  return kDone;
}

std::shared_ptr<ConfigArguments> add_sources(CLI::App& app) {
  auto given = std::make_shared<ConfigArguments>();
  app.add_option("FILE", given->file, "A TOML file of settings")->check(not_empty);
  app.add_option("--set", given->settings, "A setting as key=value; may be repeated")
      ->allow_extra_args(false);
  app.add_option(
         "--allow", given->allowed,
         "A key of the application itself, or shop.* for all that begin so; may be repeated")
      ->allow_extra_args(false);
  app.add_flag("--no-environment", given->no_environment, "Leave THALWEG_... and KAFKA_... out");
  return given;
}

}  // namespace

void add_config(CLI::App& app, Context& context) {
  auto* config = app.add_subcommand("config", "Settings: check, show, keys");
  config->require_subcommand(1);

  auto* check_app = config->add_subcommand(
      "check", "Whether settings are valid: every fault with its place and the nearest key");
  const auto checked_given = add_sources(*check_app);
  check_app->callback([&context, checked_given] {
    context.run = [&context, checked_given] { return check(context, *checked_given); };
  });

  auto* show_app = config->add_subcommand(
      "show", "Every setting with its value and where that comes from; secrets masked");
  const auto shown = add_sources(*show_app);
  show_app->add_flag("--changed", shown->changed, "Only what is not the default");
  show_app->callback(
      [&context, shown] { context.run = [&context, shown] { return show(context, *shown); }; });

  config->add_subcommand("keys", "Every key with its default and what it is")->callback([&context] {
    context.run = [&context] { return keys(context); };
  });
}

}  // namespace thalweg::cli
