#pragma once

#include <concepts>
#include <map>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <thalweg/topology/internal/functions.h>
#include <thalweg/topology/internal/stream_graph.h>
#include <thalweg/topology/internal/stream_joiners.h>
#include <thalweg/topology/join_windows.h>
#include <thalweg/topology/options.h>
#include <thalweg/topology/printed.h>
#include <thalweg/topology/processor.h>
#include <thalweg/topology/topic_name_extractor.h>

namespace thalweg {

template <typename K, typename V>
class KTable;
template <typename K, typename V>
class KGroupedStream;
template <typename K, typename V>
class BranchedKStream;
template <typename K, typename V>
class GlobalKTable;
template <typename K, typename V, typename R>
class AsyncCall;
template <typename V, typename R>
struct AsyncOutcome;
struct AsyncOptions;

/// `void function(AsyncCall<K, V, R> call)`
template <typename F, typename K, typename V, typename R>
concept AsyncFunction = std::copy_constructible<F> && std::invocable<F&, AsyncCall<K, V, R>>;

namespace internal {
template <typename K, typename V>
struct Branches;
}

/// A record stream: each record is a fact of its own, such as "order 7 was placed".
///
/// A KStream is a small, copyable handle on one node of the plan that a StreamsBuilder owns. An
/// operator adds a node and returns a handle on it; no record moves until the Topology is run.
/// Handles must not outlive their builder. Build a topology from one thread.
///
/// Functions passed to an operator are copied into the plan, and from there into each task; there
/// they are called once per record, by one thread at a time. What they throw ends the task, or goes
/// to the processing exception handler. Children of a node get its records in the order in which
/// they were added; timestamps and headers are inherited.
///
/// A stream whose keys or values may be null has std::optional<T> for K or V.
///
///     builder.stream<std::string, Order>("orders")
///         .filter([](const std::string&, const Order& order) { return order.quantity > 0; })
///         .join(stock, reserve, {.name = "reserve-stock"})
///         .to("reservations");
template <typename K, typename V>
class KStream {
 public:
  using Key = K;
  using Value = V;

  // --- One record in, at most one out --------------------------------------------------------

  /// Keeps the records for which `predicate(key, value)` is true.
  template <KeyValuePredicate<K, V> P>
  KStream filter(P predicate, Named named = {}) const;

  /// Keeps the records for which `predicate(key, value)` is false.
  template <KeyValuePredicate<K, V> P>
  KStream filter_not(P predicate, Named named = {}) const;

  /// Replaces each record by the std::pair of key and value that `mapper(key, value)` returns.
  /// Marks the stream for repartitioning: the next grouping or join goes through a topic.
  template <KeyValueMapper<K, V> F>
  auto map(F mapper, Named named = {}) const
      -> KStream<pair_key_t<mapped_t<F, K, V>>, pair_value_t<mapped_t<F, K, V>>>;

  /// Replaces each value by `mapper(value)` or `mapper(key, value)`. The key stays, so no
  /// repartitioning follows. A mapper that returns std::optional makes a stream of nullable values.
  template <ValueMapper<K, V> F>
  auto map_values(F mapper, Named named = {}) const -> KStream<K, mapped_value_t<F, K, V>>;

  /// Gives each record the key `selector(key, value)`.
  /// Marks the stream for repartitioning: the next grouping or join goes through a topic.
  template <KeySelector<K, V> F>
  auto select_key(F selector, Named named = {}) const -> KStream<mapped_t<F, K, V>, V>;

  /// Calls `action(key, value)` for each record and passes the record on.
  template <KeyValueAction<K, V> F>
  KStream peek(F action, Named named = {}) const;

  // --- One record in, any number out ---------------------------------------------------------

  /// Replaces each record by the pairs in the range that `mapper(key, value)` returns.
  /// Marks the stream for repartitioning.
  template <KeyValueFlatMapper<K, V> F>
  auto flat_map(F mapper, Named named = {}) const
      -> KStream<pair_key_t<range_value_t<mapped_t<F, K, V>>>,
                 pair_value_t<range_value_t<mapped_t<F, K, V>>>>;

  /// Replaces each value by those in the range that `mapper(value)` or `mapper(key, value)`
  /// returns.
  template <FlatValueMapper<K, V> F>
  auto flat_map_values(F mapper, Named named = {}) const
      -> KStream<K, range_value_t<mapped_value_t<F, K, V>>>;

  // --- Several streams -----------------------------------------------------------------------

  /// Sends each record to the first branch whose predicate it meets.
  ///
  ///     auto branches = orders.split({.name = "orders-"})
  ///                         .branch(is_large, {.name = "large"})
  ///                         .default_branch({.name = "small"});
  ///     branches.at("orders-large").to("large-orders");
  BranchedKStream<K, V> split(Named named = {}) const;

  /// The records of both streams. Repartitioned later if either is marked for it.
  KStream merge(const KStream& other, Named named = {}) const;

  // --- Repartitioning and grouping -----------------------------------------------------------

