// Tables grouped and transformed, and groups of streams.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <boost/json/array.hpp>

#include "golden/spec_options.h"
#include "golden/spec_topology.h"

namespace thalweg::golden {

namespace json = boost::json;

/// The transformer library of the spec language.
template <typename K>
class SpecTransformer final : public ValueTransformerWithKey<K, std::int64_t> {
 public:
  SpecTransformer(const json::value& parameters, std::string store)
      : kind_(text_or(parameters, "x")), store_name_(std::move(store)) {
    if (kind_ == "val") value_ = value_function(need(parameters, "val"));
  }

  void init(ValueTransformerContext& context) override {
    ValueTransformerWithKey<K, std::int64_t>::init(context);
    if (kind_ == "count") store_ = &context.key_value_store<Key, std::int64_t>(store_name_);
  }

  Value transform(const K& of, const std::int64_t* value) override {
    const Key& key = shown(of);
    if (kind_ == "val") return value_(key, value ? Value(*value) : Value());
    if (kind_ == "ts") {
      if (!value) return std::nullopt;
      return wrap_add(*value, to_millis(this->context().timestamp()));
    }
    if (kind_ != "count") throw SpecError("unknown transformer " + kind_);
    const std::int64_t* so_far = store_->get(key);
    const std::int64_t count = wrap_add(so_far ? *so_far : 0, 1);
    store_->put(key, count);
    return value ? Value(mix(*value, count)) : Value();
  }

 private:
  std::string kind_;
  std::string store_name_;
  ValueFunction value_;
  KeyValueStore<Key, std::int64_t>* store_ = nullptr;
};

template <typename K>
void SpecTopology::transform_values(const json::value& statement,
                                    const KTable<K, std::int64_t>& in) {
  std::vector<std::string> stores;
  if (const json::value* names = field(statement, "stores")) {
    for (const auto& name : names->as_array()) stores.emplace_back(name.as_string());
  }
  const std::string store = stores.empty() ? "" : stores.front();
  bind(statement, in.transform_values(
                      [parameters = need(statement, "xf"), store] {
                        return std::make_unique<SpecTransformer<K>>(parameters, store);
                      },
                      stores, materialized_as<K>(statement)));
}
template void SpecTopology::transform_values(const json::value&, const Table&);
template void SpecTopology::transform_values(const json::value&, const WindowedTable&);

void SpecTopology::on_grouped_table(const json::value& statement, const std::string& op,
                                    const GroupedTable& in) {
  if (op == "count") {
    bind(statement, in.count(materialized(statement)));
  } else if (op == "reduce") {
    const auto reduce = [&](const char* name) {
      return [reduce = reducer(need(statement, name))](const Value& a, const Value& b) {
        return reduce(a, b);
      };
    };
    bind(statement, in.reduce(reduce("red"), reduce("sub"), materialized(statement)));
  } else if (op == "aggregate") {
    Value init;
    if (field(statement, "init")) init = number_or(statement, "init", 0);
    const auto fold = [&](const char* name) {
      return [fold = aggregator(need(statement, name))](
                 const Key& k, const std::int64_t& v, const Value& a) { return fold(k, v, a); };
    };
    bind(statement, in.aggregate([init] { return init; }, fold("agg"), fold("sub"),
                                 materialized(statement)));
  } else {
    throw NotBuilt("grouped table " + op);
  }
}

template <typename K>
void SpecTopology::on_cogrouped(const json::value& statement, const std::string& op,
                                const CogroupedKStream<K, Value>& in) {
  if (op == "cogroup") {
    bind(statement, in.cogroup(variable_as<KGroupedStream<K, Value>>(statement, "with"),
                               [fold = aggregator(need(statement, "agg"))](
                                   const K& k, const Value& v, const Value& a) {
                                 return fold(shown(k), v, a);
                               }));
  } else if (op == "windowedBy") {
    if constexpr (std::is_same_v<K, Key>) return windowed_by(statement, in);
    throw NotBuilt("windows of windowed keys");
  } else if (op == "aggregate") {
    Value init;
    if (field(statement, "init")) init = number_or(statement, "init", 0);
    auto options = materialized_as<K>(statement);
    options.key_serde = key_serde_of<K>(statement);
    bind(statement, in.aggregate([init] { return init; }, options));
  } else {
    throw NotBuilt("cogrouped " + op);
  }
}
template void SpecTopology::on_cogrouped(const json::value&, const std::string&, const Cogrouped&);
template void SpecTopology::on_cogrouped(const json::value&, const std::string&,
                                         const WindowedCogrouped&);

}  // namespace thalweg::golden
