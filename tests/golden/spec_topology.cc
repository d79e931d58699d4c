#include "golden/spec_topology.h"

#include <boost/json/array.hpp>

#include <thalweg/state/stores.h>

#include "golden/spec_options.h"

namespace thalweg::golden {

namespace json = boost::json;

const SpecTopology::Variable& SpecTopology::variable(const json::value& statement,
                                                     const char* name) const {
  const std::string id = text_or(statement, name);
  const auto found = variables_.find(id);
  if (found == variables_.end()) throw SpecError("unknown variable " + id);
  return found->second;
}

void SpecTopology::bind(const json::value& statement, Variable value) {
  if (!field(statement, "id")) return;
  const auto serde = windowed_serdes_.find(text_or(statement, "in"));
  if (serde != windowed_serdes_.end()) {
    windowed_serdes_.insert_or_assign(text_or(statement, "id"), serde->second);
  }
  variables_.insert_or_assign(text_or(statement, "id"), std::move(value));
}

void SpecTopology::run(const json::value& statement) {
  const std::string op = text_or(statement, "op");
  const json::value* mat = field(statement, "mat");
  if (mat && field(*mat, "versioned")) store_kinds_.emplace(text_or(*mat, "name"), "versioned");
  if (!field(statement, "in")) return source(statement, op);
  const Variable& in = variable(statement, "in");
  if (const auto* stream = std::get_if<Stream>(&in)) {
    return on_stream<Key>(statement, op, Stream(*stream));
  }
  if (const auto* table = std::get_if<Table>(&in)) return on_table(statement, op, Table(*table));
  if (const auto* stream = std::get_if<WindowedStream>(&in)) {
    return on_stream<Windowed<Key>>(statement, op, WindowedStream(*stream));
  }
  if (const auto* table = std::get_if<WindowedTable>(&in)) {
    return on_windowed_table(statement, op, WindowedTable(*table));
  }
  if (const auto* windowing = std::get_if<Windowing>(&in)) {
    return on_windowing(statement, op, Windowing(*windowing));
  }
  if (const auto* grouped = std::get_if<GroupedTable>(&in)) {
    return on_grouped_table(statement, op, GroupedTable(*grouped));
  }
  if (const auto* cogrouped = std::get_if<Cogrouped>(&in)) {
    return on_cogrouped<Key>(statement, op, Cogrouped(*cogrouped));
  }
  if (const auto* cogrouped = std::get_if<WindowedCogrouped>(&in)) {
    return on_cogrouped<Windowed<Key>>(statement, op, WindowedCogrouped(*cogrouped));
  }
  if (const auto* grouped = std::get_if<WindowedGrouped>(&in)) {
    return on_grouped<Windowed<Key>>(statement, op, WindowedGrouped(*grouped));
  }
  if (const auto* grouped = std::get_if<Grouped>(&in)) {
    return on_grouped<Key>(statement, op, Grouped(*grouped));
  }
  throw SpecError("a global table has no operators");
}

void SpecTopology::source(const json::value& statement, const std::string& op) {
  if (op == "stream") {
    if (field(statement, "pattern")) {
      return bind(statement, builder_.stream<Key, Value>(
                                 TopicPattern{text_or(statement, "pattern")}, consumed(statement)));
    }
    std::vector<std::string> topics;
    for (const auto& topic : need(statement, "topics").as_array()) {
      topics.emplace_back(topic.as_string());
    }
    bind(statement,
         builder_.stream<Key, Value>(std::move(topics), consumed(statement)));
  } else if (op == "table") {
    // A table's name is that of its source, so the store's options have none.
    auto options = materialized(statement);
    options.name.clear();
    bind(statement,
         builder_.table<Key, std::int64_t>(text_or(statement, "topic"),
                                           consumed(statement), options));
  } else if (op == "globalTable") {
    auto options = materialized(statement);
    options.name.clear();
    bind(statement, builder_.global_table<Key, std::int64_t>(text_or(statement, "topic"),
                                                             consumed(statement), options));
  } else if (op == "addStateStore") {
    builder_.add_state_store(store_builder(need(statement, "store")));
  } else if (op == "addGlobalStore") {
    add_global_store(statement);
  } else {
    throw NotBuilt(op);
  }
}

std::shared_ptr<StoreBuilder> SpecTopology::store_builder(const json::value& spec) {
  const std::string kind = text_or(spec, "kind");
  const std::string name = text_or(spec, "name");
  const std::string type = text_or(spec, "type", "rocksdb");
  StoreOptions options{.persistent = type == "rocksdb",
                       .logging = flag_or(spec, "logging", true),
                       .caching = flag_or(spec, "caching", false),
                       .changelog_config = {},
                       .logs_evictions = kind == "kv"};
  if (type == "lru") options.max_entries = number_or(spec, "max", 1);
  const auto time = [&spec](const char* field) {
    return std::chrono::milliseconds(number_or(spec, field, 0));
  };
  store_kinds_.emplace(name, kind);
  if (kind == "window" || kind == "tswindow") {
    return window_store_builder<Key, std::int64_t>(
        name,
        {.retention = time("retention"),
         .window_size = time("size"),
         .retain_duplicates = flag_or(spec, "dups", false)},
        std::move(options));
  }
  if (kind == "versioned") {
    VersionedStoreOptions versions{.history_retention = time("history")};
    if (field(spec, "segment")) versions.segment_interval = time("segment");
    return versioned_key_value_store_builder<Key, std::int64_t>(name, versions,
                                                                std::move(options));
  }
  if (kind == "session") {
    return session_store_builder<Key, std::int64_t>(name, time("retention"), std::move(options));
  }
  if (kind != "kv" && kind != "tskv") throw NotBuilt("store " + kind);
  return key_value_store_builder<Key, std::int64_t>(name, std::move(options));
}

}  // namespace thalweg::golden
