#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <thalweg/runtime/clock.h>
#include <thalweg/runtime/log.h>
#include <thalweg/runtime/metrics.h>
#include <thalweg/runtime/state_restore_listener.h>
#include <thalweg/runtime/streams_config.h>
#include <thalweg/schemas/partitioning.h>
#include <thalweg/state/key_value_store.h>
#include <thalweg/topology/topology.h>

namespace thalweg {

class Peers;

/// What an application runs on. Several applications of a process share one environment, which
/// outlives them.
struct Environment {
  Log* log = nullptr;
  Storage* storage = nullptr;  ///< Null: every store is in memory.
  Clock* clock = nullptr;
  MemoryBudget* budget = nullptr;
  MetricsRegistry* metrics = nullptr;
  /// Tells this process from others that run the same application on the same log, and stays the
  /// same when it starts again. Empty: there are no others.
  std::string instance = {};
  /// How tasks of other processes are asked; null: they are not.
  Peers* peers = nullptr;
};

/// One task as tools see it.
struct TaskInfo {
  enum class State : std::uint8_t { kCreated, kRestoring, kRunning, kParked, kClosed };
  TaskId id;
  State state = State::kCreated;
  std::int32_t worker = 0;
  Timestamp stream_time = kNoTimestamp;
  /// Committed position of each input.
  std::map<TopicPartition, Offset> positions;
  std::uint64_t processed = 0;
  struct Restore {
    std::string store;
    Offset from = 0;      ///< Where it began.
    Offset position = 0;  ///< Where it is; done at `end`.
    Offset end = 0;
  };
  std::vector<Restore> restores;
};

/// One store of a topology as tools see it.
struct StoreInfo {
  std::string name;
  StateStore::Kind kind;
  SchemaPtr key_schema;
  SchemaPtr value_schema;
  std::int32_t partitions = 0;         ///< Tasks that have one.
  std::vector<std::int32_t> available; ///< Partitions open here and restored.
  std::uint64_t approximate_entries = 0;
};

/// A copy of one partition of a store that runs in another process.
struct StandbyView {
  std::shared_ptr<const StoreView> view;
  Offset lag = 0;  ///< How many offsets of its changelog it was behind, about half a second ago.
};

/// Committed rows of one store over all its tasks. Any thread may have one of its own; where a task
/// is in another process (`Environment::peers`), reads wait for that one's answer.
///
/// Rows are those of committed transactions. Before an answer leaves the process, wait until
/// last_commit() is durable (Durability::when_durable): reads show commits that a crash could still
/// take back.
template <typename K, typename V>
class ReadOnlyKeyValueStore {
 public:
  ReadOnlyKeyValueStore(std::vector<std::shared_ptr<const StoreView>> by_partition,
                        AnySerde<K> key_serde, AnySerde<V> value_serde)
      : views_(std::move(by_partition)),
        key_serde_(std::move(key_serde)),
        value_serde_(std::move(value_serde)),
        window_bytes_(key_serde_.schema()->window_bytes()) {}

  using Row = ValueAndTimestamp<V>;

  /// The row of `key`. kUnavailable: its task is with nobody who answers, or still restoring.
  ///
  /// It asks the partition that the default partitioner gives the key, murmur2 of its bytes; of a
  /// windowed key (by its schema) that of the key within, then that of the whole. What something
  /// else has spread (`Repartitioned::partitioner`, `TableJoined::partitioner`, whoever writes the
  /// source topic) it may not find: find_in_all() does.
  Result<std::optional<Row>> get(const K& key) const {
    const std::string bytes = bytes_of(key);
    const auto partitions = static_cast<std::int32_t>(views_.size());
    const auto partition = partition_of_row(bytes, window_bytes_, partitions);
    auto row = read(partition, bytes);
    // A windowed key that was grouped by went through a topic as a whole.
    const auto of_whole = partition_of(bytes, partitions);
    if (!row || *row || of_whole == partition) return row;
    return read(of_whole, bytes);
  }

  /// The row of `key` in whichever partition it is, as Kafka Streams looks for it. Each miss asks
  /// all of them. kUnavailable: those that answer do not have it, and some do not answer.
  Result<std::optional<Row>> find_in_all(const K& key) const {
    const std::string bytes = bytes_of(key);
    Result<std::optional<Row>> nothing;
    for (std::int32_t i = 0; i < static_cast<std::int32_t>(views_.size()); ++i) {
      auto row = read(i, bytes);
      if (row && *row) return row;
      if (!row && nothing) nothing = std::unexpected(row.error());
    }
    return nothing;
  }

  /// Calls `visit(key, value, timestamp)` for every row, partition by partition, each in key order.
  template <typename Visit>
  Status for_each(Visit visit) const {
    for (const auto& view : views_) {
      if (!view) return failure(ErrorCode::kUnavailable, "a partition is not restored here yet");
      StoreView::Scan scan{.limit = 1000};
      for (;;) {
        auto page = view->scan(scan);
        if (!page) return std::unexpected(page.error());
        read_from(*view);
        for (const auto& entry : *page) {
          K key{};
          V value{};
          key_serde_.deserialize(entry.key, key);
          value_serde_.deserialize(entry.value, value);
          visit(key, value, entry.timestamp);
        }
        if (page->size() < scan.limit) break;
        scan.from = page->back().key + '\0';
      }
    }
    return {};
  }

