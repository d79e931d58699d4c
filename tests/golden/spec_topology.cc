#include "golden/spec_topology.h"

#include <boost/json/array.hpp>

#include <thalweg/state/stores.h>

#include "golden/spec_processor.h"

namespace thalweg::golden {

namespace json = boost::json;

namespace {

std::string name_of(const json::value& statement) { return text_or(statement, "name"); }

/// Refuses fields that would change the meaning and are not understood here.
void refuse(const json::value& object, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (field(object, name)) throw SpecError(std::string("not supported: ") + name);
  }
}

Materialized<Key, std::int64_t> materialized(const json::value& statement) {
  Materialized<Key, std::int64_t> options{.name = name_of(statement)};
  const json::value* spec = field(statement, "mat");
  if (!spec) return options;
  refuse(*spec, {"versioned", "supplier", "retention"});
  options.store = text_or(*spec, "name");
  options.logging = flag_or(*spec, "logging", true);
  options.caching = flag_or(*spec, "caching", true);
  options.persistent = text_or(*spec, "type", "rocksdb") != "memory";
  // A Materialized without a name is one all the same.
  if (options.store.empty()) options.value_serde = AnySerde<std::int64_t>();
  return options;
}

template <typename K, typename V>
Consumed<K, V> consumed(const json::value& statement) {
  Consumed<K, V> options{.name = name_of(statement)};
  const std::string extractor = text_or(statement, "extractor", "record");
  if (extractor == "fromValue") {
    options.timestamp_extractor = [](const K&, const V& v, Timestamp record, Timestamp) {
      if constexpr (is_nullable<V>) return v ? from_millis(*v) : record;
      if constexpr (!is_nullable<V>) return from_millis(v);
    };
  } else if (extractor == "partitionTime") {
    options.timestamp_extractor = [](const K&, const V& v, Timestamp record, Timestamp partition) {
      if constexpr (is_nullable<V>) return !v || floor_mod(*v, 3) == 0 ? partition : record;
      if constexpr (!is_nullable<V>) return floor_mod(v, 3) == 0 ? partition : record;
    };
  }
  if (text_or(statement, "reset") == "latest") options.auto_offset_reset = AutoOffsetReset::kLatest;
  return options;
}

}  // namespace

const SpecTopology::Variable& SpecTopology::variable(const json::value& statement,
                                                     const char* name) const {
  const std::string id = text_or(statement, name);
  const auto found = variables_.find(id);
  if (found == variables_.end()) throw SpecError("unknown variable " + id);
  return found->second;
}

template <typename T>
const T& SpecTopology::variable_as(const json::value& statement, const char* name) const {
  const T* found = std::get_if<T>(&variable(statement, name));
  if (!found) throw SpecError(std::string("variable of another kind: ") + name);
  return *found;
}

void SpecTopology::bind(const json::value& statement, Variable value) {
  if (!field(statement, "id")) return;
  variables_.insert_or_assign(text_or(statement, "id"), std::move(value));
}

void SpecTopology::run(const json::value& statement) {
  const std::string op = text_or(statement, "op");
  if (!field(statement, "in")) return source(statement, op);
  const Variable& in = variable(statement, "in");
  if (const auto* stream = std::get_if<Stream>(&in)) {
    return on_stream(statement, op, Stream(*stream));
  }
  if (const auto* table = std::get_if<Table>(&in)) return on_table(statement, op, Table(*table));
  on_grouped(statement, op, Grouped(std::get<Grouped>(in)));
}

void SpecTopology::source(const json::value& statement, const std::string& op) {
  if (op == "stream") {
    refuse(statement, {"pattern"});
    std::vector<std::string> topics;
    for (const auto& topic : need(statement, "topics").as_array()) {
      topics.emplace_back(topic.as_string());
    }
    bind(statement,
         builder_.stream<Key, Value>(std::move(topics), consumed<Key, Value>(statement)));
  } else if (op == "table") {
    // A table's name is that of its source, so the store's options have none.
    auto options = materialized(statement);
    options.name.clear();
    bind(statement,
         builder_.table<Key, std::int64_t>(text_or(statement, "topic"),
                                           consumed<Key, std::int64_t>(statement), options));
  } else if (op == "addStateStore") {
    add_store(need(statement, "store"));
  } else {
    throw SpecError("not supported: " + op);
  }
}

