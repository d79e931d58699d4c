#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <thalweg/topology/task_context.h>

namespace thalweg::internal {

/// The headers of one record on its way to the children of the node that made it, of which each may
/// add some, and those after it see them, as in Kafka Streams. Copied only by the first that may.
class RecordHeaders {
 public:
  /// Of a record that is read: `headers` are its own.
  explicit RecordHeaders(Headers& headers) : current_(&headers), own_(&headers) {}
  /// Of a record made from another, whose headers these are.
  explicit RecordHeaders(const Headers* headers) : current_(headers) {}
  RecordHeaders(const RecordHeaders&) = delete;
  RecordHeaders& operator=(const RecordHeaders&) = delete;

  const Headers* current() const { return current_; }
  Headers& own() {
    if (!own_) {
      copy_ = *current_;
      current_ = own_ = &copy_;
    }
    return *own_;
  }

 private:
  const Headers* current_;
  Headers* own_ = nullptr;
  Headers copy_;
};

/// What travels with a key and a value from node to node.
struct RecordContext {
  Timestamp timestamp = kNoTimestamp;
  const Headers* headers = &kNoHeaders;  ///< Never null.
  RecordHeaders* shared = nullptr;       ///< Set by Sender: where these headers come from.
};

/// A node's input: records come by direct call, by reference, and must not be kept.
///
/// For a stream V is the value type (std::optional where it may be null); for a table it is
/// Change<V>.
template <typename K, typename V>
class Receiver {
 public:
  virtual ~Receiver() = default;
  virtual void process(const K& key, const V& value, const RecordContext& context) = 0;
  /// Whether expect() is of any use. After init() only.
  virtual bool expects() const { return false; }
  /// A hint: records with these keys are likely to come next, so that what they will need can be on
  /// its way to the processor's cache. None has to come.
  virtual void expect(std::span<const K>) {}
};

/// An update of a table's row as it travels: null for "no row". `old_value` is null too when nobody
/// downstream asked for old values.
template <typename V>
struct Change {
  const V* new_value = nullptr;
  const V* old_value = nullptr;
  bool is_latest = true;  ///< False: an earlier version, which came late to a versioned table.
};

/// One node of a sub-topology, in one task. Made by the topology for each task, connected once,
/// then initialised, run and closed by the task's thread.
class ProcessorNode {
 public:
  explicit ProcessorNode(std::string name) : name_(std::move(name)) {}
  virtual ~ProcessorNode() = default;
  ProcessorNode(const ProcessorNode&) = delete;
  ProcessorNode& operator=(const ProcessorNode&) = delete;

  const std::string& name() const { return name_; }
  /// Adds a child; throws TopologyError when its input is not of this node's output types.
  virtual void add_child(ProcessorNode& child) = 0;
  /// Stores are open and, outside tests of a single node, restored. Parents are initialised first.
  void init(TaskContext& task) {
    task_ = &task;
    start(task);
  }
  virtual void close() {}
  /// The task that runs the node; null before init().
  TaskContext* task() const { return task_; }

 protected:
  /// What init() means for this kind of node.
  virtual void start(TaskContext&) {}

 private:
  std::string name_;
  TaskContext* task_ = nullptr;
};

/// The typed input of one partition queue: reads the head record into objects it reuses.
class SourceInput {
 public:
  virtual ~SourceInput() = default;
  /// Reads `record`; false when it is to be dropped (a null payload for a type that has no null;
  /// the reason is counted). Throws SerdeError on bad bytes. On true, timestamp() is the extracted
  /// one.
  virtual bool prepare(const RecordView& record, const RecordMetadata& metadata,
                       Timestamp partition_time) = 0;
  virtual Timestamp timestamp() const = 0;
  /// Sends the prepared record to the source node's children.
  virtual void process() = 0;
  /// Whether expect() is of any use. After the nodes are initialised only.
  virtual bool expects() const = 0;
  /// A hint: these are likely to be the next that are prepared and processed.
  virtual void expect(std::span<const RecordView> records) = 0;
};

class SourceNode : public ProcessorNode {
 public:
  using ProcessorNode::ProcessorNode;
  /// One input per partition queue that the node reads.
  virtual std::unique_ptr<SourceInput> open_input(TaskContext& context) = 0;
};

/// A sub-topology made for one task: its nodes, children after their parents.
struct ProcessorGraph {
  std::vector<std::unique_ptr<ProcessorNode>> nodes;
  struct Source {
    std::string topic;  ///< Full name on the log, or a pattern.
    SourceNode* node;
    bool is_pattern = false;
  };
  std::vector<Source> sources;

  /// The source that reads `topic`, by its name or by a pattern; null if none does.
  SourceNode* source_of(const std::string& topic) const;
};

}  // namespace thalweg::internal
