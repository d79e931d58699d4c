#pragma once

#include <concepts>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <thalweg/state/state_store.h>
#include <thalweg/topology/errors.h>
#include <thalweg/topology/internal/functions.h>
#include <thalweg/topology/internal/node.h>
#include <thalweg/topology/internal/topology_graph.h>
#include <thalweg/topology/options.h>
#include <thalweg/topology/processor.h>
#include <thalweg/topology/topic_name_extractor.h>

namespace thalweg {

/// What a sub-topology needs from the log before its tasks can run.
struct SubTopology {
  std::int32_t id = 0;
  std::vector<std::string> source_topics = {};       ///< Outside topics it reads.
  std::vector<std::string> source_patterns = {};     ///< Of which it reads all outside topics.
  std::vector<std::string> repartition_sources = {};  ///< Repartition topics it reads, no prefix.
  std::vector<std::string> sink_topics = {};         ///< Outside topics it writes (static names).
  std::vector<std::string> repartition_sinks = {};  ///< Repartition topics it writes, no prefix.
  std::vector<std::string> stores = {};              ///< Names of its stores, in order of creation.
};

/// A store that holds all of a topic in every instance; it has no tasks.
struct GlobalStore {
  std::int32_t subtopology = 0;  ///< Of the two nodes that keep it.
  std::string topic;
  std::string store;
};

/// A repartition topic the plan asks for.
struct RepartitionTopic {
  std::string name;  ///< Without `<application.id>-`.
  std::optional<std::int32_t> partitions;  ///< Set by Repartitioned; else from what is upstream.
};

/// Whether `topic` is one that a source with this pattern reads.
bool matches_pattern(const std::string& pattern, const std::string& topic);

/// What describe() prints, as data: for JSON, DOT and Mermaid.
struct TopologyDescription {
  enum class NodeKind : std::uint8_t { kSource, kProcessor, kSink };
  struct Node {
    NodeKind kind;
    std::string name;
    std::vector<std::string> topics;  ///< Of a source or sink with names.
    std::string pattern;              ///< Of a source that reads all topics matching it.
    std::string topic_extractor;      ///< Of a sink that chooses its topics record by record.
    std::vector<std::string> stores;  ///< Of a processor.
    std::vector<std::string> notes;   ///< Of a processor: what Kafka Streams does not have.
    std::vector<std::string> predecessors;
    std::vector<std::string> successors;
  };
  struct SubTopologyNodes {
    std::int32_t id;
    std::vector<Node> nodes;
    bool is_global = false;  ///< Keeps a global store, and makes no tasks.
  };
  std::vector<SubTopologyNodes> subtopologies;

  /// Byte for byte what Kafka Streams' toString() gives; notes stand behind a processor's stores.
  std::string to_text() const;
  std::string to_json() const;
  std::string to_dot() const;      ///< Graphviz.
  std::string to_mermaid() const;
};

/// A graph of sources, processors, sinks and stores: built by StreamsBuilder or by hand with the
/// Processor API, then run by StreamsApplication or TopologyTestDriver.
///
/// Movable; immutable once handed to a runtime, which may then make tasks from any thread.
class Topology {
 public:
  Topology() : Topology(TopologyConfig{}) {}
  /// Of the configuration, only the processor wrapper means something here.
  explicit Topology(const TopologyConfig& config);
  ~Topology();
  Topology(Topology&&) noexcept;
  Topology& operator=(Topology&&) noexcept;

  // --- Processor API ------------------------------------------------------------------------

  /// Reads `topics`; records of K and V go to the nodes that name this one as their parent.
  template <typename K, typename V>
  Topology& add_source(std::string name, std::vector<std::string> topics,
                       Consumed<K, V> consumed = {});
  /// Reads all topics whose names match.
  template <typename K, typename V, std::same_as<TopicPattern> Pattern>
  Topology& add_source(std::string name, Pattern pattern, Consumed<K, V> consumed = {});

  /// Adds a processor: `supplier()` makes one std::unique_ptr<Processor<KIn, VIn, KOut, VOut>> per
  /// task. Stores that a member `stores()` of the supplier returns builders of are added and
  /// connected. Throws TopologyError for a duplicate name, an unknown parent, or unfit types.
  template <internal::SupplierOfUniquePointers Supplier>
    requires internal::IsProcessor<supplied_t<Supplier>>
  Topology& add_processor(std::string name, Supplier supplier, std::vector<std::string> parents);

