#include "golden/spec_options.h"
#include "golden/spec_topology.h"

namespace thalweg::golden {

namespace json = boost::json;

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
  } else if (op == "windowedBy") {
    windowed_by(statement, in);
  } else if (op == "cogroup") {
    bind(statement, in.cogroup<Value>([fold = aggregator(need(statement, "agg"))](
                                          const Key& k, const Value& v, const Value& a) {
      return fold(k, v, a);
    }));
  } else {
    throw NotBuilt("grouped " + op);
  }
}

}  // namespace thalweg::golden
