#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <thalweg/schemas/serde.h>
#include <thalweg/schemas/timestamp.h>
#include <thalweg/topology/auto_offset_reset.h>
#include <thalweg/topology/partitioner.h>
#include <thalweg/topology/processor_wrapper.h>
#include <thalweg/topology/timestamp_extractor.h>

namespace thalweg {

template <typename K, typename V>
class KStream;

// Optional arguments of operators: plain aggregates, filled with designated initialisers:
//
//     stream.group_by_key().count({.store = "counts"});
//
// A name replaces the generated node name (`KSTREAM-FILTER-0000000001`); Kafka Streams' rules for
// names apply ([A-Za-z0-9._-], at most 249 characters).

// Serdes: a source reads with its type's own Serde<T> unless told otherwise, which is checked when
// the program is compiled. Behind it, whatever needs bytes (sink, repartition topic, store) takes,
// in this order: the serde in its own options, the one that came down the stream with the unchanged
// key or value, the type's own. If there is none of them, the call throws TopologyError. A type
// that never leaves the topology needs no serde.

/// A serde that an option may override.
template <typename T>
using OptionalSerde = std::optional<AnySerde<payload_t<T>>>;

namespace internal {

template <typename T>
AnySerde<payload_t<T>> default_serde() {
  static_assert(Serializable<payload_t<T>>,
                "this key or value type has no serde: specialise thalweg::Serde<T> for it, or pass "
                "one in the options of the operator");
  return AnySerde<payload_t<T>>{};
}

}  // namespace internal

/// Where the DSL's operators keep their state, unless their own options say something else.
enum class DslStore : std::uint8_t {
  kRocksDb,   ///< In memory and on disk.
  kInMemory,  ///< Not on disk: each start restores the whole changelog.
};

/// How StreamsBuilder::build() goes about it.
struct TopologyConfig {
  /// `topology.optimization`: "none", "all", or a comma-separated list of
  /// "merge.repartition.topics", "reuse.ktable.source.topics" and "single.store.self.join".
  std::string optimization = "none";
  /// `ensure.explicit.internal.resource.naming`: refuse stores and internal topics with generated
  /// names, which a later version of the topology might give to others.
  bool ensure_explicit_internal_resource_naming = false;
  /// `processor.wrapper.class`: stands around every processor; absent: around none.
  ProcessorWrapper processor_wrapper = {};
};

/// The name of an operator without further options.
struct Named {
  std::string name = {};
};

/// One branch of a split, and what becomes of it there and then.
template <typename K, typename V>
struct Branched {
  std::string name = {};  ///< Added to the name of the split.
  /// Continues the branch: what it returns is the branch in the split's result.
  std::function<KStream<K, V>(KStream<K, V> branch)> chain = {};
  /// Takes the branch, which then is not in the split's result. Not together with `chain`.
  std::function<void(KStream<K, V> branch)> consumer = {};
};

/// All topics whose whole name matches a regular expression (ECMAScript): those that exist when the
/// application starts, and on Kafka those that appear later.
struct TopicPattern {
  explicit TopicPattern(std::string regular_expression) : regex(std::move(regular_expression)) {}
  std::string regex;
};

/// How to read a topic.
template <typename K, typename V>
struct Consumed {
  std::string name = {};
  AnySerde<payload_t<K>> key_serde = internal::default_serde<K>();
  AnySerde<payload_t<V>> value_serde = internal::default_serde<V>();
  /// The record's time, by default its own timestamp.
  TimestampExtractor<K, V> timestamp_extractor = {};
  /// Absent: earliest.
  std::optional<AutoOffsetReset> auto_offset_reset = {};
};

/// How to write a topic.
template <typename K, typename V>
struct Produced {
  std::string name = {};
  OptionalSerde<K> key_serde = {};
  OptionalSerde<V> value_serde = {};
  /// Chooses the partition; absent: murmur2 of the key's bytes, as Java's producer does.
  StreamPartitioner<K, V> partitioner = {};
};

/// How to know a record that came before.
struct Deduplicated {
  std::string name = {};
  std::string store = {};            ///< In which ids are kept; empty: a generated name.
  std::chrono::milliseconds within;  ///< A record is the same if it comes within so long of it.
};

/// How to read and write the repartition topic that a grouping may need.
template <typename K, typename V>
struct Grouped {
  std::string name = {};
  OptionalSerde<K> key_serde = {};
  OptionalSerde<V> value_serde = {};
};

/// An explicit repartition topic.
template <typename K, typename V>
struct Repartitioned {
  std::string name = {};
  OptionalSerde<K> key_serde = {};
  OptionalSerde<V> value_serde = {};
  std::optional<std::int32_t> partitions = {};  ///< At least 1: seen when an application starts.
  StreamPartitioner<K, V> partitioner = {};
};

/// How to keep a table. A named store can be queried; without a name it may not exist at all.
template <typename K, typename V>
struct Materialized {
  std::string name = {};  ///< Of the processor node.
  std::string store = {};
  OptionalSerde<K> key_serde = {};
  OptionalSerde<V> value_serde = {};
  bool logging = true;
  bool caching = true;
  std::optional<bool> persistent = {};  ///< Absent: as the StreamsBuilder's DslStore says.
  std::vector<std::pair<std::string, std::string>> changelog_config = {};
  /// Keep only as many rows, those used last, in memory.
  std::optional<std::size_t> max_entries = {};
  /// False: rows have no timestamps when they are read again.
  bool timestamps = true;
  /// Delete rows that have not been written for so long, by the latest timestamp in the store;
  /// each deletion goes downstream and into the changelog.
  std::optional<std::chrono::milliseconds> time_to_live = {};
  /// Only of a windowed table: how long its windows are kept; absent: as long as they may change.
  std::optional<std::chrono::milliseconds> retention = {};
  /// Makes the table *versioned*: it remembers what its rows were, this far back. Needs a store
  /// name. What is computed from the latest rows, joins with tables and aggregations, then leaves
  /// out what comes late; a stream finds the rows as they were at its records' time.
  std::optional<std::chrono::milliseconds> history_retention = {};
  std::optional<std::chrono::milliseconds> segment_interval = {};  ///< Of a versioned table.
  /// Whether the store comes from a supplier, in Kafka Streams' words: it is of just the kind that
  /// is described here, whatever would suit the operator best (windows that are emitted as they
  /// close then lie in the order of their keys, not of time), and its name, which may be empty, is
  /// not checked before its changelog topic is made. Stores with `max_entries`, with
  /// `history_retention` or without timestamps come from suppliers anyway.
  bool store_supplier = false;
};

/// How a stream is joined with a table; serdes of the repartition topic and the buffer it may need.
template <typename K, typename V>
struct Joined {
  std::string name = {};
  OptionalSerde<K> key_serde = {};
  OptionalSerde<V> value_serde = {};
  /// How long, by stream time, a record waits for rows that come later than it and are older. They
  /// are kept in a buffer, which gives them out in the order of their times. Only with a versioned
  /// table; a record that waits needs a key.
  std::optional<std::chrono::milliseconds> grace = {};
};

/// A window store of your own, for a join of streams.
struct WindowStoreSupplier {
  std::string name;
  std::chrono::milliseconds retention;    ///< The windows' size and grace.
  std::chrono::milliseconds window_size;  ///< The windows' size.
  bool retain_duplicates = true;          ///< Has to be.
  bool persistent = true;
};

/// The stores in which a join of streams keeps records.
struct StreamJoinStores {
  std::string name = {};                ///< What the stores' names begin with; empty: generated.
  std::optional<bool> persistent = {};  ///< Absent: as the StreamsBuilder's DslStore says.
  bool logging = true;
  std::vector<std::pair<std::string, std::string>> changelog_config = {};
  /// Instead of those that would be made.
  std::optional<WindowStoreSupplier> this_store = {};
  std::optional<WindowStoreSupplier> other_store = {};
};

/// Serdes and stores of a join of streams.
template <typename K, typename V, typename VO>
struct StreamJoined {
  std::string name = {};
  OptionalSerde<K> key_serde = {};
  OptionalSerde<V> value_serde = {};
  OptionalSerde<VO> other_value_serde = {};
  StreamJoinStores stores = {};
};

/// Chooses the partition of an internal topic for a table's key.
template <typename K>
using TablePartitioner = std::function<std::int32_t(const K& key, std::int32_t partitions)>;

/// The name of a foreign key join, and how its two tables are partitioned where that is not by the
/// murmur2 of their keys' bytes.
template <typename K, typename KO>
struct TableJoined {
  std::string name = {};
  TablePartitioner<K> partitioner = {};         ///< Of this table, whose result it is.
  TablePartitioner<KO> other_partitioner = {};  ///< Of the other, which is looked up.
};

}  // namespace thalweg
