#pragma once

#include <concepts>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <thalweg/topology/internal/operators/aggregate.h>
#include <thalweg/topology/internal/operators/repartition.h>
#include <thalweg/topology/internal/operators/session_window_aggregate.h>
#include <thalweg/topology/internal/operators/sliding_window_aggregate.h>
#include <thalweg/topology/internal/operators/window_aggregate.h>
#include <thalweg/topology/internal/stream_graph.h>
#include <thalweg/topology/options.h>

namespace thalweg::internal {

/// The windows of a cogroup, of any kind.
template <typename K, typename A>
struct CogroupSessions {
  SessionWindows windows;
  std::function<A(const K&, A, const payload_t<A>&)> merger;
};
template <typename K, typename A>
using CogroupWindows =
    std::variant<TimeWindows, UnlimitedWindows, SlidingWindows, CogroupSessions<K, A>>;

/// One stream of a cogroup: where it is in the plan, and how its values are folded.
template <typename K, typename A>
class CogroupedStream {
 public:
  using MakeSeed = std::function<A()>;

  CogroupedStream(StreamHandle stream, std::string name)
      : stream_(std::move(stream)), name_(std::move(name)) {}
  virtual ~CogroupedStream() = default;

  const StreamHandle& stream() const { return stream_; }
  const std::string& name() const { return name_; }  ///< Of the grouping; may be empty.
  virtual RepartitionPlan repartition(std::string prefix) const = 0;
  virtual ProcessorPlan aggregate(std::shared_ptr<const TablePlan> table,
                                  MakeSeed initializer) const = 0;
  virtual ProcessorPlan aggregate(std::shared_ptr<const WindowedTablePlan> table,
                                  MakeSeed initializer,
                                  const CogroupWindows<K, A>& windows) const = 0;

 private:
  StreamHandle stream_;
  std::string name_;
};

template <typename K, typename V, typename A, typename F>
class CogroupedStreamOf final : public CogroupedStream<payload_t<K>, A> {
 public:
  using Base = CogroupedStream<payload_t<K>, A>;

  CogroupedStreamOf(StreamHandle stream, Grouped<K, V> grouped, F aggregator)
      : Base(std::move(stream), grouped.name),
        grouped_(std::move(grouped)),
        aggregator_(std::move(aggregator)) {}

  RepartitionPlan repartition(std::string prefix) const override {
    return plan_repartition<K, V>(std::move(prefix), grouped_.key_serde, grouped_.value_serde);
  }
  ProcessorPlan aggregate(std::shared_ptr<const TablePlan> table,
                          typename Base::MakeSeed initializer) const override {
    return plan_aggregate<K, V, payload_t<A>>(std::move(table), std::move(initializer),
                                              aggregator_);
  }
  ProcessorPlan aggregate(std::shared_ptr<const WindowedTablePlan> table,
                          typename Base::MakeSeed initializer,
                          const CogroupWindows<payload_t<K>, A>& windows) const override {
    return std::visit(
        [&](const auto& kind) -> ProcessorPlan {
          if constexpr (requires { kind.merger; }) {
            return plan_session_aggregate<K, V, payload_t<A>>(std::move(table), kind.windows,
                                                              std::move(initializer),
                                                              windowed_fold(), kind.merger);
          } else {
            return plan_window_aggregate<K, V, payload_t<A>>(
                std::move(table), kind, std::move(initializer), windowed_fold());
          }
        },
        windows);
  }

 private:
  /// Windows pass null values on to those who can take them.
  auto windowed_fold() const {
    if constexpr (std::invocable<F&, const payload_t<K>&, const V&, A>) {
      return aggregator_;
    } else {
      return NonNullFold<F>{aggregator_};
    }
  }

  Grouped<K, V> grouped_;
  F aggregator_;
};

/// The streams of a cogroup, in the order in which they were added.
template <typename K, typename A>
class Cogroup {
 public:
  using Stream = CogroupedStream<K, A>;
  struct Member {
    std::unique_ptr<Stream> stream;
    GraphNode* parent = nullptr;  // What the aggregations stand behind; made with the first.
  };

  void add(std::unique_ptr<Stream> stream) {
    for (Member& member : members_) {
      if (member.stream->stream().repartition != stream->stream().repartition) continue;
      member.stream = std::move(stream);
      return;
    }
    members_.push_back({std::move(stream)});
  }
  StreamGraph& graph() const { return *members_.front().stream->stream().graph; }

  /// Adds one aggregation of each stream and the node where they meet. `make_plan` plans the
  /// aggregation of a stream. Returns the handle of the result.
  template <typename MakePlan>
  StreamHandle aggregate(const std::string& name, const std::shared_ptr<TablePlan>& table,
                         ProcessorPlan merge, MakePlan make_plan);

 private:
  void repartition(const std::string& store);

  std::vector<Member> members_;
};

template <typename K, typename A>
void Cogroup<K, A>::repartition(const std::string& store) {
  std::set<std::string> sources;
  for (Member& member : members_) {
    const StreamHandle& stream = member.stream->stream();
    sources.insert(stream.sources.begin(), stream.sources.end());
    if (!stream.repartition_required) {
      member.parent = stream.node;
      continue;
    }
    const std::string& own = member.stream->name();
    GraphNode* node =
        graph().make_repartition(member.stream->repartition(own.empty() ? store : own));
    if (member.parent) continue;
    graph().add_repartition(stream.node, node);
    member.parent = node;
  }
  graph().copartition(std::move(sources));
}

template <typename K, typename A>
template <typename MakePlan>
StreamHandle Cogroup<K, A>::aggregate(const std::string& name,
                                      const std::shared_ptr<TablePlan>& table, ProcessorPlan merge,
                                      MakePlan make_plan) {
  table->materialized = true;
  table->shared_store = members_.size() > 1;
  repartition(table->store);
  const auto store = table->make_store(true);
  std::vector<GraphNode*> aggregations;
  for (const Member& member : members_) {
    auto own_name = graph().name_or_new(name, "-cogroup-agg-" + std::to_string(aggregations.size()),
                                        "COGROUPKSTREAM-AGGREGATE-");
    aggregations.push_back(
        graph().add_processor({member.parent}, own_name, make_plan(*member.stream),
                              {.versioned_output = table->versioned}, {}, store));
  }
  auto merge_name = graph().name_or_new(name, "-cogroup-merge", "COGROUPKSTREAM-MERGE-");
  GraphNode* node = graph().add_processor(aggregations, merge_name, std::move(merge));
  return {.graph = &graph(), .node = node, .name = merge_name, .sources = {merge_name}};
}

}  // namespace thalweg::internal
