#include <thalweg/topology/internal/topology_graph.h>

#include <algorithm>
#include <cxxabi.h>

#include <cstdlib>
#include <regex>

#include <thalweg/schemas/java_hash.h>
#include <thalweg/topology/topology.h>


namespace thalweg::internal {

std::string type_name(const std::type_info& type) {
  int status = 0;
  char* demangled = abi::__cxa_demangle(type.name(), nullptr, nullptr, &status);
  std::string name = status == 0 ? demangled : type.name();
  std::free(demangled);
  const std::string long_string =
      "std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> >";
  for (auto at = name.find(long_string); at != std::string::npos; at = name.find(long_string)) {
    name.replace(at, long_string.size(), "std::string");
  }
  return name;
}

bool FlowType::fits(const FlowType& other) const {
  if (!key_ || !other.key_) return key_ == other.key_;
  return *key_ == *other.key_ && *value_ == *other.value_;
}

std::string FlowType::to_string() const {
  return key_ ? type_name(*key_) + ", " + type_name(*value_) : "nothing";
}

TopologyGraph::TopologyGraph() = default;
TopologyGraph::~TopologyGraph() = default;

std::size_t TopologyGraph::add_node(PlannedNode node) {
  if (node.name.empty()) throw TopologyError("a node needs a name");
  if (index_.contains(node.name)) {
    throw TopologyError("Processor " + node.name + " is already added.");
  }
  if (node.kind != PlannedNode::Kind::kSource && node.parents.empty()) {
    throw TopologyError("Processor " + node.name + " needs at least one parent");
  }
  for (const std::string& parent : node.parents) {
    const auto found = index_.find(parent);
    if (parent == node.name || found == index_.end()) {
      throw TopologyError("Predecessor processor " + parent + " is not added yet for " + node.name);
    }
    const PlannedNode& sender = nodes_[found->second];
    if (!sender.output.fits(node.input)) {
      throw TopologyError("node " + node.name + " takes (" + node.input.to_string() +
                          "), but its parent " + parent + " forwards (" +
                          sender.output.to_string() + ")");
    }
  }
  const std::size_t index = nodes_.size();
  index_.emplace(node.name, index);
  parent_group_.push_back(index);
  for (const std::string& parent : node.parents) unite(index_.at(parent), index);
  nodes_.push_back(std::move(node));
  return index;
}

void TopologyGraph::add_source(std::string name, std::vector<std::string> topics, SourcePlan plan) {
  if (topics.empty()) throw TopologyError("source " + name + " needs at least one topic");
  PlannedNode node{.kind = PlannedNode::Kind::kSource,
                   .name = std::move(name),
                   .topics = std::move(topics),
                   .output = plan.output,
                   .make = std::move(plan.make),
                   .key_schema = std::move(plan.key_schema),
                   .value_schema = std::move(plan.value_schema),
                   .auto_offset_reset = plan.auto_offset_reset};
  for (const std::string& topic : node.topics) {
    check_topic_is_free(topic, node.name);
    source_of_topic_.emplace(topic, node.name);
    if (repartition_topics_.contains(topic)) node.internal_topic = true;
  }
  add_node(std::move(node));
}

void TopologyGraph::add_pattern_source(std::string name, const std::string& pattern,
                                       SourcePlan plan) {
  try {
    static_cast<void>(std::regex(pattern));
  } catch (const std::regex_error& error) {
    throw TopologyError("source " + name + " has a pattern that is no regular expression, " +
                        pattern + ": " + error.what());
  }
  add_node({.kind = PlannedNode::Kind::kSource,
            .name = std::move(name),
            .pattern = pattern,
            .output = plan.output,
            .make = std::move(plan.make),
            .key_schema = std::move(plan.key_schema),
            .value_schema = std::move(plan.value_schema),
            .auto_offset_reset = plan.auto_offset_reset});
}

void TopologyGraph::check_topic_is_free(const std::string& topic,
                                        const std::string& source) const {
  const auto other = source_of_topic_.find(topic);
  if (other == source_of_topic_.end()) return;
  throw TopologyError("Topic " + topic + " has already been registered by another source, " +
                      other->second + ": source " + source + " cannot read it too");
}

void TopologyGraph::add_global_store(const std::string& source_name, const std::string& topic,
                                     SourcePlan source, const std::string& name,
                                     ProcessorPlan processor,
                                     std::shared_ptr<StoreBuilder> builder) {
  check_topic_is_free(topic, source_name);
  const std::string store = builder->name();
  if (stores_.contains(store)) {
    throw TopologyError("A different StateStore has already been added with the name " + store);
  }
  add_source(source_name, {topic}, std::move(source));
  add_processor(name, {source_name}, std::move(processor));
  add_store(std::move(builder), {name});
  global_store_of_topic_[topic] = store;
}

void TopologyGraph::add_processor(std::string name, std::vector<std::string> parents,
                                  ProcessorPlan plan) {
  add_node({.kind = PlannedNode::Kind::kProcessor,
            .name = std::move(name),
            .parents = std::move(parents),
            .note = std::move(plan.note),
            .input = plan.input,
            .output = plan.output,
            .make = std::move(plan.make)});
}

void TopologyGraph::add_sink(std::string name, std::string topic, std::vector<std::string> parents,
                             SinkPlan plan) {
  if (topic.empty() && plan.topic_extractor.empty()) {
    throw TopologyError("sink " + name + " needs a topic");
  }
  const bool internal_topic = repartition_topics_.contains(topic);
  std::vector<std::string> topics;
  if (!topic.empty()) topics.push_back(std::move(topic));
  add_node({.kind = PlannedNode::Kind::kSink,
            .name = std::move(name),
            .parents = std::move(parents),
            .topics = std::move(topics),
            .topic_extractor = std::move(plan.topic_extractor),
            .internal_topic = internal_topic,
            .input = plan.input,
            .make = std::move(plan.make),
            .key_schema = std::move(plan.key_schema),
            .value_schema = std::move(plan.value_schema)});
}

void TopologyGraph::add_store(std::shared_ptr<StoreBuilder> builder,
                              const std::vector<std::string>& processors) {
  const std::string name = builder->name();
  const auto [store, is_new] = stores_.try_emplace(name, Store{builder, {}});
  if (!is_new && store->second.builder != builder) {
    throw TopologyError("A different StateStore has already been added with the name " + name);
  }
  for (const std::string& processor : processors) connect(processor, {name});
}

void TopologyGraph::connect(const std::string& processor, const std::vector<std::string>& stores) {
  for (const std::string& name : stores) {
    const auto store = stores_.find(name);
    if (store == stores_.end()) {
      throw TopologyError("StateStore " + name + " is not added yet, but processor " + processor +
                          " wants to use it");
    }
    const auto found = index_.find(processor);
    if (found == index_.end()) {
      throw TopologyError("Processor " + processor + " is not added yet, but store " + name +
                          " is to be connected to it");
    }
    PlannedNode& node = nodes_[found->second];
    if (node.kind != PlannedNode::Kind::kProcessor) {
      throw TopologyError("cannot connect a state store " + name +
                          " to a source node or a sink node: " + processor);
    }
    auto& users = store->second.users;
    if (!users.empty()) unite(users.front(), found->second);
    if (std::ranges::find(users, found->second) != users.end()) continue;
    users.push_back(found->second);
    node.stores.push_back(name);
  }
}

void TopologyGraph::add_repartition_topic(const std::string& topic,
                                          std::optional<std::int32_t> partitions) {
  repartition_topics_[topic] = partitions;
}

void TopologyGraph::set_changelog(const std::string& store, const std::string& topic) {
  changelog_sources_[store] = topic;
}

void TopologyGraph::copartition(std::set<std::string> sources) {
  copartitioned_.push_back(std::move(sources));
}

void TopologyGraph::rename_copartitioned(const std::string& source,
                                         const std::string& replacement) {
  for (auto& group : copartitioned_) {
    if (group.erase(source) > 0) group.insert(replacement);
  }
}

std::vector<std::vector<std::string>> TopologyGraph::copartition_groups(
    const TopicsOfPattern& topics_of) const {
  std::vector<std::set<std::string>> groups;
  for (const auto& sources : copartitioned_) {
    std::set<std::string> topics;
    for (const std::string& source : sources) {
      const auto found = index_.find(source);
      if (found == index_.end()) continue;
      const PlannedNode& node = nodes_[found->second];
      topics.insert(node.topics.begin(), node.topics.end());
      if (!node.pattern.empty() && topics_of) topics.merge(topics_of(node.pattern));
    }
    // A topic in two groups makes them one.
    std::erase_if(groups, [&topics](const std::set<std::string>& group) {
      const bool overlaps =
          std::ranges::any_of(group, [&](const auto& topic) { return topics.contains(topic); });
      if (overlaps) topics.insert(group.begin(), group.end());
      return overlaps;
    });
    if (topics.size() > 1) groups.push_back(std::move(topics));
  }
  std::vector<std::vector<std::string>> result;
  for (const auto& group : groups) result.emplace_back(group.begin(), group.end());
  return result;
}

void TopologyGraph::check_copartitions() const {
  for (const auto& group : copartition_groups()) {
    std::optional<std::int32_t> wanted;
    std::string wanted_by;
    for (const std::string& topic : group) {
      const auto found = repartition_topics_.find(topic);
      if (found == repartition_topics_.end() || !found->second) continue;
      if (wanted && *wanted != *found->second) {
        throw TopologyError("Following topics do not have the same number of partitions: " +
                            wanted_by + "=" + std::to_string(*wanted) + ", " + topic + "=" +
                            std::to_string(*found->second));
      }
      wanted = found->second;
      wanted_by = topic;
    }
  }
}

void TopologyGraph::check_explicit_names() const {
  static const std::regex kGenerated(
      ".*(STATE-STORE-[0-9]{10}|-[0-9]{10}-store|-[0-9]{10}-Buffer|-[0-9]{10}-repartition)");
  const auto list = [](const char* what, const std::vector<std::string>& names) {
    std::string line;
    for (const std::string& name : names) line += (line.empty() ? "" : ", ") + name;
    return line.empty() ? line
                        : std::string("\nFollowing ") + what + " has not been named: " + line;
  };
  std::vector<std::string> repartitions;
  std::vector<std::string> changelogs;
  std::vector<std::string> stores;
  for (const auto& [topic, partitions] : repartition_topics_) {
    if (std::regex_match(topic, kGenerated)) repartitions.push_back(topic);
  }
  for (const auto& name : unkept_) {
    if (std::regex_match(name, kGenerated)) stores.push_back(name);
  }
  // As in Kafka Streams, which does not look at these.
  const auto is_overlooked = [](const std::string& name, const StoreBuilder& store) {
    return name.starts_with("KTABLE-FK-JOIN-SUBSCRIPTION-STATE-STORE-") ||
           (name.starts_with("KTABLE-SUPPRESS-STATE-STORE-") && !store.logging());
  };
  for (const auto& [name, store] : stores_) {
    if (!std::regex_match(name, kGenerated) || is_overlooked(name, *store.builder)) continue;
    stores.push_back(name);
    if (store.builder->logging() && !changelog_sources_.contains(name)) {
      changelogs.push_back(name + "-changelog");
    }
  }
  const std::string faults = list("repartition topic(s)", repartitions) +
                             list("changelog topic(s)", changelogs) +
                             list("state store(s)", stores);
  if (!faults.empty()) throw TopologyError("Invalid topology:" + faults);
}

std::size_t TopologyGraph::root(std::size_t node) const {
  while (parent_group_[node] != node) node = parent_group_[node];
  return node;
}

void TopologyGraph::unite(std::size_t a, std::size_t b) {
  // The earliest node is the root, which keeps the paths short: graphs are built front to back.
  const auto [first, second] = std::minmax({root(a), root(b)});
  parent_group_[second] = first;
}

void TopologyGraph::seal() {
  groups_.clear();
  subtopologies_.clear();
  global_stores_.clear();
  std::map<std::size_t, std::size_t> group_of_root;
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    const auto [group, is_new] = group_of_root.try_emplace(root(i), groups_.size());
    if (is_new) groups_.emplace_back();
    groups_[group->second].push_back(&nodes_[i]);
  }
  for (std::size_t index = 0; index < groups_.size(); ++index) {
    const auto id = static_cast<std::int32_t>(index);
    if (is_global(groups_[index])) {
      const std::string& topic = groups_[index].front()->topics.front();
      global_stores_.push_back({id, topic, global_store_of_topic_.at(topic)});
    } else {
      subtopologies_.push_back(summarise(id, groups_[index]));
    }
  }
}

