#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <thalweg/runtime/log.h>
#include <thalweg/runtime/streams_config.h>
#include <thalweg/topology/topology.h>

namespace thalweg::internal {

/// A sub-topology with its names and numbers on a given log: what a worker makes tasks from.
struct PlannedSubTopology {
  std::int32_t id = 0;
  std::int32_t tasks = 0;           ///< As many as its widest source has partitions.
  std::string tasks_topic;          ///< The empty topic whose partition i stands for task i.
  std::vector<std::string> inputs;  ///< Topics read, outside and repartition, full names.
  std::vector<std::string> repartition_inputs;        ///< Those of them that may be purged.
  std::vector<std::string> repartition_outputs = {};  ///< Repartition topics it writes.
  struct Store {
    std::string name;
    std::string changelog;  ///< Full name; empty: logging is off.
    bool internal = true;   ///< False: the changelog is a source topic, which is never written.

    bool has_own_changelog() const { return internal && !changelog.empty(); }
  };
  std::vector<Store> stores;
};

/// A global store: every worker reads its topic whole.
struct PlannedGlobalStore {
  std::int32_t subtopology = 0;
  std::string store;
  std::string topic;
  std::int32_t partitions = 1;
};

/// Topics by name, with how many partitions each has.
using SourceTopics = std::map<std::string, std::int32_t>;

/// Every sub-topology of an application, and the internal topics they need.
struct ApplicationPlan {
  std::vector<PlannedSubTopology> subtopologies;
  std::vector<PlannedGlobalStore> globals;
  std::vector<TopicSpec> internal_topics;
  SourceTopics sources;  ///< What is read of others: what a SourceWatch compares with.
  std::int32_t total_tasks = 0;

  const PlannedSubTopology* by_tasks_topic(std::string_view topic) const;
  const PlannedSubTopology& by_id(std::int32_t id) const;
  /// Those whose state is in changelogs of their own, which others can copy.
  std::set<TaskId> tasks_with_state() const;
  /// The task that reads the input; none for what every process reads for itself.
  std::optional<TaskId> task_of(const TopicPartition& input) const;
  /// Whether its tasks read that partition, or may once it is known: true as long as nothing is
  /// planned, and for topics that a pattern asks for.
  bool may_read(const TopicPartition& input, const Topology& topology) const;
};

/// By sub-topology: the topics it names, and those on the log now that match its patterns. What an
/// application keeps for itself is never meant by a pattern.
using OutsideTopics = std::map<std::int32_t, std::vector<std::string>>;
Result<OutsideTopics> outside_topics(const Topology& topology, const Log& log);

/// The name of the topic that a sub-topology's members share out: `kafka-streams-application-reset`
/// recognises the ending.
std::string tasks_topic_name(std::string_view application_id, std::int32_t subtopology);

/// Finds every partition count from the log's topics, by Kafka Streams' rules: a repartition topic
/// has the number it was given, or that of the widest topic before it; co-partitioned topics must
/// agree. With `create_missing`, outside topics that do not exist are made (the embedded log);
/// otherwise they are an error that names them. Throws TopologyError, also when patterns ask for
/// the log's topics and it does not tell them.
ApplicationPlan plan_application(const Topology& topology, const StreamsConfig& config, Log& log,
                                 bool create_missing);

/// Makes the internal topics that do not exist; fails when one exists with another partition
/// count, naming the topics whose own must have changed.
Status create_internal_topics(const ApplicationPlan& plan, Log& log);

}  // namespace thalweg::internal
