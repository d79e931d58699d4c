#include "golden/spec_options.h"
#include "golden/spec_topology.h"

namespace thalweg::golden {

namespace json = boost::json;

template <typename K>
void SpecTopology::join(const json::value& statement, const KStream<K, Value>& in, bool left) {
  if (std::holds_alternative<GlobalTable>(variable(statement, "with"))) {
    return join_global_table(statement, in, left);
  }
  const auto& table = variable_as<KTable<K, std::int64_t>>(statement, "with");
  Joined<K, Value> joined{.name = name_of(statement), .key_serde = key_serde_of<K>(statement)};
  if (field(statement, "grace")) {
    joined.grace = std::chrono::milliseconds(number_or(statement, "grace", 0));
  }
  auto join = joiner(need(statement, "joiner"));
  if (left) {
    bind(statement, in.left_join(table, [join](const K& k, const std::int64_t& v,
                                               const std::int64_t* row) {
      return join(shown(k), v, row ? Value(*row) : Value());
    }, joined));
  } else {
    bind(statement, in.join(table, [join](const K& k, const std::int64_t& v,
                                          const std::int64_t& row) {
      return join(shown(k), v, row);
    }, joined));
  }
}
template void SpecTopology::join(const json::value&, const Stream&, bool);
template void SpecTopology::join(const json::value&, const WindowedStream&, bool);

}  // namespace thalweg::golden
