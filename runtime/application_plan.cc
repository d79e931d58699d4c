#include "application_plan.h"

#include <algorithm>
#include <chrono>
#include <set>

#include <thalweg/schemas/check.h>

namespace thalweg::internal {

namespace {

using PartitionCounts = std::map<std::string, std::int32_t, std::less<>>;

std::string join(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

// A log that is out of reach says nothing of what there is.
Result<TopicSpec> look_up(const std::string& topic, const Log& log) {
  auto spec = log.topic(topic);
  const bool is_known = spec || spec.error().code == ErrorCode::kNotFound;
  if (is_known) return spec;
  throw TopologyError("topic " + topic + " cannot be looked up: " + spec.error().message);
}

void count_or_create(const std::string& topic, const StreamsConfig& config, Log& log,
                     bool create_missing, PartitionCounts& counts,
                     std::vector<std::string>& missing) {
  if (counts.contains(topic)) return;
  auto spec = look_up(topic, log);
  if (!spec && create_missing) {
    const TopicSpec wanted{.name = topic, .partitions = config.log_default_partitions};
    const auto created = log.create_topic(wanted);
    if (!created && created.error().code != ErrorCode::kAlreadyExists) {
      throw TopologyError("topic " + topic + " cannot be made: " + created.error().message);
    }
    spec = look_up(topic, log);
  }
  if (spec) {
    counts[topic] = spec->partitions;
  } else {
    missing.push_back(topic);
  }
}

// Repartition topics take the count of the widest source upstream; several may be in a row, so this
// goes on until nothing changes.
void size_repartition_topics(const Topology& topology, const StreamsConfig& config,
                             const OutsideTopics& outside, PartitionCounts& counts) {
  const auto full_name = [&](const std::string& name) {
    return config.application_id + "-" + name;
  };
  for (const auto& topic : topology.repartition_topics()) {
    if (!topic.partitions) continue;
    if (*topic.partitions < 1) {
      throw TopologyError("repartition topic " + topic.name + " needs at least one partition");
    }
    counts[full_name(topic.name)] = *topic.partitions;
  }
  for (bool changed = true; changed;) {
    changed = false;
    for (const auto& sub : topology.subtopologies()) {
      std::int32_t widest = 0;
      for (const auto& topic : outside.at(sub.id)) widest = std::max(widest, counts[topic]);
      for (const auto& name : sub.repartition_sources) {
        widest = std::max(widest, counts[full_name(name)]);
      }
      for (const auto& name : sub.repartition_sinks) {
        auto& count = counts[full_name(name)];
        const auto& repartitions = topology.repartition_topics();
        const auto declared = std::ranges::find(repartitions, name, &RepartitionTopic::name);
        const bool fixed = declared != repartitions.end() && declared->partitions.has_value();
        if (!fixed && widest > count) {
          count = widest;
          changed = true;
        }
      }
    }
  }
}

// Of the topics of all sources.
std::set<std::string> topics_of_pattern(const std::string& pattern, const OutsideTopics& outside) {
  std::set<std::string> found;
  for (const auto& [sub, topics] : outside) {
    for (const auto& topic : topics) {
      if (matches_pattern(pattern, topic)) found.insert(topic);
    }
  }
  return found;
}

// Kafka Streams' CopartitionedTopicsEnforcer: outside topics of a group must agree, and repartition
// topics without a number of their own follow them; without outside topics, one that was given a
// number, else the widest of the group.
void enforce_copartitioning(const Topology& topology, const StreamsConfig& config,
                            const OutsideTopics& outside_topics, PartitionCounts& counts) {
  std::set<std::string> repartition;
  std::set<std::string> fixed;
  for (const auto& topic : topology.repartition_topics()) {
    repartition.insert(topic.name);
    if (topic.partitions) fixed.insert(topic.name);
  }
  const auto groups = topology.copartition_groups(
      [&](const std::string& pattern) { return topics_of_pattern(pattern, outside_topics); });
  for (const auto& group : groups) {
    std::int32_t required = 0;
    bool outside = false;
    for (const auto& topic : group) {
      if (repartition.contains(topic)) continue;
      if (outside && counts[topic] != required) {
        throw TopologyError("topics not co-partitioned: [" + join(group) +
                            "] are joined, so they need the same number of partitions");
      }
      required = counts[topic];
      outside = true;
    }
    const bool is_given =
        std::ranges::any_of(group, [&](const std::string& topic) { return fixed.contains(topic); });
    for (const auto& topic : group) {
      if (outside || (is_given && !fixed.contains(topic))) continue;
      required = std::max(required, counts[config.application_id + "-" + topic]);
    }
    for (const auto& topic : group) {
      if (!repartition.contains(topic)) continue;
      auto& count = counts[config.application_id + "-" + topic];
      if (fixed.contains(topic) && count != required) {
        throw TopologyError("repartition topic " + topic + " was given " + std::to_string(count) +
                            " partitions, but [" + join(group) + "] need " +
                            std::to_string(required));
      }
      count = required;
    }
  }
}

// Kafka Streams' settings of its internal topics.
TopicSpec internal_spec(std::string name, std::int32_t partitions, CleanupPolicy cleanup) {
  return {.name = std::move(name),
          .partitions = partitions,
          .cleanup = cleanup,
          .configs = {{"message.timestamp.type", "CreateTime"}}};
}

TopicSpec repartition_spec(std::string name, std::int32_t partitions) {
  TopicSpec spec = internal_spec(std::move(name), partitions, CleanupPolicy::kDelete);
  spec.configs["segment.bytes"] = "52428800";
  return spec;
}

TopicSpec changelog_spec(const StoreBuilder& store, std::string name, std::int32_t partitions) {
  TopicSpec spec = internal_spec(std::move(name), partitions, CleanupPolicy::kCompact);
  for (const auto& [key, value] : store.changelog_config()) {
    if (key == "cleanup.policy") {
      spec.cleanup = value == "delete"           ? CleanupPolicy::kDelete
                     : value == "compact,delete" ? CleanupPolicy::kCompactAndDelete
                                                 : CleanupPolicy::kCompact;
    } else if (key == "retention.ms") {
      spec.retention = std::chrono::milliseconds(std::stoll(value));
    } else if (key == "min.compaction.lag.ms") {
      spec.min_compaction_lag = std::chrono::milliseconds(std::stoll(value));
    } else {
      spec.configs[key] = value;
    }
  }
  return spec;
}

PlannedSubTopology plan_subtopology(const SubTopology& sub, const Topology& topology,
                                    const StreamsConfig& config, const OutsideTopics& outside,
                                    const PartitionCounts& counts,
                                    std::vector<TopicSpec>& internal_topics) {
  PlannedSubTopology planned{.id = sub.id,
                             .tasks_topic = tasks_topic_name(config.application_id, sub.id),
                             .inputs = outside.at(sub.id)};
  for (const auto& name : sub.repartition_sources) {
    planned.inputs.push_back(config.application_id + "-" + name);
    planned.repartition_inputs.push_back(planned.inputs.back());
  }
  for (const auto& name : sub.repartition_sinks) {
    planned.repartition_outputs.push_back(config.application_id + "-" + name);
  }
  for (const auto& topic : planned.inputs) {
    planned.tasks = std::max(planned.tasks, counts.find(topic)->second);
  }
  internal_topics.push_back(
      internal_spec(planned.tasks_topic, planned.tasks, CleanupPolicy::kDelete));
  for (const auto& store : sub.stores) {
    PlannedSubTopology::Store entry{.name = store, .changelog = {}};
    if (const auto changelog = topology.changelog(store)) {
      entry.internal = changelog->internal;
      entry.changelog =
          changelog->internal ? config.application_id + "-" + changelog->topic : changelog->topic;
      if (entry.internal) {
        internal_topics.push_back(
            changelog_spec(topology.store_builder(store), entry.changelog, planned.tasks));
      }
    }
    planned.stores.push_back(std::move(entry));
  }
  return planned;
}

// Whom an internal topic's partitions are counted by.
std::string inputs_of(const ApplicationPlan& plan, const std::string& internal_topic) {
  for (const auto& sub : plan.subtopologies) {
    const bool is_meant =
        sub.tasks_topic == internal_topic ||
        std::ranges::find(sub.stores, internal_topic, &PlannedSubTopology::Store::changelog) !=
            sub.stores.end();
    if (is_meant) return join(sub.inputs);
  }
  return "a source topic";
}

}  // namespace

// Asks the log once: a topic that appears meanwhile is in all of the plan, or in nothing of it.
Result<OutsideTopics> outside_topics(const Topology& topology, const Log& log) {
  std::vector<TopicSpec> all;
  const bool asks = std::ranges::any_of(
      topology.subtopologies(), [](const auto& sub) { return !sub.source_patterns.empty(); });
  if (asks) {
    auto told = log.topics();
    if (!told) return std::unexpected(told.error());
    all = *std::move(told);
  }
  OutsideTopics outside;
  for (const auto& sub : topology.subtopologies()) {
    auto& topics = outside[sub.id] = sub.source_topics;
    for (const TopicSpec& spec : all) {
      if (spec.name.ends_with("-changelog") || spec.name.ends_with("-repartition")) continue;
      const bool is_meant = std::ranges::any_of(sub.source_patterns, [&](const auto& pattern) {
        return matches_pattern(pattern, spec.name);
      });
      if (is_meant && std::ranges::find(topics, spec.name) == topics.end()) {
        topics.push_back(spec.name);
      }
    }
  }
  return outside;
}

const PlannedSubTopology* ApplicationPlan::by_tasks_topic(std::string_view topic) const {
  const auto found = std::ranges::find(subtopologies, topic, &PlannedSubTopology::tasks_topic);
  return found == subtopologies.end() ? nullptr : &*found;
}

const PlannedSubTopology& ApplicationPlan::by_id(std::int32_t id) const {
  const auto found = std::ranges::find(subtopologies, id, &PlannedSubTopology::id);
  THALWEG_CHECK(found != subtopologies.end(), "a task of a sub-topology that is not planned");
  return *found;
}

std::set<TaskId> ApplicationPlan::tasks_with_state() const {
  std::set<TaskId> tasks;
  for (const auto& sub : subtopologies) {
    if (std::ranges::none_of(sub.stores, &PlannedSubTopology::Store::has_own_changelog)) continue;
    for (std::int32_t i = 0; i < sub.tasks; ++i) tasks.insert({sub.id, i});
  }
  return tasks;
}

std::optional<TaskId> ApplicationPlan::task_of(const TopicPartition& input) const {
  for (const auto& sub : subtopologies) {
    if (input.partition < sub.tasks &&
        std::ranges::find(sub.inputs, input.topic) != sub.inputs.end()) {
      return TaskId{sub.id, input.partition};
    }
  }
  return std::nullopt;
}

bool ApplicationPlan::may_read(const TopicPartition& input, const Topology& topology) const {
  if (subtopologies.empty()) return true;
  for (const auto& sub : subtopologies) {
    if (std::ranges::find(sub.inputs, input.topic) == sub.inputs.end()) continue;
    const auto source = sources.find(input.topic);
    return input.partition < (source == sources.end() ? sub.tasks : source->second);
  }
  return std::ranges::any_of(topology.subtopologies(), [&](const auto& sub) {
    return std::ranges::any_of(sub.source_patterns, [&](const auto& pattern) {
      return matches_pattern(pattern, input.topic);
    });
  });
}

std::string tasks_topic_name(std::string_view application_id, std::int32_t subtopology) {
  return std::string(application_id) + "-thalweg-tasks-" + std::to_string(subtopology) +
         "-repartition";
}

ApplicationPlan plan_application(const Topology& topology, const StreamsConfig& config, Log& log,
                                 bool create_missing) {
  const auto outside = outside_topics(topology, log);
  if (!outside) {
    throw TopologyError("the log does not tell its topics, which patterns ask for: " +
                        outside.error().message);
  }
  PartitionCounts counts;
  std::vector<std::string> missing;
  for (const auto& sub : topology.subtopologies()) {
    for (const auto& topic : outside->at(sub.id)) {
      count_or_create(topic, config, log, create_missing, counts, missing);
    }
    for (const auto& topic : sub.sink_topics) {
      count_or_create(topic, config, log, create_missing, counts, missing);
    }
  }
  for (const auto& global : topology.global_stores()) {
    count_or_create(global.topic, config, log, create_missing, counts, missing);
  }
  if (!missing.empty()) {
    throw TopologyError("these topics do not exist: " + join(missing) +
                        ". Create them before the application starts");
  }
  size_repartition_topics(topology, config, *outside, counts);
  enforce_copartitioning(topology, config, *outside, counts);

  ApplicationPlan plan;
  for (const auto& topic : topology.repartition_topics()) {
    const std::string name = config.application_id + "-" + topic.name;
    plan.internal_topics.push_back(repartition_spec(name, counts[name]));
  }
  for (const auto& global : topology.global_stores()) {
    plan.globals.push_back({.subtopology = global.subtopology,
                            .store = global.store,
                            .topic = global.topic,
                            .partitions = counts[global.topic]});
  }
  for (const auto& sub : topology.subtopologies()) {
    for (const auto& topic : outside->at(sub.id)) plan.sources[topic] = counts[topic];
    if (outside->at(sub.id).empty() && sub.repartition_sources.empty()) continue;
    plan.subtopologies.push_back(
        plan_subtopology(sub, topology, config, *outside, counts, plan.internal_topics));
    plan.total_tasks += plan.subtopologies.back().tasks;
  }
  return plan;
}

Status create_internal_topics(const ApplicationPlan& plan, Log& log) {
  for (const auto& spec : plan.internal_topics) {
    const auto created = log.create_topic(spec);
    if (created) continue;
    if (created.error().code != ErrorCode::kAlreadyExists) return created;
    const auto existing = log.topic(spec.name);
    if (!existing) return std::unexpected(existing.error());
    if (existing->partitions != spec.partitions) {
      return thalweg::failure(ErrorCode::kInvalid,
                              "internal topic " + spec.name + " has " +
                                  std::to_string(existing->partitions) +
                                  " partitions, the topology needs " +
                                  std::to_string(spec.partitions) + ": the partition count of " +
                                  inputs_of(plan, spec.name) + " has changed since it was made");
    }
  }
  return {};
}

}  // namespace thalweg::internal