bool TopologyGraph::is_global(const std::vector<const PlannedNode*>& group) const {
  const PlannedNode& first = *group.front();
  return first.kind == PlannedNode::Kind::kSource && !first.topics.empty() &&
         global_store_of_topic_.contains(first.topics.front());
}

const std::vector<GlobalStore>& TopologyGraph::global_stores() const { return global_stores_; }

SubTopology TopologyGraph::summarise(std::int32_t id,
                                     const std::vector<const PlannedNode*>& group) const {
  SubTopology summary{.id = id};
  const auto add = [](std::vector<std::string>& names, const std::string& name) {
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  };
  for (const PlannedNode* node : group) {
    const bool is_source = node->kind == PlannedNode::Kind::kSource;
    for (const std::string& topic : node->topics) {
      if (node->internal_topic) {
        add(is_source ? summary.repartition_sources : summary.repartition_sinks, topic);
      } else {
        add(is_source ? summary.source_topics : summary.sink_topics, topic);
      }
    }
    if (!node->pattern.empty()) add(summary.source_patterns, node->pattern);
    for (const std::string& store : java_hash_order(node->stores)) add(summary.stores, store);
  }
  return summary;
}

const std::vector<SubTopology>& TopologyGraph::subtopologies() const { return subtopologies_; }

