#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <thalweg/topology/internal/topology_graph.h>

namespace thalweg {

class Topology;

namespace internal {

/// One step of the plan that the DSL writes: see stream_graph.cc.
class GraphNode;
class StreamGraph;
struct Dsl;  ///< Reaches into the handles of the DSL: see dsl.h.

/// What KStream, KTable and KGroupedStream have in common: a place in the plan.
struct StreamHandle {
  StreamGraph* graph;
  GraphNode* node;
  std::string name;  ///< Of the node, or of the source behind a repartition topic.
  std::set<std::string> sources = {};  ///< Source nodes upstream in the same sub-topology.
  bool repartition_required = false;
  /// The repartition node that joins or aggregations of this stream have made, for the next to use.
  std::shared_ptr<GraphNode*> repartition = std::make_shared<GraphNode*>(nullptr);
};

/// What the optimiser and the key-null rules need to know of a processor.
struct OperatorTraits {
  bool key_changing = false;
  bool value_changing = false;
  bool merge = false;
  bool null_key_relaxed = false;  ///< A left join: what is upstream must not drop null keys.
  /// Whether the output is a versioned table's; absent: if all inputs are.
  std::optional<bool> versioned_output = {};
  /// Set when the plan is built, if the input is a versioned table's.
  std::shared_ptr<bool> versioned_input = {};
  bool refuses_versions = false;  ///< The input must not be a versioned table's.
};

/// What a table's node, its store and those who read it agree on while the plan is made. Read by
/// tasks when it is finished.
struct TablePlan {
  std::string store;  ///< The store's name if there is one.
  bool materialized = false;
  bool send_old_values = false;
  bool shared_store = false;  ///< Several nodes write to the store.
  bool versioned = false;
  /// Makes the store's builder; without a changelog of its own if `logging` is false.
  std::function<std::shared_ptr<StoreBuilder>(bool logging)> make_store = {};
};

/// Both ends of a repartition topic and what stands before it.
struct RepartitionPlan {
  std::string topic_prefix;  ///< The topic is `<prefix>-repartition`.
  ProcessorPlan filter;      ///< Drops records without a key.
  ProcessorPlan pass;        ///< The same without dropping: before a join that keeps null keys.
  SinkPlan sink;
  SourcePlan source;
  std::optional<std::int32_t> partitions = {};
  bool optimizable = true;
};

/// Both ends of the repartition topic of a grouped table.
struct TableRepartitionPlan {
  std::string topic;
  std::string sink_name;
  std::string source_name;
  SinkPlan sink;
  SourcePlan source;
};

/// One side of a join of two tables.
struct TableJoinSidePlan {
  std::string name;
  std::string parent;  ///< The node whose changes it takes.
  ProcessorPlan processor;
  std::vector<std::string> stores;        ///< In which it looks up the other table's rows.
  std::shared_ptr<bool> versioned_input;  ///< As in OperatorTraits.
};

/// A join of two streams.
struct StreamJoinPlan {
  struct Side {
    std::string name;
    std::string windowed;  ///< The node before it, which keeps its stream's records.
    ProcessorPlan processor;
    std::vector<std::shared_ptr<StoreBuilder>> stores;
  };
  Side left;
  Side right;
  ProcessorPlan merge;
  ProcessorPlan self_join;  ///< In place of all three if both streams turn out to be one.
  std::shared_ptr<StoreBuilder> self_join_store = nullptr;
};

/// The plan that a StreamsBuilder owns: a graph of operators, before repartition topics are merged
/// and tables know whether they are kept.
class StreamGraph {
 public:
  explicit StreamGraph(DslStore dsl_store);
  ~StreamGraph();
  StreamGraph(const StreamGraph&) = delete;
  StreamGraph& operator=(const StreamGraph&) = delete;

  /// Whether a store is kept on disk: as its own options say, else as the builder was told.
  bool is_persistent(const std::optional<bool>& own) const;

  /// The next generated name; every operator takes a number, named or not.
  std::string new_name(std::string_view prefix);
  std::string new_store_name(std::string_view prefix);
  /// `name` if there is one, checked; else a generated one. Takes a number in both cases.
  std::string name_or_new(const std::string& name, std::string_view prefix);
  std::string name_or_new(const std::string& name, std::string_view suffix,
                          std::string_view prefix);

