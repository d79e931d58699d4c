// Joins with tables of all kinds but a stream with a table.

#include <memory>
#include <string>
#include <utility>

#include "golden/spec_options.h"
#include "golden/spec_topology.h"

namespace thalweg::golden {

namespace json = boost::json;

namespace {

Value value_of(const std::int64_t* number) { return number ? Value(*number) : Value(); }

}  // namespace

template <typename K>
void SpecTopology::join_tables(const json::value& statement, const std::string& op,
                               const KTable<K, std::int64_t>& in) {
  if (field(statement, "fk")) return join_by_foreign_key(statement, op, in);
  const auto& other = variable_as<KTable<K, std::int64_t>>(statement, "with");
  const Joiner join = joiner(need(statement, "joiner"));
  const auto options = materialized_as<K>(statement);
  if (op == "join") {
    bind(statement, in.join(other, [join](const std::int64_t& left, const std::int64_t& right) {
      return join(Key(), left, right);
    }, options));
  } else if (op == "leftJoin") {
    bind(statement,
         in.left_join(other, [join](const std::int64_t& left, const std::int64_t* right) {
           return join(Key(), left, value_of(right));
         }, options));
  } else {
    bind(statement,
         in.outer_join(other, [join](const std::int64_t* left, const std::int64_t* right) {
           return join(Key(), value_of(left), value_of(right));
         }, options));
  }
}
template void SpecTopology::join_tables(const json::value&, const std::string&, const Table&);
template void SpecTopology::join_tables(const json::value&, const std::string&,
                                        const WindowedTable&);

template <typename K>
void SpecTopology::join_by_foreign_key(const json::value& statement, const std::string& op,
                                       const KTable<K, std::int64_t>& in) {
  const Table& other = variable_as<Table>(statement, "with");
  const Joiner join = joiner(need(statement, "joiner"));
  const auto with = [&](auto extractor) {
    auto options = materialized_as<K>(statement);
    const TableJoined<K, Key> joined{.name = std::exchange(options.name, {})};
    if (op == "join") {
      bind(statement, in.join(other, extractor,
                              [join](const std::int64_t& left, const std::int64_t& right) {
                                return join(Key(), left, right);
                              },
                              joined, options));
    } else {
      bind(statement, in.left_join(other, extractor,
                                   [join](const std::int64_t& left, const std::int64_t* right) {
                                     return join(Key(), left, value_of(right));
                                   },
                                   joined, options));
    }
  };
  const json::value& foreign_key = need(statement, "fk");
  if (flag_or(statement, "bi", false)) {
    with([select = key_selector<K>(foreign_key)](const K& k, const std::int64_t& v) {
      return select(k, v);
    });
  } else {
    with([select = key_function(foreign_key)](const std::int64_t& v) { return select(Key(), v); });
  }
}

void SpecTopology::add_global_store(const json::value& statement) {
  /// Ignores null keys, deletes on null values, else puts.
  class Keeper final : public Processor<Key, Value> {
   public:
    explicit Keeper(std::string store) : name_(std::move(store)) {}
    void init(ProcessorContext<Key, Value>& context) override {
      store_ = &context.key_value_store<Key, std::int64_t>(name_);
    }
    void process(const RecordRef<Key, Value>& record) override {
      if (record.key.is_null()) return;
      if (record.value) {
        store_->put(record.key, *record.value);
      } else {
        store_->remove(record.key);
      }
    }

   private:
    std::string name_;
    KeyValueStore<Key, std::int64_t>* store_ = nullptr;
  };
  const json::value& store = need(statement, "store");
  builder_.add_global_store<Key, Value>(
      store_builder(store), text_or(statement, "topic"),
      [name = text_or(store, "name")] { return std::make_unique<Keeper>(name); });
}

template <typename K>
void SpecTopology::join_global_table(const json::value& statement, const KStream<K, Value>& in,
                                     bool left) {
  const GlobalTable& table = variable_as<GlobalTable>(statement, "with");
  const auto selector = key_selector<K>(need(statement, "key"));
  const Joiner join = joiner(need(statement, "joiner"));
  const Named named{name_of(statement)};
  if (left) {
    bind(statement, in.left_join(table, selector, [join](const K& k, const std::int64_t& v,
                                                         const std::int64_t* row) {
      return join(shown(k), v, value_of(row));
    }, named));
  } else {
    bind(statement, in.join(table, selector, [join](const K& k, const std::int64_t& v,
                                                    const std::int64_t& row) {
      return join(shown(k), v, row);
    }, named));
  }
}
template void SpecTopology::join_global_table(const json::value&, const Stream&, bool);
template void SpecTopology::join_global_table(const json::value&, const WindowedStream&, bool);

}  // namespace thalweg::golden
