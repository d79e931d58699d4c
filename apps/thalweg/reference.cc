// thalweg reference: docs/cli.md, made from what --help says. A command for those who build the
// tool, which --help does not show.

#include <CLI/CLI.hpp>

#include "context.h"
#include "exit_codes.h"

namespace thalweg::cli {
namespace {

constexpr std::string_view kBeginning =
    "# The command-line tool\n\n"
    "`thalweg` looks into applications and changes what they hold. It talks HTTP to an "
    "application\n"
    "that runs (`--url` or `THALWEG_URL`), and prints tables, or JSON with `--json`. This page is\n"
    "what `--help` says of each command; a test compares the two.\n\n"
    "```sh\n"
    "thalweg describe -a order-service                 # as Kafka Streams prints it\n"
    "thalweg describe -a ranking -f svg > ranking.svg  # as a picture\n"
    "thalweg topics tail order-events --follow         # any schema, as JSON\n"
    "thalweg topics produce users -k ada -v '{\"email\":\"ada@example.com\",\"age\":36}'\n"
    "thalweg stores get stock lamp\n"
    "thalweg stores dump stock | jq .value\n"
    "thalweg describe --json > deployed.json           # before a release, and then\n"
    "thalweg topology diff deployed.json http://localhost:8081\n"
    "eval \"$(thalweg completion bash)\"\n"
    "```\n";

void append(const CLI::App& app, const std::string& path, std::string& out) {
  out += "\n## " + path + "\n\n```text\n";
  std::string help = app.get_formatter()->make_help(&app, path, CLI::AppFormatMode::Normal);
  while (help.ends_with('\n')) help.pop_back();
  out += help + "\n```\n";
  for (const auto* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (command->get_group().empty()) continue;
    append(*command, path + ' ' + command->get_name(), out);
  }
}

}  // namespace

void add_reference(CLI::App& app, Context& context) {
  app.add_subcommand("reference", "Print docs/cli.md")->group("")->callback([&app, &context] {
    context.run = [&app] {
      std::string page(kBeginning);
      append(app, app.get_name(), page);
      print(page);
      return kDone;
    };
  });
}

}  // namespace thalweg::cli
