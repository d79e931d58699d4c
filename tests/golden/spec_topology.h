#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <variant>

#include <boost/json/value.hpp>

#include <thalweg/topology/streams_builder.h>
#include <thalweg/topology/windowed_serdes.h>

#include "golden/spec_functions.h"

namespace thalweg::golden {

/// Builds the topology of a spec, statement by statement: one statement is one call of the DSL.
/// Its members are in the files that their statements name: spec_streams.cc, spec_tables.cc, ...
class SpecTopology {
 public:
  explicit SpecTopology(DslStore dsl_store = DslStore::kRocksDb) : builder_(dsl_store) {}

  /// Throws SpecError for what the interpreter does not know, TopologyError where the DSL does.
  void run(const boost::json::value& statement);
  Topology build(const TopologyConfig& config) { return builder_.build(config); }

  /// How each store shows its entries: `kv` or `tskv`.
  const std::map<std::string, std::string>& store_kinds() const { return store_kinds_; }
  /// Topics whose keys are windowed, which shows them as bytes.
  const std::set<std::string>& windowed_topics() const { return windowed_topics_; }

 private:
  using Stream = KStream<Key, Value>;
  using Table = KTable<Key, std::int64_t>;
  using Grouped = KGroupedStream<Key, Value>;
  using WindowedStream = KStream<Windowed<Key>, Value>;
  using WindowedTable = KTable<Windowed<Key>, std::int64_t>;
  using WindowedGrouped = KGroupedStream<Windowed<Key>, Value>;
  using WindowedCogrouped = CogroupedKStream<Windowed<Key>, Value>;
  /// A grouping, or several, with windows of one kind.
  struct Windowing {
    std::variant<TimeWindowedKStream<Key, Value, TimeWindows>,
                 TimeWindowedKStream<Key, Value, SlidingWindows>,
                 TimeWindowedKStream<Key, Value, UnlimitedWindows>,
                 SessionWindowedKStream<Key, Value>,
                 TimeWindowedCogroupedKStream<Key, Value, TimeWindows>,
                 TimeWindowedCogroupedKStream<Key, Value, SlidingWindows>,
                 TimeWindowedCogroupedKStream<Key, Value, UnlimitedWindows>,
                 SessionWindowedCogroupedKStream<Key, Value>>
        stream;
    std::chrono::milliseconds retention{0};  ///< What its store must keep at least.
  };
  using GroupedTable = KGroupedTable<Key, Value>;
  using Cogrouped = CogroupedKStream<Key, Value>;
  using GlobalTable = GlobalKTable<Key, std::int64_t>;
  using Variable = std::variant<Stream, Table, Grouped, GroupedTable, Cogrouped, GlobalTable,
                                WindowedStream, WindowedTable, WindowedGrouped,
                                WindowedCogrouped, Windowing>;

  void source(const boost::json::value& statement, const std::string& op);
  // Of streams and groupings with plain keys (K is Key) and with windowed ones.
  template <typename K>
  void on_stream(const boost::json::value& statement, const std::string& op,
                 const KStream<K, Value>& in);
  template <typename K>
  bool stateless(const boost::json::value& statement, const std::string& op,
                 const KStream<K, Value>& in);
  template <typename K>
  bool change_key(const boost::json::value& statement, const std::string& op,
                  const KStream<K, Value>& in);
  void on_table(const boost::json::value& statement, const std::string& op, const Table& in);
  template <typename K>
  void on_grouped(const boost::json::value& statement, const std::string& op,
                  const KGroupedStream<K, Value>& in);
  template <typename Streams>
  void windowed_by(const boost::json::value& statement, const Streams& in);
  void on_windowing(const boost::json::value& statement, const std::string& op,
                    const Windowing& in);
  template <typename Windows>
  void aggregate_windows(const boost::json::value& statement, const std::string& op,
                         const Windows& in, const Materialized<Key, std::int64_t>& options);
  void on_windowed_table(const boost::json::value& statement, const std::string& op,
                         const WindowedTable& in);
  void group_rows(const boost::json::value& statement, const WindowedTable& in);
  static Suppressed suppressed(const boost::json::value& statement);
  void on_grouped_table(const boost::json::value& statement, const std::string& op,
                        const GroupedTable& in);
  template <typename K>
  void on_cogrouped(const boost::json::value& statement, const std::string& op,
                    const CogroupedKStream<K, Value>& in);
  template <typename K>
  void join_tables(const boost::json::value& statement, const std::string& op,
                   const KTable<K, std::int64_t>& in);
  template <typename K>
  void join_by_foreign_key(const boost::json::value& statement, const std::string& op,
                           const KTable<K, std::int64_t>& in);
  template <typename K>
  void join_streams(const boost::json::value& statement, const std::string& op,
                    const KStream<K, Value>& in);
  template <typename K>
  void join_global_table(const boost::json::value& statement, const KStream<K, Value>& in,
                         bool left);
  template <typename K>
  void transform_values(const boost::json::value& statement, const KTable<K, std::int64_t>& in);
  void add_global_store(const boost::json::value& statement);
  template <typename K>
  void split(const boost::json::value& statement, const KStream<K, Value>& in);
  template <typename K>
  void process(const boost::json::value& statement, const KStream<K, Value>& in, bool fixed_key);
  template <typename K>
  void join(const boost::json::value& statement, const KStream<K, Value>& in, bool left);
  template <typename K>
  void sink(const boost::json::value& statement, const KStream<K, Value>& in);
  std::shared_ptr<StoreBuilder> store_builder(const boost::json::value& spec);

  const Variable& variable(const boost::json::value& statement, const char* name) const;
  template <typename T>
  const T& variable_as(const boost::json::value& statement, const char* name) const {
    const T* found = std::get_if<T>(&variable(statement, name));
    if (!found) throw SpecError(std::string("variable of another kind: ") + name);
    return *found;
  }
  void bind(const boost::json::value& statement, Variable value);
  /// What Kafka Streams' interpreter passes wherever keys become bytes: of windowed ones, the serde
  /// of their windows; of others it is the type's own.
  template <typename K>
  OptionalSerde<K> key_serde_of(const boost::json::value& statement) const {
    if constexpr (std::is_same_v<K, Windowed<Key>>) {
      return windowed_serdes_.at(text_or(statement, "in"));
    }
    return std::nullopt;
  }

  StreamsBuilder builder_;
  std::map<std::string, Variable> variables_;
  std::map<std::string, std::string> store_kinds_;
  std::set<std::string> windowed_topics_;
  std::map<std::string, AnySerde<Windowed<Key>>> windowed_serdes_;  // By variable.
};

/// A windowed key as text: `key@start/end`.
Key shown(const Windowed<Key>& key);
inline const Key& shown(const Key& key) { return key; }

}  // namespace thalweg::golden
