#include <algorithm>
#include <utility>

#include <thalweg/topology/topology.h>

namespace thalweg {

Topology::Topology(const TopologyConfig& config)
    : graph_(std::make_unique<internal::TopologyGraph>()) {
  graph_->wrap_processors(config.processor_wrapper);
}
Topology::Topology(std::unique_ptr<internal::TopologyGraph> graph) : graph_(std::move(graph)) {}
Topology::~Topology() = default;
Topology::Topology(Topology&&) noexcept = default;
Topology& Topology::operator=(Topology&&) noexcept = default;

Topology& Topology::add_source_plan(std::string name, std::vector<std::string> topics,
                                    internal::SourcePlan plan) {
  graph_->add_source(std::move(name), std::move(topics), std::move(plan));
  graph_->seal();
  return *this;
}

Topology& Topology::add_pattern_source_plan(std::string name, const std::string& pattern,
                                            internal::SourcePlan plan) {
  graph_->add_pattern_source(std::move(name), pattern, std::move(plan));
  graph_->seal();
  return *this;
}

Topology& Topology::add_processor_plan(std::string name, std::vector<std::string> parents,
                                       internal::ProcessorPlan plan) {
  graph_->add_processor(std::move(name), std::move(parents), std::move(plan));
  graph_->seal();
  return *this;
}

Topology& Topology::add_sink_plan(std::string name, std::string topic,
                                  std::vector<std::string> parents, internal::SinkPlan plan) {
  graph_->add_sink(std::move(name), std::move(topic), std::move(parents), std::move(plan));
  graph_->seal();
  return *this;
}

Topology& Topology::add_state_store(std::shared_ptr<StoreBuilder> builder,
                                    std::vector<std::string> processors) {
  graph_->add_store(std::move(builder), processors);
  graph_->seal();
  return *this;
}

Topology& Topology::connect_processor_and_state_stores(const std::string& processor,
                                                       const std::vector<std::string>& stores) {
  graph_->connect(processor, stores);
  graph_->seal();
  return *this;
}

Topology& Topology::add_global_store_plan(std::string source_name, std::string topic,
                                          internal::SourcePlan source, std::string name,
                                          internal::ProcessorPlan processor,
                                          std::shared_ptr<StoreBuilder> builder) {
  graph_->add_global_store(source_name, topic, std::move(source), name, std::move(processor),
                           std::move(builder));
  graph_->seal();
  return *this;
}

Topology& Topology::add_read_only_store_plan(std::string source_name, std::string topic,
                                             internal::SourcePlan source, std::string name,
                                             internal::ProcessorPlan processor,
                                             std::shared_ptr<StoreBuilder> builder) {
  const std::string store = builder->name();
  graph_->add_source(source_name, {topic}, std::move(source));
  graph_->add_processor(name, {source_name}, std::move(processor));
  graph_->add_store(std::move(builder), {name});
  graph_->set_changelog(store, topic);
  graph_->seal();
  return *this;
}

TopologyDescription Topology::describe() const { return graph_->describe(); }

const std::vector<SubTopology>& Topology::subtopologies() const { return graph_->subtopologies(); }

const std::vector<GlobalStore>& Topology::global_stores() const { return graph_->global_stores(); }

std::vector<RepartitionTopic> Topology::repartition_topics() const {
  return graph_->repartition_topics();
}

std::vector<std::vector<std::string>> Topology::copartition_groups(
    const internal::TopicsOfPattern& topics_of) const {
  return graph_->copartition_groups(topics_of);
}

const StoreBuilder& Topology::store_builder(std::string_view store) const {
  return graph_->store_builder(store);
}

std::optional<Topology::Changelog> Topology::changelog(std::string_view store) const {
  if (const std::string* source = graph_->changelog_source(store)) return Changelog{*source, false};
  if (!graph_->store_builder(store).logging()) return std::nullopt;
  return Changelog{std::string(store) + "-changelog", true};
}

AutoOffsetReset Topology::auto_offset_reset(std::string_view topic) const {
  for (const internal::PlannedNode& node : graph_->nodes()) {
    if (node.kind != internal::PlannedNode::Kind::kSource) continue;
    const bool reads_it =
        std::ranges::find(node.topics, topic) != node.topics.end() ||
        (!node.pattern.empty() && matches_pattern(node.pattern, std::string(topic)));
    if (reads_it) return node.auto_offset_reset.value_or(AutoOffsetReset::earliest());
  }
  return AutoOffsetReset::earliest();
}

std::map<std::string, Topology::TopicSchemas> Topology::topic_schemas() const {
  std::map<std::string, TopicSchemas> schemas;
  for (const internal::PlannedNode& node : graph_->nodes()) {
    for (const std::string& topic : node.topics) {
      TopicSchemas& known = schemas[topic];
      if (!known.key) known.key = node.key_schema;
      if (!known.value) known.value = node.value_schema;
    }
  }
  return schemas;
}

internal::ProcessorGraph Topology::instantiate(std::int32_t subtopology,
                                               const TaskContext& context) const {
  return graph_->instantiate(subtopology, context);
}

}  // namespace thalweg
