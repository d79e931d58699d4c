#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <thalweg/topology/internal/stream_graph.h>

namespace thalweg::internal {

/// One step of the plan. Knows its neighbours and writes itself into the topology when it is its
/// turn: in the order of build priorities, parents first.
class GraphNode {
 public:
  explicit GraphNode(std::string name, OperatorTraits node_traits = {})
      : traits(std::move(node_traits)), name_(std::move(name)) {}
  virtual ~GraphNode() = default;
  GraphNode(const GraphNode&) = delete;
  GraphNode& operator=(const GraphNode&) = delete;

  const std::string& name() const { return name_; }
  const std::vector<GraphNode*>& parents() const { return parents_; }
  const std::vector<GraphNode*>& children() const { return children_; }

  void add_child(GraphNode* child);
  bool remove_child(GraphNode* child);

  virtual void write(TopologyGraph& topology) = 0;
  bool may_be_written() const;
  /// Whether the output is a versioned table's changes, by its own traits or those upstream.
  bool is_versioned() const;
  /// Told of each parent that is_versioned(). Throws TopologyError if the node refuses such.
  virtual void take_versioned_input(const GraphNode& parent);

  const OperatorTraits traits;
  std::optional<std::chrono::milliseconds> window_grace = {};  ///< Only of windowed aggregations.
  int build_priority = 0;
  bool written = false;

 protected:
  std::vector<std::string> parent_names() const;

 private:
  std::string name_;
  std::vector<GraphNode*> parents_;
  std::vector<GraphNode*> children_;
};

class RootNode final : public GraphNode {
 public:
  RootNode() : GraphNode("root", {.versioned_output = false}) {}
  void write(TopologyGraph&) override {}
};

class StreamSourceGraphNode final : public GraphNode {
 public:
  StreamSourceGraphNode(std::string name, std::vector<std::string> topics, SourcePlan plan)
      : GraphNode(std::move(name)), topics_(std::move(topics)), plan_(std::move(plan)) {}
  StreamSourceGraphNode(std::string name, TopicPattern pattern, SourcePlan plan)
      : GraphNode(std::move(name)), pattern_(std::move(pattern.regex)), plan_(std::move(plan)) {}
  const std::vector<std::string>& topics() const { return topics_; }
  const std::string& pattern() const { return pattern_; }
  /// Takes the children of another source of the same topics or pattern.
  void merge(GraphNode& other_node);
  void write(TopologyGraph& topology) override;

 private:
  std::vector<std::string> topics_;
  std::string pattern_;
  SourcePlan plan_;
};

class TableSourceGraphNode final : public GraphNode {
 public:
  TableSourceGraphNode(std::string source_name, std::string topic, SourcePlan source,
                       std::string name, ProcessorPlan processor, std::shared_ptr<TablePlan> table)
      : GraphNode(std::move(name), {.versioned_output = table->versioned}),
        source_name_(std::move(source_name)),
        topic_(std::move(topic)),
        source_(std::move(source)),
        processor_(std::move(processor)),
        table_(std::move(table)) {}
  void write(TopologyGraph& topology) override;

  bool reuse_source_topic = false;  ///< The topic is the table's changelog.

 private:
  std::string source_name_;
  std::string topic_;
  SourcePlan source_;
  ProcessorPlan processor_;
  std::shared_ptr<TablePlan> table_;
};

/// A source and a processor that keep a global store. Its name is the processor's.
class GlobalStoreGraphNode final : public GraphNode {
 public:
  GlobalStoreGraphNode(std::string source_name, std::string topic, SourcePlan source,
                       std::string name, ProcessorPlan processor,
                       std::shared_ptr<StoreBuilder> builder)
      : GraphNode(std::move(name)),
        source_name_(std::move(source_name)),
        topic_(std::move(topic)),
        source_(std::move(source)),
        processor_(std::move(processor)),
        builder_(std::move(builder)) {}
  void write(TopologyGraph& topology) override;

 private:
  std::string source_name_;
  std::string topic_;
  SourcePlan source_;
  ProcessorPlan processor_;
  std::shared_ptr<StoreBuilder> builder_;
};

class ProcessorGraphNode final : public GraphNode {
 public:
  ProcessorGraphNode(std::string name, ProcessorPlan plan, OperatorTraits operator_traits,
                     std::vector<std::string> stores, std::shared_ptr<StoreBuilder> own_store)
      : GraphNode(std::move(name), std::move(operator_traits)),
        plan_(std::move(plan)),
        stores_(std::move(stores)),
        own_store_(std::move(own_store)) {}
  void write(TopologyGraph& topology) override;

