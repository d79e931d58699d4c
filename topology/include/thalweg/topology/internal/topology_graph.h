#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <typeinfo>
#include <utility>
#include <vector>

#include <thalweg/schemas/schema.h>
#include <thalweg/state/state_store.h>
#include <thalweg/topology/errors.h>
#include <thalweg/topology/internal/node.h>
#include <thalweg/topology/internal/wrapped_node.h>
#include <thalweg/topology/options.h>

namespace thalweg {

struct TopologyDescription;
struct SubTopology;
struct RepartitionTopic;
struct GlobalStore;

namespace internal {

/// What passes along an edge of the graph: a key type and a value type. Compared when nodes are
/// added, so that a topology that builds can be connected.
class FlowType {
 public:
  FlowType() = default;
  template <typename K, typename V>
  static FlowType of() {
    FlowType type;
    type.key_ = &typeid(K);
    type.value_ = &typeid(V);
    type.wrap_ = &wrap_node<K, V>;
    return type;
  }
  /// A node in front of `inner`, which takes records of these types.
  std::unique_ptr<ProcessorNode> wrap(ProcessorNode& inner,
                                      std::unique_ptr<WrappedProcessor> wrapped) const {
    return wrap_(inner, std::move(wrapped));
  }
  bool fits(const FlowType& other) const;
  std::string to_string() const;  ///< `<key type>, <value type>`, for messages.

 private:
  const std::type_info* key_ = nullptr;
  const std::type_info* value_ = nullptr;
  std::unique_ptr<ProcessorNode> (*wrap_)(ProcessorNode&,
                                          std::unique_ptr<WrappedProcessor>) = nullptr;
};

/// The topics that a source with this pattern reads.
using TopicsOfPattern = std::function<std::set<std::string>(const std::string& pattern)>;

/// A C++ type's name as a programmer writes it.
std::string type_name(const std::type_info& type);

struct PlannedNode;

/// Makes a node for one task. Called from any thread, any number of times.
using NodeFactory = std::function<std::unique_ptr<ProcessorNode>(const PlannedNode&)>;

/// What a node does, whatever its place in the graph.
struct ProcessorPlan {
  NodeFactory make = {};
  FlowType input = {};
  FlowType output = {};
  std::string note = {};  ///< What describe() says of it beyond Kafka Streams.
};
struct SourcePlan {
  NodeFactory make = {};  ///< Makes a SourceNode.
  FlowType output = {};
  SchemaPtr key_schema = {};
  SchemaPtr value_schema = {};
  std::optional<AutoOffsetReset> auto_offset_reset = {};
};
struct SinkPlan {
  NodeFactory make = {};
  FlowType input = {};
  SchemaPtr key_schema = {};
  SchemaPtr value_schema = {};
  std::string topic_extractor = {};  ///< What chooses the topic record by record, for describe().
};

/// A node in its place.
struct PlannedNode {
  enum class Kind : std::uint8_t { kSource, kProcessor, kSink };
  Kind kind;
  std::string name;
  std::vector<std::string> parents = {};
  std::vector<std::string> topics = {};  ///< Of a source or sink with names.
  std::string pattern = {};              ///< Of a source that reads all topics matching it.
  std::string topic_extractor = {};      ///< Of a sink that chooses its topics record by record.
  bool internal_topic = false;  ///< The topic is a repartition topic, named without its prefix.
  std::vector<std::string> stores = {};  ///< Of a processor, as they were connected.
  std::string note = {};                 ///< Of a processor: ProcessorPlan::note.
  FlowType input = {};
  FlowType output = {};
  NodeFactory make = {};
  SchemaPtr key_schema = {};
  SchemaPtr value_schema = {};
  std::optional<AutoOffsetReset> auto_offset_reset = {};
};

/// The graph that a Topology is: nodes in the order in which they were added, parents first.
class TopologyGraph {
 public:
  void add_source(std::string name, std::vector<std::string> topics, SourcePlan plan);
  void add_pattern_source(std::string name, const std::string& pattern, SourcePlan plan);
  void add_processor(std::string name, std::vector<std::string> parents, ProcessorPlan plan);
  /// Without a topic, the plan's extractor chooses.
  void add_sink(std::string name, std::string topic, std::vector<std::string> parents,
                SinkPlan plan);
  void add_store(std::shared_ptr<StoreBuilder> builder, const std::vector<std::string>& processors);
  /// Of a table that is not kept: its store's name is one that check_explicit_names() looks at.
  void note_unkept(const std::string& store) { unkept_.insert(store); }
  void connect(const std::string& processor, const std::vector<std::string>& stores);
  /// A source, and a processor that keeps what it reads in a store that every task may read.
  void add_global_store(const std::string& source_name, const std::string& topic, SourcePlan source,
                        const std::string& name, ProcessorPlan processor,
                        std::shared_ptr<StoreBuilder> builder);

