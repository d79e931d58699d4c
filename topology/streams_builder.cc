#include <utility>

#include <thalweg/topology/streams_builder.h>

namespace thalweg {

StreamsBuilder::StreamsBuilder(DslStore dsl_store)
    : graph_(std::make_unique<internal::StreamGraph>(dsl_store)) {}
StreamsBuilder::~StreamsBuilder() = default;

StreamsBuilder& StreamsBuilder::add_state_store(std::shared_ptr<StoreBuilder> builder) {
  graph_->add_state_store(std::move(builder));
  return *this;
}

Topology StreamsBuilder::build(const TopologyConfig& config) {
  return Topology(graph_->build(config));
}

}  // namespace thalweg
