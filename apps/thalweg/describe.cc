// thalweg describe: what an application is made of, as text or as a picture.

#include <CLI/CLI.hpp>

#include "context.h"
#include "description.h"
#include "exit_codes.h"
#include "not_empty.h"
#include "server.h"
#include "svg.h"

namespace thalweg::cli {
namespace {

struct DescribeArguments {
  std::string file;
  std::string format = "text";
};

/// Kafka Streams' own text, each application under its name where there are several.
std::string text_of(const std::vector<ApplicationDescription>& all) {
  std::string text;
  for (const auto& description : all) {
    if (all.size() > 1) text += "Application: " + description.application + '\n';
    text += description.topology.to_text();
  }
  return text;
}

/// A picture shows one application.
const ApplicationDescription& only(const std::vector<ApplicationDescription>& all) {
  if (all.size() == 1) return all.front();
  std::string names;
  for (const auto& description : all) {
    names += (names.empty() ? "" : ", ") + description.application;
  }
  throw CommandError(kUsage, "this format shows one application",
                     "choose one with --application: " + names);
}

std::string printed(const std::vector<ApplicationDescription>& all, const std::string& format) {
  if (format == "text") return text_of(all);
  const auto& one = only(all);
  if (format == "dot") return one.topology.to_dot();
  if (format == "mermaid") return one.topology.to_mermaid();
  return to_svg(one.application, one.topology);
}

int describe(Context& context, const DescribeArguments& given) {
  const auto all = given.file.empty() ? describe_server(context.server(), context.application)
                                      : descriptions_at(given.file, context);
  if (given.format == "json" || context.style.json) {
    print_json(to_json(all));
  } else {
    print(printed(all, given.format));
  }
  return kDone;
}

}  // namespace

void add_describe(CLI::App& app, Context& context) {
  const auto given = std::make_shared<DescribeArguments>();
  auto* command =
      app.add_subcommand("describe", "What an application is made of: nodes, stores, topics");
  command
      ->add_option("FILE", given->file,
                   "What `describe --json` wrote, or - for standard input; without it, the "
                   "application that runs")
      ->check(not_empty);
  command->add_option("-f,--format", given->format, "text, json, dot, mermaid or svg")
      ->check(CLI::IsMember({"text", "json", "dot", "mermaid", "svg"}))
      ->capture_default_str();
  command->footer(
      "text is what Kafka Streams' Topology.describe() prints; json has stores and topics, too, "
      "and is\nwhat `topology diff` compares.");
  command->callback(
      [&context, given] { context.run = [&context, given] { return describe(context, *given); }; });
}

}  // namespace thalweg::cli
