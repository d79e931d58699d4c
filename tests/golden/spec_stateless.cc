// What a stream does with one record at a time.

#include <string>
#include <utility>
#include <vector>

#include "golden/spec_options.h"
#include "golden/spec_topology.h"

namespace thalweg::golden {

namespace json = boost::json;

namespace {

/// As many values as a `flatMap` with that `m` makes of one.
std::vector<Value> spread(const Value& v, std::int64_t m) {
  std::vector<Value> all;
  const std::int64_t n = v ? floor_mod(*v, m) : 1;
  for (std::int64_t i = 0; i < n; ++i) all.push_back(v ? Value(wrap_add(*v, i)) : Value());
  return all;
}

}  // namespace

template <typename K>
bool SpecTopology::stateless(const json::value& statement, const std::string& op,
                             const KStream<K, Value>& in) {
  const Named named{name_of(statement)};
  const auto values = [&] {
    return [value = value_function(need(statement, "val"))](const K& k, const Value& v) {
      return value(shown(k), v);
    };
  };
  if (op == "filter") {
    bind(statement, in.filter(predicate_of<K>(need(statement, "pred")), named));
  } else if (op == "filterNot") {
    bind(statement, in.filter_not(predicate_of<K>(need(statement, "pred")), named));
  } else if (op == "mapValues") {
    bind(statement, in.map_values(values(), named));
  } else if (op == "flatMapValues") {
    bind(statement,
         in.flat_map_values(
             [m = need(statement, "m").to_number<std::int64_t>(), value = values()](
                 const K& k, const Value& v) {
               std::vector<Value> all = spread(v, m);
               for (Value& each : all) each = value(k, each);
               return all;
             },
             named));
  } else if (op == "peek") {
    bind(statement, in.peek([](const K&, const Value&) {}, named));
  } else if (op == "foreach") {
    in.for_each([](const K&, const Value&) {}, named);
  } else {
    return false;
  }
  return true;
}
template bool SpecTopology::stateless(const json::value&, const std::string&, const Stream&);
template bool SpecTopology::stateless(const json::value&, const std::string&,
                                      const WindowedStream&);

template <typename K>
bool SpecTopology::change_key(const json::value& statement, const std::string& op,
                              const KStream<K, Value>& in) {
  const Named named{name_of(statement)};
  const auto make = [&] {
    return [key = key_selector<K>(need(statement, "key")),
            value = value_function(need(statement, "val"))](const K& k, const Value& v) {
      return std::pair<Key, Value>(key(k, v), value(shown(k), v));
    };
  };
  if (op == "map") {
    bind(statement, in.map(make(), named));
  } else if (op == "flatMap") {
    bind(statement, in.flat_map([m = need(statement, "m").to_number<std::int64_t>(),
                                 make = make()](const K& k, const Value& v) {
      std::vector<std::pair<Key, Value>> records;
      for (const Value& each : spread(v, m)) records.push_back(make(k, each));
      return records;
    }, named));
  } else if (op == "selectKey") {
    bind(statement, in.select_key(key_selector<K>(need(statement, "key")), named));
  } else {
    return false;
  }
  return true;
}
template bool SpecTopology::change_key(const json::value&, const std::string&, const Stream&);
template bool SpecTopology::change_key(const json::value&, const std::string&,
                                       const WindowedStream&);

}  // namespace thalweg::golden
