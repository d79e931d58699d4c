// thalweg topics: list, and the two that have files of their own, tail and produce.

#include "topics.h"

#include <CLI/CLI.hpp>

#include "context.h"
#include "exit_codes.h"
#include "json_fields.h"
#include "server.h"

namespace thalweg::cli {
namespace {

struct ListArguments {
  bool internal = false;
};

/// Whether `topic` is one that only its application writes.
bool is_internal(const boost::json::value& topic) { return flag_of(topic, "internal"); }

int list(Context& context, const ListArguments& given) {
  const auto answer = context.server().get_json(Target({"v1", "topics"}));
  boost::json::array shown;
  Table table({{"TOPIC"},
               {"PARTITIONS", Table::Align::kRight},
               {"RECORDS", Table::Align::kRight},
               {"CLEANUP"},
               {"RETENTION"},
               {"INTERNAL"}});
  for (const auto& topic : array_of(answer, "items")) {
    if (is_internal(topic) && !given.internal) continue;
    const auto& partitions = array_of(topic, "partitions");
    std::int64_t records = 0;
    for (const auto& partition : partitions) {
      records += number_of(partition, "end") - number_of(partition, "begin");
    }
    shown.push_back(topic);
    table.add({text_of(topic, "name"), std::to_string(partitions.size()), count_cell(records),
               text_of(topic, "cleanup_policy"),
               duration_cell(number_of(topic, "retention_ms", -1)),
               is_internal(topic) ? "yes" : "no"});
  }
  if (context.style.json) {
    print_json(shown);
  } else {
    print(table, context.style, "there are no topics; --internal shows those of applications");
  }
  return kDone;
}

}  // namespace

void add_topics(CLI::App& app, Context& context) {
  auto* topics =
      app.add_subcommand("topics", "Look at topics and write to them: list, tail, produce");
  topics->require_subcommand(1);
  const auto given = std::make_shared<ListArguments>();
  auto* all = topics->add_subcommand("list", "All topics with their sizes and settings");
  all->add_flag("--internal", given->internal, "Changelogs and repartition topics, too");
  all->callback(
      [&context, given] { context.run = [&context, given] { return list(context, *given); }; });
  add_tail(*topics, context);
  add_produce(*topics, context);
}

}  // namespace thalweg::cli
