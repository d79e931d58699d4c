#include "command_line.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include <thalweg/runtime/nearest_name.h>

#include "context.h"
#include "not_empty.h"

namespace thalweg::cli {

void declare_commands(CLI::App& app, Context& context) {
  app.require_subcommand(1);
  app.fallthrough();  // What is said here may stand behind a command, too.
  app.set_version_flag("--version", THALWEG_VERSION);
  app.add_option("--url", context.url, "The application: http://HOST:PORT")
      ->envname("THALWEG_URL")
      ->capture_default_str();
  app.add_option("-d,--data-dir", context.data_dir,
                 "The directory of an application that is stopped, instead")
      ->check(not_empty);
  app.add_option("--token", context.token, "Sent as a bearer token")->envname("THALWEG_TOKEN");
  app.add_option("-a,--application", context.application,
                 "The application.id, where a process has several")
      ->check(not_empty);
  app.add_flag("--json", context.style.json, "Print JSON instead of tables");
  app.add_option_function<std::string>(
         "-o,--output",
         [&context](const std::string& format) { context.style.json = format == "json"; },
         "table or json")
      ->check(CLI::IsMember({"table", "json"}));
  app.footer(
      "Exit codes: 0 done; 1 no such key or record; 64 wrong usage; 65 invalid data;\n"
      "66 no such store, topic, application or file; 69 nobody answers; 70 anything else;\n"
      "75 the data directory is in use; 77 the token is refused; 78 invalid settings.");

  add_demo(app, context);
  add_describe(app, context);
  add_topics(app, context);
  add_stores(app, context);
  add_reset(app, context);
  add_dlq(app, context);
  add_config(app, context);
  add_topology(app, context);
  add_completion(app, context);
  add_reference(app, context);
}

std::optional<UnknownCommand> unknown_command(const CLI::App& app) {
  const CLI::App* at = &app;
  std::string behind = app.get_name();
  for (auto chosen = at->get_subcommands(); !chosen.empty(); chosen = at->get_subcommands()) {
    at = chosen.back();
    behind += ' ' + at->get_name();
  }
  if (at->get_require_subcommand_min() == 0) return std::nullopt;
  const auto words = app.remaining(true);
  const auto word = std::ranges::find_if(words, [](const auto& w) { return !w.starts_with('-'); });
  if (word == words.end()) return std::nullopt;
  UnknownCommand unknown{*word, std::move(behind), {}};
  std::size_t least = std::max<std::size_t>(word->size() / 2, 2);
  for (const auto* command : at->get_subcommands([](const CLI::App*) { return true; })) {
    const auto apart = edit_distance(*word, command->get_name());
    if (apart > least || command->get_group().empty()) continue;
    if (apart == least && !unknown.like.empty()) continue;
    least = apart;
    unknown.like = command->get_name();
  }
  return unknown;
}

}  // namespace thalweg::cli