std::vector<RepartitionTopic> TopologyGraph::repartition_topics() const {
  std::vector<RepartitionTopic> topics;
  for (const auto& [name, partitions] : repartition_topics_) topics.push_back({name, partitions});
  return topics;
}

const StoreBuilder& TopologyGraph::store_builder(std::string_view store) const {
  const auto found = stores_.find(store);
  if (found == stores_.end()) throw TopologyError("there is no store " + std::string(store));
  return *found->second.builder;
}

const std::string* TopologyGraph::changelog_source(std::string_view store) const {
  const auto found = changelog_sources_.find(store);
  return found == changelog_sources_.end() ? nullptr : &found->second;
}

SourceNode* ProcessorGraph::source_of(const std::string& topic) const {
  const auto by_name = std::ranges::find(sources, topic, &Source::topic);
  if (by_name != sources.end()) return by_name->node;
  const auto by_pattern = std::ranges::find_if(sources, [&topic](const Source& source) {
    return source.is_pattern && matches_pattern(source.topic, topic);
  });
  return by_pattern == sources.end() ? nullptr : by_pattern->node;
}

ProcessorGraph TopologyGraph::instantiate(std::int32_t subtopology,
                                          const TaskContext& context) const {
  ProcessorGraph graph;
  std::map<std::string_view, ProcessorNode*> made;
  const auto make = [&](const PlannedNode& planned) {
    auto own = planned.make(planned);
    ProcessorNode* node = own.get();
    ProcessorNode* first = node;
    if (wrapper_ && planned.kind == PlannedNode::Kind::kProcessor) {
      if (auto wrapped = wrapper_(planned.name)) {
        first = graph.nodes.emplace_back(planned.input.wrap(*node, std::move(wrapped))).get();
      }
    }
    graph.nodes.push_back(std::move(own));
    made.emplace(planned.name, node);
    for (const std::string& parent : planned.parents) made.at(parent)->add_child(*first);
    if (planned.kind != PlannedNode::Kind::kSource) return;
    for (const std::string& topic : planned.topics) {
      graph.sources.push_back({context.topic_name(topic, planned.internal_topic),
                               static_cast<SourceNode*>(node)});
    }
    if (!planned.pattern.empty()) {
      graph.sources.push_back({planned.pattern, static_cast<SourceNode*>(node), true});
    }
  };
  if (subtopology < 0) {
    std::set<const PlannedNode*> global;
    for (const auto& group : groups_) {
      if (is_global(group)) global.insert(group.begin(), group.end());
    }
    for (const PlannedNode& node : nodes_) {
      if (!global.contains(&node)) make(node);
    }
  } else {
    for (const PlannedNode* node : groups_.at(static_cast<std::size_t>(subtopology))) make(*node);
  }
  return graph;
}

}  // namespace thalweg::internal

namespace thalweg {

bool matches_pattern(const std::string& pattern, const std::string& topic) {
  return std::regex_match(topic, std::regex(pattern));
}

}  // namespace thalweg