  /// Sends the stream through an internal topic, partitioned by its current key. Records whose key
  /// is null are dropped.
  KStream repartition(Repartitioned<K, V> repartitioned = {}) const;

  /// Groups by the current key, through a repartition topic if the key has changed.
  KGroupedStream<K, V> group_by_key(Grouped<K, V> grouped = {}) const;

  /// Groups by `selector(key, value)`: always through a repartition topic.
  template <KeySelector<K, V> F>
  auto group_by(F selector, Grouped<mapped_t<F, K, V>, V> grouped = {}) const
      -> KGroupedStream<mapped_t<F, K, V>, V>;

  // --- Joins with streams --------------------------------------------------------------------

  /// Emits `joiner(value, other)` or `joiner(key, value, other)` for each pair of records of the
  /// two streams with the same key and times that are near enough, when the later one of them
  /// arrives; its timestamp is the later one's. Records with a null key or value are dropped and
  /// counted. Both streams are kept in stores as long as the windows last; both need the same
  /// partition count, and start-up fails otherwise.
  ///
  ///     orders.join(payments, confirm, JoinWindows::of_time_difference_with_no_grace(5min));
  template <CopartitionedWith<K> KO, typename VO,
            StreamTableJoiner<payload_t<K>, payload_t<V>, payload_t<VO>> J>
  auto join(const KStream<KO, VO>& other, J joiner, JoinWindows windows,
            StreamJoined<K, V, VO> joined = {}) const
      -> KStream<K, joined_t<J, payload_t<K>, payload_t<V>, payload_t<VO>>>;

  /// Like join(), but a record of this stream for which nobody came is emitted too, once its window
  /// has closed: then the joiner gets a null pointer, or an empty std::optional, as it wants. One
  /// with a null key is emitted alone at once.
  template <CopartitionedWith<K> KO, typename VO,
            StreamTableLeftJoiner<K, payload_t<V>, payload_t<VO>> J>
  auto left_join(const KStream<KO, VO>& other, J joiner, JoinWindows windows,
                 StreamJoined<K, V, VO> joined = {}) const
      -> KStream<K, left_joined_t<J, K, payload_t<V>, payload_t<VO>>>;

  /// Like left_join(), for both streams: `joiner(value, other)`, where one may be missing.
  template <CopartitionedWith<K> KO, typename VO,
            StreamOuterJoinerOf<K, payload_t<V>, payload_t<VO>> J>
  auto outer_join(const KStream<KO, VO>& other, J joiner, JoinWindows windows,
                  StreamJoined<K, V, VO> joined = {}) const
      -> KStream<K, internal::stream_joined_t<
                        internal::StreamOuterJoiner<J, K, payload_t<V>, payload_t<VO>>, K,
                        payload_t<V>, payload_t<VO>>>;

  // --- Joins with tables ---------------------------------------------------------------------

  /// For each record, emits `joiner(value, row)` or `joiner(key, value, row)` if `table` has a row
  /// for its key now. Table updates emit nothing. Records with a null key or value are dropped and
  /// counted. Both inputs need the same partition count; start-up fails otherwise.
  template <CopartitionedWith<payload_t<K>> TK, typename TV,
            StreamTableJoiner<payload_t<K>, payload_t<V>, TV> J>
  auto join(const KTable<TK, TV>& table, J joiner, Joined<K, V> joined = {}) const
      -> KStream<K, joined_t<J, payload_t<K>, payload_t<V>, TV>>;

  /// Like join(), but a record without a row is emitted too: `row` is a const TV* that is null
  /// then, or a std::optional<TV>, as the joiner wants it. A record with a null key has no row.
  template <CopartitionedWith<payload_t<K>> TK, typename TV,
            StreamTableLeftJoiner<K, payload_t<V>, TV> J>
  auto left_join(const KTable<TK, TV>& table, J joiner, Joined<K, V> joined = {}) const
      -> KStream<K, left_joined_t<J, K, payload_t<V>, TV>>;

  /// For each record, emits `joiner(value, row)` or `joiner(key, value, row)` if the global table
  /// has a row for the key `selector(key, value)` now. No repartitioning is needed. Records with a
  /// null value, or for which the selector gives null, are dropped and counted.
  template <typename GK, typename GV, RowKeySelector<K, V, GK> F,
            StreamTableJoiner<K, payload_t<V>, GV> J>
  auto join(const GlobalKTable<GK, GV>& table, F selector, J joiner, Named named = {}) const
      -> KStream<K, joined_t<J, K, payload_t<V>, GV>>;

  /// Like join(), but a record without a row is emitted too, as left_join() with a table does; so
  /// is one for which the selector gives null.
  template <typename GK, typename GV, RowKeySelector<K, V, GK> F,
            StreamTableLeftJoiner<K, payload_t<V>, GV> J>
  auto left_join(const GlobalKTable<GK, GV>& table, F selector, J joiner, Named named = {}) const
      -> KStream<K, left_joined_t<J, K, payload_t<V>, GV>>;

  // --- Tables --------------------------------------------------------------------------------

