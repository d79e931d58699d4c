#include "golden/spec_options.h"
#include "golden/spec_topology.h"

namespace thalweg::golden {

namespace json = boost::json;

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
    bind(statement, in.to_stream(key_function(need(statement, "key")), named));
  } else if (op == "suppress") {
    bind(statement, in.suppress(suppressed(statement)));
  } else if (op == "groupBy") {
    bind(statement, in.group_by([key = key_function(need(statement, "key")),
                                 value = value_function(need(statement, "val"))](
                                    const Key& k, const std::int64_t& v) {
      return std::pair(key(k, v), value(k, v));
    }, {.name = name_of(statement)}));
  } else if (op == "transformValues") {
    transform_values(statement, in);
  } else if (op == "join" || op == "leftJoin" || op == "outerJoin") {
    join_tables(statement, op, in);
  } else {
    throw NotBuilt("table " + op);
  }
}

}  // namespace thalweg::golden
