#include "golden/spec_options.h"
#include "golden/spec_topology.h"

namespace thalweg::golden {

namespace json = boost::json;

template <typename K>
void SpecTopology::on_grouped(const json::value& statement, const std::string& op,
                              const KGroupedStream<K, Value>& in) {
  if (op == "count") {
    bind(statement, in.count(materialized_as<K>(statement)));
  } else if (op == "reduce") {
    bind(statement, in.reduce([reduce = reducer(need(statement, "red"))](
                                  const Value& a, const Value& b) { return reduce(a, b); },
                              materialized_as<K>(statement)));
  } else if (op == "aggregate") {
    Value init;
    if (field(statement, "init")) init = number_or(statement, "init", 0);
    bind(statement,
         in.aggregate([init] { return init; },
                      [fold = aggregator(need(statement, "agg"))](
                          const K& k, const std::int64_t& v,
                          const Value& a) { return fold(shown(k), v, a); },
                      materialized_as<K>(statement)));
  } else if (op == "windowedBy") {
    if constexpr (std::is_same_v<K, Key>) return windowed_by(statement, in);
    throw NotBuilt("windows of windowed keys");
  } else if (op == "cogroup") {
    bind(statement, in.template cogroup<Value>([fold = aggregator(need(statement, "agg"))](
                                          const K& k, const Value& v, const Value& a) {
      return fold(shown(k), v, a);
    }));
  } else {
    throw NotBuilt("grouped " + op);
  }
}
template void SpecTopology::on_grouped(const json::value&, const std::string&, const Grouped&);
template void SpecTopology::on_grouped(const json::value&, const std::string&,
                                       const WindowedGrouped&);

}  // namespace thalweg::golden
