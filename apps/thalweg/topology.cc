// thalweg topology diff: what a new version makes of the state that the old one left.

#include <CLI/CLI.hpp>

#include "context.h"
#include "exit_codes.h"
#include "not_empty.h"
#include "topology_diff.h"

namespace thalweg::cli {
namespace {

struct DiffArguments {
  std::string before;
  std::string after;
  bool all = false;
};

boost::json::value to_json(const TopologyDiff& diff) {
  boost::json::array changes;
  for (const auto& change : diff.changes) {
    boost::json::object item{{"application", change.application},
                             {"kind", name_of(change.kind)},
                             {"fate", name_of(change.fate)}};
    const auto name_or_null = [](const std::string& name) {
      return name.empty() ? boost::json::value() : boost::json::value(name);
    };
    item["old"] = name_or_null(change.old_name);
    item["new"] = name_or_null(change.new_name);
    item["reason"] = change.reason;
    item["advice"] = change.advice;
    changes.push_back(std::move(item));
  }
  return boost::json::object{{"differs", diff.differs()},
                             {"loses_state", diff.loses_state()},
                             {"nodes_differ", diff.nodes_differ},
                             {"changes", std::move(changes)}};
}

std::string names_cell(const Change& change) {
  const bool renamed =
      !change.old_name.empty() && !change.new_name.empty() && change.old_name != change.new_name;
  return renamed ? change.old_name + " -> " + change.new_name : change.name();
}

std::string why_cell(const Change& change) {
  if (change.advice.empty()) return change.reason;
  return change.reason + (change.reason.empty() ? "" : "; ") + change.advice;
}

void print_table(const TopologyDiff& diff, bool all, const OutputStyle& style) {
  Table table({{"FATE"}, {"KIND"}, {"APPLICATION"}, {"NAME"}, {"WHY, AND WHAT TO DO"}});
  std::size_t unchanged = 0;
  for (const auto& change : diff.changes) {
    if (change.fate == Fate::kStays && change.reason.empty()) {
      ++unchanged;
      if (!all) continue;
    }
    table.add({std::string(name_of(change.fate)), std::string(name_of(change.kind)),
               change.application, names_cell(change), why_cell(change)});
  }
  if (!table.empty()) print(table.to_text(style));
  std::string summary = std::to_string(unchanged) + " of " + std::to_string(diff.changes.size()) +
                        " stores and internal topics stay as they are";
  if (diff.nodes_differ) summary += "; the plans differ";
  print(summary + (diff.loses_state() ? "; state is lost or has to be rebuilt\n" : "\n"));
}

int diff(Context& context, const DiffArguments& given) {
  const auto before = descriptions_at(given.before, context);
  const auto after = descriptions_at(given.after, context);
  const auto result = compare(before, after);
  if (context.style.json) {
    print_json(to_json(result));
  } else {
    print_table(result, given.all, context.style);
  }
  if (result.loses_state()) return kStateLost;
  return result.differs() ? kCompatible : kDone;
}

}  // namespace

void add_topology(CLI::App& app, Context& context) {
  auto* topology = app.add_subcommand("topology", "Versions of an application: diff");
  topology->require_subcommand(1);
  const auto given = std::make_shared<DiffArguments>();
  auto* diff_app = topology->add_subcommand(
      "diff", "What a new version finds of the stores and internal topics of the old one");
  diff_app
      ->add_option("OLD", given->before,
                   "A file that `describe --json` wrote, - for standard input, or http://HOST:PORT")
      ->required()
      ->check(not_empty);
  diff_app->add_option("NEW", given->after, "The same of the new version")
      ->required()
      ->check(not_empty);
  diff_app->add_flag("--all", given->all, "Show what stays, too");
  diff_app->footer(
      "stays     same name, same shape\n"
      "added     new, begins empty\n"
      "moved     the same under another generated name: its state is left behind\n"
      "clashes   the name of another store: it would read that one's changelog\n"
      "rebuild   same name, but other types, partitions or retention\n"
      "orphaned  nothing uses it any more\n\n"
      "Exit codes: 0 the same; 1 changes that lose nothing; 2 state is lost or has to be rebuilt.");
  diff_app->callback(
      [&context, given] { context.run = [&context, given] { return diff(context, *given); }; });
}

}  // namespace thalweg::cli