  /// Reads the stream as the changes of a table: a null value deletes, a null key is dropped.
  auto to_table(Materialized<payload_t<K>, payload_t<V>> materialized = {}) const
      -> KTable<payload_t<K>, payload_t<V>>;

  // --- Calls to the outside ------------------------------------------------------------------

  /// Calls `function(AsyncCall<K, V, R> call)` for each record, which returns at once and answers
  /// later with an R, from any thread; the answers come downstream. Retries, order, and what a
  /// crash does: see <thalweg/topology/async.h>, which has to be included.
  template <typename R, AsyncFunction<K, V, R> F>
  auto map_async(F function, AsyncOptions options) const -> KStream<K, AsyncOutcome<V, R>>;

  // --- Without duplicates --------------------------------------------------------------------

  /// Drops a record if one with the same `id(key, value)` came within `deduplicated.within` of it
  /// and was not dropped itself. A record with a null id passes. Ids are kept in a window store of
  /// the task: repartition by the id first, unless equal ids come with equal keys.
  template <KeySelector<K, V> F>
  KStream deduplicate(F id, Deduplicated deduplicated) const;

  // --- Ends ----------------------------------------------------------------------------------

  /// Writes a line for each record, for looking at. Without a mapper, keys and values are written
  /// with operator<<.
  void print(Printed<K, V> printed = {}) const;

  /// Calls `action(key, value)` for each record.
  template <KeyValueAction<K, V> F>
  void for_each(F action, Named named = {}) const;

  /// Writes every record to `topic`, which must exist before the application starts.
  void to(std::string topic, Produced<K, V> produced = {}) const;

  /// Writes each record to the topic that `extractor` chooses for it.
  void to(TopicNameExtractor<K, V> extractor, Produced<K, V> produced = {}) const;

  // --- Processor API -------------------------------------------------------------------------

  /// Runs a processor of your own. `supplier()` returns a std::unique_ptr to a class derived from
  /// Processor<K, V, KOut, VOut> and is called once per task. The processor may use the `stores`,
  /// which add_state_store() or a table's name gave to the builder, and those that a member
  /// `stores()` of the supplier returns builders of. Marks the stream for repartitioning.
  template <ProcessorSupplier<K, V> S>
  auto process(S supplier, std::vector<std::string> stores = {}, Named named = {}) const
      -> KStream<typename supplied_t<S>::OutputKey, typename supplied_t<S>::OutputValue>;

  /// Like process(), with a class derived from FixedKeyProcessor<K, V, VOut>: the key stays, so no
  /// repartitioning follows.
  template <FixedKeyProcessorSupplier<K, V> S>
  auto process_values(S supplier, std::vector<std::string> stores = {}, Named named = {}) const
      -> KStream<K, typename supplied_t<S>::OutputValue>;

 private:
  friend struct internal::Dsl;
  friend class BranchedKStream<K, V>;
  explicit KStream(internal::StreamHandle handle, OptionalSerde<K> key_serde = {},
                   OptionalSerde<V> value_serde = {})
      : handle_(std::move(handle)),
        key_serde_(std::move(key_serde)),
        value_serde_(std::move(value_serde)) {}

  template <typename VO>
  StreamJoined<K, V, VO> with_serdes(StreamJoined<K, V, VO> joined,
                                     const KStream<K, VO>& other) const;

  internal::StreamHandle handle_;
  OptionalSerde<K> key_serde_;  // What came down the stream; absent: the type's own.
  OptionalSerde<V> value_serde_;
};

/// A split in the making: branches in the order in which they are tried.
template <typename K, typename V>
class BranchedKStream {
 public:
  /// Adds a branch for the records that meet `predicate(key, value)` and no earlier one.
  template <KeyValuePredicate<K, V> P>
  BranchedKStream& branch(P predicate, Branched<K, V> branched = {});

  /// Ends the split with a branch for all other records. Returns the branches by name: that of the
  /// split followed by that of the branch, or by its number (1, 2, ...; 0 for the default branch).
  /// A branch that was given a `chain` is in it as the chain's result; one that was given a
  /// `consumer` is not in it.
  std::map<std::string, KStream<K, V>> default_branch(Branched<K, V> branched = {});

  /// Ends the split; all other records are dropped.
  std::map<std::string, KStream<K, V>> no_default_branch();

 private:
  friend struct internal::Dsl;
  BranchedKStream(KStream<K, V> source, internal::GraphNode* node, std::string name,
                  std::shared_ptr<internal::Branches<K, V>> plan)
      : source_(std::move(source)), node_(node), name_(std::move(name)), plan_(std::move(plan)) {}

  void check_open() const;
  void add(const Branched<K, V>& branched, std::size_t number);

  KStream<K, V> source_;
  internal::GraphNode* node_;  // The splitter, which hands records to the children named in plan_.
  std::string name_;
  std::shared_ptr<internal::Branches<K, V>> plan_;  // Shared with the splitter.
  std::map<std::string, KStream<K, V>> branches_;
  bool ended_ = false;
};

}  // namespace thalweg

#include <thalweg/topology/internal/dsl.h>
