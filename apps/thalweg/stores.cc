// thalweg stores: what is in the state of an application.

#include <CLI/CLI.hpp>

#include "context.h"
#include "exit_codes.h"
#include "json_fields.h"
#include "not_empty.h"
#include "numbers.h"
#include "server.h"

namespace thalweg::cli {
namespace {

constexpr std::size_t kPage = 1000;

constexpr const char* kKeys =
    "Keys are written by the store's schema: the text of a string, i64:42, b64:..., json:{...}.";
constexpr const char* kNoWindows =
    "Of key-value stores. Windows and sessions are read by key: `stores get STORE KEY --from "
    "--to`.\n"
    "Keys are written by the store's schema: the text of a string, i64:42, b64:..., json:{...}.";

/// What one call of a subcommand was given.
struct StoreArguments {
  std::string store;
  std::string key;
  std::string from;
  std::string to;
  std::string prefix;
  std::size_t limit = 100;
  bool reverse = false;
  bool early = false;
};

using Arguments = std::shared_ptr<StoreArguments>;

std::string partitions_cell(const boost::json::value& store) {
  const auto here = array_of(store, "available").size();
  const auto all = number_of(store, "partitions");
  if (static_cast<std::int64_t>(here) == all) return std::to_string(all);
  return std::to_string(here) + " of " + std::to_string(all);
}

int list(Context& context) {
  const auto answer = context.server().get_json(
      Target({"v1", "stores"}).with_any("application", context.application));
  if (context.style.json) {
    print_json(member(answer, "items"));
    return kDone;
  }
  Table table({{"APPLICATION"},
               {"STORE"},
               {"TYPE"},
               {"KEY"},
               {"VALUE"},
               {"PARTITIONS", Table::Align::kRight},
               {"ENTRIES", Table::Align::kRight}});
  for (const auto& store : array_of(answer, "items")) {
    table.add({text_of(store, "application"), text_of(store, "name"), text_of(store, "type"),
               text_of(store, "key_schema"), text_of(store, "value_schema"), partitions_cell(store),
               count_cell(number_of(store, "approximate_entries"))});
  }
  print(table, context.style, "no application here has a store");
  return kDone;
}

Table rows_table() {
  return Table({{"PARTITION", Table::Align::kRight}, {"TIMESTAMP"}, {"KEY"}, {"VALUE"}});
}

void add_row(const boost::json::value& row, Table& table) {
  table.add({std::to_string(number_of(row, "partition")),
             time_cell(number_of(row, "timestamp", -1)), cell(member(row, "key")),
             cell(member(row, "value"))});
}

/// The windows of one key.
void print_windows(const boost::json::value& answer, const OutputStyle& style) {
  Table table({{"START"}, {"END"}, {"TIMESTAMP"}, {"VALUE"}});
  for (const auto& row : array_of(answer, "items")) {
    const auto& window = member(row, "window");
    table.add({time_cell(number_of(window, "start", -1)), time_cell(number_of(window, "end", -1)),
               time_cell(number_of(row, "timestamp", -1)), cell(member(row, "value"))});
  }
  print(table, style, "the key has no windows in that time");
  if (flag_of(answer, "more")) {
    remark("there are more: --limit shows up to " + std::to_string(kPage) +
           " of them, --from and --to others");
  }
}

Target store_target(const Context& context, const StoreArguments& given) {
  Target target({"v1", "stores", given.store, "keys"});
  target.with_any("application", context.application);
  if (given.early) target.with("visibility", "early");
  return target;
}

int get(Context& context, const StoreArguments& given) {
  // A path cannot end with nothing.
  const std::string key = given.key.empty() ? "str:" : given.key;
  Target target({"v1", "stores", given.store, "keys", key});
  target.with_any("application", context.application);
  target.with_any("from", given.from).with_any("to", given.to);
  target.with("limit", std::to_string(given.limit));
  if (given.reverse) target.with("reverse", "true");
  if (given.early) target.with("visibility", "early");
  const auto answer = context.server().get_json(target);
  const bool windows = find_member(answer, "items") != nullptr;
  if (context.style.json) {
    print_json(answer);
  } else if (windows) {
    print_windows(answer, context.style);
  } else {
    Table table = rows_table();
    add_row(answer, table);
    print(table, context.style, "");
  }
  return windows && array_of(answer, "items").empty() ? kNotThere : kDone;
}

/// Calls `take` with the rows asked for, page by page, at most `limit` of them; returns whether
/// there are more.
template <typename Take>
bool walk(Context& context, const StoreArguments& given, std::size_t limit, Take take) {
  std::string cursor;
  while (limit > 0) {
    Target target = store_target(context, given);
    target.with_any("from", given.from).with_any("to", given.to);
    target.with_any("prefix", given.prefix).with_any("cursor", cursor);
    if (given.reverse) target.with("reverse", "true");
    target.with("limit", std::to_string(std::min(limit, kPage)));
    const auto page = context.server().get_json(target);
    const auto& rows = array_of(page, "items");
    for (const auto& row : rows) take(row);
    limit -= std::min(limit, rows.size());
    cursor = text_of(page, "next_cursor");
    if (cursor.empty()) return false;
  }
  return true;
}

int scan(Context& context, const StoreArguments& given) {
  boost::json::array rows;
  Table table = rows_table();
  const bool more = walk(context, given, given.limit, [&](const boost::json::value& row) {
    context.style.json ? rows.push_back(row) : add_row(row, table);
  });
  if (context.style.json) {
    print_json(rows);
  } else {
    print(table, context.style, "no keys in that range");
  }
  if (more) remark("there are more: --limit shows more of them, dump shows all");
  return kDone;
}

int dump(Context& context, const StoreArguments& given) {
  walk(context, given, static_cast<std::size_t>(-1), print_json);
  return kDone;
}

void add_range(CLI::App& app, const Arguments& given) {
  app.add_option("--from", given->from, "The first key, inclusive")->check(not_empty);
  app.add_option("--to", given->to, "The last key, exclusive")->check(not_empty);
  app.add_option("--prefix", given->prefix, "What keys begin with");
  app.add_flag("--reverse", given->reverse, "From the last key to the first");
}

CLI::App* add_one(CLI::App& stores, const std::string& name, const std::string& description,
                  const Arguments& given) {
  auto* app = stores.add_subcommand(name, description);
  app->add_option("STORE", given->store, "Its name, as `stores list` shows it")
      ->required()
      ->check(not_empty);
  app->add_flag("--early", given->early, "Show what is committed before it is durable, too");
  return app;
}

}  // namespace

void add_stores(CLI::App& app, Context& context) {
  auto* stores = app.add_subcommand("stores", "Look into state: list, get, scan, dump");
  stores->require_subcommand(1);
  stores->footer(kKeys);

  stores->add_subcommand("list", "All stores with their types, schemas and sizes")
      ->callback([&context] { context.run = [&context] { return list(context); }; });

  const auto key = std::make_shared<StoreArguments>();
  auto* one = add_one(*stores, "get", "The row of one key, or its windows or sessions", key);
  one->add_option("KEY", key->key, "The key")->required();
  one->add_option("--from", key->from, "Windows from this start on (milliseconds since 1970)")
      ->check(not_empty);
  one->add_option("--to", key->to, "Windows up to this start, inclusive")->check(not_empty);
  one->add_flag("--reverse", key->reverse, "The latest window first");
  one->add_option("-n,--limit", key->limit, "How many windows at most")
      ->check(whole_number(1, kPage))
      ->capture_default_str();
  one->callback([&context, key] { context.run = [&context, key] { return get(context, *key); }; });

  const auto range = std::make_shared<StoreArguments>();
  auto* rows = add_one(*stores, "scan", "Rows in the order of their keys", range);
  rows->footer(kNoWindows);
  add_range(*rows, range);
  rows->add_option("-n,--limit", range->limit, "How many rows at most")
      ->check(whole_number(1))
      ->capture_default_str();
  rows->callback(
      [&context, range] { context.run = [&context, range] { return scan(context, *range); }; });

  const auto all = std::make_shared<StoreArguments>();
  auto* every = add_one(*stores, "dump", "Every row, one JSON object a line", all);
  every->footer(kNoWindows);
  add_range(*every, all);
  every->callback(
      [&context, all] { context.run = [&context, all] { return dump(context, *all); }; });
}

}  // namespace thalweg::cli
