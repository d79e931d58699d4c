// Streams, with plain and with windowed keys: what keeps keys and values as they are, and where
// they go to. What changes them is in spec_stateless.cc.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <boost/json/array.hpp>

#include "golden/spec_options.h"
#include "golden/spec_processor.h"
#include "golden/spec_topology.h"

namespace thalweg::golden {

namespace json = boost::json;

template <typename K>
void SpecTopology::on_stream(const json::value& statement, const std::string& op,
                             const KStream<K, Value>& in) {
  if (stateless(statement, op, in) || change_key(statement, op, in)) return;
  if (op == "merge") {
    bind(statement,
         in.merge(variable_as<KStream<K, Value>>(statement, "with"), {name_of(statement)}));
  } else if (op == "split") {
    split(statement, in);
  } else if (op == "repartition") {
    Repartitioned<K, Value> options{.name = name_of(statement),
                                    .key_serde = key_serde_of<K>(statement),
                                    .partitioner = partitioner<K>(statement)};
    if (field(statement, "partitions")) {
      options.partitions = static_cast<std::int32_t>(number_or(statement, "partitions", 1));
    }
    bind(statement, in.repartition(std::move(options)));
  } else if (op == "toTable") {
    auto options = materialized_as<K>(statement);
    if (field(statement, "mat")) options.key_serde = key_serde_of<K>(statement);
    bind(statement, in.to_table(options));
  } else if (op == "to") {
    sink(statement, in);
  } else if (op == "groupByKey") {
    // The name is the repartition topic's: nobody looks at it where there is none.
    bind(statement, in.group_by_key({.name = text_or(statement, "name"),
                                     .key_serde = key_serde_of<K>(statement)}));
  } else if (op == "groupBy") {
    bind(statement, in.group_by(key_selector<K>(need(statement, "key")),
                                {.name = name_of(statement)}));
  } else if (op == "process" || op == "processValues") {
    process(statement, in, op == "processValues");
  } else if (op == "join" || op == "leftJoin" || op == "outerJoin") {
    if (field(statement, "windows")) return join_streams(statement, op, in);
    join(statement, in, op == "leftJoin");
  } else {
    throw NotBuilt("stream " + op);
  }
}
template void SpecTopology::on_stream(const json::value&, const std::string&, const Stream&);
template void SpecTopology::on_stream(const json::value&, const std::string&,
                                      const WindowedStream&);

template <typename K>
void SpecTopology::split(const json::value& statement, const KStream<K, Value>& in) {
  const auto& branches = need(statement, "branches").as_array();
  const json::value* rest = field(statement, "default");
  auto split = in.split({name_of(statement)});
  for (const auto& branch : branches) {
    split.branch(predicate_of<K>(need(branch, "pred")), {name_of(branch)});
  }
  const auto streams = rest ? split.default_branch({name_of(*rest)}) : split.no_default_branch();
  if (streams.empty()) return;

  constexpr std::size_t kGenerated = std::string_view("KSTREAM-BRANCH-0123456789").size();
  const std::string prefix = field(statement, "name")
                                 ? name_of(statement)
                                 : streams.begin()->first.substr(0, kGenerated);
  const auto bind_branch = [&](const json::value& branch, std::size_t number) {
    const std::string own = name_of(branch);
    const std::string name = prefix + (own.empty() ? std::to_string(number) : own);
    json::object bound = branch.as_object();
    bound["in"] = need(statement, "in");
    bind(bound, streams.at(name));
  };
  std::size_t number = 0;
  for (const auto& branch : branches) bind_branch(branch, ++number);
  if (rest) bind_branch(*rest, 0);
}

template <typename K>
void SpecTopology::process(const json::value& statement, const KStream<K, Value>& in,
                           bool fixed_key) {
  ProcessorSpec spec{.parameters = need(statement, "proc"), .store = {}};
  std::vector<std::string> stores;
  if (const json::value* names = field(statement, "stores")) {
    for (const auto& name : names->as_array()) stores.emplace_back(name.as_string());
  }
  spec.store = text_or(spec.parameters, "store", stores.empty() ? "" : stores.front());
  const auto kind = store_kinds_.find(spec.store);
  if (kind != store_kinds_.end()) spec.store_kind = kind->second;
  spec.has_store = !stores.empty() || field(spec.parameters, "store");
  spec.timestamped = spec.store_kind.empty() || spec.store_kind.starts_with("ts");
  if (fixed_key) {
    using Fixed = SpecProcessor<FixedKeyProcessor<K, Value>>;
    bind(statement, in.process_values([spec] { return std::make_unique<Fixed>(spec); }, stores,
                                      {name_of(statement)}));
  } else {
    using Free = SpecProcessor<Processor<K, Value>>;
    bind(statement, in.process([spec] { return std::make_unique<Free>(spec); }, stores,
                               {name_of(statement)}));
  }
}

template <typename K>
void SpecTopology::sink(const json::value& statement, const KStream<K, Value>& in) {
  const Produced<K, Value> produced{.name = name_of(statement),
                                    .key_serde = key_serde_of<K>(statement),
                                    .partitioner = partitioner<K>(statement)};
  constexpr bool kIsWindowed = !std::is_same_v<K, Key>;
  if (field(statement, "topic")) {
    if (kIsWindowed) windowed_topics_.insert(text_or(statement, "topic"));
    return in.to(text_or(statement, "topic"), produced);
  }
  const std::string prefix = text_or(statement, "topicPrefix");
  const std::int64_t m = number_or(statement, "m", 1);
  for (std::int64_t i = 0; kIsWindowed && i < m; ++i) {
    windowed_topics_.insert(prefix + std::to_string(i));
  }
  in.to({.extract =
             [prefix, m](const K&, const Value& v, const RecordMetadata&) {
               return prefix + std::to_string(floor_mod(v.value_or(0), m));
             },
         .name = "topicByValue"},
        produced);
}

}  // namespace thalweg::golden