  StreamHandle add_source(const std::string& name, std::vector<std::string> topics,
                          SourcePlan plan);
  StreamHandle add_source(const std::string& name, TopicPattern pattern, SourcePlan plan);
  StreamHandle add_table_source(const std::string& source_name, std::string topic,
                                SourcePlan source, const std::string& name, ProcessorPlan processor,
                                std::shared_ptr<TablePlan> table);
  void add_global_store(const std::string& source_name, std::string topic, SourcePlan source,
                        const std::string& name, ProcessorPlan processor,
                        std::shared_ptr<StoreBuilder> builder);
  GraphNode* add_processor(const std::vector<GraphNode*>& parents, const std::string& name,
                           ProcessorPlan plan, OperatorTraits traits = {},
                           std::vector<std::string> stores = {},
                           std::shared_ptr<StoreBuilder> own_store = nullptr);
  /// A processor that keeps a table in a store of its own, if the plan says so when it is built.
  GraphNode* add_table_processor(GraphNode* parent, const std::string& name, ProcessorPlan plan,
                                 std::shared_ptr<TablePlan> table, OperatorTraits traits = {},
                                 std::vector<std::string> stores = {});
  /// Both sides of a join of two tables, and the node `name` where they meet.
  GraphNode* add_table_join(const std::vector<GraphNode*>& parents, const std::string& name,
                            TableJoinSidePlan left, TableJoinSidePlan right, ProcessorPlan merge,
                            std::shared_ptr<TablePlan> table);
  /// Both sides of a join of two streams, and the node `name` where they meet.
  GraphNode* add_stream_join(const std::vector<GraphNode*>& parents, const std::string& name,
                             StreamJoinPlan plan, OperatorTraits traits);
  /// The repartition topic of a grouped table: a new one, unless `shared` holds one made before. A
  /// node used again moves to the end of the order of building.
  GraphNode* add_table_repartition(GraphNode* parent, TableRepartitionPlan plan, GraphNode*& shared,
                                   bool may_share);
  /// Says that the node's results belong to windows, which close `grace` after their end.
  void set_window_grace(GraphNode* node, std::chrono::milliseconds grace);
  /// The longest grace among the windowed aggregations nearest upstream of `node`, itself included.
  /// Throws TopologyError if one way up has none.
  std::chrono::milliseconds window_grace(const GraphNode* node) const;
  /// Whether the node is a versioned table's, as far as is known before the plan is built; absent:
  /// what it derives from decides.
  std::optional<bool> versioned(const GraphNode* node) const;
  void add_sink(GraphNode* parent, const std::string& name, std::string topic, SinkPlan plan);
  void add_state_store(std::shared_ptr<StoreBuilder> builder);

  /// A sink, an internal topic and the source that reads it; returns the source.
  GraphNode* add_internal_topic(const std::vector<GraphNode*>& parents, const std::string& topic,
                                const std::string& sink_name, SinkPlan sink,
                                const std::string& source_name, SourcePlan source);

  /// Plans a repartition topic. Takes three numbers, whether or not the node is added.
  GraphNode* make_repartition(RepartitionPlan plan);
  void add_repartition(GraphNode* parent, GraphNode* repartition);
  /// For a join or grouping: uses the node made before for `stream` if it may be shared, else adds
  /// one. A node used again keeps its place in the order of building, unless `attach_again`.
  StreamHandle repartitioned(const StreamHandle& stream, RepartitionPlan plan, bool may_share,
                             bool attach_again);

  /// Says that the sources of both must have equal partition counts; returns all of them.
  std::set<std::string> copartition(const StreamHandle& a, const StreamHandle& b);
  void copartition(std::set<std::string> sources);

  /// Optimises and writes the plan. Once.
  std::unique_ptr<TopologyGraph> build(const TopologyConfig& config);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// Throws TopologyError unless `name` may name a node, store or topic.
void check_name(std::string_view name);

[[noreturn]] void missing_serde(std::string_view what, const std::type_info& type,
                                std::string_view where);

/// The serde that the rules in options.h choose.
template <typename T>
AnySerde<payload_t<T>> resolve_serde(const OptionalSerde<T>& own, const OptionalSerde<T>& inherited,
                                     std::string_view what, std::string_view where) {
  if (own) return *own;
  if (inherited) return *inherited;
  if constexpr (Serializable<payload_t<T>>) {
    return AnySerde<payload_t<T>>{};
  } else {
    missing_serde(what, typeid(T), where);
  }
}

}  // namespace internal
}  // namespace thalweg
