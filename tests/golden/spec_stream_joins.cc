// Joins of streams with streams.

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "golden/spec_options.h"
#include "golden/spec_topology.h"

namespace thalweg::golden {

namespace json = boost::json;

namespace {

using std::chrono::milliseconds;

milliseconds millis(const json::value& object, const char* name) {
  return milliseconds(need_number(object, name));
}

JoinWindows join_windows(const json::value& spec) {
  const milliseconds before = millis(spec, "before");
  const milliseconds after = millis(spec, "after");
  return JoinWindows::of_time_difference_and_grace(std::max(before, after), millis(spec, "grace"))
      .before(before)
      .after(after);
}

template <typename K>
StreamJoined<K, Value, Value> stream_joined(const json::value& statement,
                                            const JoinWindows& windows,
                                            OptionalSerde<K> key_serde) {
  StreamJoined<K, Value, Value> joined{.name = name_of(statement), .key_serde = key_serde};
  joined.stores.name = text_or(statement, "storeName");
  if (field(statement, "storeType")) {
    joined.stores.persistent = text_or(statement, "storeType") != "memory";
  }
  joined.stores.logging = flag_or(statement, "logging", true);
  const json::value* suppliers = field(statement, "suppliers");
  if (!suppliers) return joined;
  const auto retention = field(*suppliers, "retention") ? millis(*suppliers, "retention")
                                                        : windows.size() + windows.grace();
  const auto supplier = [&](const char* name) {
    return WindowStoreSupplier{.name = text_or(*suppliers, name),
                               .retention = retention,
                               .window_size = windows.size(),
                               .retain_duplicates = flag_or(*suppliers, "dups", true),
                               .persistent = text_or(*suppliers, "type", "rocksdb") != "memory"};
  };
  joined.stores.this_store = supplier("this");
  joined.stores.other_store = supplier("other");
  return joined;
}

Value value_of(const std::int64_t* number) { return number ? Value(*number) : Value(); }

}  // namespace

template <typename K>
void SpecTopology::join_streams(const json::value& statement, const std::string& op,
                                const KStream<K, Value>& in) {
  const auto& other = variable_as<KStream<K, Value>>(statement, "with");
  const JoinWindows windows = join_windows(need(statement, "windows"));
  const auto joined = stream_joined<K>(statement, windows, key_serde_of<K>(statement));
  for (const auto& store : {joined.stores.this_store, joined.stores.other_store}) {
    if (store) store_kinds_.emplace(store->name, "window");
  }
  const Joiner join = joiner(need(statement, "joiner"));
  if (op == "join") {
    bind(statement, in.join(
                        other,
                        [join](const K& k, const std::int64_t& left, const std::int64_t& right) {
                          return join(shown(k), left, right);
                        },
                        windows, joined));
  } else if (op == "leftJoin") {
    bind(statement, in.left_join(
                        other,
                        [join](const K& k, const std::int64_t& left, const std::int64_t* right) {
                          return join(shown(k), left, value_of(right));
                        },
                        windows, joined));
  } else {
    bind(statement, in.outer_join(
                        other,
                        [join](const K& k, const std::int64_t* left, const std::int64_t* right) {
                          return join(shown(k), value_of(left), value_of(right));
                        },
                        windows, joined));
  }
}
template void SpecTopology::join_streams(const json::value&, const std::string&, const Stream&);
template void SpecTopology::join_streams(const json::value&, const std::string&,
                                         const WindowedStream&);

}  // namespace thalweg::golden