  /// Writes what the parents forward to `topic`.
  template <typename K, typename V>
  Topology& add_sink(std::string name, std::string topic, std::vector<std::string> parents,
                     Produced<K, V> produced = {});
  /// Writes each record to the topic that `extractor` chooses.
  template <typename K, typename V>
  Topology& add_sink(std::string name, TopicNameExtractor<K, V> extractor,
                     std::vector<std::string> parents, Produced<K, V> produced = {});

  /// Adds a store and lets `processors` use it.
  Topology& add_state_store(std::shared_ptr<StoreBuilder> builder,
                            std::vector<std::string> processors = {});
  /// Keeps all of `topic`, every partition of it, in a store in each instance: a processor that
  /// `supplier` makes writes the store, all others may read it without being connected. The store's
  /// builder is not asked for a changelog: the topic is one.
  template <typename K, typename V, internal::SupplierOfUniquePointers Supplier>
    requires internal::IsProcessor<supplied_t<Supplier>>
  Topology& add_global_store(std::shared_ptr<StoreBuilder> builder, std::string source_name,
                             std::string topic, std::string processor_name, Supplier supplier,
                             Consumed<K, V> consumed = {});
  /// Lets each task keep its partition of `topic` in a store (KIP-813): a processor that `supplier`
  /// makes writes the store; others that are connected to it only read. The topic is the store's
  /// changelog, so what the processor writes is what it reads; reading begins at its beginning.
  template <typename K, typename V, internal::SupplierOfUniquePointers Supplier>
    requires internal::IsProcessor<supplied_t<Supplier>>
  Topology& add_read_only_state_store(std::shared_ptr<StoreBuilder> builder,
                                      std::string source_name, std::string topic,
                                      std::string processor_name, Supplier supplier,
                                      Consumed<K, V> consumed = {});
  /// Lets further processors use stores that exist.
  Topology& connect_processor_and_state_stores(const std::string& processor,
                                               const std::vector<std::string>& stores);

  TopologyDescription describe() const;

  // --- For runtimes -------------------------------------------------------------------------

  /// Those that make tasks; global stores have numbers of the same count.
  const std::vector<SubTopology>& subtopologies() const;
  const std::vector<GlobalStore>& global_stores() const;
  std::vector<RepartitionTopic> repartition_topics() const;
  /// Groups of topics read together by one sub-topology, which need equal partition counts.
  /// `topics_of` gives the topics of a source's pattern; without it, patterns count for nothing.
  std::vector<std::vector<std::string>> copartition_groups(
      const internal::TopicsOfPattern& topics_of = {}) const;
  const StoreBuilder& store_builder(std::string_view store) const;
  /// The topic that holds the store's changes: `<store>-changelog` (internal), or the source topic
  /// it reuses; nothing when logging is off.
  struct Changelog {
    std::string topic;
    bool internal;
  };
  std::optional<Changelog> changelog(std::string_view store) const;
  /// Where to start reading a source topic for which the group has no committed offset.
  AutoOffsetReset auto_offset_reset(std::string_view topic) const;
  /// Schemas of keys and values read or written under that topic name, where the plan knows them.
  struct TopicSchemas {
    SchemaPtr key;
    SchemaPtr value;
  };
  std::map<std::string, TopicSchemas> topic_schemas() const;
  /// Makes the nodes of one task (`subtopology` < 0: of all, as the test driver runs them), or
  /// those of a global store.
  internal::ProcessorGraph instantiate(std::int32_t subtopology, const TaskContext& context) const;

 private:
  friend class StreamsBuilder;
  explicit Topology(std::unique_ptr<internal::TopologyGraph> graph);
  Topology& add_source_plan(std::string name, std::vector<std::string> topics,
                            internal::SourcePlan plan);
  Topology& add_pattern_source_plan(std::string name, const std::string& pattern,
                                    internal::SourcePlan plan);
  Topology& add_processor_plan(std::string name, std::vector<std::string> parents,
                               internal::ProcessorPlan plan);
  Topology& add_global_store_plan(std::string source_name, std::string topic,
                                  internal::SourcePlan source, std::string name,
                                  internal::ProcessorPlan processor,
                                  std::shared_ptr<StoreBuilder> builder);
  Topology& add_read_only_store_plan(std::string source_name, std::string topic,
                                     internal::SourcePlan source, std::string name,
                                     internal::ProcessorPlan processor,
                                     std::shared_ptr<StoreBuilder> builder);
  Topology& add_sink_plan(std::string name, std::string topic, std::vector<std::string> parents,
                          internal::SinkPlan plan);

  std::unique_ptr<internal::TopologyGraph> graph_;
};

}  // namespace thalweg

#include <thalweg/topology/internal/topology_dsl.h>
