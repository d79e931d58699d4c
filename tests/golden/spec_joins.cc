#include "golden/spec_options.h"
#include "golden/spec_topology.h"

namespace thalweg::golden {

namespace json = boost::json;

void SpecTopology::join(const json::value& statement, const Stream& in, bool left) {
  if (std::holds_alternative<GlobalTable>(variable(statement, "with"))) {
    return join_global_table(statement, in, left);
  }
  const Table& table = variable_as<Table>(statement, "with");
  Joined<Key, Value> joined{.name = name_of(statement)};
  if (field(statement, "grace")) {
    joined.grace = std::chrono::milliseconds(number_or(statement, "grace", 0));
  }
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

}  // namespace thalweg::golden