void SpecTopology::add_store(const json::value& spec) {
  const std::string kind = text_or(spec, "kind");
  if ((kind != "kv" && kind != "tskv") || text_or(spec, "type") == "lru") {
    throw SpecError("not supported: store " + kind);
  }
  const std::string name = text_or(spec, "name");
  builder_.add_state_store(key_value_store_builder<Key, std::int64_t>(
      name, StoreOptions{.persistent = text_or(spec, "type", "rocksdb") != "memory",
                         .logging = flag_or(spec, "logging", true),
                         .caching = flag_or(spec, "caching", false),
                         .changelog_config = {}}));
  store_kinds_.emplace(name, kind);
}

void SpecTopology::on_stream(const json::value& statement, const std::string& op,
                             const Stream& in) {
  if (stateless(statement, op, in)) return;
  if (op == "merge") {
    bind(statement, in.merge(variable_as<Stream>(statement, "with"), {name_of(statement)}));
  } else if (op == "split") {
    split(statement, in);
  } else if (op == "repartition") {
    refuse(statement, {"partitioner"});
    Repartitioned<Key, Value> options{.name = name_of(statement)};
    if (field(statement, "partitions")) {
      options.partitions = static_cast<std::int32_t>(number_or(statement, "partitions", 1));
    }
    bind(statement, in.repartition(std::move(options)));
  } else if (op == "toTable") {
    bind(statement, in.to_table(materialized(statement)));
  } else if (op == "to") {
    sink(statement, in);
  } else if (op == "groupByKey") {
    bind(statement, in.group_by_key({.name = name_of(statement)}));
  } else if (op == "groupBy") {
    bind(statement,
         in.group_by(key_function(need(statement, "key")), {.name = name_of(statement)}));
  } else if (op == "process" || op == "processValues") {
    process(statement, in, op == "processValues");
  } else if (op == "join" || op == "leftJoin") {
    join(statement, in, op == "leftJoin");
  } else {
    throw SpecError("not supported: " + op);
  }
}

bool SpecTopology::stateless(const json::value& statement, const std::string& op,
                             const Stream& in) {
  const Named named{name_of(statement)};
  const auto values = [&] { return value_function(need(statement, "val")); };
  if (op == "filter") {
    bind(statement, in.filter(predicate(need(statement, "pred")), named));
  } else if (op == "filterNot") {
    bind(statement, in.filter_not(predicate(need(statement, "pred")), named));
  } else if (op == "map") {
    bind(statement, in.map([key = key_function(need(statement, "key")), value = values()](
                               const Key& k, const Value& v) {
      return std::pair(key(k, v), value(k, v));
    }, named));
  } else if (op == "mapValues") {
    bind(statement, in.map_values(values(), named));
  } else if (op == "flatMap" || op == "flatMapValues") {
    const std::int64_t m = need(statement, "m").to_number<std::int64_t>();
    const auto spread = [m](const Value& v) {
      std::vector<Value> all;
      const std::int64_t n = v ? floor_mod(*v, m) : 1;
      for (std::int64_t i = 0; i < n; ++i) all.push_back(v ? Value(wrap_add(*v, i)) : Value());
      return all;
    };
    if (op == "flatMapValues") {
      bind(statement, in.flat_map_values([spread, value = values()](const Key& k, const Value& v) {
        std::vector<Value> all = spread(v);
        for (Value& each : all) each = value(k, each);
        return all;
      }, named));
      return true;
    }
    bind(statement, in.flat_map([spread, key = key_function(need(statement, "key")),
                                 value = values()](const Key& k, const Value& v) {
      std::vector<std::pair<Key, Value>> records;
      for (const Value& each : spread(v)) records.emplace_back(key(k, each), value(k, each));
      return records;
    }, named));
  } else if (op == "selectKey") {
    bind(statement, in.select_key(key_function(need(statement, "key")), named));
  } else if (op == "peek") {
    bind(statement, in.peek([](const Key&, const Value&) {}, named));
  } else if (op == "foreach") {
    in.for_each([](const Key&, const Value&) {}, named);
  } else {
    return false;
  }
  return true;
}

