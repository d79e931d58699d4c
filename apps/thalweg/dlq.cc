// thalweg dlq: what could not be delivered, and what becomes of it.

#include <functional>

#include <CLI/CLI.hpp>

#include <thalweg/runtime/json_text.h>

#include "context.h"
#include "exit_codes.h"
#include "json_fields.h"
#include "numbers.h"
#include "server.h"

namespace thalweg::cli {
namespace {

constexpr std::string_view kCursor = "Next-Cursor";

struct DlqArguments {
  std::vector<std::string> ids;
  std::size_t limit = 100;
};

boost::json::value parsed(const OutsideReply& reply) {
  auto json = parse_json(reply.body);
  if (json) return *std::move(json);
  throw CommandError(kFailed, "the list of dead letters is no JSON: " + json.error().message);
}

/// Up to `limit` dead letters; the cursor of the rest, if there is one, in `more`.
boost::json::array dead_letters(Context& context, std::size_t limit, std::string& more) {
  boost::json::array all;
  more.clear();
  do {
    const auto wanted = std::min<std::size_t>(limit - all.size(), 100);
    Target target = Target({"dlq"}).with("limit", std::to_string(wanted));
    // As the header has it, the cursor is escaped already.
    const auto reply = context.server().get(target.with_escaped("cursor", more));
    const auto page = parsed(reply);
    if (const auto* items = page.if_array()) all.insert(all.end(), items->begin(), items->end());
    more = reply.header(kCursor);
  } while (!more.empty() && all.size() < limit);
  return all;
}

int list(Context& context, const DlqArguments& given) {
  std::string more;
  const auto letters = dead_letters(context, given.limit, more);
  if (context.style.json) {
    print_json(letters);
  } else {
    Table table({{"ID"},
                 {"SOURCE"},
                 {"ATTEMPTS", Table::Align::kRight},
                 {"UPDATED"},
                 {"ORDER"},
                 {"LAST ERROR"}});
    for (const auto& letter : letters) {
      table.add({text_of(letter, "id"), text_of(letter, "source"),
                 std::to_string(number_of(letter, "attempts")), cell(member(letter, "updatedAt")),
                 cell(member(letter, "orderId")), cell(member(letter, "lastError"))});
    }
    print(table, context.style, "no dead letters");
  }
  if (!more.empty()) remark("there are more: --limit shows more of them");
  return kDone;
}

/// Does it to each, whatever becomes of the others. Every failure is told; the first is the end's.
int for_each_id(const DlqArguments& given, const std::function<void(const std::string&)>& act) {
  int code = kDone;
  for (const auto& id : given.ids) {
    try {
      act(id);
    } catch (const CommandError& error) {
      if (given.ids.size() == 1) throw;
      remark("thalweg: " + id + ": " + error.what());
      if (!error.hint().empty()) remark("  " + error.hint());
      if (code == kDone) code = error.code();
    }
  }
  return code;
}

int show(Context& context, const DlqArguments& given) {
  return for_each_id(given, [&](const std::string& id) {
    const auto letter = context.server().get_json(Target({"dlq", id}));
    if (context.style.json) return print_json(letter);
    const auto* members = letter.if_object();
    if (!members) throw CommandError(kFailed, "the dead letter is no JSON object");
    Table table({{"FIELD"}, {"VALUE"}});
    for (const auto& [name, value] : *members) table.add({name, cell(value)});
    print(table, context.style, "");
  });
}

/// Sends the dead letters again, or forgets them.
int change(Context& context, const DlqArguments& given, const std::string& verb) {
  return for_each_id(given, [&](const std::string& id) {
    const auto reply = context.server().post(Target({"dlq", id, verb}), {}, {});
    if (context.style.json) return print_json(parsed(reply));
    print(id + (verb == "retry" ? " is being sent again\n" : " is discarded\n"));
  });
}

void add_change(CLI::App& dlq, Context& context, const std::string& verb,
                const std::string& description) {
  const auto given = std::make_shared<DlqArguments>();
  auto* app = dlq.add_subcommand(verb, description);
  app->add_option("ID", given->ids, "Dead letters, as `dlq list` shows them")->required();
  app->callback([&context, given, verb] {
    context.run = [&context, given, verb] { return change(context, *given, verb); };
  });
}

}  // namespace

void add_dlq(CLI::App& app, Context& context) {
  auto* dlq = app.add_subcommand("dlq", "Dead letters: list, show, retry, discard");
  dlq->require_subcommand(1);
  dlq->footer(
      "Records that could not be read are in topics: `thalweg topics tail TOPIC.dlq`.\n"
      "retry and discard are for operators: --token or THALWEG_TOKEN.");

  const auto listed = std::make_shared<DlqArguments>();
  auto* list_app = dlq->add_subcommand("list", "Deliveries that were given up");
  list_app->add_option("-n,--limit", listed->limit, "How many at most")
      ->check(whole_number(1))
      ->capture_default_str();
  list_app->callback(
      [&context, listed] { context.run = [&context, listed] { return list(context, *listed); }; });

  const auto shown = std::make_shared<DlqArguments>();
  auto* show_app = dlq->add_subcommand("show", "All about a dead letter, with what it carries");
  show_app->add_option("ID", shown->ids, "Dead letters, as `dlq list` shows them")->required();
  show_app->callback(
      [&context, shown] { context.run = [&context, shown] { return show(context, *shown); }; });

  add_change(*dlq, context, "retry", "Send dead letters again");
  add_change(*dlq, context, "discard", "Forget dead letters");
}

}  // namespace thalweg::cli
