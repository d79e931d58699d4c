#include <boost/json/array.hpp>

#include "golden/spec_options.h"
#include "golden/spec_processor.h"
#include "golden/spec_topology.h"

namespace thalweg::golden {

namespace json = boost::json;

void SpecTopology::on_stream(const json::value& statement, const std::string& op,
                             const Stream& in) {
  if (stateless(statement, op, in)) return;
  if (op == "merge") {
    bind(statement, in.merge(variable_as<Stream>(statement, "with"), {name_of(statement)}));
  } else if (op == "split") {
    split(statement, in);
  } else if (op == "repartition") {
    Repartitioned<Key, Value> options{.name = name_of(statement),
                                      .partitioner = partitioner(statement)};
    if (field(statement, "partitions")) {
      options.partitions = static_cast<std::int32_t>(number_or(statement, "partitions", 1));
    }
    bind(statement, in.repartition(std::move(options)));
  } else if (op == "toTable") {
    bind(statement, in.to_table(materialized(statement)));
  } else if (op == "to") {
    sink(statement, in);
  } else if (op == "groupByKey") {
    // The name is the repartition topic's: nobody looks at it where there is none.
    bind(statement, in.group_by_key({.name = text_or(statement, "name")}));
  } else if (op == "groupBy") {
    bind(statement,
         in.group_by(key_function(need(statement, "key")), {.name = name_of(statement)}));
  } else if (op == "process" || op == "processValues") {
    process(statement, in, op == "processValues");
  } else if (op == "join" || op == "leftJoin" || op == "outerJoin") {
    if (field(statement, "windows")) return join_streams(statement, op, in);
    join(statement, in, op == "leftJoin");
  } else {
    throw NotBuilt(op);
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
  if (kind != store_kinds_.end()) spec.store_kind = kind->second;
  spec.timestamped = spec.store_kind.empty() || spec.store_kind.starts_with("ts");
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

void SpecTopology::sink(const json::value& statement, const Stream& in) {
  const Produced<Key, Value> produced{.name = name_of(statement),
                                      .partitioner = partitioner(statement)};
  if (!field(statement, "topicPrefix")) return in.to(text_or(statement, "topic"), produced);
  in.to({.extract = [prefix = text_or(statement, "topicPrefix"), m = number_or(statement, "m", 1)](
                        const Key&, const Value& v, const RecordMetadata&) {
           return prefix + std::to_string(floor_mod(v.value_or(0), m));
         },
         .name = "topicByValue"},
        produced);
}

}  // namespace thalweg::golden
