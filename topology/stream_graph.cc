#include <algorithm>
#include <cctype>
#include <queue>

#include <thalweg/topology/internal/stream_graph.h>

#include "graph_node.h"
#include "optimizer.h"

namespace thalweg::internal {
namespace {

constexpr std::size_t kNameLengthMax = 249;
constexpr std::string_view kRepartitionSuffix = "-repartition";

bool may_stand_in_name(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '_' || c == '-';
}

/// `KSTREAM...-0123456789`: a name made here, not by a user.
bool is_generated(std::string_view name) {
  constexpr std::size_t kDigits = 10;
  if (!name.starts_with("KSTREAM") || name.size() < 7 + 1 + kDigits) return false;
  const std::string_view digits = name.substr(name.size() - kDigits);
  return name[name.size() - kDigits - 1] == '-' &&
         std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; });
}

std::chrono::milliseconds find_window_grace(const GraphNode& node, const std::string& below) {
  if (node.window_grace) return *node.window_grace;
  const std::string chain = below.empty() ? node.name() : node.name() + "->" + below;
  if (node.parents().empty()) {
    throw TopologyError("Window close time is only defined for windowed computations. Got [" +
                        chain + "].");
  }
  std::chrono::milliseconds longest{0};
  for (const GraphNode* parent : node.parents()) {
    longest = std::max(longest, find_window_grace(*parent, chain));
  }
  return longest;
}

std::string ten_digits(int number) {
  std::string digits = std::to_string(number);
  return std::string(10 - digits.size(), '0') + digits;
}

}  // namespace

void check_name(std::string_view name) {
  if (name.empty()) throw TopologyError("Name is illegal, it can't be empty");
  if (name == "." || name == "..") throw TopologyError("Name cannot be \".\" or \"..\"");
  if (name.size() > kNameLengthMax) {
    throw TopologyError("Name is illegal, it can't be longer than 249 characters, name: " +
                        std::string(name));
  }
  if (!std::ranges::all_of(name, may_stand_in_name)) {
    throw TopologyError("Name \"" + std::string(name) +
                        "\" is illegal, it contains a character other than ASCII alphanumerics, "
                        "'.', '_' and '-'");
  }
}

void missing_serde(std::string_view what, const std::type_info& type, std::string_view where) {
  throw TopologyError(std::string(where) + " needs a serde for its " + std::string(what) +
                      ", but " + type_name(type) +
                      " has none: specialise thalweg::Serde for it, or pass one in the options of "
                      "the operator");
}

class StreamGraph::Impl {
 public:
  GraphNode* add(const std::vector<GraphNode*>& parents, std::unique_ptr<GraphNode> node) {
    GraphNode* added = nodes_.emplace_back(std::move(node)).get();
    attach(parents, added);
    return added;
  }
  GraphNode* keep(std::unique_ptr<GraphNode> node) {
    return nodes_.emplace_back(std::move(node)).get();
  }
  void attach(const std::vector<GraphNode*>& parents, GraphNode* node) {
    for (GraphNode* parent : parents) {
      parent->add_child(node);
      node->build_priority = next_priority_++;
      rules_.note(node);
    }
  }

  RootNode root_;
  std::vector<std::unique_ptr<GraphNode>> nodes_;
  std::vector<std::set<std::string>> copartitioned_;
  std::vector<std::string> internal_topics_;
  OptimizerRules rules_;
  DslStore dsl_store_ = DslStore::kRocksDb;
  int next_index_ = 0;
  int next_priority_ = 0;
  bool built_ = false;
};

StreamGraph::StreamGraph(DslStore dsl_store) : impl_(std::make_unique<Impl>()) {
  impl_->dsl_store_ = dsl_store;
}
StreamGraph::~StreamGraph() = default;

bool StreamGraph::is_persistent(const std::optional<bool>& own) const {
  return own.value_or(impl_->dsl_store_ == DslStore::kRocksDb);
}

std::string StreamGraph::new_name(std::string_view prefix) {
  return std::string(prefix) + ten_digits(impl_->next_index_++);
}

std::string StreamGraph::new_store_name(std::string_view prefix) {
  return std::string(prefix) + "STATE-STORE-" + ten_digits(impl_->next_index_++);
}

std::string StreamGraph::name_or_new(const std::string& name, std::string_view prefix) {
  return name_or_new(name, {}, prefix);
}

std::string StreamGraph::name_or_new(const std::string& name, std::string_view suffix,
                                     std::string_view prefix) {
  std::string generated = new_name(prefix);
  if (name.empty()) return generated;
  std::string chosen = name + std::string(suffix);
  check_name(chosen);
  return chosen;
}