 private:
  ProcessorPlan plan_;
  std::vector<std::string> stores_;
  std::shared_ptr<StoreBuilder> own_store_;  // That it brings along; may be null.
};

class TableProcessorGraphNode final : public GraphNode {
 public:
  TableProcessorGraphNode(std::string name, ProcessorPlan plan, std::shared_ptr<TablePlan> table,
                          OperatorTraits node_traits, std::vector<std::string> stores)
      : GraphNode(std::move(name), std::move(node_traits)),
        plan_(std::move(plan)),
        table_(std::move(table)),
        stores_(std::move(stores)) {}
  void write(TopologyGraph& topology) override;

 private:
  ProcessorPlan plan_;
  std::shared_ptr<TablePlan> table_;
  std::vector<std::string> stores_;
};

/// Both sides of a join of two tables, and where they meet. Its name is the latter's.
class TableJoinGraphNode final : public GraphNode {
 public:
  TableJoinGraphNode(std::string name, TableJoinSidePlan left, TableJoinSidePlan right,
                     ProcessorPlan merge, std::shared_ptr<TablePlan> table)
      : GraphNode(std::move(name), {.versioned_output = table->versioned}),
        left_(std::move(left)),
        right_(std::move(right)),
        merge_(std::move(merge)),
        table_(std::move(table)) {}
  void write(TopologyGraph& topology) override;
  void take_versioned_input(const GraphNode& parent) override;

 private:
  TableJoinSidePlan left_;
  TableJoinSidePlan right_;
  ProcessorPlan merge_;
  std::shared_ptr<TablePlan> table_;
};

/// Both sides of a join of two streams, and where they meet. Its name is the latter's.
class StreamJoinGraphNode final : public GraphNode {
 public:
  StreamJoinGraphNode(std::string name, StreamJoinPlan plan, OperatorTraits node_traits)
      : GraphNode(std::move(name), std::move(node_traits)), plan_(std::move(plan)) {}
  const StreamJoinPlan& plan() const { return plan_; }
  void write(TopologyGraph& topology) override;

  bool is_self_join = false;  ///< Both streams are one, and one store is enough.

 private:
  StreamJoinPlan plan_;
};

/// A sink, a topic and a source: of a grouped table. Its name is the source's.
class TableRepartitionGraphNode final : public GraphNode {
 public:
  explicit TableRepartitionGraphNode(TableRepartitionPlan plan)
      : GraphNode(plan.source_name), plan_(std::move(plan)) {}
  void write(TopologyGraph& topology) override;

 private:
  TableRepartitionPlan plan_;
};

class SinkGraphNode final : public GraphNode {
 public:
  SinkGraphNode(std::string name, std::string topic, SinkPlan plan)
      : GraphNode(std::move(name)), topic_(std::move(topic)), plan_(std::move(plan)) {}
  void write(TopologyGraph& topology) override;

 private:
  std::string topic_;
  SinkPlan plan_;
};

class StateStoreGraphNode final : public GraphNode {
 public:
  explicit StateStoreGraphNode(std::shared_ptr<StoreBuilder> builder)
      : GraphNode(builder->name()), builder_(std::move(builder)) {}
  void write(TopologyGraph& topology) override;

 private:
  std::shared_ptr<StoreBuilder> builder_;
};

/// A filter, a sink, a topic and a source. Its name is the source's.
class RepartitionGraphNode final : public GraphNode {
 public:
  struct Names {
    std::string topic;
    std::string sink;
    std::string filter;
    std::string source;
  };
  RepartitionGraphNode(Names names, RepartitionPlan plan)
      : GraphNode(names.source), names_(std::move(names)), plan_(std::move(plan)) {}
  const std::string& topic() const { return names_.topic; }
  const RepartitionPlan& plan() const { return plan_; }
  void write(TopologyGraph& topology) override;

  bool keep_null_keys = true;  ///< Until it is known that no join downstream wants them.

 private:
  Names names_;
  RepartitionPlan plan_;
};

}  // namespace thalweg::internal