void SpecTopology::split(const json::value& statement, const Stream& in) {
  const auto& branches = need(statement, "branches").as_array();
  const json::value* rest = field(statement, "default");
  auto split = in.split({name_of(statement)});
  for (const auto& branch : branches) {
    split.branch(predicate(need(branch, "pred")), {name_of(branch)});
  }
  const auto streams = rest ? split.default_branch({name_of(*rest)}) : split.no_default_branch();
  if (streams.empty()) return;

  constexpr std::size_t kGenerated = std::string_view("KSTREAM-BRANCH-0123456789").size();
  const std::string prefix = field(statement, "name")
                                 ? name_of(statement)
                                 : streams.begin()->first.substr(0, kGenerated);
  const auto bind_branch = [&](const json::value& branch, std::size_t number) {
    const std::string own = name_of(branch);
    bind(branch, streams.at(prefix + (own.empty() ? std::to_string(number) : own)));
  };
  std::size_t number = 0;
  for (const auto& branch : branches) bind_branch(branch, ++number);
  if (rest) bind_branch(*rest, 0);
}

void SpecTopology::process(const json::value& statement, const Stream& in, bool fixed_key) {
  ProcessorSpec spec{.parameters = need(statement, "proc"), .store = {}};
  std::vector<std::string> stores;
  if (const json::value* names = field(statement, "stores")) {
    for (const auto& name : names->as_array()) stores.emplace_back(name.as_string());
  }
  spec.store = text_or(spec.parameters, "store", stores.empty() ? "" : stores.front());
  const auto kind = store_kinds_.find(spec.store);
  spec.timestamped = kind == store_kinds_.end() || kind->second == "tskv";
  if (fixed_key) {
    using Fixed = SpecProcessor<FixedKeyProcessor<Key, Value>>;
    bind(statement, in.process_values([spec] { return std::make_unique<Fixed>(spec); }, stores,
                                      {name_of(statement)}));
  } else {
    using Free = SpecProcessor<Processor<Key, Value>>;
    bind(statement, in.process([spec] { return std::make_unique<Free>(spec); }, stores,
                               {name_of(statement)}));
  }
}

void SpecTopology::join(const json::value& statement, const Stream& in, bool left) {
  refuse(statement, {"grace", "windows", "key"});
  const Table& table = variable_as<Table>(statement, "with");
  const Joined<Key, Value> joined{.name = name_of(statement)};
  auto join = joiner(need(statement, "joiner"));
  if (left) {
    bind(statement, in.left_join(table, [join](const Key& k, const std::int64_t& v,
                                               const std::int64_t* row) {
      return join(k, v, row ? Value(*row) : Value());
    }, joined));
  } else {
    bind(statement, in.join(table, [join](const Key& k, const std::int64_t& v,
                                          const std::int64_t& row) { return join(k, v, row); },
                            joined));
  }
}

void SpecTopology::sink(const json::value& statement, const Stream& in) {
  refuse(statement, {"topicPrefix", "partitioner"});
  in.to(text_or(statement, "topic"), {.name = name_of(statement)});
}

void SpecTopology::on_table(const json::value& statement, const std::string& op, const Table& in) {
  if (op == "filter") {
    bind(statement, in.filter(predicate(need(statement, "pred")), materialized(statement)));
  } else if (op == "filterNot") {
    bind(statement, in.filter_not(predicate(need(statement, "pred")), materialized(statement)));
  } else if (op == "mapValues") {
    bind(statement, in.map_values(value_function(need(statement, "val")), materialized(statement)));
  } else if (op == "toStream") {
    const Named named{name_of(statement)};
    if (!field(statement, "key")) return bind(statement, in.to_stream(named));
    bind(statement, in.to_stream(named).select_key(key_function(need(statement, "key"))));
  } else {
    throw SpecError("not supported: table " + op);
  }
}

void SpecTopology::on_grouped(const json::value& statement, const std::string& op,
                              const Grouped& in) {
  if (op == "count") {
    bind(statement, in.count(materialized(statement)));
  } else if (op == "reduce") {
    bind(statement, in.reduce([reduce = reducer(need(statement, "red"))](
                                  const Value& a, const Value& b) { return reduce(a, b); },
                              materialized(statement)));
  } else if (op == "aggregate") {
    Value init;
    if (field(statement, "init")) init = number_or(statement, "init", 0);
    bind(statement,
         in.aggregate([init] { return init; },
                      [fold = aggregator(need(statement, "agg"))](
                          const Key& k, const std::int64_t& v,
                          const Value& a) { return fold(k, v, a); },
                      materialized(statement)));
  } else {
    throw SpecError("not supported: grouped " + op);
  }
}

}  // namespace thalweg::golden