  /// The newest commit whose writes the reads so far can have shown.
  CommitSequence last_commit() const { return last_commit_; }

 private:
  std::string bytes_of(const K& key) const {
    std::string bytes;
    key_serde_.serialize(key, bytes);
    return bytes;
  }
  Result<std::optional<Row>> read(std::int32_t partition, const std::string& key) const {
    const auto& view = views_[static_cast<std::size_t>(partition)];
    if (!view) return failure(ErrorCode::kUnavailable, "partition is not restored here yet");
    auto entry = view->get(key);
    if (!entry) return std::unexpected(entry.error());
    read_from(*view);
    if (!entry->has_value()) return std::optional<Row>{};
    std::optional<Row> row(std::in_place);
    value_serde_.deserialize((*entry)->value, row->value);
    row->timestamp = (*entry)->timestamp;
    return row;
  }
  void read_from(const StoreView& view) const {
    last_commit_ = std::max(last_commit_, view.last_commit());
  }

  std::vector<std::shared_ptr<const StoreView>> views_;
  AnySerde<K> key_serde_;
  AnySerde<V> value_serde_;
  std::size_t window_bytes_;
  mutable CommitSequence last_commit_ = 0;
};

/// Runs a topology: what KafkaStreams is in Java.
///
/// start() makes internal topics, starts `num.stream.threads` workers and returns; close() commits,
/// closes the stores cleanly and stops. All members may be called from any thread.
///
/// On Kafka and with `num.stream.threads` 0 it is an onlooker: it takes no task, and answers from
/// those of other processes. It is kRunning when each task is with a process that answers.
class StreamsApplication {
 public:
  /// Kafka Streams' states, by its names.
  enum class State : std::uint8_t {
    kCreated,
    kRebalancing,  ///< Getting tasks, or restoring them.
    kRunning,
    kPendingShutdown,
    kNotRunning,
    kError,  ///< A worker failed for good; failure() says why.
  };

  /// Throws TopologyError or ConfigError for what can be told without a log.
  StreamsApplication(Topology topology, StreamsConfig config, Environment environment);
  ~StreamsApplication();  ///< As close().
  StreamsApplication(const StreamsApplication&) = delete;
  StreamsApplication& operator=(const StreamsApplication&) = delete;

  /// Fails when a source topic has another partition count than its co-partitioned ones, or, on
  /// Kafka, is missing; the embedded log makes it.
  Status start();
  /// Stops as SIGTERM does: flush, commit, spill, leave. May be called again, and from any thread.
  void close();
  State state() const;
  /// Called at each change of state, from the thread that caused it. Set before start().
  void on_state_change(std::function<void(State from, State to)> listener);
  /// Is told of each restore, those too that tasks() is too seldom asked to show. Null: nobody is.
  /// Set before start().
  void set_state_restore_listener(std::shared_ptr<StateRestoreListener> listener);
  /// Why the state is kError.
  std::optional<std::string> failure() const;

  const StreamsConfig& config() const;
  const Topology& topology() const;
  const Environment& environment() const;

  // --- Queries ------------------------------------------------------------------------------

  std::vector<TaskInfo> tasks() const;
  std::vector<StoreInfo> stores() const;
  /// The views of a store's partitions; null where it is not open here, or not restored.
  /// kNotFound for an unknown store, kUnavailable before any task has it.
  Result<std::vector<std::shared_ptr<const StoreView>>> views(std::string_view store) const;
  /// The same with the views of other processes in their places, if there is
  /// `Environment::peers`. Their members wait for those processes: not for a server's thread.
  Result<std::vector<std::shared_ptr<const StoreView>>> all_views(std::string_view store) const;
  /// The same with types. The serdes must be those of the topology.
  template <typename K, typename V>
  Result<ReadOnlyKeyValueStore<K, V>> store(std::string_view name, AnySerde<K> key_serde = {},
                                            AnySerde<V> value_serde = {}) const {
    auto by_partition = all_views(name);
    if (!by_partition) return std::unexpected(by_partition.error());
    return ReadOnlyKeyValueStore<K, V>(*std::move(by_partition), std::move(key_serde),
                                       std::move(value_serde));
  }
  /// The `application.server` of the other process whose task has that partition of the store.
  /// None: the task is here, or with nobody who is known, or with one that answers no queries.
  std::optional<std::string> active_host(std::string_view store, std::int32_t partition) const;
  /// The copy that this process keeps of that partition of the store, if it does
  /// (`num.standby.replicas`).
  std::optional<StandbyView> standby(std::string_view store, std::int32_t partition) const;
  /// Whether tasks of this application, in whichever process, read that partition: false for one
  /// whose records it never processes. True where that is not known yet.
  bool reads(const TopicPartition& input) const;
  /// Calls `done` when a commit of this application has passed the record at `offset`: from then on
  /// views show its effects. At once when that is so already; else from a worker's or the peers'
  /// thread, which it must not hold up. A task of another process is asked. Dropped at close().
  ///
  /// Whoever may give up, or names a record that may never come, says so by `is_over`: `done` is
  /// dropped some time after it is true. It is asked from any thread, is quick and calls nothing of
  /// the application.
  void when_processed(const TopicPartition& input, Offset offset, std::function<void()> done,
                      std::function<bool()> is_over = {});

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace thalweg