StreamHandle StreamGraph::add_source(const std::string& name, std::vector<std::string> topics,
                                     SourcePlan plan) {
  if (topics.empty()) throw TopologyError("source " + name + " needs at least one topic");
  for (const std::string& topic : topics) check_name(topic);
  GraphNode* node = impl_->add({&impl_->root_}, std::make_unique<StreamSourceGraphNode>(
                                                    name, std::move(topics), std::move(plan)));
  return {.graph = this, .node = node, .name = name, .sources = {name}};
}

StreamHandle StreamGraph::add_source(const std::string& name, TopicPattern pattern,
                                     SourcePlan plan) {
  if (pattern.regex.empty()) throw TopologyError("source " + name + " has an empty pattern");
  GraphNode* node = impl_->add({&impl_->root_}, std::make_unique<StreamSourceGraphNode>(
                                                    name, std::move(pattern), std::move(plan)));
  return {.graph = this, .node = node, .name = name, .sources = {name}};
}

StreamHandle StreamGraph::add_table_source(const std::string& source_name, std::string topic,
                                           SourcePlan source, const std::string& name,
                                           ProcessorPlan processor,
                                           std::shared_ptr<TablePlan> table) {
  check_name(topic);
  GraphNode* node = impl_->add(
      {&impl_->root_},
      std::make_unique<TableSourceGraphNode>(source_name, std::move(topic), std::move(source), name,
                                             std::move(processor), std::move(table)));
  return {.graph = this, .node = node, .name = name, .sources = {source_name}};
}

void StreamGraph::add_global_store(const std::string& source_name, std::string topic,
                                   SourcePlan source, const std::string& name,
                                   ProcessorPlan processor, std::shared_ptr<StoreBuilder> builder) {
  check_name(topic);
  impl_->add({&impl_->root_}, std::make_unique<GlobalStoreGraphNode>(
                                  source_name, std::move(topic), std::move(source), name,
                                  std::move(processor), std::move(builder)));
}

GraphNode* StreamGraph::add_processor(const std::vector<GraphNode*>& parents,
                                      const std::string& name, ProcessorPlan plan,
                                      OperatorTraits traits, std::vector<std::string> stores,
                                      std::shared_ptr<StoreBuilder> own_store) {
  return impl_->add(parents,
                    std::make_unique<ProcessorGraphNode>(name, std::move(plan), traits,
                                                         std::move(stores), std::move(own_store)));
}

GraphNode* StreamGraph::add_table_processor(GraphNode* parent, const std::string& name,
                                            ProcessorPlan plan, std::shared_ptr<TablePlan> table,
                                            OperatorTraits traits,
                                            std::vector<std::string> stores) {
  return impl_->add(
      {parent}, std::make_unique<TableProcessorGraphNode>(name, std::move(plan), std::move(table),
                                                          std::move(traits), std::move(stores)));
}

GraphNode* StreamGraph::add_table_join(const std::vector<GraphNode*>& parents,
                                       const std::string& name, TableJoinSidePlan left,
                                       TableJoinSidePlan right, ProcessorPlan merge,
                                       std::shared_ptr<TablePlan> table) {
  return impl_->add(parents,
                    std::make_unique<TableJoinGraphNode>(name, std::move(left), std::move(right),
                                                         std::move(merge), std::move(table)));
}

GraphNode* StreamGraph::add_stream_join(const std::vector<GraphNode*>& parents,
                                        const std::string& name, StreamJoinPlan plan,
                                        OperatorTraits traits) {
  return impl_->add(
      parents, std::make_unique<StreamJoinGraphNode>(name, std::move(plan), std::move(traits)));
}

GraphNode* StreamGraph::add_table_repartition(GraphNode* parent, TableRepartitionPlan plan,
                                              GraphNode*& shared, bool may_share) {
  if (!shared || !may_share) {
    shared = impl_->keep(std::make_unique<TableRepartitionGraphNode>(std::move(plan)));
  }
  impl_->attach({parent}, shared);
  return shared;
}

void StreamGraph::set_window_grace(GraphNode* node, std::chrono::milliseconds grace) {
  node->window_grace = grace;
}

std::optional<bool> StreamGraph::versioned(const GraphNode* node) const {
  return node->traits.versioned_output;
}

std::chrono::milliseconds StreamGraph::window_grace(const GraphNode* node) const {
  return find_window_grace(*node, "");
}