  /// Declares `topic` a repartition topic, before its sink and source are added.
  void add_repartition_topic(const std::string& topic, std::optional<std::int32_t> partitions);
  /// The store's changes are in `topic`, which a source reads anyway.
  void set_changelog(const std::string& store, const std::string& topic);
  /// The topics of these sources need equal partition counts.
  void copartition(std::set<std::string> sources);
  void rename_copartitioned(const std::string& source, const std::string& replacement);
  /// Throws TopologyError if repartition topics that must agree ask for different counts.
  void check_copartitions() const;
  /// Throws TopologyError if a store or an internal topic has a generated name.
  void check_explicit_names() const;

  /// Stands around all processors of tasks made from now on.
  void wrap_processors(ProcessorWrapper wrapper) { wrapper_ = std::move(wrapper); }

  /// Numbers the sub-topologies; after each change of the graph.
  void seal();

  const std::vector<SubTopology>& subtopologies() const;
  const std::vector<GlobalStore>& global_stores() const;
  std::vector<RepartitionTopic> repartition_topics() const;
  std::vector<std::vector<std::string>> copartition_groups(
      const TopicsOfPattern& topics_of = {}) const;
  const StoreBuilder& store_builder(std::string_view store) const;
  const std::string* changelog_source(std::string_view store) const;
  const std::vector<PlannedNode>& nodes() const { return nodes_; }
  /// Names of the nodes of each sub-topology, in the order of the graph.
  const std::vector<std::vector<const PlannedNode*>>& groups() const { return groups_; }

  TopologyDescription describe() const;
  ProcessorGraph instantiate(std::int32_t subtopology, const TaskContext& context) const;

  TopologyGraph();
  ~TopologyGraph();

 private:
  struct Store {
    std::shared_ptr<StoreBuilder> builder;
    std::vector<std::size_t> users;  // Indices of nodes.
  };

  void check_topic_is_free(const std::string& topic, const std::string& source) const;
  bool is_global(const std::vector<const PlannedNode*>& group) const;
  std::size_t add_node(PlannedNode node);
  std::size_t index_of(const std::string& name) const;
  std::size_t root(std::size_t node) const;
  void unite(std::size_t a, std::size_t b);
  SubTopology summarise(std::int32_t id, const std::vector<const PlannedNode*>& group) const;

  std::vector<PlannedNode> nodes_;
  std::map<std::string, std::size_t, std::less<>> index_;
  std::vector<std::size_t> parent_group_;  // Union-find over nodes_.
  std::map<std::string, Store, std::less<>> stores_;
  std::set<std::string> unkept_;  // Names of stores that nobody needs.
  std::map<std::string, std::optional<std::int32_t>, std::less<>> repartition_topics_;
  std::map<std::string, std::string, std::less<>> changelog_sources_;
  std::map<std::string, std::string, std::less<>> source_of_topic_;
  std::vector<std::set<std::string>> copartitioned_;
  std::vector<std::vector<const PlannedNode*>> groups_;
  std::vector<SubTopology> subtopologies_;
  std::vector<GlobalStore> global_stores_;
  std::map<std::string, std::string, std::less<>> global_store_of_topic_;
  ProcessorWrapper wrapper_;
};

}  // namespace internal
}  // namespace thalweg