void StreamGraph::add_sink(GraphNode* parent, const std::string& name, std::string topic,
                           SinkPlan plan) {
  if (!topic.empty() || plan.topic_extractor.empty()) check_name(topic);
  impl_->add({parent}, std::make_unique<SinkGraphNode>(name, std::move(topic), std::move(plan)));
}

void StreamGraph::add_state_store(std::shared_ptr<StoreBuilder> builder) {
  impl_->add({&impl_->root_}, std::make_unique<StateStoreGraphNode>(std::move(builder)));
}

GraphNode* StreamGraph::add_internal_topic(const std::vector<GraphNode*>& parents,
                                           const std::string& topic, const std::string& sink_name,
                                           SinkPlan sink, const std::string& source_name,
                                           SourcePlan source) {
  impl_->internal_topics_.push_back(topic);
  GraphNode* written =
      impl_->add(parents, std::make_unique<SinkGraphNode>(sink_name, topic, std::move(sink)));
  return impl_->add({written},
                    std::make_unique<StreamSourceGraphNode>(
                        source_name, std::vector<std::string>{topic}, std::move(source)));
}

GraphNode* StreamGraph::make_repartition(RepartitionPlan plan) {
  const std::string& prefix = plan.topic_prefix;
  RepartitionGraphNode::Names names{.topic = prefix.ends_with(kRepartitionSuffix)
                                                 ? prefix
                                                 : prefix + std::string(kRepartitionSuffix),
                                    .sink = new_name("KSTREAM-SINK-"),
                                    .filter = new_name("KSTREAM-FILTER-"),
                                    .source = new_name("KSTREAM-SOURCE-")};
  if (!is_generated(prefix)) {
    names.sink = names.topic + "-sink";
    names.filter = names.topic + "-filter";
    names.source = names.topic + "-source";
  }
  return impl_->keep(std::make_unique<RepartitionGraphNode>(std::move(names), std::move(plan)));
}

void StreamGraph::add_repartition(GraphNode* parent, GraphNode* repartition) {
  impl_->attach({parent}, repartition);
}

StreamHandle StreamGraph::repartitioned(const StreamHandle& stream, RepartitionPlan plan,
                                        bool may_share, bool attach_again) {
  GraphNode* made = make_repartition(std::move(plan));
  GraphNode*& shared = *stream.repartition;
  const bool reuse = shared != nullptr && may_share;
  if (!reuse) shared = made;
  if (!reuse || attach_again) add_repartition(stream.node, shared);
  return {.graph = this, .node = shared, .name = made->name(), .sources = {made->name()}};
}

std::set<std::string> StreamGraph::copartition(const StreamHandle& a, const StreamHandle& b) {
  std::set<std::string> sources = a.sources;
  sources.insert(b.sources.begin(), b.sources.end());
  copartition(sources);
  return sources;
}

void StreamGraph::copartition(std::set<std::string> sources) {
  impl_->copartitioned_.push_back(std::move(sources));
}

std::unique_ptr<TopologyGraph> StreamGraph::build(const TopologyConfig& config) {
  if (impl_->built_) throw TopologyError("build() was called before: a StreamsBuilder builds once");
  impl_->built_ = true;
  auto topology = std::make_unique<TopologyGraph>();
  topology->wrap_processors(config.processor_wrapper);
  for (const auto& sources : impl_->copartitioned_) topology->copartition(sources);
  for (const auto& topic : impl_->internal_topics_) {
    topology->add_repartition_topic(topic, std::nullopt);
  }
  merge_duplicate_sources(impl_->root_);
  impl_->rules_.apply(config.optimization, *this, *topology, impl_->root_);
  drop_null_keys_where_allowed(impl_->root_);
  for (const auto& node : impl_->nodes_) {
    for (const GraphNode* parent : node->parents()) {
      if (parent->is_versioned()) node->take_versioned_input(*parent);
    }
  }

  const auto later = [](const GraphNode* a, const GraphNode* b) {
    return a->build_priority > b->build_priority;
  };
  std::priority_queue<GraphNode*, std::vector<GraphNode*>, decltype(later)> next(later);
  next.push(&impl_->root_);
  while (!next.empty()) {
    GraphNode* node = next.top();
    next.pop();
    if (node->may_be_written()) {
      node->write(*topology);
      node->written = true;
    }
    for (GraphNode* child : node->children()) next.push(child);
  }
  topology->check_copartitions();
  if (config.ensure_explicit_internal_resource_naming) topology->check_explicit_names();
  topology->seal();
  return topology;
}

}  // namespace thalweg::internal
